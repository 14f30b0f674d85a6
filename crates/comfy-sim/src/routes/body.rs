//! Reading the bodies of requests.

use std::io::Read as _;

use axum::extract::{FromRequest as _, Request};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use comfy_protocol::json::exact;
use flate2::read::{GzDecoder, ZlibDecoder};
use serde_json::Value as Json;

use super::answer::{self, Refusal};

/// Largest request body in bytes, as the server's default option has it.
pub(super) const MAX_UPLOAD_SIZE: u64 = 104_857_600;

/// The limit as a number of bytes in memory.
pub(super) const LIMIT: usize = MAX_UPLOAD_SIZE as usize;

/// Why a body could not be used.
#[derive(Debug)]
pub(super) enum BadBody {
    /// It is no JSON.
    Syntax,
    /// It is something that the server's reader stumbles over.
    Trouble,
    TooLarge,
}

impl From<BadBody> for Refusal {
    fn from(bad: BadBody) -> Self {
        match bad {
            BadBody::Syntax | BadBody::Trouble => answer::trouble().into(),
            BadBody::TooLarge => answer::too_large().into(),
        }
    }
}

/// Reads a body as JSON, whatever its content type says. What a [`Json`] cannot hold is there as a stand-in.
pub(super) async fn read_json(request: Request) -> Result<Json, BadBody> {
    let is_text = is_known_charset(request.headers());
    let bytes = read(request).await?;
    if !is_text {
        return Err(BadBody::Trouble);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| BadBody::Trouble)?;
    exact::from_slice(text.as_bytes()).map_err(|error| match error.message.contains("recursion") {
        true => BadBody::Trouble,
        false => BadBody::Syntax,
    })
}

/// Reads a body, unpacked.
pub(super) async fn read(request: Request) -> Result<Bytes, BadBody> {
    let coding = request.headers().get(header::CONTENT_ENCODING).cloned();
    let bytes = Bytes::from_request(request, &()).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => BadBody::TooLarge,
        _ => BadBody::Trouble,
    })?;
    let mut unpacked = Vec::new();
    let limit = MAX_UPLOAD_SIZE + 1;
    let done = match coding.as_ref().map(|coding| coding.as_bytes()) {
        Some(b"gzip") => GzDecoder::new(&*bytes).take(limit).read_to_end(&mut unpacked),
        Some(b"deflate") => ZlibDecoder::new(&*bytes).take(limit).read_to_end(&mut unpacked),
        _ => return Ok(bytes),
    };
    match done {
        Ok(length) if length > LIMIT => Err(BadBody::TooLarge),
        Ok(_) => Ok(unpacked.into()),
        Err(_) => Err(BadBody::Trouble),
    }
}

/// Whether the content type names a character set that the server knows.
fn is_known_charset(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let parameters = kind.split(';').skip(1);
    let charset = parameters
        .filter_map(|parameter| parameter.trim().split_once('='))
        .find(|(name, _)| *name == "charset");
    let charset =
        charset.map_or("utf-8", |(_, value)| value.trim_matches('"')).to_ascii_lowercase().replace('_', "-");
    matches!(charset.as_str(), "utf-8" | "utf8" | "latin-1" | "latin1" | "iso-8859-1" | "ascii" | "us-ascii")
}
