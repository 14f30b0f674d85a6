//! The WORKFLOW argument of a command.

use std::error::Error as _;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

use comfy_api_client::Workflow;
use comfy_api_client::workflow::document::Document;
use comfy_api_client::workflow::{Error, ErrorKind};

use crate::failure::{Failure, one_line};

const EXPORT: &str = "in the editor choose `Export (API)` and use that file";

const HINT: &str = "give a workflow that the editor saved or exported, or a picture that ComfyUI made";

/// Most bytes that are taken from stdin, which cannot be read in parts.
const LARGEST: u64 = 1 << 30;

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
            let stdin = std::io::stdin().lock().take(LARGEST).read_to_end(&mut bytes);
            stdin.map_err(|error| unreadable("stdin", &error))?;
            return document(Cursor::new(bytes), "stdin".to_owned());
        }
        let name = one_line(&path.display().to_string());
        let file = File::open(&path).map_err(|error| unreadable(&name, &error))?;
        // Opening a folder works on some systems, and reading it does not.
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(unreadable(&name, &std::io::ErrorKind::IsADirectory.into()));
        }
        document(BufReader::new(file), name)
    });
    opened.await.unwrap_or_else(|error| Err(unreadable("the file", &std::io::Error::other(error))))
}

fn document(content: impl Read + Seek, name: String) -> Result<Opened, Failure> {
    match Document::from_reader(content) {
        Ok(document) => Ok(Opened { document, name }),
        Err(error) => Err(unusable(error, &name).with_hint(HINT)),
    }
}

fn unreadable(name: &str, error: &std::io::Error) -> Failure {
    Failure::of_file("io", &format!("cannot read {name}"), error)
        .with_hint("check the path of the workflow file")
}

/// Reads a workflow from a file, or from stdin for `-`.
pub(crate) async fn read(path: &Path) -> Result<Workflow, Failure> {
    let (bytes, shown) = if path == Path::new("-") {
        let read = tokio::task::spawn_blocking(|| {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        });
        (read.await.unwrap_or_else(|error| Err(std::io::Error::other(error))), "stdin".to_owned())
    } else {
        (tokio::fs::read(path).await, path.display().to_string())
    };
    let bytes = bytes.map_err(|error| {
        Failure::of_file("io", &format!("cannot read {shown}"), &error)
            .with_hint("check the path of the workflow file")
    })?;
    if is_picture(&bytes) {
        let message = format!("{shown} is a picture, and the workflow in a picture cannot be read yet");
        return Err(Failure::usage("workflow", message)
            .with_hint("open the picture in the editor, choose `Export (API)` and use that file"));
    }
    Workflow::from_slice(&bytes).map_err(|error| unusable(error, &shown))
}

/// The failure for a document that is no workflow, in words about the file.
fn unusable(error: Error, shown: &str) -> Failure {
    let text = error.to_string();
    let mut message = match (error.kind(), text.strip_prefix("the document ")) {
        (ErrorKind::EditorFormat, _) => {
            format!("{shown} is in the editor's format, which is not supported yet")
        }
        (_, Some(rest)) => format!("{shown} {rest}"),
        (_, None) => format!("{shown}: {text}"),
    };
    if let Some(source) = error.source() {
        message.push_str(&format!(": {}", one_line(&source.to_string())));
    }
    let mut failure = Failure::from(error).with_hint(EXPORT);
    failure.report.message = message;
    failure
}

/// Whether it is PNG, JPEG or WebP, by the first bytes.
fn is_picture(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n")
        || bytes.starts_with(b"\xff\xd8\xff")
        || (bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"))
}
