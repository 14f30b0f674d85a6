//! The log of requests.

use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

/// Logs every request when its answer begins. The query is left out: it may hold what is nobody's business.
pub(super) async fn log(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    // Written with escapes, so that a client cannot send codes to the terminal.
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let milliseconds = start.elapsed().as_micros() as f64 / 1000.0;
    tracing::info!(%method, path, status = response.status().as_u16(), milliseconds, "request");
    response
}
