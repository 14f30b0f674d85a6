//! Scans: starting, watching and stopping them.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde_json::{Value as Json, json};

use super::super::answer;
use super::super::body::{self, BadBody};
use super::problems::refuse;
use super::{Answered, Shares, assets_of, with_assets};
use crate::assets::{self, Phase, Root};

pub(super) async fn start(State(state): Shares, request: Request) -> Answered {
    let scan = &assets_of(&state)?.scan;
    let query = request.uri().query().unwrap_or_default().to_owned();
    let wait = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "wait");
    let wait =
        wait.is_some_and(|(_, value)| ["1", "true", "yes"].contains(&value.to_ascii_lowercase().as_str()));
    let body = match body::read_json(request).await {
        Ok(body) => body,
        Err(bad @ (BadBody::TooLarge(_) | BadBody::NotDeflated)) => return Err(bad.into()),
        Err(_) => json!({}),
    };
    let Json::Object(body) = body else { return Ok(answer::trouble()) };
    let roots = match body.get("roots") {
        None => Root::SCANNED.to_vec(),
        Some(Json::Array(names)) => {
            Root::SCANNED.into_iter().filter(|root| names.iter().any(|name| name == root.as_str())).collect()
        }
        // Its letters are looked at, and none of them is a folder.
        Some(Json::String(_) | Json::Object(_)) => Vec::new(),
        Some(_) => return Ok(answer::trouble()),
    };
    if roots.is_empty() {
        let message = "No valid roots specified";
        return Err(refuse(StatusCode::BAD_REQUEST, "INVALID_BODY", message, json!({})));
    }
    if !assets::start(&state, roots, Phase::Full) {
        return Ok(answer::json_with(StatusCode::CONFLICT, &json!({"status": "already_running"})));
    }
    if !wait {
        return Ok(answer::json_with(StatusCode::ACCEPTED, &json!({"status": "started"})));
    }
    with_assets(&state, |_, assets| assets.scan.wait(Duration::MAX)).await?;
    Ok(answer::json(&json!({"status": "completed", "progress": scan.progress(), "errors": []})))
}

pub(super) async fn status(State(state): Shares) -> Answered {
    let scan = &assets_of(&state)?.scan;
    Ok(answer::json(&json!({"state": scan.state(), "progress": scan.progress(), "errors": []})))
}

pub(super) async fn cancel(State(state): Shares) -> Answered {
    let status = if assets_of(&state)?.scan.cancel() { "cancelling" } else { "idle" };
    Ok(answer::json(&json!({"status": status})))
}

/// Marks what is outside of the folders, where nothing ever is.
pub(super) async fn prune(State(state): Shares) -> Answered {
    if assets_of(&state)?.scan.is_running() {
        return Ok(answer::json_with(StatusCode::CONFLICT, &json!({"status": "scan_running", "marked": 0})));
    }
    Ok(answer::json(&json!({"status": "completed", "marked": 0})))
}
