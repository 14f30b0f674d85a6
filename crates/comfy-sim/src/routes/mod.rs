//! The routes, one file per area. Each is there under its own path and under `/api`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::Method;
use axum::response::Response;
use axum::routing::{get, post};
use tokio_util::task::TaskTracker;
use tower::util::{MapRequest, MapResponse};

use crate::state::State;

mod answer;
mod body;
mod control;
mod history;
mod jobs;
mod logs;
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
    let routes = table().merge(jobs::routes(version));
    let router = Router::new()
        .merge(routes.clone())
        .nest("/api", routes)
        .merge(logs::routes())
        .route("/", get(system::front_page).fallback(wrong_method))
        .route("/api/", get(system::front_page).fallback(wrong_method))
        .fallback(answer::unknown_path)
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
        .method_not_allowed_fallback(wrong_method)
}

/// A known path with a method that it does not have. The server's static files own every path for GET.
async fn wrong_method(request: Request) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        answer::not_found(request.method())
    } else {
        answer::wrong_method(paths::methods(request.uri().path()))
    }
}
