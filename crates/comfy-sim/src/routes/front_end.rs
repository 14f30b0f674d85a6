//! The static files: the frontend, the scripts of node packs, templates.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use super::paths::{self, Leads};
use super::{answer, content_type, send_file};
use crate::version::ServerVersion;
use crate::{packs, state};

/// Folders that every frontend has. They are there, and are not shown, also where the simulator has no frontend.
const FOLDERS: [&str; 8] =
    ["assets", "cursor", "docs", "extensions", "extensions/core", "fonts", "scripts", "templates"];

/// The page at `/`, of a simulator without a frontend.
const PAGE: &str = "<!doctype html><title>ComfyUI simulator</title><p>This is a simulator of the ComfyUI server, without its frontend.";

/// A list of templates without any.
const NO_TEMPLATES: &str = "[]";

/// The logos that templates are shown with, without any.
const NO_LOGOS: &str = "{}";

/// The page of the frontend. It is not to be kept by anyone.
pub(super) async fn page(State(state): State<Arc<state::State>>, request: Request) -> Response {
    let control = match state.options.version {
        ServerVersion::V0_30_0 => "no-store, must-revalidate",
        _ => "no-cache",
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(control));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(header::EXPIRES, HeaderValue::from_static("0"));
    let mut response = index(&state, request.method(), request.headers()).await;
    response.headers_mut().extend(headers);
    response
}

/// The static file of a path, or word that there is none.
pub(super) async fn file(state: &state::State, method: &Method, path: &str, asked: &HeaderMap) -> Response {
    match paths::leads(path) {
        Leads::Out => return answer::raised_text(StatusCode::NOT_FOUND),
        Leads::Back => return answer::raised_text(StatusCode::FORBIDDEN),
        Leads::In => {}
    }
    let Some(parts) = parts(path) else { return answer::not_found(method) };
    let inside = parts.join("/");
    if inside == "index.html" {
        return index(state, method, asked).await;
    }
    if let Some(found) = find(state, &parts) {
        return send(method, &found, asked).await;
    }
    let new_templates = state.options.version >= ServerVersion::V0_30_0;
    let is_template = path.starts_with("/templates/");
    if inside == "templates/index.json" {
        return answer::with_type("application/json", NO_TEMPLATES);
    }
    if inside == "templates/index_logo.json" && new_templates {
        return answer::with_type("application/json", NO_LOGOS);
    }
    if is_template && new_templates {
        return answer::raised_text(StatusCode::NOT_FOUND);
    }
    if FOLDERS.contains(&inside.as_str()) && !(inside == "templates" && new_templates) {
        return answer::raised_text(StatusCode::FORBIDDEN);
    }
    answer::not_found(method)
}

/// An example workflow of a node pack: under `/api` only, unlike the list of them.
pub(super) async fn template(State(state): State<Arc<state::State>>, request: Request) -> Response {
    let (method, asked) = (request.method(), request.headers());
    let parts = parts(request.uri().path()).unwrap_or_default();
    let found = match parts.get(2..) {
        Some([pack, inside @ ..]) if !inside.is_empty() => packs::template_folders(&state.files, pack)
            .into_iter()
            .find_map(|folder| below(&folder, inside))
            .filter(|path| path.is_file()),
        _ => None,
    };
    match found {
        Some(path) => send(method, &path, asked).await,
        None => answer::not_found(method),
    }
}

/// The scripts that the frontend loads: its own, and those of node packs.
pub(super) async fn extensions(State(state): State<Arc<state::State>>) -> Response {
    let list = move || {
        let own = state.options.front_end_root.as_ref();
        let mut scripts = own.map(|root| packs::scripts_below(&root.join("extensions"))).unwrap_or_default();
        scripts.extend(packs::scripts(&state.files));
        scripts.iter().map(|script| format!("/extensions/{script}")).collect::<Vec<_>>()
    };
    tokio::task::spawn_blocking(list)
        .await
        .map_or_else(|_| answer::trouble(), |scripts| answer::json(&scripts))
}

async fn index(state: &state::State, method: &Method, asked: &HeaderMap) -> Response {
    match state.options.front_end_root.as_ref().map(|root| root.join("index.html")) {
        Some(path) if path.is_file() => send(method, &path, asked).await,
        Some(_) => answer::not_found(method),
        None => answer::with_type("text/html", PAGE),
    }
}

/// The parts of a path, without escapes; `None` when it is no text or names something that cannot be a file.
fn parts(path: &str) -> Option<Vec<String>> {
    let mut parts: Vec<String> = Vec::new();
    for part in paths::decoded(path)?.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ if part.contains(['\0', '\\']) || (cfg!(windows) && part.contains(':')) => return None,
            _ => parts.push(part.to_owned()),
        }
    }
    Some(parts)
}

/// The file or folder of a path.
fn find(state: &state::State, parts: &[String]) -> Option<PathBuf> {
    if let [first, pack, inside @ ..] = parts
        && first == "extensions"
        && let Some(folder) = packs::script_folder(&state.files, pack)
    {
        return below(&folder, inside);
    }
    below(state.options.front_end_root.as_ref()?, parts).filter(|_| !parts.is_empty())
}

/// Something below a folder that is there and that no link leads out of it.
fn below(folder: &Path, parts: &[String]) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    let path = parts.iter().fold(folder.clone(), |path, part| path.join(part)).canonicalize().ok()?;
    path.starts_with(&folder).then_some(path)
}

async fn send(method: &Method, path: &Path, asked: &HeaderMap) -> Response {
    if path.is_dir() {
        return answer::raised_text(StatusCode::FORBIDDEN);
    }
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type::of_plain_file(name)));
    send_file::send(path, headers, asked).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "a static file could not be read");
        answer::not_found(method)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_static_files_are_tidied_up_and_stay_inside() {
        let joined = |path: &str| parts(path).map(|parts| parts.join("/"));
        assert_eq!(joined("/scripts/../index.html/").as_deref(), Some("index.html"));
        assert_eq!(joined("/a%20b//./c.js").as_deref(), Some("a b/c.js"));
        assert_eq!(joined("/../x"), None);
        assert_eq!(joined("/a%5Cb"), None);
        assert_eq!(joined("/a%FF"), None);
    }
}
