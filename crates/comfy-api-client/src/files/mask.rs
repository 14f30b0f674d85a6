//! Masks for pictures that are on the server.

use comfy_protocol::FileRef;
use comfy_protocol::routes::upload::Uploaded;
use serde_json::json;

use super::info::FileInfo;
use crate::http::Http;
use crate::{Error, ErrorKind, Result};

/// A mask about to be uploaded. The server answers with success when it could not find the original and wrote nothing,
/// so both are looked at.
pub(super) struct Mask {
    original: FileRef,
    /// What was under the mask's name before.
    before: Option<FileInfo>,
}

impl Mask {
    /// Sees that the original is there, and what is in the place of the mask.
    pub(super) async fn prepare(http: &Http, original: FileRef, place: Option<FileRef>) -> Result<Self> {
        FileInfo::ask(http, &original).await.map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                let name = crate::text::one_line(&original.filename, 100);
                let folder = crate::text::one_line(&original.folder, 20);
                Error::new(
                    ErrorKind::NotFound,
                    format!("the original `{name}` of the mask is not in the server's folder `{folder}`"),
                )
                .with_hint("upload the original first, and give its subfolder and folder too")
                .with_status(404)
                .with_source(error)
            }
            _ => error,
        })?;
        let before = match place {
            Some(place) => FileInfo::ask(http, &place).await.ok(),
            None => None,
        };
        Ok(Self { original, before })
    }

    /// The field of the form that names the original.
    pub(super) fn original_ref(&self) -> String {
        let FileRef { filename, subfolder, folder, .. } = &self.original;
        json!({"filename": filename, "subfolder": subfolder, "type": folder}).to_string()
    }

    /// Sees that the server wrote the file that it named.
    pub(super) async fn verify(self, http: &Http, uploaded: &Uploaded) -> Result<()> {
        let written = FileInfo::ask(http, &uploaded.file()).await;
        let error = match written {
            Ok(info) if self.before.as_ref() != Some(&info) || info.etag.is_none() => return Ok(()),
            Ok(_) => None,
            Err(error) if error.kind() == ErrorKind::NotFound => Some(error),
            Err(error) => return Err(error),
        };
        let name = crate::text::one_line(&uploaded.name, 100);
        let failure =
            Error::new(ErrorKind::NotFound, format!("the server took the mask `{name}` and wrote no file"))
                .with_hint("check that the original is still there");
        Err(match error {
            Some(error) => failure.with_status(404).with_source(error),
            None => failure,
        })
    }

    /// The error of a refused mask, with what masks have to be.
    pub(super) fn explain(error: Error) -> Error {
        if error.status() != Some(500) {
            return error;
        }
        error.with_hint(
            "a mask is a picture as wide and high as its original, and its name ends as that of a format with transparency, such as `.png`",
        )
    }
}
