//! Reading the bodies of requests.

use std::borrow::Cow;
use std::io::Read as _;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use comfy_protocol::json::exact;
use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};
use futures_util::StreamExt as _;
use serde_json::Value as Json;

use super::answer::{self, Refusal};

/// The largest request body in bytes. Every request carries it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit(pub(super) u64);

impl Limit {
    pub(super) fn of(request: &Request) -> Self {
        request.extensions().get().copied().unwrap_or(Self(0))
    }
}

/// How long the rest of a body that is too large is read.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many pieces of it are read: some gigabytes.
const MOST_DISCARDED_FRAMES: usize = 1 << 18;

/// Why a body could not be used.
#[derive(Debug)]
pub(super) enum BadBody {
    /// It is no JSON.
    Syntax,
    /// It is something that the server's reader stumbles over.
    Trouble,
    /// It is larger than this number of bytes.
    TooLarge(u64),
    /// It says that it is deflated, and is not.
    NotDeflated,
}

impl From<BadBody> for Refusal {
    fn from(bad: BadBody) -> Self {
        match bad {
            BadBody::Syntax | BadBody::Trouble => answer::trouble().into(),
            BadBody::NotDeflated => answer::not_deflated().into(),
            BadBody::TooLarge(limit) => answer::too_large(limit).into(),
        }
    }
}

/// Reads a body as JSON, whatever its content type says. What a [`Json`] cannot hold is there as a stand-in.
pub(super) async fn read_json(request: Request) -> Result<Json, BadBody> {
    let charset = Charset::of(request.headers());
    let bytes = read(request).await?;
    let text = match charset {
        Some(Charset::Utf8) => {
            std::str::from_utf8(&bytes).map(Cow::Borrowed).map_err(|_| BadBody::Trouble)?
        }
        Some(Charset::Latin1) => bytes.iter().copied().map(char::from).collect(),
        None => return Err(BadBody::Trouble),
    };
    exact::from_slice(text.as_bytes()).map_err(|error| match error.message.contains("recursion") {
        true => BadBody::Trouble,
        false => BadBody::Syntax,
    })
}

/// Reads a body as it came. One that is too large is read on for a while and thrown away: most clients send all of it before they
/// look at an answer.
async fn whole(body: Body, limit: u64) -> Result<Bytes, BadBody> {
    let mut frames = body.into_data_stream();
    let mut bytes = BytesMut::new();
    while let Some(frame) = frames.next().await {
        let frame = frame.map_err(|_| BadBody::Trouble)?;
        if (bytes.len() + frame.len()) as u64 > limit {
            drop(bytes);
            let rest = frames.take(MOST_DISCARDED_FRAMES).for_each(|_| std::future::ready(()));
            let _ = tokio::time::timeout(PATIENCE, rest).await;
            return Err(BadBody::TooLarge(limit));
        }
        bytes.extend_from_slice(&frame);
    }
    Ok(bytes.freeze())
}

/// Reads a body, unpacked.
pub(super) async fn read(request: Request) -> Result<Bytes, BadBody> {
    let Limit(limit) = Limit::of(&request);
    let coding = request.headers().get(header::CONTENT_ENCODING).cloned();
    let bytes = whole(request.into_body(), limit).await?;
    let mut unpacked = Vec::new();
    // One byte more tells what is too large.
    let most = limit.saturating_add(1);
    let done = match coding.as_ref().map(|coding| coding.as_bytes()) {
        Some(b"gzip") => GzDecoder::new(&*bytes).take(most).read_to_end(&mut unpacked),
        Some(b"deflate") if has_zlib_header(&bytes) => {
            ZlibDecoder::new(&*bytes).take(most).read_to_end(&mut unpacked)
        }
        Some(b"deflate") => DeflateDecoder::new(&*bytes).take(most).read_to_end(&mut unpacked),
        _ => return Ok(bytes),
    };
    match done {
        Ok(length) if length as u64 > limit => Err(BadBody::TooLarge(limit)),
        Ok(_) => Ok(unpacked.into()),
        Err(_) if coding.is_some_and(|coding| coding == "deflate") => Err(BadBody::NotDeflated),
        Err(_) => Err(BadBody::Trouble),
    }
}

/// Some clients send what was deflated without the header that belongs to it.
fn has_zlib_header(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| first & 0x0f == 8)
}

/// How the bytes of a text are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    Utf8,
    Latin1,
}

impl Charset {
    /// The character set that the content type names; `None` for one that is not known.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let mut parameters = kind.split(';').skip(1).filter_map(|parameter| parameter.trim().split_once('='));
        let charset = parameters
            .find(|(name, _)| *name == "charset")
            .map_or("utf-8", |(_, value)| value.trim_matches('"'));
        match charset.to_ascii_lowercase().replace('_', "-").as_str() {
            "utf-8" | "utf8" | "ascii" | "us-ascii" => Some(Self::Utf8),
            "latin-1" | "latin1" | "iso-8859-1" => Some(Self::Latin1),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, ZlibEncoder};

    use super::*;

    fn posted(headers: &[(&'static str, &str)], body: Vec<u8>) -> Request {
        let mut request = Request::new(body.into());
        request.extensions_mut().insert(Limit(1000));
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        request
    }

    #[tokio::test]
    async fn bodies_are_read_in_the_character_set_that_they_name() {
        for kind in ["application/json; charset=latin-1", "text/plain;charset=\"ISO_8859_1\""] {
            let body = read_json(posted(&[("content-type", kind)], b"\"\xfc\"".to_vec())).await;
            assert_eq!(body.unwrap(), "ü", "{kind}");
        }
        for kind in ["application/json", "application/json; charset=bogus"] {
            let body = read_json(posted(&[("content-type", kind)], b"\"\xfc\"".to_vec())).await;
            assert!(matches!(body, Err(BadBody::Trouble)), "{kind}");
        }
    }

    #[tokio::test]
    async fn deflated_bodies_are_unpacked_with_a_header_or_without() {
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::default());
        bare.write_all(b"{\"a\": 1}").unwrap();
        let mut wrapped = ZlibEncoder::new(Vec::new(), Compression::default());
        wrapped.write_all(b"{\"a\": 1}").unwrap();
        for body in [bare.finish().unwrap(), wrapped.finish().unwrap()] {
            let body = read_json(posted(&[("content-encoding", "deflate")], body)).await;
            assert_eq!(body.unwrap()["a"], 1);
        }
    }
}
