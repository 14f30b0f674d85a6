//! The forms of answers.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{front_end, paths};
use crate::state;
use crate::wire::to_json;

/// How the server makes an answer, where that decides what is added to it on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// It is a file: its status is only known when it is sent, and counts as 200 before.
    File,
    /// It is raised as an error, and passes by everything that adds headers.
    Raised,
}

/// Which methods an answer to another method names, where they are not those of the path and of the static files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// Those of the path.
    Own,
    /// Those of the static files.
    OfStaticFiles,
}

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

/// A static file that is no file here: text of a type without a character set.
pub(super) fn with_type(kind: &'static str, text: &'static str) -> Response {
    let mut response = with_body(StatusCode::OK, HeaderValue::from_static(kind), text);
    response.extensions_mut().insert(Made::File);
    response
}

/// What the server says when its own code fails; it closes the connection then.
pub(super) fn trouble() -> Response {
    let mut response =
        text(StatusCode::INTERNAL_SERVER_ERROR, "500 Internal Server Error\n\nServer got itself in trouble");
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    raised(response)
}

fn raised(mut response: Response) -> Response {
    response.extensions_mut().insert(Made::Raised);
    response
}

/// No answer: the connection is closed, as the server does where it cannot even write the head.
pub(super) fn dropped() -> Response {
    let broken = futures_util::stream::iter([Err::<bytes::Bytes, _>(std::io::Error::other("no answer"))]);
    raised(Response::new(Body::from_stream(broken)))
}

/// A refusal that says its status.
pub(super) fn raised_text(status: StatusCode) -> Response {
    let reason = status.canonical_reason().unwrap_or_default();
    raised(text(status, format!("{}: {reason}", status.as_u16())))
}

/// The body is larger than this number of bytes.
pub(super) fn too_large(limit: u64) -> Response {
    raised(text(StatusCode::PAYLOAD_TOO_LARGE, format!("Maximum request body size {limit} exceeded.")))
}

/// The body cannot be unpacked. All that the server says is how it was to be packed.
pub(super) fn not_deflated() -> Response {
    raised(text(StatusCode::BAD_REQUEST, "deflate"))
}

/// Nobody that the server knows asks.
pub(super) fn unauthorized() -> Response {
    raised_text(StatusCode::UNAUTHORIZED)
}

/// The answer of the static files to a path that they do not have: no body, sent in chunks.
pub(super) fn not_found(method: &Method) -> Response {
    let mut response = match *method {
        Method::HEAD => empty(StatusCode::NOT_FOUND),
        _ => no_file(StatusCode::NOT_FOUND),
    };
    response.extensions_mut().insert(Made::File);
    response
}

/// What is sent where there is no file to send: no body, in chunks.
pub(super) fn no_file(status: StatusCode) -> Response {
    let nothing = futures_util::stream::empty::<Result<bytes::Bytes, std::convert::Infallible>>();
    let kind = HeaderValue::from_static("application/octet-stream");
    let mut response = with_body(status, kind, Body::from_stream(nothing));
    response.extensions_mut().insert(Made::File);
    response
}

/// A path with a method that it does not have. The server's static files own every path for GET, except those below
/// `/internal`.
pub(super) async fn wrong_method(State(state): State<Arc<state::State>>, request: Request) -> Response {
    let path = request.uri().path();
    let is_internal = paths::is_internal(path);
    if !is_internal && is_read(request.method()) {
        return front_end::file(&state, request.method(), path, request.headers()).await;
    }
    let mut response = raised_text(StatusCode::METHOD_NOT_ALLOWED);
    if is_internal {
        response.extensions_mut().insert(Names::Own);
    }
    response
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// A path that no route has.
pub(super) async fn unknown_path(State(state): State<Arc<state::State>>, request: Request) -> Response {
    if paths::is_internal(request.uri().path()) {
        return raised_text(StatusCode::NOT_FOUND);
    }
    left_to_static_files(&state, request.method(), request.uri().path(), request.headers()).await
}

/// A path that looks as if a route had it, and is one of the static files only.
pub(super) async fn left_to_static_files(
    state: &state::State,
    method: &Method,
    path: &str,
    asked: &HeaderMap,
) -> Response {
    if is_read(method) {
        return front_end::file(state, method, path, asked).await;
    }
    let mut response = raised_text(StatusCode::METHOD_NOT_ALLOWED);
    response.extensions_mut().insert(Names::OfStaticFiles);
    response
}

/// What is done to every answer last: the list of methods, which the router puts into more answers than the server, is
/// left to those that refuse a method, in the server's order.
pub(super) fn finished(mut response: Response) -> Response {
    let listed = response.headers_mut().remove(header::ALLOW);
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let names = response.extensions().get().copied();
    let listed = listed.as_ref().filter(|_| names != Some(Names::OfStaticFiles));
    let mut methods: Vec<&str> =
        listed.and_then(|list| list.to_str().ok()).map_or_else(Vec::new, |list| list.split(',').collect());
    if names != Some(Names::Own) {
        methods.extend(["GET", "HEAD"]);
    }
    methods.sort_unstable();
    methods.dedup();
    if let Ok(methods) = HeaderValue::try_from(methods.join(",")) {
        response.headers_mut().insert(header::ALLOW, methods);
    }
    response
}
