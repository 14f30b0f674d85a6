//! `/simulator/faults`: faults on demand, over HTTP. No path of ComfyUI begins so.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::answer::{self, Refusal};
use super::body::read_json;
use crate::faults::{Fault, FaultId, MOST_FAULTS};
use crate::state;

/// Where the routes of the simulator itself are.
pub(super) const ROOT: &str = "/simulator";

/// The faults that are set.
pub(super) async fn list(State(state): State<Arc<state::State>>) -> Response {
    answer::json(&json!({"faults": state.lasting.faults.list()}))
}

/// Sets one.
pub(super) async fn add(
    State(state): State<Arc<state::State>>,
    request: Request,
) -> Result<Response, Refusal> {
    let fault = match Fault::from_json(read_json(request).await?) {
        Ok(fault) => fault,
        Err(error) => return Ok(refuse(StatusCode::BAD_REQUEST, &error.to_string())),
    };
    Ok(match state.fault(fault) {
        Some(id) => answer::json(&json!({"id": id})),
        None => refuse(
            StatusCode::CONFLICT,
            &format!("{MOST_FAULTS} faults are set already; take some back with DELETE"),
        ),
    })
}

/// Takes all back.
pub(super) async fn clear(State(state): State<Arc<state::State>>) -> Response {
    state.lasting.faults.clear();
    answer::empty(StatusCode::NO_CONTENT)
}

/// Takes one back.
pub(super) async fn remove(State(state): State<Arc<state::State>>, Path(id): Path<String>) -> Response {
    let removed = id.parse().is_ok_and(|id| state.lasting.faults.remove(FaultId(id)));
    if removed {
        answer::empty(StatusCode::NO_CONTENT)
    } else {
        refuse(StatusCode::NOT_FOUND, "no fault has this id; see GET /simulator/faults")
    }
}

fn refuse(status: StatusCode, error: &str) -> Response {
    answer::json_with(status, &json!({"error": error}))
}
