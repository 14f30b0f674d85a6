//! The WORKFLOW argument of a command.

use std::error::Error as _;
use std::io::Read;
use std::path::Path;

use comfy_api_client::Workflow;
use comfy_api_client::workflow::{Error, ErrorKind};

use crate::failure::{Failure, one_line};

const EXPORT: &str = "in the editor choose `Export (API)` and use that file";

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
