//! `/simulator/faults`: faults on demand, over HTTP. No path of ComfyUI begins so.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::answer::{self, Refusal};
use super::body::{BadBody, read_json};
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
    let described = match read_json(request).await {
        Ok(described) => described,
        Err(BadBody::TooLarge(limit)) => return Err(BadBody::TooLarge(limit).into()),
        Err(_) => {
            let error =
                "the body is no JSON; send {\"fault\": \"node-error\"} or \"node-error:at=2\" in quotes";
            return Ok(refuse(StatusCode::BAD_REQUEST, error));
        }
    };
    let fault = match Fault::from_json(described) {
        Ok(fault) => fault,
        Err(error) => return Ok(refuse(StatusCode::BAD_REQUEST, &error.to_string())),
    };
    if state.lasting.faults.is_full() {
        let error = format!("{MOST_FAULTS} faults are set already; take some back with DELETE");
        return Ok(refuse(StatusCode::CONFLICT, &error));
    }
    Ok(answer::json(&json!({"id": state.fault(fault)})))
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
