//! `GET /models`, `/embeddings`, `/view_metadata/{folder}`, and the routes below `/experiment/models`.

use std::fs::{self, File};
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path as Segments, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageFormat, ImageReader};
use serde_json::{Map, Value as Json, json};

use super::answer;
use super::view::Query;
use crate::files::{FileTime, FilesError, inside, refuse_links_outside};
use crate::models::{Kind, Members, WEIGHTS};
use crate::state;
use crate::version::ServerVersion;

/// The longest description at the start of a file that is read.
const LONGEST_HEADER: u64 = 1 << 20;

pub(super) async fn kinds(State(state): State<Arc<state::State>>) -> Response {
    answer::json(&state.models.kinds().map(|kind| kind.name).collect::<Vec<_>>())
}

pub(super) async fn names(
    State(state): State<Arc<state::State>>,
    Segments(kind): Segments<String>,
) -> Response {
    let Some(kind) = state.models.kind(&kind) else { return answer::empty(StatusCode::NOT_FOUND) };
    blocking(move || answer::json(&state.models.names(kind))).await
}

/// The names of the embeddings, without their endings.
pub(super) async fn embeddings(State(state): State<Arc<state::State>>) -> Response {
    blocking(move || {
        let names = state.models.kind("embeddings").map(|kind| state.models.names(kind)).unwrap_or_default();
        let stem = |name: &String| name.rsplit_once('.').map_or(name.clone(), |(stem, _)| stem.to_owned());
        answer::json(&names.iter().map(stem).collect::<Vec<_>>())
    })
    .await
}

pub(super) async fn folders(State(state): State<Arc<state::State>>) -> Response {
    let models = &state.models;
    let with_endings = state.options.version >= ServerVersion::V0_30_0;
    let entry = |kind: &'static Kind| {
        let mut entry = json!({"name": kind.name, "folders": models.folders(kind)});
        if with_endings && let Json::Object(entry) = &mut entry {
            entry.insert("extensions".to_owned(), endings(kind).into());
        }
        entry
    };
    answer::json(&models.kinds().filter(|kind| kind.is_public()).map(entry).collect::<Vec<_>>())
}

fn endings(kind: &Kind) -> Vec<String> {
    match kind.members {
        Members::Weights => WEIGHTS.iter().map(|ending| format!(".{ending}")).collect(),
        Members::Ending(ending) => vec![format!(".{ending}")],
        Members::NoEnding => vec![String::new()],
        Members::Folders => vec!["folder".to_owned()],
        Members::All => Vec::new(),
    }
}

pub(super) async fn files(
    State(state): State<Arc<state::State>>,
    Segments(kind): Segments<String>,
) -> Response {
    let Some(kind) = state.models.kind(&kind) else { return answer::empty(StatusCode::NOT_FOUND) };
    blocking(move || {
        let files = state.models.weights(kind).into_iter().filter_map(|file| {
            let data = fs::metadata(&file.path).ok()?;
            Some(json!({
                "name": file.name,
                "pathIndex": file.place,
                "modified": FileTime::modified(&data).seconds(),
                "created": FileTime::created(&data).seconds(),
                "size": data.len(),
            }))
        });
        answer::json(&files.collect::<Vec<_>>())
    })
    .await
}

/// What a file of weights says about itself.
pub(super) async fn metadata(
    State(state): State<Arc<state::State>>,
    Segments(kind): Segments<String>,
    request: Request,
) -> Response {
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let name = query.get("filename").filter(|name| name.ends_with(".safetensors")).map(str::to_owned);
    let (Some(name), Some(kind)) = (name, state.models.kind(&kind)) else {
        return answer::empty(StatusCode::NOT_FOUND);
    };
    blocking(move || {
        let Some(path) = state.models.find(kind, &name) else { return answer::empty(StatusCode::NOT_FOUND) };
        match described(&path) {
            Ok(Some(description)) => answer::json(&description),
            Ok(None) => answer::empty(StatusCode::NOT_FOUND),
            Err(Unreadable) => answer::trouble(),
        }
    })
    .await
}

/// A file does not begin as one of its kind does.
struct Unreadable;

/// The texts in the header of a file: `None` when it has none, or is too long to be looked at.
fn described(path: &Path) -> Result<Option<Map<String, Json>>, Unreadable> {
    let mut file = File::open(path).map_err(|_| Unreadable)?;
    let mut length = Vec::new();
    file.by_ref().take(8).read_to_end(&mut length).map_err(|_| Unreadable)?;
    length.resize(8, 0);
    let length = length.iter().rev().fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
    if length > LONGEST_HEADER {
        return Ok(None);
    }
    let mut text = Vec::new();
    file.take(length).read_to_end(&mut text).map_err(|_| Unreadable)?;
    let Ok(Json::Object(mut header)) = serde_json::from_slice(&text) else { return Err(Unreadable) };
    match header.remove("__metadata__") {
        Some(Json::Object(description)) => Ok(Some(description)),
        _ => Ok(None),
    }
}

/// The picture of a model: one beside its file, or one in it.
pub(super) async fn preview(
    State(state): State<Arc<state::State>>,
    Segments((kind, place, name)): Segments<(String, String, String)>,
) -> Response {
    let is_strict = state.options.version >= ServerVersion::V0_30_0;
    let refused = |strict: StatusCode, lax: Option<StatusCode>| match (is_strict, lax) {
        (true, _) => answer::empty(strict),
        (false, Some(lax)) => answer::empty(lax),
        (false, None) => answer::trouble(),
    };
    let missing = StatusCode::NOT_FOUND;
    let Ok(place) = place.trim().parse::<i64>() else { return refused(StatusCode::BAD_REQUEST, None) };
    let Some(kind) = state.models.kind(&kind) else { return answer::empty(missing) };
    let folders = state.models.folders(kind);
    // Up to 0.8.0 negative numbers count from the last folder on.
    let counted = if place < 0 && !is_strict { place + folders.len() as i64 } else { place };
    let Some(folder) = usize::try_from(counted).ok().and_then(|place| folders.get(place).cloned()) else {
        return refused(missing, None);
    };
    if name.is_empty() {
        return refused(StatusCode::BAD_REQUEST, Some(missing));
    }
    let Ok(path) = within(&folder, &name) else { return refused(StatusCode::FORBIDDEN, Some(missing)) };
    blocking(move || match picture(&path) {
        Ok(Some(content)) => {
            let mut response = Response::new(Body::from(content));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("image/webp"));
            response
        }
        Ok(None) => answer::empty(missing),
        Err(Unreadable) => answer::trouble(),
    })
    .await
}

/// The preview routes without a name, which a pattern for the rest of a path does not match.
pub(super) async fn preview_of_nothing(
    state: State<Arc<state::State>>,
    Segments((kind, place)): Segments<(String, String)>,
) -> Response {
    preview(state, Segments((kind, place, String::new()))).await
}

fn within(folder: &Path, name: &str) -> Result<PathBuf, FilesError> {
    let path = inside(folder, "folder", name)?;
    if folder.exists() {
        refuse_links_outside(folder, &path)?;
    }
    Ok(path)
}

/// The picture that belongs to the file of this path, packed anew.
fn picture(path: &Path) -> Result<Option<Vec<u8>>, Unreadable> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let Some(Ok(entries)) = path.parent().map(fs::read_dir) else { return Ok(None) };
    let mut beside = Vec::new();
    for entry in entries.filter_map(Result::ok) {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let Some(rest) = name.strip_prefix(stem).and_then(|rest| rest.strip_prefix('.')) else { continue };
        let ending = rest.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        // Links are not followed: they may lead anywhere.
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && matches!(ending.as_str(), "png" | "jpg" | "jpeg" | "webp" | "gif") {
            // Those that say that they are previews come first.
            beside.push((!rest.contains("preview."), name));
        }
    }
    beside.sort_unstable();
    let weights = path.with_file_name(format!("{stem}.safetensors"));
    let is_file = weights.symlink_metadata().is_ok_and(|data| data.is_file());
    let description = if is_file { described(&weights)? } else { None };
    let content =
        match (beside.first(), description.as_ref().and_then(|texts| texts.get("ssmd_cover_images"))) {
            (Some((_, name)), _) => fs::read(path.with_file_name(name)).map_err(|_| Unreadable)?,
            (None, Some(covers)) => match cover(covers)? {
                Some(content) => content,
                None => return Ok(None),
            },
            (None, None) => return Ok(None),
        };
    Ok(to_webp(&content))
}

/// The first of the pictures in the header of a file.
fn cover(covers: &Json) -> Result<Option<Vec<u8>>, Unreadable> {
    let covers: Vec<String> =
        covers.as_str().and_then(|text| serde_json::from_str(text).ok()).ok_or(Unreadable)?;
    covers.first().map(|cover| STANDARD.decode(cover).map_err(|_| Unreadable)).transpose()
}

fn to_webp(content: &[u8]) -> Option<Vec<u8>> {
    let picture = ImageReader::new(Cursor::new(content)).with_guessed_format().ok()?.decode().ok()?;
    let picture = match picture.color().has_alpha() {
        true => DynamicImage::from(picture.to_rgba8()),
        false => DynamicImage::from(picture.to_rgb8()),
    };
    let mut content = Cursor::new(Vec::new());
    picture.write_to(&mut content, ImageFormat::WebP).ok()?;
    Some(content.into_inner())
}

/// Work with files, apart from the connections.
async fn blocking(work: impl FnOnce() -> Response + Send + 'static) -> Response {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| answer::trouble())
}
