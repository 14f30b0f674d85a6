//! The WORKFLOW argument of a command.

use std::error::Error as _;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

use comfy_api_client::workflow;
use comfy_api_client::workflow::Document;
use comfy_api_client::workflow::convert::{Conversion, Problem, ProblemKind, Severity};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;

/// Most bytes that are taken from stdin, which cannot be read in parts.
const LARGEST: u64 = 1 << 30;

/// The code of the failure for an object of JSON that is no workflow.
pub(crate) const NO_WORKFLOW: &str = "no_workflow";

const HINT: &str = "give a workflow that the editor saved or exported, or a picture that ComfyUI made";

/// A document, and what to call it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) document: Document,
    pub(crate) name: String,
}

/// Reads a document from a file, or from stdin for `-`. Of media only the metadata is read.
pub(crate) async fn open(path: &Path) -> Result<Opened, Failure> {
    let path = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        if path == Path::new("-") {
            let mut bytes = Vec::new();
            std::io::stdin()
                .lock()
                .take(LARGEST)
                .read_to_end(&mut bytes)
                .map_err(|error| unreadable("stdin", &error))?;
            return read(Cursor::new(bytes), "stdin".to_owned());
        }
        let name = one_line(&path.display().to_string());
        let file = File::open(&path).map_err(|error| unreadable(&name, &error))?;
        // Opening a folder works on some systems, and reading it does not.
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(unreadable(&name, &std::io::ErrorKind::IsADirectory.into()));
        }
        read(BufReader::new(file), name)
    });
    opened.await.unwrap_or_else(|error| Err(unreadable("the workflow", &std::io::Error::other(error))))
}

fn read(mut content: impl Read + Seek, name: String) -> Result<Opened, Failure> {
    match Document::from_reader(&mut content) {
        Ok(document) => Ok(Opened { document, name }),
        Err(error) => {
            let kind = error.kind();
            let mut failure = unusable(error, &name);
            if kind == workflow::ErrorKind::NotAWorkflow && is_object(&mut content) {
                failure.report.code = NO_WORKFLOW;
            }
            Err(failure)
        }
    }
}

/// Whether the content begins as an object of JSON does.
fn is_object(content: &mut (impl Read + Seek)) -> bool {
    let mut start = Vec::new();
    let read = content.rewind().and_then(|()| content.take(64).read_to_end(&mut start));
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&start);
    read.is_ok() && start.trim_ascii_start().starts_with(b"{")
}

fn unreadable(name: &str, error: &std::io::Error) -> Failure {
    Failure::of_file("io", &format!("cannot read {name}"), error)
        .with_hint("check the path of the workflow file")
}

/// The failure for a document that is no workflow, in words about the file.
fn unusable(error: workflow::Error, name: &str) -> Failure {
    let text = error.to_string();
    let mut message = match text.strip_prefix("the document ") {
        Some(rest) => format!("{name} {rest}"),
        None => format!("{name}: {text}"),
    };
    if let Some(source) = error.source() {
        message.push_str(&format!(": {}", one_line(&source.to_string())));
    }
    let mut failure = Failure::from(error).with_hint(HINT);
    failure.report.message = message;
    failure
}

/// Tells the warnings of a document and of its conversion; with errors that has failed.
pub(crate) fn check(opened: &Opened, conversion: &Conversion, printer: &Printer) -> Result<(), Failure> {
    let Opened { document, name } = opened;
    for problem in &document.problems {
        printer.warning(&format!("{name} {problem}"));
    }
    let (errors, warnings): (Vec<&Problem>, _) =
        conversion.problems.iter().partition(|problem| problem.severity == Severity::Error);
    for warning in warnings {
        printer.warning(&warning.to_string());
    }
    if errors.is_empty() {
        return Ok(());
    }
    let lines: String = errors.iter().map(|problem| format!("\n{problem}")).collect();
    let message = format!("{name} cannot be converted to the API format{lines}");
    let mut failure = Failure::new(Exit::Rejected, "conversion", message);
    if errors.iter().any(|problem| problem.kind == ProblemKind::UnknownClass) {
        failure =
            failure.with_hint("install the custom node on the server, or take the node out of the workflow");
    }
    failure.report.details = problems(conversion);
    Err(failure)
}

/// The problems of a conversion in JSON.
pub(crate) fn problems(conversion: &Conversion) -> Value {
    conversion.problems.iter().map(problem).collect()
}

/// Prints a problem as a line of JSON, in the `--json` mode.
pub(crate) fn print_problem(problem: Value, printer: &Printer) {
    let mut line = problem;
    if let Value::Object(fields) = &mut line {
        fields.shift_insert(0, "type".into(), "problem".into());
    }
    printer.json(&line);
}

/// A problem of a conversion in JSON.
pub(crate) fn problem(problem: &Problem) -> Value {
    json!({
        "severity": problem.severity.to_string(), "kind": problem.kind.as_str(), "node": problem.node,
        "title": problem.title, "class_type": problem.class_type, "input": problem.input, "message": problem.message,
    })
}
