//! A template in place of a workflow.

use std::path::{Path, PathBuf};

use comfy_api_client::workflow::split_assignment;
use comfy_api_client::workflow::template::{TemplateFile, Values};

use crate::failure::{Failure, one_line};

/// Largest template file that is read.
const LARGEST: u64 = 16 << 20;

/// A template file that was read.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) file: TemplateFile,
    pub(crate) bytes: Vec<u8>,
    /// Where its workflow is.
    pub(crate) workflow: PathBuf,
}

/// Reads a template, if the name says that it is one.
pub(crate) fn read(path: &Path) -> Result<Option<Read>, Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    if !name.ends_with(".toml") && !name.ends_with(".template.json") {
        return Ok(None);
    }
    let shown = one_line(&path.display().to_string());
    let unreadable = |error: std::io::Error| {
        Failure::of_file("io", &format!("cannot read {shown}"), &error)
            .with_hint("check the path of the template file")
    };
    if std::fs::metadata(path).map_err(unreadable)?.len() > LARGEST {
        return Err(Failure::usage("workflow", format!("{shown} is too large for a template")));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let file = TemplateFile::from_slice(&bytes).map_err(|error| {
        let mut failure = Failure::from(error).into_usage();
        failure.report.message = format!("{shown}: {}", failure.report.message);
        failure
    })?;
    let Some(workflow) = file.workflow().map(|beside| path.with_file_name(beside)) else {
        return Err(Failure::usage("workflow", format!("{shown} names no workflow"))
            .with_hint("say which it is for, as `workflow = \"hello.json\"`"));
    };
    Ok(Some(Read { file, bytes, workflow }))
}

/// The values of `--param`.
pub(crate) fn values(params: &[String]) -> Result<Values, Failure> {
    let mut values = Values::new();
    for text in params {
        let (name, value) = split_assignment(text).ok_or_else(|| {
            Failure::usage("usage", format!("`--param {text}`: it has no `=`"))
                .with_hint("write `--param NAME=VALUE`")
        })?;
        values.insert(name, value);
    }
    Ok(values)
}
