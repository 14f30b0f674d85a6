//! What happens to every request: the checks of where it comes from, and headers that every answer has.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::answer;

/// The longest line of a request's head that the server reads.
const LONGEST_LINE: usize = 8190;

/// How many bytes of a line that is too long are shown.
const SHOWN: usize = 100;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

pub(super) async fn watch(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let mut response = match refused(&request) {
        Some(refusal) => refusal,
        None => {
            let mut response = match method {
                Method::OPTIONS => answer::empty(StatusCode::OK),
                _ => next.run(request).await,
            };
            if let (Some(control), true) =
                (cache_control(&path), response.status() != StatusCode::METHOD_NOT_ALLOWED)
            {
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(control));
            }
            response
        }
    };
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static("Python/3.11 aiohttp/3.14.5"));
    response
}

/// The answer to a request that gets no further.
fn refused(request: &Request) -> Option<Response> {
    if let Some(text) = malformed(request) {
        return Some(answer::text(StatusCode::BAD_REQUEST, text));
    }
    let headers = request.headers();
    let cross_site = headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site");
    (cross_site || is_foreign(headers)).then(|| answer::empty(StatusCode::FORBIDDEN))
}

/// What the server's HTTP parser says about a request that it cannot read.
fn malformed(request: &Request) -> Option<String> {
    let method = request.method();
    let target = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if target.len() > LONGEST_LINE {
        let start = String::from_utf8_lossy(&target.as_bytes()[..SHOWN]);
        return Some(format!("Got more than {LONGEST_LINE} bytes when reading: bytearray(b'{start}...')."));
    }
    if let Some(value) = request.headers().values().find(|value| value.len() > LONGEST_LINE) {
        let start = String::from_utf8_lossy(&value.as_bytes()[..SHOWN]);
        return Some(format!("Got more than {LONGEST_LINE} bytes when reading: b'{start}...'."));
    }
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::OPTIONS,
        Method::TRACE,
    ];
    if known.contains(method) {
        return None;
    }
    Some(format!("Invalid method encountered:\n\n  b'{method} {target} HTTP/1.1'\n     ^"))
}

/// Whether a page of another site sent the request. It is only told when the server is called by a loopback name.
fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let (Some(host), Some(origin)) = (text(header::HOST), text(header::ORIGIN)) else { return false };
    let Ok(host) = host.parse::<Authority>() else { return false };
    let Some(Ok(origin)) = origin.split_once("://").map(|(_, rest)| rest.parse::<Authority>()) else {
        return false;
    };
    if origin.host().is_empty() || !is_loopback(host.host()) {
        return false;
    }
    let other_port = matches!((host.port_u16(), origin.port_u16()), (Some(a), Some(b)) if a != b);
    !host.host().eq_ignore_ascii_case(origin.host()) || other_port
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// How long an answer may be kept, which depends on the path alone.
fn cache_control(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.ends_with(".js")
        || name.ends_with(".css")
        || (name.starts_with("index") && name.ends_with(".json"))
    {
        return Some("no-store");
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase())?;
    let pictures = ["jpg", "jpeg", "png", "ppm", "bmp", "pgm", "tif", "tiff", "webp"];
    pictures.contains(&ending.as_str()).then_some("public, max-age=86400")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(host: &str, origin: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        is_foreign(&headers)
    }

    #[test]
    fn pages_of_other_sites_are_told_by_host_and_port() {
        let host = "127.0.0.1:8299";
        for own in [
            "http://127.0.0.1:8299",
            "http://127.0.0.1",
            "https://127.0.0.1:8299",
            "null",
            "",
            "garbage",
            "file://",
        ] {
            assert!(!foreign(host, own), "{own}");
        }
        for other in ["http://evil.example", "http://127.0.0.1:1", "http://localhost:8299"] {
            assert!(foreign(host, other), "{other}");
        }
        assert!(!foreign("example.org", "http://evil.example"));
        assert!(!foreign("127.0.0.1", "http://127.0.0.1:8188"));
        assert!(foreign("[::1]:8188", "http://[::1]:9"));
    }
}
