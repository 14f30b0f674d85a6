//! What the server makes of paths.

use std::borrow::Cow;

use axum::http::Request;
use axum::http::uri::{PathAndQuery, Uri};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// The request with the path in its usual spelling: characters that need no escape are written as they are, and escapes
/// stand for text.
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
        let mut bytes = Vec::new();
        let mut row = after;
        rest = after;
        while let Some(byte) = escaped(row) {
            bytes.push(byte);
            rest = &row[2..];
            let Some(next) = rest.strip_prefix('%') else { break };
            row = next;
        }
        if bytes.is_empty() {
            path.push('%');
        }
        // What is no text becomes text, with a sign for each part that is none.
        for character in String::from_utf8_lossy(&bytes).chars() {
            if character.is_ascii_alphanumeric() || "-._~".contains(character) {
                path.push(character);
            } else {
                let mut bytes = [0; 4];
                path.extend(percent_encode(character.encode_utf8(&mut bytes).as_bytes(), NON_ALPHANUMERIC));
            }
        }
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

/// The byte that an escape stands for, of which the percent sign is taken off already.
fn escaped(digits: &str) -> Option<u8> {
    let digits = digits.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

/// A text with its escapes read. What is no escape stays, what becomes no text is replaced.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// A path without escapes; `None` when it is no text then.
pub(super) fn decoded(path: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(path).decode_utf8().ok()
}

/// Where a path leads from the static files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leads {
    /// To something in them, or to nothing.
    In,
    /// To their folder, by a way round.
    Back,
    Out,
}

/// Where a path leads from the static files.
pub(super) fn leads(path: &str) -> Leads {
    let path = path.replace("%2f", "/").replace("%2F", "/");
    let Some(inside) = path.strip_prefix('/') else { return Leads::In };
    if inside.starts_with('/') {
        return Leads::Out;
    }
    let mut depth = 0_i32;
    for part in inside.split('/') {
        match part {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return Leads::Out;
        }
    }
    if depth == 0 { Leads::Back } else { Leads::In }
}

/// Whether a path belongs to the server's internal routes, which are an application of their own.
pub(super) fn is_internal(path: &str) -> bool {
    path.strip_prefix("/internal").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
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
        assert_eq!(path("/%c3%bc%2fa%2"), "/%C3%BC%2Fa%2");
    }

    #[test]
    fn escapes_that_are_no_text_become_text() {
        assert_eq!(path("/a%FFb%c3"), "/a%EF%BF%BDb%EF%BF%BD");
    }

    #[test]
    fn paths_that_lead_out_are_told_from_those_that_are_only_unknown() {
        for out in ["//prompt", "/../prompt", "/..%2f..%2fetc/passwd", "/a/../../b"] {
            assert_eq!(leads(out), Leads::Out, "{out}");
        }
        for inside in ["/./prompt", "/a/../b", "/nope", "/prompt/", "/.env"] {
            assert_eq!(leads(inside), Leads::In, "{inside}");
        }
        for back in ["/.", "/api/..", "/a/./..%2f"] {
            assert_eq!(leads(back), Leads::Back, "{back}");
        }
    }
}
