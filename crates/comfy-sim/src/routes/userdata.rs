//! The files of users: `/userdata`, `/userdata/{file}`, `/userdata/{file}/move/{dest}`, `/v2/userdata`.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::{Path as Segments, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value as Json, json};

use super::answer::{self, Refusal};
use super::view::Query;
use super::{body, content_type, paths, send_file};
use crate::files::{FileTime, FilesError};
use crate::state;
use crate::users::User;
use crate::version::ServerVersion;

mod listing;

pub(super) use listing::{list, walk};

/// The user, and a path in its folder.
#[derive(Debug)]
struct Place {
    root: PathBuf,
    path: PathBuf,
}

fn user(state: &state::State, headers: &HeaderMap) -> Result<User, Refusal> {
    state.users.of(headers).ok_or_else(|| answer::trouble().into())
}

/// What a path in a request stands for. An escape that is left in it is read once more.
fn place(state: &state::State, user: &User, file: &str) -> Result<Place, FilesError> {
    let path = state.users.resolve(user, &paths::unescape(file))?;
    Ok(Place { root: state.users.root(user), path })
}

/// A file of a request; `outside` is the answer for one that is not in the user's folder.
fn file_of(state: &state::State, headers: &HeaderMap, file: &str) -> Result<Place, Refusal> {
    let user = user(state, headers)?;
    place(state, &user, file).map_err(|error| match error {
        FilesError::Outside => answer::empty(StatusCode::FORBIDDEN).into(),
        _ => Refusal::from(answer::trouble()),
    })
}

/// A file that has to be there. What cannot be a name is not there either.
fn existing(state: &state::State, headers: &HeaderMap, file: &str) -> Result<Place, Refusal> {
    let missing = || Refusal::from(answer::empty(StatusCode::NOT_FOUND));
    let user = user(state, headers)?;
    let place = place(state, &user, file).map_err(|error| match error {
        FilesError::Outside => answer::empty(StatusCode::FORBIDDEN).into(),
        _ => missing(),
    })?;
    if place.path.exists() { Ok(place) } else { Err(missing()) }
}

pub(super) async fn show(
    State(state): State<Arc<state::State>>,
    Segments(file): Segments<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let place = existing(&state, request.headers(), &file)?;
    let name = place.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let version = state.options.version;
    let mut headers = HeaderMap::new();
    let kind = if version >= ServerVersion::V0_30_0 {
        let (kind, shown) = if place.path == place.root.join("user.css") {
            ("text/css", "inline")
        } else {
            let kind = content_type::of(name, version);
            (if content_type::is_active(kind) { content_type::BYTES } else { kind }, "attachment")
        };
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(shown));
        kind
    } else {
        content_type::of_plain_file(name)
    };
    if !place.path.is_file() {
        let mut response = answer::no_file(StatusCode::FORBIDDEN);
        response.headers_mut().extend(headers);
        return Ok(response);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(send_file::send(&place.path, headers, request.headers()).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "a user's file could not be read");
        answer::trouble()
    }))
}

/// What the query of a change says.
struct Wishes {
    overwrite: bool,
    full_info: bool,
}

impl Wishes {
    fn of(request: &Request) -> Self {
        let query = Query::parse(request.uri().query().unwrap_or_default());
        Self { overwrite: query.get("overwrite") != Some("false"), full_info: is_true(&query, "full_info") }
    }
}

fn is_true(query: &Query<'_>, name: &str) -> bool {
    query.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn taken() -> Response {
    answer::text(StatusCode::CONFLICT, "File already exists")
}

pub(super) async fn store(
    State(state): State<Arc<state::State>>,
    Segments(file): Segments<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let place = file_of(&state, request.headers(), &file)?;
    let wishes = Wishes::of(&request);
    if !wishes.overwrite && place.path.exists() {
        return Ok(taken());
    }
    let content = body::read(request).await?;
    blocking(move || {
        let stored = make_folder_of(&place).and_then(|()| fs::write(&place.path, content));
        match stored {
            Ok(()) => told(&place.root, &place.path, wishes.full_info, state.options.version),
            Err(error) => {
                tracing::debug!(%error, "a user's file was not stored");
                answer::empty(StatusCode::BAD_REQUEST)
            }
        }
    })
    .await
}

fn make_folder_of(place: &Place) -> io::Result<()> {
    place.path.parent().map_or(Ok(()), fs::create_dir_all)
}

pub(super) async fn remove(
    State(state): State<Arc<state::State>>,
    Segments(file): Segments<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let place = existing(&state, request.headers(), &file)?;
    blocking(move || match fs::remove_file(&place.path) {
        Ok(()) => answer::empty(StatusCode::NO_CONTENT),
        Err(error) => {
            tracing::debug!(%error, "a user's file was not removed");
            answer::trouble()
        }
    })
    .await
}

/// Moves a file, or a folder. Into a folder that is there, it moves under its own name.
pub(super) async fn relocate(
    State(state): State<Arc<state::State>>,
    Segments((file, destination)): Segments<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let version = state.options.version;
    let from = existing(&state, request.headers(), &file)?;
    let user = user(&state, request.headers())?;
    let to = match place(&state, &user, &destination) {
        Ok(to) => to,
        Err(FilesError::Outside) if version >= ServerVersion::V0_8_0 => {
            return Ok(answer::empty(StatusCode::FORBIDDEN));
        }
        Err(_) => return Ok(answer::trouble()),
    };
    let wishes = Wishes::of(&request);
    if !wishes.overwrite && to.path.exists() {
        return Ok(taken());
    }
    blocking(move || {
        let target = match from.path.file_name() {
            Some(name) if to.path.is_dir() && to.path != from.path => to.path.join(name),
            _ => to.path.clone(),
        };
        // A folder is not replaced by what has its name.
        let is_free = target == to.path || !target.exists();
        let moved = is_free && make_folder_of(&to).and_then(|()| fs::rename(&from.path, &target)).is_ok();
        match moved {
            true => told(&to.root, &to.path, wishes.full_info, version),
            false => answer::trouble(),
        }
    })
    .await
}

/// Tells where a file is now.
fn told(root: &Path, path: &Path, full_info: bool, version: ServerVersion) -> Response {
    let name = relative(root, path);
    if !full_info {
        return answer::json(&name);
    }
    match fs::metadata(path) {
        Ok(data) => answer::json(&info(&name, &data, version)),
        Err(_) => answer::trouble(),
    }
}

/// A path below another one, with `/` between its parts.
fn relative(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

fn info(name: &str, data: &Metadata, version: ServerVersion) -> Json {
    let time = |time: FileTime| match version >= ServerVersion::V0_30_0 {
        true => json!(time.milliseconds()),
        false => json!(time.seconds()),
    };
    json!({
        "path": name,
        "size": data.len(),
        "modified": time(FileTime::modified(data)),
        "created": time(FileTime::created(data)),
    })
}

/// Work with files, apart from the connections.
async fn blocking(work: impl FnOnce() -> Response + Send + 'static) -> Result<Response, Refusal> {
    Ok(tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| answer::trouble()))
}
