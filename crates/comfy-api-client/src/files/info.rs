use std::time::SystemTime;

use comfy_protocol::{FileRef, route};
use http::header::{
    ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED,
};

use crate::http::{Call, Http};
use crate::{Error, ErrorKind, Result};

/// What the server says about a file; see [`Client::file_info`](crate::Client::file_info).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileInfo {
    /// Its size in bytes.
    pub size: Option<u64>,
    /// The tag of its content, which is another one when the file was written again.
    pub etag: Option<String>,
    /// When it was written last, rounded up to a second.
    pub modified: Option<SystemTime>,
    /// The media type that the server gives it. What the file is, its extension tells better: servers give scripts and
    /// drawings out as `application/octet-stream`.
    pub content_type: Option<String>,
}

impl FileInfo {
    pub(super) async fn ask(http: &Http, file: &FileRef) -> Result<Self> {
        let answer = view(http, file).head().header(ACCEPT_ENCODING, IDENTITY).send().await;
        Ok(Self::of(answer.map_err(|error| missing(file, error))?.headers()))
    }

    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::to_owned);
        Self {
            size: text(CONTENT_LENGTH).and_then(|size| size.parse().ok()),
            etag: text(ETAG),
            modified: text(LAST_MODIFIED).and_then(|date| httpdate::parse_http_date(&date).ok()),
            content_type: text(CONTENT_TYPE),
        }
    }
}

/// Files are packed as they are, and only what was not packed again has a known size and can be continued.
pub(super) const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// A call for a file.
pub(super) fn view<'a>(http: &'a Http, file: &FileRef) -> Call<'a> {
    let call = http.call(route::VIEW, &[]).query("filename", &file.filename);
    call.query("subfolder", &file.subfolder).query("type", &file.folder)
}

/// The error for a file that is not there.
pub(super) fn missing(file: &FileRef, error: Error) -> Error {
    if error.kind() != ErrorKind::NotFound {
        return error;
    }
    let name = crate::text::one_line(&file.filename, 100);
    Error::new(ErrorKind::NotFound, format!("the file `{name}` is not on the server any more"))
        .with_hint("temporary files go when the server restarts; run the workflow again")
        .with_status(404)
        .with_source(error)
}
