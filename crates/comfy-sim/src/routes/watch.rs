//! What happens to every request: the checks of where it comes from, and headers that every answer has.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::answer::{self, Made};
use super::compress;
use crate::options::Options;
use crate::state;
use crate::version::ServerVersion;

/// The longest line of a request's head that the server reads.
const LONGEST_LINE: usize = 8190;

/// How many bytes of a line that is too long are shown.
const SHOWN: usize = 100;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

pub(super) async fn watch(State(state): State<Arc<state::State>>, request: Request, next: Next) -> Response {
    let options = &state.options;
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let coding = options.compress.then(|| compress::coding(request.headers())).flatten();
    let mut response = if let Some(text) = malformed(&request) {
        answer::text(StatusCode::BAD_REQUEST, text)
    } else if let Some(refusal) = refusal(request.headers(), options) {
        with_caching(refusal, &path, options.version)
    } else if method == Method::OPTIONS {
        let response = with_caching(answer::empty(StatusCode::OK), &path, options.version);
        with_access(response, options)
    } else {
        let response = next.run(request).await;
        if is_out_of_reach(&response) {
            response
        } else {
            let response = with_caching(response, &path, options.version);
            let response = compress::packed(response, coding).await;
            with_access(with_policy(response, options), options)
        }
    };
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static("Python/3.11 aiohttp/3.14.5"));
    response
}

/// Whether nothing is added to an answer any more: it is an error that was raised, or a socket that is open.
fn is_out_of_reach(response: &Response) -> bool {
    response.extensions().get() == Some(&Made::Raised) || response.status() == StatusCode::SWITCHING_PROTOCOLS
}

/// The answer to a page of another site.
fn refusal(headers: &HeaderMap, options: &Options) -> Option<Response> {
    if options.cors_origin.is_some() {
        return None;
    }
    let cross_site = || headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site");
    if options.version >= ServerVersion::V0_30_0 && cross_site() {
        return Some(answer::empty(StatusCode::FORBIDDEN));
    }
    match is_foreign(headers) {
        Ok(false) => None,
        Ok(true) => Some(answer::empty(StatusCode::FORBIDDEN)),
        Err(NoAddress) => Some(answer::trouble()),
    }
}

/// Says whose pages may use the server.
fn with_access(mut response: Response, options: &Options) -> Response {
    let Some(Ok(origin)) = options.cors_origin.as_deref().map(HeaderValue::from_str) else { return response };
    let methods = match options.version {
        ServerVersion::V0_3_64 => "POST, GET, DELETE, PUT, OPTIONS",
        _ => "POST, GET, DELETE, PUT, OPTIONS, PATCH",
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Content-Type, Authorization"),
    );
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    response
}

/// Tells browsers to stay on this server.
fn with_policy(mut response: Response, options: &Options) -> Response {
    if options.disable_api_nodes && options.version >= ServerVersion::V0_8_0 {
        let policy = HeaderValue::from_static(
            "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; \
             style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; \
             connect-src 'self' data:; frame-src 'self'; object-src 'self';",
        );
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
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
    if request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "br") {
        return Some("Can not decode content-encoding: brotli (br). Please install `Brotli`".to_owned());
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
fn is_foreign(headers: &HeaderMap) -> Result<bool, NoAddress> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let (Some(host), Some(origin)) = (text(header::HOST), text(header::ORIGIN)) else { return Ok(false) };
    let Some((_, origin)) = origin.split_once("//") else { return Ok(false) };
    let origin = Address::parse(origin.split(['/', '?', '#']).next().unwrap_or_default())?;
    let host = Address::parse(host)?;
    if origin.name.is_empty() || !is_loopback(&host.name) {
        return Ok(false);
    }
    let other_port = matches!((host.port, origin.port), (Some(a), Some(b)) if a != b);
    Ok(host.name != origin.name || other_port)
}

/// A host as a header names it.
struct Address {
    name: String,
    port: Option<u16>,
}

/// What the server cannot read as a host, and stumbles over.
struct NoAddress;

impl Address {
    fn parse(text: &str) -> Result<Self, NoAddress> {
        let text = text.rsplit('@').next().unwrap_or_default().trim();
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (name, rest) = rest.split_once(']').ok_or(NoAddress)?;
                (name, rest.strip_prefix(':').unwrap_or_default())
            }
            None => text.split_once(':').unwrap_or((text, "")),
        };
        let port = if port.is_empty() { None } else { Some(port.parse().map_err(|_| NoAddress)?) };
        Ok(Self { name: name.to_ascii_lowercase(), port })
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Says how long an answer may be kept, which depends on the path, and a little on the status.
fn with_caching(mut response: Response, path: &str, version: ServerVersion) -> Response {
    // What becomes of a file is not known yet.
    let status = match response.extensions().get() {
        Some(Made::File) => StatusCode::OK,
        _ => response.status(),
    };
    if let Some(control) = cache_control(path, status, version) {
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static(control));
    }
    response
}

fn cache_control(path: &str, status: StatusCode, version: ServerVersion) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.ends_with(".js")
        || name.ends_with(".css")
        || (name.starts_with("index") && name.ends_with(".json"))
    {
        return Some(if version >= ServerVersion::V0_30_0 { "no-store" } else { "no-cache" });
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase())?;
    let pictures = ["jpg", "jpeg", "png", "ppm", "bmp", "pgm", "tif", "tiff", "webp"];
    if !pictures.contains(&ending.as_str()) {
        return None;
    }
    match status {
        StatusCode::NOT_FOUND => Some("public, max-age=3600"),
        status if status.is_success() || status.is_redirection() => Some("public, max-age=86400"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(host: &str, origin: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        is_foreign(&headers).unwrap_or_else(|NoAddress| panic!("{host} {origin}"))
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
        for other in
            ["http://evil.example", "http://127.0.0.1:1", "http://localhost:8299", "//x", "http://a@b/c"]
        {
            assert!(foreign(host, other), "{other}");
        }
        assert!(!foreign("example.org", "http://evil.example"));
        assert!(!foreign("127.0.0.1", "http://127.0.0.1:8188"));
        assert!(foreign("[::1]:8188", "http://[::1]:9"));
        assert!(!foreign("[::1]:8188", "http://[::1]"));
        assert!(!foreign("LOCALHOST", "HTTP://localhost:8299"));
        for broken in ["http://127.0.0.1:99999", "http://127.0.0.1:x", "http://[::1"] {
            let headers = [(header::HOST, "127.0.0.1"), (header::ORIGIN, broken)];
            let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
            assert!(is_foreign(&HeaderMap::from_iter(headers)).is_err(), "{broken}");
        }
    }
}
