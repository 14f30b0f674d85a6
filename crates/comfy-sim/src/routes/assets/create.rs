//! Making assets: from a file, or from content that is known.

use std::path::{Path, PathBuf};

use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::http::{StatusCode, header};
use bytes::{Bytes, BytesMut};
use serde_json::{Map, Value as Json, json};

use super::super::answer::{self, Refusal};
use super::super::body::Limit;
use super::super::upload;
use super::change::LONGEST_NAME;
use super::problems::{Problems, refuse};
use super::{Answered, Shares, assets_of, json_of, with_assets};
use crate::assets::{Assets, Found, Root, Wish, hash_of, normalised_hash};
use crate::files::Folder;
use crate::{json_error, python, state};

/// The fields of the form.
#[derive(Debug, Default)]
struct Form {
    /// The file and the name that it was sent with.
    file: Option<(Bytes, Option<String>)>,
    hash: Option<String>,
    tags: Vec<String>,
    name: Option<String>,
    user_metadata: Option<String>,
    mime_type: Option<String>,
    preview_id: Option<String>,
}

fn bad(code: &str, message: &str) -> Refusal {
    refuse(StatusCode::BAD_REQUEST, code, message, json!({}))
}

pub(super) async fn upload(State(state): Shares, request: Request) -> Answered {
    let assets = assets_of(&state)?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("multipart/")) {
        let message = "Use multipart/form-data for uploads.";
        return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message, json!({})));
    }
    let form = read(request).await?;
    let known = form.hash.as_ref().filter(|hash| assets.store().knows(hash)).cloned();
    if form.file.is_none() && known.is_none() {
        return Err(bad("MISSING_FILE", "Form must include a 'file' part or a known 'hash'."));
    }
    if known.is_none() && form.file.as_ref().is_some_and(|(content, _)| content.is_empty()) {
        return Err(bad("EMPTY_UPLOAD", "Uploaded file is empty."));
    }
    let mut wish = form.wish()?;
    let (content, file_name) = form.file.unwrap_or_default();
    let file_name = file_name.map(|name| last_part(&name).to_owned()).filter(|name| !name.is_empty());
    wish.name = wish.name.or_else(|| file_name.clone());
    let (hash, mime_type) = (form.hash, form.mime_type);
    let make = move |state: &state::State, assets: &Assets| -> Result<(StatusCode, Json), Refusal> {
        if let Some(hash) = known {
            let id = assets.store().refer(&hash, wish, assets.now());
            return described(assets, id, StatusCode::OK);
        }
        let found = hash_of(&content);
        if hash.is_some_and(|hash| hash != found) {
            return Err(bad("HASH_MISMATCH", "Uploaded file hash does not match provided hash."));
        }
        if assets.store().knows(&found) {
            let id = assets.store().refer(&found, wish, assets.now());
            return described(assets, id, StatusCode::OK);
        }
        let place = place(state, &wish.tags, &found, file_name.as_deref())?;
        let write = || -> std::io::Result<()> {
            if let Some(folder) = place.path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&place.path, &content)
        };
        write().map_err(|error| {
            tracing::debug!(%error, "an asset was not stored");
            answer::trouble()
        })?;
        let digits = found.rsplit(':').next().unwrap_or_default();
        wish.name = wish.name.or_else(|| Some(digits.to_owned()));
        wish.tags.push("uploaded".to_owned());
        let id = assets.store().stored(place, &found, mime_type.as_deref(), wish, assets.now());
        described(assets, Some(id), StatusCode::CREATED)
    };
    let (status, asset) = with_assets(&state, make).await??;
    Ok(answer::json_with(status, &asset))
}

pub(super) async fn from_hash(State(state): Shares, request: Request) -> Answered {
    let assets = assets_of(&state)?;
    let body = json_of(request).await?;
    let mut problems = Problems::default();
    let mut hash = None;
    let mut wish = Wish::default();
    if body.is_object() {
        match body.get("hash") {
            None => problems.missing("hash", &body),
            Some(Json::String(text)) => {
                hash = normalised_hash(text);
                if hash.is_none() {
                    problems.value(&["hash".into()], "hash must be 'blake3:<hex>'", &text.as_str().into());
                }
            }
            Some(other) => problems.string_type(&["hash".into()], other),
        }
        wish.name = problems.text("name", body.get("name"), LONGEST_NAME).map(|name| name.trim().to_owned());
        wish.tags = match body.get("tags") {
            Some(Json::Array(items)) => items.iter().map(python::python_text).collect(),
            Some(Json::String(text)) => text.split(',').map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        wish.user_metadata = problems.object("user_metadata", body.get("user_metadata")).unwrap_or_default();
        wish.preview_id = problems.text("preview_id", body.get("preview_id"), usize::MAX);
    } else {
        problems.no_object("CreateFromHashBody", &body);
    }
    problems.check("INVALID_BODY", "Validation failed.")?;
    let hash = hash.unwrap_or_default();
    let id = assets.store().refer(&hash, wish, assets.now());
    if id.is_none() {
        let message = format!("Asset content {hash} does not exist");
        return Err(refuse(StatusCode::NOT_FOUND, "ASSET_NOT_FOUND", &message, json!({})));
    }
    let (_, asset) = described(assets, id, StatusCode::OK)?;
    Ok(answer::json_with(StatusCode::CREATED, &asset))
}

/// A new asset as it is answered.
fn described(assets: &Assets, id: Option<String>, status: StatusCode) -> Result<(StatusCode, Json), Refusal> {
    let asset = id.and_then(|id| assets.store().describe(&id));
    let mut asset = asset.ok_or_else(answer::trouble)?;
    asset["created_new"] = (status == StatusCode::CREATED).into();
    Ok((status, asset))
}

/// Where a new file goes: its tags say so.
fn place(
    state: &state::State,
    tags: &[String],
    hash: &str,
    file_name: Option<&str>,
) -> Result<Found, Refusal> {
    let refuse = |message: &str| bad("INVALID_BODY", message);
    if tags.is_empty() {
        return Err(refuse("tags are required for new asset uploads"));
    }
    let roots: Vec<_> =
        Root::SCANNED.into_iter().filter(|root| tags.iter().any(|tag| tag == root.as_str())).collect();
    let [root] = roots.as_slice() else {
        return Err(refuse("uploads require exactly one destination role: input, models, or output"));
    };
    let ending = file_name.map_or("", |name| ending(name));
    let relative = format!("{}{ending}", hash.rsplit(':').next().unwrap_or_default());
    let (folder, category): (PathBuf, _) = match root {
        Root::Models => {
            let kinds: Vec<_> = tags.iter().filter_map(|tag| tag.strip_prefix("model_type:")).collect();
            let [kind] = kinds.as_slice() else {
                return Err(refuse("models uploads require exactly one model_type:<folder_name> tag"));
            };
            let category = state.models.kind(kind).filter(|category| category.has_assets());
            let folders = category.map(|category| state.models.folders_among_models(category));
            let folder = folders.and_then(|folders| folders.into_iter().next());
            (
                folder.ok_or_else(|| refuse(&format!("unknown model category '{kind}'")))?,
                Some((*kind).to_owned()),
            )
        }
        Root::Output => (state.files.root(Folder::Output), None),
        _ => (state.files.root(Folder::Input), None),
    };
    Ok(Found { path: folder.join(&relative), root: *root, category, relative })
}

/// The ending of a name with its dot, if it is one that can be written anywhere.
fn ending(name: &str) -> &str {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let is_plain = ending.len() <= 16 && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if ending.is_empty() || !is_plain { "" } else { &name[name.len() - ending.len() - 1..] }
}

fn last_part(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or_default()
}

async fn read(request: Request) -> Result<Form, Refusal> {
    let limit = Limit::of(&request);
    let refused = |error: MultipartError| upload::refused(&error, limit);
    let mut form = Form::default();
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| answer::trouble())?;
    while let Some(mut field) = parts.next_field().await.map_err(refused)? {
        let (name, file_name) = upload::names(field.headers());
        let mut content = BytesMut::new();
        while let Some(chunk) = field.chunk().await.map_err(refused)? {
            content.extend_from_slice(&chunk);
        }
        let text = || String::from_utf8_lossy(&content).into_owned();
        match name.as_str() {
            "file" => form.file = Some((content.freeze(), file_name)),
            "hash" => {
                let text = text();
                if !text.trim().is_empty() {
                    let hash = normalised_hash(&text);
                    form.hash =
                        Some(hash.ok_or_else(|| bad("INVALID_HASH", "hash must be like 'blake3:<hex>'"))?);
                }
            }
            "tags" => form.tags.extend(tags_in(&text())),
            "name" => form.name = Some(text()),
            "user_metadata" => form.user_metadata = Some(text()),
            "mime_type" => form.mime_type = Some(text().trim().to_owned()).filter(|kind| !kind.is_empty()),
            "preview_id" => form.preview_id = Some(text()),
            "id" => {
                let message = "Client-provided 'id' is not supported. Asset IDs are assigned by the server.";
                return Err(bad("UNSUPPORTED_FIELD", message));
            }
            _ => {}
        }
    }
    Ok(form)
}

/// Tags as a form has them: a list in JSON, or words with commas between them.
fn tags_in(text: &str) -> Vec<String> {
    let tags: Vec<String> = match comfy_protocol::json::from_str::<Json>(text) {
        Ok(Json::Array(items)) => items.iter().map(python::python_text).collect(),
        _ => text.split(',').map(str::to_owned).collect(),
    };
    tags.iter().map(|tag| tag.trim()).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

impl Form {
    fn wish(&self) -> Result<Wish, Refusal> {
        let mut problems = Problems::default();
        let name = self.name.as_ref().map(|name| Json::from(name.trim()));
        let name = problems.text("name", name.as_ref(), LONGEST_NAME).filter(|name| !name.is_empty());
        let mut user_metadata = Map::new();
        if let Some(text) = self.user_metadata.as_ref().filter(|text| !text.trim().is_empty()) {
            let place = ["user_metadata".into()];
            match json_error::parse(text) {
                Ok(Json::Object(object)) => user_metadata = object,
                Ok(_) => problems.value(&place, "user_metadata must be a JSON object", &text.as_str().into()),
                Err(error) => {
                    let error = format!("user_metadata must be JSON: {error}");
                    problems.value(&place, &error, &text.as_str().into());
                }
            }
        }
        problems.check_in_message()?;
        Ok(Wish { name, tags: self.tags.clone(), user_metadata, preview_id: self.preview_id.clone() })
    }
}
