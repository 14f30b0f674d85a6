//! Packed answers.

use std::io::{self, Write as _};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::answer::{self, Made};

/// How an answer is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Deflate,
    Gzip,
}

/// The coding for a client. It has to name gzip to get anything packed, and gets deflate then if it names that too. How
/// much it wants each does not count.
pub(super) fn coding(asked: &HeaderMap) -> Option<Coding> {
    let accepted = asked.get(header::ACCEPT_ENCODING)?.to_str().ok()?;
    accepted
        .contains("gzip")
        .then(|| if accepted.contains("deflate") { Coding::Deflate } else { Coding::Gzip })
}

/// Packs JSON and text. Files are sent as they are.
pub(super) async fn packed(response: Response, coding: Option<Coding>) -> Response {
    let Some(coding) = coding.filter(|_| is_packable(&response)) else { return response };
    let (mut parts, body) = response.into_parts();
    // All of these are in memory already.
    let Ok(content) = to_bytes(body, usize::MAX).await else { return answer::trouble() };
    let Ok(content) = pack(&content, coding) else { return answer::trouble() };
    let name = match coding {
        Coding::Deflate => "deflate",
        Coding::Gzip => "gzip",
    };
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(content))
}

fn is_packable(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default());
    matches!(kind, Some("application/json" | "text/plain"))
        && response.extensions().get() != Some(&Made::File)
}

fn pack(content: &[u8], coding: Coding) -> io::Result<Vec<u8>> {
    match coding {
        Coding::Deflate => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(content)?;
            encoder.finish()
        }
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(content)?;
            encoder.finish()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_names_gzip_gets_packed_answers() {
        let coding = |accepted: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, accepted.parse().unwrap());
            super::coding(&headers)
        };
        for gzip in ["gzip", "x-gzip", "gzip;q=0", "br, gzip"] {
            assert_eq!(coding(gzip), Some(Coding::Gzip), "{gzip}");
        }
        for deflate in ["gzip, deflate", "deflate, gzip;q=0.5"] {
            assert_eq!(coding(deflate), Some(Coding::Deflate), "{deflate}");
        }
        for nothing in ["", "deflate", "br", "GZIP", "*", "identity"] {
            assert_eq!(coding(nothing), None, "{nothing}");
        }
        assert_eq!(super::coding(&HeaderMap::new()), None);
    }
}
