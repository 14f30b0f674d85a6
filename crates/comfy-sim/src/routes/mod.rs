//! The routes, one file per area. Each is there under its own path and under `/api`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{self, DefaultBodyLimit, Request};
use axum::http::Method;
use axum::response::Response;
use axum::routing::{any, get, post};
use tokio_util::task::TaskTracker;
use tower::util::{MapRequest, MapResponse};

use crate::state::State;
use crate::version::ServerVersion;

mod answer;
mod assets;
mod body;
mod control;
mod front_end;
mod front_end_data;
mod history;
mod mask;
mod object_info;
mod paths;
mod prompt;
mod queue;
mod send_file;
mod system;
mod upload;
mod view;
mod watch;
mod ws;

pub(crate) use send_file::content_type;

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
}

impl axum::extract::FromRef<Shared> for Arc<State> {
    fn from_ref(shared: &Shared) -> Self {
        Self::clone(&shared.state)
    }
}

/// Builds the HTTP side.
pub(crate) fn app(state: Arc<State>, sockets: TaskTracker) -> App {
    let version = state.options.version;
    let routes = table().merge(newer(version));
    let mut router = Router::new().merge(routes.clone()).nest("/api", routes).merge(internal());
    if version >= ServerVersion::V0_30_0 {
        router = router.merge(assets::table());
    }
    let router = router
        .route("/", get(front_end::page).fallback(wrong_method))
        .route("/api/", get(front_end::page).fallback(wrong_method))
        .route("/api/workflow_templates/{pack}/{*file}", get(front_end::template).fallback(wrong_method))
        .fallback(front_end::unknown_path)
        .layer(DefaultBodyLimit::max(body::LIMIT))
        .layer(axum::middleware::from_fn(watch::watch))
        .with_state(Shared { state, sockets });
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
        .route("/system_stats", get(system::stats))
        .route("/features", get(system::features))
        .route("/extensions", get(front_end::extensions))
        .route("/i18n", get(front_end_data::translations))
        .route("/workflow_templates", get(front_end_data::templates))
        .method_not_allowed_fallback(wrong_method)
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
    routes.method_not_allowed_fallback(wrong_method)
}

/// Routes without a form under `/api`.
fn internal() -> Router<Shared> {
    Router::new()
        .route("/internal/folder_paths", get(front_end_data::folder_paths))
        .route("/internal/files/{folder}", get(front_end_data::files))
        .route("/internal/{*path}", any(front_end_data::unknown_internal))
        .method_not_allowed_fallback(wrong_method)
}

/// A known path with a method that it does not have. The server's static files own every path for GET.
async fn wrong_method(extract::State(state): extract::State<Arc<State>>, request: Request) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        front_end::file(&state, request.method(), request.uri().path(), request.headers()).await
    } else {
        answer::wrong_method(paths::methods(request.uri().path()))
    }
}
