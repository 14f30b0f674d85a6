//! `POST /interrupt`, `POST /free`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value as Json};

use super::answer::{self, Refusal};
use super::body::{BadBody, read_json};
use crate::python;
use crate::state;

/// Stops the running prompt: any, or the one that the body names.
pub(super) async fn interrupt(
    State(state): State<Arc<state::State>>,
    request: Request,
) -> Result<Response, Refusal> {
    let body = match read_json(request).await {
        Ok(body) => body,
        Err(BadBody::Syntax) => Json::Object(Map::new()),
        Err(bad) => return Err(bad.into()),
    };
    let Json::Object(body) = body else { return Ok(answer::trouble()) };
    match body.get("prompt_id") {
        Some(id) if python::is_true(id) => {
            if let Some(id) = id.as_str() {
                state.interrupt_prompt(id);
            }
        }
        _ => state.interrupt(),
    }
    Ok(answer::empty(StatusCode::OK))
}

/// Makes the server forget its results before the next prompt.
pub(super) async fn free(
    State(state): State<Arc<state::State>>,
    request: Request,
) -> Result<Response, Refusal> {
    let Json::Object(body) = read_json(request).await? else { return Ok(answer::trouble()) };
    if body.get("free_memory").is_some_and(python::is_true) {
        state.free_memory();
    }
    Ok(answer::empty(StatusCode::OK))
}
