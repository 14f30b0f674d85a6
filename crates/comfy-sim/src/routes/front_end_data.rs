//! What the frontend asks for besides files: translations, templates, subgraphs, replacements, and the `/internal` routes.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};

use super::answer;
use crate::files::Folder;
use crate::version::ServerVersion;
use crate::{packs, state};

type Shares = State<Arc<state::State>>;

pub(super) async fn translations(State(state): Shares) -> Response {
    read(move || packs::translations(&state.files)).await
}

pub(super) async fn templates(State(state): Shares) -> Response {
    read(move || packs::templates(&state.files)).await
}

pub(super) async fn subgraphs(State(state): Shares) -> Response {
    read(move || {
        let all = packs::subgraphs(&state.files).into_iter();
        Json::Object(all.map(|(id, entry, _)| (id, entry)).collect())
    })
    .await
}

/// One subgraph with its data; null when there is none of this id.
pub(super) async fn subgraph(State(state): Shares, request: Request) -> Response {
    let wanted = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    read(move || {
        let all = packs::subgraphs(&state.files).into_iter();
        let found = all.into_iter().find(|(id, ..)| *id == wanted);
        found.map_or(Json::Null, |(_, mut entry, path)| {
            entry["data"] = std::fs::read_to_string(path).unwrap_or_default().into();
            entry
        })
    })
    .await
}

pub(super) async fn replacements(State(state): Shares) -> Response {
    answer::json(
        &state.replacements.as_ref().map_or_else(|| json!({}), |replacements| replacements.json.clone()),
    )
}

/// The folders of each kind of model.
pub(super) async fn folder_paths(State(state): Shares) -> Response {
    let mut all = Map::new();
    for kind in state.models.kinds() {
        let folders = state.models.folders(kind).into_iter();
        all.insert(kind.name.to_owned(), folders.map(|path| path.display().to_string()).collect());
    }
    answer::json(&all)
}

/// The files at the top of a folder, the newest first.
pub(super) async fn files(State(state): Shares, request: Request) -> Response {
    let name = request.uri().path().rsplit('/').next().unwrap_or_default();
    let Some(folder) = Folder::parse(name) else {
        return answer::json_with(StatusCode::BAD_REQUEST, &json!({"error": "Invalid directory type"}));
    };
    read(move || {
        let root = state.files.root(folder);
        let version = state.options.version;
        let mut names = state.files.list(folder);
        names.retain(|name| version < ServerVersion::V0_8_0 || !name.starts_with('.'));
        let modified = |name: &String| root.join(name).metadata().and_then(|data| data.modified());
        let mut dated: Vec<(SystemTime, String)> =
            names.into_iter().map(|name| (modified(&name).unwrap_or(UNIX_EPOCH), name)).collect();
        dated.sort_by(|(a, _), (b, _)| b.cmp(a));
        let with_folder = version >= ServerVersion::V0_30_0;
        let shown = |name: String| if with_folder { format!("{name} [{}]", folder.as_str()) } else { name };
        dated.into_iter().map(|(_, name)| Json::from(shown(name))).collect()
    })
    .await
}

async fn read(work: impl FnOnce() -> Json + Send + 'static) -> Response {
    tokio::task::spawn_blocking(work).await.map_or_else(|_| answer::trouble(), |json| answer::json(&json))
}
