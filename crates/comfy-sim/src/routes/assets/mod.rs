//! `/api/assets…` and `/api/tags`, which exist under this prefix only (0.30.0).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::{get, head, post};
use serde_json::{Value as Json, json};

use super::Shared;
use super::answer::{self, Refusal};
use super::body::{self, BadBody};
use crate::assets::Assets;
use crate::state;

mod change;
mod create;
mod list;
mod problems;
mod seed;

/// The routes. They answer also where there are no assets.
pub(super) fn table() -> Router<Shared> {
    Router::new()
        .route("/api/assets", get(list::assets).post(create::upload))
        .route("/api/assets/from-hash", post(create::from_hash))
        .route("/api/assets/hash/{hash}", head(list::knows))
        .route("/api/assets/tags/refine", get(list::refine))
        .route("/api/assets/seed", post(seed::start))
        .route("/api/assets/seed/status", get(seed::status))
        .route("/api/assets/seed/cancel", post(seed::cancel))
        .route("/api/assets/prune", post(seed::prune))
        .route("/api/tags", get(list::tags))
        .method_not_allowed_fallback(answer::wrong_method)
        .merge(of_one())
}

/// The routes of one asset.
fn of_one() -> Router<Shared> {
    Router::new()
        .route("/api/assets/{id}", get(list::one).put(change::update).delete(change::remove))
        .route("/api/assets/{id}/content", get(list::content))
        .route("/api/assets/{id}/tags", post(change::add_tags).delete(change::remove_tags))
        .method_not_allowed_fallback(wrong_method)
}

/// Only paths with an id are those of an asset.
async fn wrong_method(state: Shares, request: Request) -> Answered {
    id_in(&state, (&request).into()).await?;
    Ok(answer::wrong_method(state, request).await)
}

/// The assets, or word that there are none.
fn assets_of(state: &state::State) -> Result<&Assets, Refusal> {
    state.assets.as_ref().ok_or_else(|| {
        let message = "Assets system is disabled. Start the server with --enable-assets to use this feature.";
        problems::refuse(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_DISABLED", message, json!({}))
    })
}

/// The id that a path names, in the form that ids have. A path without one belongs to the static files.
async fn id_in(state: &state::State, asked: Asked) -> Result<String, Refusal> {
    let id = asked.path.split('/').nth(3).unwrap_or_default();
    if is_id(id) {
        return Ok(id.to_ascii_lowercase());
    }
    Err(answer::left_to_static_files(state, &asked.method, &asked.path, &asked.headers).await.into())
}

/// The head of a request, which can be looked at while the body waits.
struct Asked {
    method: Method,
    path: String,
    headers: HeaderMap,
}

impl From<&Request> for Asked {
    fn from(request: &Request) -> Self {
        let path = request.uri().path().to_owned();
        Self { method: request.method().clone(), path, headers: request.headers().clone() }
    }
}

fn is_id(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn no_such_asset(id: &str) -> Refusal {
    let message = format!("AssetReference {id} not found");
    problems::refuse(StatusCode::NOT_FOUND, "ASSET_NOT_FOUND", &message, json!({"id": id}))
}

/// A body that has to be JSON.
async fn json_of(request: Request) -> Result<Json, Refusal> {
    body::read_json(request).await.map_err(|bad| match bad {
        BadBody::TooLarge(_) | BadBody::NotDeflated => bad.into(),
        _ => {
            let message = "Request body must be valid JSON.";
            problems::refuse(StatusCode::BAD_REQUEST, "INVALID_JSON", message, json!({}))
        }
    })
}

/// Does something with the database where it may take its time.
async fn with_assets<T: Send + 'static>(
    state: &Arc<state::State>,
    work: impl FnOnce(&state::State, &Assets) -> T + Send + 'static,
) -> Result<T, Refusal> {
    assets_of(state)?;
    let state = Arc::clone(state);
    let done = tokio::task::spawn_blocking(move || state.assets.as_ref().map(|assets| work(&state, assets)));
    Ok(done.await.ok().flatten().ok_or_else(answer::trouble)?)
}

type Shares = State<Arc<state::State>>;
type Answered = Result<Response, Refusal>;
