//! `GET` and `POST` of `/users` and `/settings`.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};

use super::answer::{self, Refusal};
use super::body::read_json;
use crate::state;
use crate::users::{NoUser, User};
use crate::version::ServerVersion;

pub(super) async fn list(State(state): State<Arc<state::State>>) -> Response {
    if state.users.is_multi_user() {
        return answer::json(&json!({"storage": "server", "users": state.users.names()}));
    }
    answer::json(&json!({"storage": "server", "migrated": state.users.is_migrated()}))
}

pub(super) async fn add(
    State(state): State<Arc<state::State>>,
    request: Request,
) -> Result<Response, Refusal> {
    let Json::Object(body) = read_json(request).await? else { return Ok(answer::trouble()) };
    let Some(name) = body.get("username").and_then(Json::as_str) else { return Ok(answer::trouble()) };
    Ok(match state.users.add(name) {
        Ok(id) => answer::json(&id),
        Err(NoUser::NoName) if state.options.version < ServerVersion::V0_8_0 => answer::trouble(),
        Err(NoUser::Io(error)) => {
            tracing::debug!(%error, "the list of users was not stored");
            answer::trouble()
        }
        Err(error) => answer::json_with(StatusCode::BAD_REQUEST, &json!({"error": error.to_string()})),
    })
}

/// Who asks for settings.
fn user(state: &state::State, request: &Request) -> Result<User, Refusal> {
    state.users.of(request.headers()).ok_or_else(|| answer::unauthorized().into())
}

fn read(state: &state::State, request: &Request) -> Result<Json, Refusal> {
    let user = user(state, request)?;
    state.users.settings(&user).map_err(|error| {
        tracing::debug!(%error, "settings could not be read");
        answer::trouble().into()
    })
}

fn store(state: &state::State, user: &User, change: impl FnOnce(&mut Map<String, Json>)) -> Response {
    match state.users.change_settings(user, change) {
        Ok(()) => answer::empty(StatusCode::OK),
        Err(error) => {
            tracing::debug!(%error, "settings were not stored");
            answer::trouble()
        }
    }
}

pub(super) async fn settings(
    State(state): State<Arc<state::State>>,
    request: Request,
) -> Result<Response, Refusal> {
    Ok(answer::json(&read(&state, &request)?))
}

pub(super) async fn setting(
    State(state): State<Arc<state::State>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    Ok(match read(&state, &request)? {
        Json::Object(settings) => answer::json(settings.get(&id).unwrap_or(&Json::Null)),
        // In a file that somebody wrote by hand.
        Json::Array(_) => answer::json(&Json::Null),
        _ => answer::trouble(),
    })
}

/// Adds to the settings of a user.
pub(super) async fn set_many(
    State(state): State<Arc<state::State>>,
    request: Request,
) -> Result<Response, Refusal> {
    let user = user(&state, &request)?;
    let Json::Object(new) = read_json(request).await? else { return Ok(answer::trouble()) };
    Ok(store(&state, &user, |settings| settings.extend(new)))
}

pub(super) async fn set_one(
    State(state): State<Arc<state::State>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let user = user(&state, &request)?;
    let value = read_json(request).await?;
    Ok(store(&state, &user, |settings| {
        settings.insert(id, value);
    }))
}
