//! The forms of answers.

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::wire::to_json;

/// A request that is refused: the answer itself. Boxed, since answers are large.
#[derive(Debug)]
pub(super) struct Refusal(Box<Response>);

impl From<Response> for Refusal {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        *self.0
    }
}

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

fn with_body(status: StatusCode, kind: HeaderValue, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// JSON as the server writes it.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> Response {
    json_with(StatusCode::OK, value)
}

pub(super) fn json_with<T: Serialize + ?Sized>(status: StatusCode, value: &T) -> Response {
    json_text(status, to_json(value))
}

/// JSON that has been written already.
pub(super) fn json_text(status: StatusCode, text: String) -> Response {
    with_body(status, JSON, text)
}

/// An empty body without a content type.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

pub(super) fn text(status: StatusCode, text: impl Into<String>) -> Response {
    with_body(status, TEXT, text.into())
}

/// Text of a type without a character set.
pub(super) fn with_type(kind: &'static str, text: &'static str) -> Response {
    with_body(StatusCode::OK, HeaderValue::from_static(kind), text)
}

/// What the server says when its own code fails; it closes the connection then.
pub(super) fn trouble() -> Response {
    let mut response =
        text(StatusCode::INTERNAL_SERVER_ERROR, "500 Internal Server Error\n\nServer got itself in trouble");
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The body is larger than the server takes.
pub(super) fn too_large() -> Response {
    let limit = super::body::MAX_UPLOAD_SIZE;
    text(StatusCode::PAYLOAD_TOO_LARGE, format!("Maximum request body size {limit} exceeded."))
}

/// The answer of the static files to a path that they do not have: no body, sent in chunks.
pub(super) fn not_found(method: &Method) -> Response {
    if method == Method::HEAD {
        return empty(StatusCode::NOT_FOUND);
    }
    let nothing = futures_util::stream::empty::<Result<bytes::Bytes, std::convert::Infallible>>();
    let kind = HeaderValue::from_static("application/octet-stream");
    with_body(StatusCode::NOT_FOUND, kind, Body::from_stream(nothing))
}

pub(super) fn wrong_method(allowed: &'static str) -> Response {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "405: Method Not Allowed");
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

/// What is done to every answer last: the list of methods, which the router puts into more answers than the server, is
/// left to those that refuse a method.
pub(super) fn finished(mut response: Response) -> Response {
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().remove(header::ALLOW);
    }
    response
}
