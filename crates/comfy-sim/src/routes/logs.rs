//! `GET /internal/logs`, `GET /internal/logs/raw`, `PATCH /internal/logs/subscribe`. What is internal has no `/api` form.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value as Json;

use super::answer::{self, Refusal};
use super::body::read_json;
use crate::{python, state};

/// Longest id that a socket can have: it comes in the first line of a request.
const LONGEST_ID: usize = 8190;

pub(super) async fn text(State(state): State<Arc<state::State>>) -> Response {
    answer::json(&state.logs().text())
}

pub(super) async fn raw(State(state): State<Arc<state::State>>) -> Response {
    answer::json(&state.logs().raw())
}

/// Begins or ends the sending of new lines to a socket. One that is not there is forgotten with the next line.
pub(super) async fn subscribe(
    State(state): State<Arc<state::State>>,
    request: Request,
) -> Result<Response, Refusal> {
    let body = read_json(request).await?;
    let (Some(client), Some(wanted)) = (body.get("clientId"), body.get("enabled")) else {
        return Ok(answer::trouble());
    };
    if let Json::Array(_) | Json::Object(_) = client {
        return Ok(answer::trouble());
    }
    if let Some(client) = client.as_str().filter(|client| client.len() <= LONGEST_ID) {
        state.logs().subscribe(client, python::is_true(wanted));
    }
    Ok(answer::empty(StatusCode::OK))
}
