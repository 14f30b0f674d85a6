//! The routes, one file per area. Each is there under its own path and under `/api`.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request};
use axum::response::Response;
use axum::routing::{delete, get, patch, post};
use axum::{Extension, Router};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::util::{MapRequest, MapResponse};

use crate::state::State;
use crate::version::ServerVersion;

mod answer;
mod assets;
mod body;
mod compress;
pub(crate) mod content_type;
mod control;
mod faults;
mod front_end;
mod front_end_data;
mod history;
mod jobs;
mod logs;
mod mask;
mod models;
mod object_info;
mod paths;
mod prompt;
mod queue;
mod send_file;
mod system;
mod traffic;
mod upload;
mod userdata;
mod users;
mod view;
mod watch;
mod ws;

/// The whole of the HTTP side.
pub(crate) type App = MapResponse<MapRequest<Router, OnRequest>, OnResponse>;

type OnRequest = fn(Request) -> Request;
type OnResponse = fn(Response) -> Response;

/// What every handler gets.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    state: Arc<State>,
    /// The open WebSockets: they have to end before the simulator has stopped.
    sockets: TaskTracker,
    /// Ends them, however far they are.
    severed: CancellationToken,
}

impl axum::extract::FromRef<Shared> for Arc<State> {
    fn from_ref(shared: &Shared) -> Self {
        Self::clone(&shared.state)
    }
}

/// Builds the HTTP side.
pub(crate) fn app(state: Arc<State>, sockets: TaskTracker, severed: CancellationToken) -> App {
    let version = state.options.version;
    let routes = table().merge(newer(version)).merge(jobs::routes(version));
    let limit = state.options.max_upload_size();
    let shared = Shared { state: Arc::clone(&state), sockets, severed };
    let mut router = Router::new().merge(routes.clone()).nest("/api", routes).merge(apart());
    if version >= ServerVersion::V0_30_0 {
        router = router.merge(assets::table());
    }
    let router = router
        .route("/simulator/faults", get(faults::list).post(faults::add).delete(faults::clear))
        .route("/simulator/faults/{id}", delete(faults::remove))
        .fallback(answer::unknown_path)
        .layer(DefaultBodyLimit::max(usize::try_from(limit).unwrap_or(usize::MAX)))
        .layer(Extension(body::Limit(limit)))
        .layer(axum::middleware::from_fn_with_state(state, watch::watch))
        .layer(axum::middleware::from_fn_with_state(shared.clone(), traffic::watch))
        .with_state(shared);
    MapResponse::new(MapRequest::new(router, paths::normalised), answer::finished)
}

fn table() -> Router<Shared> {
    Router::new()
        .route("/ws", get(ws::open))
        .route("/prompt", get(prompt::info).post(prompt::submit))
        .route("/queue", get(queue::show).post(queue::change))
        .route("/history", get(history::list).post(history::change))
        .route("/history/{prompt_id}", get(history::show))
        .route("/interrupt", post(control::interrupt))
        .route("/free", post(control::free))
        .route("/view", get(view::view))
        .route("/upload/image", post(upload::image))
        .route("/upload/mask", post(upload::mask))
        .route("/object_info", get(object_info::all))
        .route("/object_info/{class}", get(object_info::one))
        .route("/users", get(users::list).post(users::add))
        .route("/settings", get(users::settings).post(users::set_many))
        .route("/settings/{id}", get(users::setting).post(users::set_one))
        .route("/userdata", get(userdata::list))
        .route("/v2/userdata", get(userdata::walk))
        .route("/userdata/{file}", get(userdata::show).post(userdata::store).delete(userdata::remove))
        .route("/userdata/{file}/move/{dest}", post(userdata::relocate))
        .route("/models", get(models::kinds))
        .route("/models/{folder}", get(models::names))
        .route("/embeddings", get(models::embeddings))
        .route("/view_metadata/{folder}", get(models::metadata))
        .route("/experiment/models", get(models::folders))
        .route("/experiment/models/{folder}", get(models::files))
        .route("/experiment/models/preview/{folder}/{place}/", get(models::preview_of_nothing))
        .route("/experiment/models/preview/{folder}/{place}/{*name}", get(models::preview))
        .route("/system_stats", get(system::stats))
        .route("/features", get(system::features))
        .route("/extensions", get(front_end::extensions))
        .route("/i18n", get(front_end_data::translations))
        .route("/workflow_templates", get(front_end_data::templates))
        .method_not_allowed_fallback(answer::wrong_method)
}

/// Routes that older versions do not have.
fn newer(version: ServerVersion) -> Router<Shared> {
    let mut routes = Router::new();
    if version >= ServerVersion::V0_8_0 {
        routes = routes
            .route("/global_subgraphs", get(front_end_data::subgraphs))
            .route("/global_subgraphs/{id}", get(front_end_data::subgraph));
    }
    if version >= ServerVersion::V0_30_0 {
        routes = routes.route("/node_replacements", get(front_end_data::replacements));
    }
    routes.method_not_allowed_fallback(answer::wrong_method)
}

/// Routes that are there once only.
fn apart() -> Router<Shared> {
    Router::new()
        .route("/", get(front_end::page))
        .route("/api/", get(front_end::page))
        .route("/api/workflow_templates/{pack}/{*file}", get(front_end::template))
        .route("/internal/logs", get(logs::text))
        .route("/internal/logs/raw", get(logs::raw))
        .route("/internal/logs/subscribe", patch(logs::subscribe))
        .route("/internal/folder_paths", get(front_end_data::folder_paths))
        .route("/internal/files/{folder}", get(front_end_data::files))
        .method_not_allowed_fallback(answer::wrong_method)
}
