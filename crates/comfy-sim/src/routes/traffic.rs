//! What is done with all requests, for those who use the simulator: they are logged and kept, and some fail on demand.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::TryStreamExt as _;

use super::{answer, faults};
use crate::requests::{LONGEST_BODY, ReceivedRequest, Requests, route};
use crate::state;

/// A request that is being answered. It is kept when it is dropped, so also when its client goes away.
struct Watched {
    requests: Requests,
    request: Option<ReceivedRequest>,
    body: Arc<Mutex<Heard>>,
}

/// What was read of a body.
#[derive(Default)]
struct Heard {
    start: Vec<u8>,
    length: u64,
}

pub(super) async fn watch(State(state): State<Arc<state::State>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    // Logged with escapes, so that a client cannot send codes to the terminal. The query is left out: it may hold what is
    // nobody's business.
    let path = request.uri().path().to_owned();
    let response = if path.starts_with(faults::ROOT) {
        next.run(request).await
    } else {
        let (mut watched, request) = Watched::new(&state, request);
        let response = match state.lasting.faults.at_request(route(&path)) {
            None => next.run(request).await,
            Some(fault) => {
                if fault.handled {
                    next.run(request).await;
                }
                failure(fault.status)
            }
        };
        watched.answered(&response);
        response
    };
    let milliseconds = start.elapsed().as_micros() as f64 / 1000.0;
    tracing::info!(%method, path, status = response.status().as_u16(), milliseconds, "request");
    response
}

impl Watched {
    fn new(state: &state::State, request: Request) -> (Self, Request) {
        let heard = Arc::<Mutex<Heard>>::default();
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let received = ReceivedRequest {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().map(str::to_owned),
            headers: headers.collect(),
            body: bytes::Bytes::new(),
            body_length: 0,
            status: None,
        };
        let watched = Self {
            requests: state.lasting.requests.clone(),
            request: Some(received),
            body: Arc::clone(&heard),
        };
        let (head, body) = request.into_parts();
        if http_body::Body::is_end_stream(&body) {
            return (watched, Request::from_parts(head, body));
        }
        let body = body.into_data_stream().inspect_ok(move |chunk| {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.length += chunk.len() as u64;
            let room = LONGEST_BODY - heard.start.len();
            heard.start.extend_from_slice(&chunk[..chunk.len().min(room)]);
        });
        (watched, Request::from_parts(head, Body::from_stream(body)))
    }

    fn answered(&mut self, response: &Response) {
        if let Some(request) = &mut self.request {
            request.status = Some(response.status().as_u16());
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let Some(mut request) = self.request.take() else { return };
        let mut heard = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        request.body = std::mem::take(&mut heard.start).into();
        request.body_length = heard.length;
        self.requests.push(request);
    }
}

/// The answer of a server that stumbles, or of a proxy that does not reach it.
fn failure(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        return answer::trouble();
    }
    let page = format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    let mut response = (status, page).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}
