//! `GET /queue`, `POST /queue`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use comfy_protocol::routes::queue::Queue;
use serde_json::Value as Json;

use super::answer::{self, Refusal};
use super::body::read_json;
use crate::python;
use crate::state;

pub(super) async fn show(State(state): State<Arc<state::State>>) -> Response {
    let (running, pending) = state.queue(|queue| (queue.running(), queue.pending()));
    answer::json(&Queue::new(running, pending))
}

pub(super) async fn change(
    State(state): State<Arc<state::State>>,
    request: Request,
) -> Result<Response, Refusal> {
    let Some(removal) = removal(&read_json(request).await?) else { return Ok(answer::trouble()) };
    if removal.clear {
        state.clear_queue();
    }
    for id in removal.ids.iter().filter_map(Json::as_str) {
        if state.delete_pending(id).is_err() {
            return Ok(answer::trouble());
        }
    }
    Ok(answer::empty(StatusCode::OK))
}

/// What is to be removed from the queue or the history.
pub(super) struct Removal {
    pub(super) clear: bool,
    pub(super) ids: Vec<Json>,
}

/// Reads a removal as the server does; `None` where it stumbles.
pub(super) fn removal(body: &Json) -> Option<Removal> {
    let nothing = || Removal { clear: false, ids: Vec::new() };
    match body {
        // The server asks whether the words occur, and in lists and texts they seldom do.
        Json::Array(items) if !items.iter().any(|item| item == "clear" || item == "delete") => {
            Some(nothing())
        }
        Json::String(text) if !text.contains("clear") && !text.contains("delete") => Some(nothing()),
        Json::Object(body) => {
            let clear = body.get("clear").is_some_and(python::is_true);
            let ids = match body.get("delete") {
                None => Vec::new(),
                Some(Json::Array(ids)) => ids.clone(),
                Some(Json::String(text)) => {
                    text.chars().map(|character| Json::from(character.to_string())).collect()
                }
                Some(Json::Object(ids)) => ids.keys().map(|id| Json::from(id.as_str())).collect(),
                Some(_) => return None,
            };
            Some(Removal { clear, ids })
        }
        _ => None,
    }
}
