//! What the server makes of paths.

use axum::http::Request;
use axum::http::uri::{PathAndQuery, Uri};

/// The request with the path in its usual spelling: characters that need no escape are written as they are.
pub(super) fn normalised<B>(mut request: Request<B>) -> Request<B> {
    if request.uri().path().contains('%')
        && let Some(uri) = unescaped(request.uri())
    {
        *request.uri_mut() = uri;
    }
    request
}

fn unescaped(uri: &Uri) -> Option<Uri> {
    let mut path = String::with_capacity(uri.path().len());
    let mut rest = uri.path();
    while let Some((before, after)) = rest.split_once('%') {
        path.push_str(before);
        let digits = after.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                path.push(char::from(byte));
                &after[2..]
            }
            _ => {
                path.push('%');
                after
            }
        };
    }
    path.push_str(rest);
    if let Some(query) = uri.query() {
        path.push('?');
        path.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

/// A path without escapes; `None` when it is no text then.
pub(super) fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whether a path leads out of the static files.
pub(super) fn leads_out(path: &str) -> bool {
    let path = path.replace("%2f", "/").replace("%2F", "/");
    let Some(inside) = path.strip_prefix('/') else { return false };
    if inside.starts_with('/') {
        return true;
    }
    let mut depth = 0_i32;
    for part in inside.split('/') {
        match part {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

/// The methods of a known path, as the header `Allow` lists them.
pub(super) fn methods(path: &str) -> &'static str {
    if path.starts_with("/api/assets") {
        return super::assets::methods(path);
    }
    let path = path.strip_prefix("/api").unwrap_or(path);
    match path {
        "/prompt" | "/queue" | "/history" | "/interrupt" | "/free" | "/upload/image" | "/upload/mask" => {
            "GET,HEAD,POST"
        }
        _ => "GET,HEAD",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(uri: &str) -> String {
        let request = Request::builder().uri(uri).body(()).unwrap();
        normalised(request).uri().to_string()
    }

    #[test]
    fn only_needless_escapes_are_taken_out_of_a_path() {
        assert_eq!(path("/%70rompt?a=%70"), "/prompt?a=%70");
        assert_eq!(path("/prompt%2F%20%zz%"), "/prompt%2F%20%zz%");
        assert_eq!(path("/%2e%2e/x"), "/../x");
    }

    #[test]
    fn paths_that_lead_out_are_told_from_those_that_are_only_unknown() {
        for out in ["//prompt", "/../prompt", "/..%2f..%2fetc/passwd", "/a/../../b"] {
            assert!(leads_out(out), "{out}");
        }
        for inside in ["/./prompt", "/a/../b", "/nope", "/prompt/", "/.env"] {
            assert!(!leads_out(inside), "{inside}");
        }
    }
}
