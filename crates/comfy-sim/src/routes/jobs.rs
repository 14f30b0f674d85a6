//! `GET /api/jobs`, `GET /api/jobs/{id}` (since 0.8.0), `POST /api/jobs/{id}/cancel`, `POST /api/jobs/cancel` (since 0.30.0).

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value as Json, json};

use super::Shared;
use super::answer::{self, Refusal};
use super::body::{BadBody, read_json};
use super::prompt::is_canonical;
use crate::jobs::{self, Malformed, Query};
use crate::version::ServerVersion;
use crate::{python, state};

/// The routes that a version has. They begin with `/api` themselves, so that the server has them below `/api/api` too.
pub(super) fn routes(version: ServerVersion) -> Router<Shared> {
    let mut routes = Router::new();
    if version >= ServerVersion::V0_8_0 {
        routes = routes.route("/api/jobs", get(list)).route("/api/jobs/{id}", get(show));
    }
    if version >= ServerVersion::V0_30_0 {
        routes = routes
            .route("/api/jobs/cancel", get(cancel_is_no_job).post(cancel_many))
            .route("/api/jobs/{id}/cancel", post(cancel));
    }
    routes.method_not_allowed_fallback(answer::wrong_method)
}

async fn list(State(state): State<Arc<state::State>>, request: Request) -> Response {
    let version = state.options.version;
    let query = match Query::parse(request.uri().query().unwrap_or_default(), version) {
        Ok(query) => query,
        Err(error) => return refuse(&json!({"error": error})),
    };
    match jobs::list(&state.snapshot(), &query, version) {
        Ok(jobs) => answer::json(&jobs),
        Err(Malformed) => answer::trouble(),
    }
}

async fn show(State(state): State<Arc<state::State>>, id: Result<Path<String>, PathRejection>) -> Response {
    match jobs::one(&state.snapshot(), &text(id), state.options.version) {
        Ok(Some(job)) => answer::json(&job),
        Ok(None) => not_found(),
        Err(Malformed) => answer::trouble(),
    }
}

/// `cancel` is looked up as the id of a job, which prompts of this version cannot have.
async fn cancel_is_no_job() -> Response {
    not_found()
}

async fn cancel(State(state): State<Arc<state::State>>, id: Result<Path<String>, PathRejection>) -> Response {
    cancelled(&state, [text(id).as_str()])
}

async fn cancel_many(State(state): State<Arc<state::State>>, request: Request) -> Result<Response, Refusal> {
    let body = match read_json(request).await {
        Ok(body) => body,
        Err(BadBody::Syntax) => return Ok(refuse(&json!({"error": "Request body must be valid JSON"}))),
        Err(bad) => return Err(bad.into()),
    };
    let Some(Json::Array(ids)) = body.get("job_ids") else {
        return Ok(refuse(&json!({"error": "job_ids must be a list"})));
    };
    let is_good = |id: &&Json| id.as_str().is_some_and(is_canonical);
    let bad: Vec<_> = ids.iter().filter(|id| !is_good(id)).map(python::python_text).collect();
    if !bad.is_empty() {
        return Ok(refuse(&json!({"error": "job_ids contains invalid id(s)", "invalid_ids": bad})));
    }
    Ok(cancelled(&state, ids.iter().filter_map(Json::as_str)))
}

fn cancelled<'a>(state: &state::State, ids: impl IntoIterator<Item = &'a str>) -> Response {
    match state.cancel(ids) {
        Ok(cancelled) => answer::json(&json!({"cancelled": cancelled})),
        Err(_) => answer::trouble(),
    }
}

/// What is no text is nobody's id.
fn text(id: Result<Path<String>, PathRejection>) -> String {
    id.map(|Path(id)| id).unwrap_or_default()
}

fn not_found() -> Response {
    answer::json_with(StatusCode::NOT_FOUND, &json!({"error": "Job not found"}))
}

fn refuse(answer: &Json) -> Response {
    answer::json_with(StatusCode::BAD_REQUEST, answer)
}
