//! The lists of users' files.

use std::fs::{self, Metadata};
use std::path::Path;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value as Json, json};

use super::{blocking, info, is_true, place, relative, user};
use crate::files::FileTime;
use crate::routes::answer::{self, Refusal};
use crate::routes::paths;
use crate::routes::view::Query;
use crate::state;

/// How deep folders are looked into.
const DEEPEST: usize = 64;

/// The files of a folder, by their paths below it.
pub(crate) async fn list(
    State(state): State<Arc<state::State>>,
    request: Request,
) -> Result<Response, Refusal> {
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let said = |status, text: &str| Ok(answer::text(status, text));
    let Some(folder) = query.get("dir").filter(|folder| !folder.is_empty()) else {
        return said(StatusCode::BAD_REQUEST, "Directory not provided");
    };
    let user = user(&state, request.headers())?;
    let place = match place(&state, &user, folder) {
        Ok(place) if place.path.exists() => place,
        Ok(_) | Err(crate::files::FilesError::BadName) => {
            return said(StatusCode::NOT_FOUND, "Directory not found");
        }
        Err(_) => return said(StatusCode::FORBIDDEN, "Invalid directory"),
    };
    let recurse = is_true(&query, "recurse");
    let (full_info, split) = (is_true(&query, "full_info"), is_true(&query, "split"));
    let version = state.options.version;
    blocking(move || {
        let mut entries: Vec<Json> = Vec::new();
        visit(&place.path, if recurse { DEEPEST } else { 0 }, false, &mut |path, data| {
            if data.is_dir() {
                return;
            }
            let name = relative(&place.path, path);
            entries.push(match (full_info, split) {
                (true, _) => info(&name, data, version),
                (false, true) => std::iter::once(name.as_str()).chain(name.split('/')).collect(),
                (false, false) => name.into(),
            });
        });
        answer::json(&entries)
    })
    .await
}

/// All that is below a folder, folders first, by their paths below the user's folder.
pub(crate) async fn walk(
    State(state): State<Arc<state::State>>,
    request: Request,
) -> Result<Response, Refusal> {
    let said = |status, text: &str| Ok(answer::text(status, text));
    let Some(user) = state.users.of(request.headers()) else {
        return said(StatusCode::FORBIDDEN, "Invalid user specified in request");
    };
    if !state.users.root(&user).exists() {
        return Ok(answer::json(&[(); 0]));
    }
    let query = Query::parse(request.uri().query().unwrap_or_default());
    // Read once more here, and again below.
    let folder = paths::unescape(query.get("path").unwrap_or_default()).into_owned();
    let place = match place(&state, &user, &folder) {
        Ok(place) if place.path.is_dir() => place,
        Ok(place) if place.path.exists() => {
            return said(StatusCode::BAD_REQUEST, "Requested path is not a directory");
        }
        Ok(_) | Err(crate::files::FilesError::BadName) => {
            return said(StatusCode::NOT_FOUND, "Requested path not found");
        }
        Err(_) => return said(StatusCode::BAD_REQUEST, "Invalid path requested"),
    };
    blocking(move || {
        let mut found = Vec::new();
        visit(&place.path, DEEPEST, true, &mut |path, data| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let inside = relative(&place.root, path);
            let entry = match data.is_dir() {
                true => json!({"name": name, "path": inside, "type": "directory"}),
                false => json!({
                    "name": name,
                    "path": inside,
                    "type": "file",
                    "size": data.len(),
                    "modified": FileTime::modified(data).seconds(),
                }),
            };
            found.push(((!data.is_dir(), name.to_lowercase()), entry));
        });
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        answer::json(&found.into_iter().map(|(_, entry)| entry).collect::<Vec<_>>())
    })
    .await
}

/// Visits what is in a folder, sorted by name, the files before the folders. Links are left out: they may lead anywhere.
fn visit(folder: &Path, depth: usize, hidden: bool, visitor: &mut dyn FnMut(&Path, &Metadata)) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries
        .filter_map(Result::ok)
        .filter(|entry| hidden || !entry.file_name().to_string_lossy().starts_with('.'))
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .filter(|(_, data)| data.is_dir() || data.is_file())
        .collect();
    entries.sort_unstable_by(|(a, first), (b, second)| (first.is_dir(), a).cmp(&(second.is_dir(), b)));
    for (path, data) in entries {
        visitor(&path, &data);
        if data.is_dir() && depth > 0 {
            visit(&path, depth - 1, hidden, visitor);
        }
    }
}
