//! The largest body that a server takes.

use comfy_protocol::route;
use comfy_protocol::routes::system::Features;

use crate::http::Http;
use crate::{Error, ErrorKind};

/// What a form adds to a file at most, with long names.
const FORM: u64 = 4096;

/// An upload that may be too large.
#[derive(Debug, Clone)]
pub(super) struct Limited<'a> {
    pub(super) http: &'a Http,
    pub(super) name: &'a str,
    /// The size of the file in bytes.
    pub(super) size: Option<u64>,
    /// The size of the form with the file in bytes.
    pub(super) body: Option<u64>,
}

impl Limited<'_> {
    /// Refuses what is larger than the server takes, before anything is sent.
    pub(super) async fn check(&self) -> Result<(), Error> {
        let Some(body) = self.body else { return Ok(()) };
        let known = self.http.upload_limit().get().copied();
        if known.is_some_and(|limit| body <= limit) {
            return Ok(());
        }
        // A limit that was known may be that of a server before its restart.
        match ask(self.http).await {
            Some(limit) if body > limit => Err(self.too_large(Some(limit))),
            _ => Ok(()),
        }
    }

    /// What to make of an upload that failed after `sent` bytes of the file. A server that finds the body too large may
    /// hang up before it was sent, and its answer is lost.
    pub(super) async fn explain(&self, error: Error, sent: u64) -> Error {
        let refused = error.kind() == ErrorKind::TooLarge;
        if !refused && error.kind() != ErrorKind::Disconnected {
            return error;
        }
        let body = self.body.unwrap_or(sent + FORM);
        let limit = ask(self.http).await.filter(|limit| body > *limit);
        if refused || limit.is_some() {
            let status = error.status().unwrap_or(413);
            self.too_large(limit).with_status(status).with_source(error)
        } else {
            error
        }
    }

    fn too_large(&self, limit: Option<u64>) -> Error {
        let name = crate::text::one_line(self.name, 100);
        let size = self.size.map(|size| format!(" ({size} bytes)")).unwrap_or_default();
        let (message, hint) = match limit {
            Some(limit) => (
                format!(
                    "`{name}`{size} is too large: the server takes at most {limit} bytes at once, with the form around the file"
                ),
                "start the server with a larger `--max-upload-size`, or send a smaller file",
            ),
            None => (
                format!("`{name}`{size} is too large for the server or a proxy before it"),
                "allow larger bodies there, or send a smaller file",
            ),
        };
        Error::new(ErrorKind::TooLarge, message).with_hint(hint).with_status(413)
    }
}

/// The limit that the server tells; kept from the first time on.
async fn ask(http: &Http) -> Option<u64> {
    let features = http.call(route::FEATURES, &[]).once().read::<Features>().await;
    let limit = features.ok()?.max_upload_size()?;
    http.upload_limit().get_or_init(|| limit);
    Some(limit)
}
