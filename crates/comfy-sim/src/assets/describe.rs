//! Assets as clients see them.

use serde_json::{Map, Value as Json, json};

use super::roots::Root;
use super::store::{Reference, Store};
use crate::models::is_weights;

impl Store {
    /// An asset by its id. What it has no value for is left out.
    pub(crate) fn describe(&self, id: &str) -> Option<Json> {
        self.get(id).map(|reference| self.described(reference))
    }

    pub(super) fn described(&self, reference: &Reference) -> Json {
        let content = self.content(reference);
        let file = reference.file.as_ref();
        let mut asset = Map::new();
        let mut put = |key: &str, value: Option<Json>| {
            if let Some(value) = value {
                asset.insert(key.to_owned(), value);
            }
        };
        let text = |text: &str| Some(Json::from(text));
        let hash = content.hash.as_deref().map(Json::from);
        put("id", text(&reference.id));
        put("name", text(&reference.name));
        put("hash", hash.clone());
        let loaded = file.filter(|file| file.category.is_none() || is_weights(&file.relative));
        put("loader_path", loaded.and_then(|file| text(&file.relative)));
        put(
            "display_name",
            file.map(|file| match &file.category {
                Some(category) => format!("{category}/{}", file.relative).into(),
                None => file.relative.as_str().into(),
            }),
        );
        put("asset_hash", hash);
        put("size", Some(content.size.into()));
        put("mime_type", text(&content.mime_type));
        put("tags", Some(json!(reference.tags)));
        put("preview_id", reference.preview_id.as_deref().map(Json::from));
        put("preview_url", preview_url(reference).map(Json::from));
        put("user_metadata", Some(Json::Object(reference.user_metadata.clone())));
        put("is_immutable", Some(false.into()));
        let metadata = reference.scanned.as_ref().unwrap_or(&content.picture);
        put("metadata", Some(metadata).filter(|data| !data.is_empty()).map(|data| json!(data)));
        put("job_id", reference.job_id.as_deref().map(Json::from));
        put("prompt_id", reference.job_id.as_deref().map(Json::from));
        put("created_at", text(&written(reference.created_at)));
        put("updated_at", text(&written(reference.updated_at)));
        put("last_access_time", text(&written(reference.last_access_time)));
        Json::Object(asset)
    }

    /// What the answer to an upload says of its asset.
    pub(crate) fn describe_upload(&self, id: &str) -> Option<Json> {
        let reference = self.get(id)?;
        let content = self.content(reference);
        Some(json!({
            "id": reference.id,
            "name": reference.name,
            "asset_hash": content.hash,
            "size": content.size,
            "mime_type": content.mime_type,
            "tags": reference.tags,
        }))
    }

    /// The value that a metadata filter compares with: of the user's data first, then of the server's.
    pub(super) fn metadata<'a>(&'a self, reference: &'a Reference, key: &str) -> Option<&'a Json> {
        let found = reference.scanned.as_ref().unwrap_or(&self.content(reference).picture);
        reference.user_metadata.get(key).or_else(|| found.get(key))
    }
}

/// Where a browser sees it: only what has a file in the input or output folder, as its tags tell, and no other preview.
fn preview_url(reference: &Reference) -> Option<String> {
    let file = reference.file.as_ref().filter(|file| file.root != Root::Models)?;
    if reference.preview_id.is_some() {
        return None;
    }
    let folder = ["input", "output"].into_iter().find(|folder| reference.tags.contains(*folder))?;
    let (subfolder, name) = file.relative.rsplit_once('/').unwrap_or(("", &file.relative));
    let mut url = format!("/api/view?type={folder}&filename={}", quoted(name));
    if !subfolder.is_empty() {
        url.push_str("&subfolder=");
        url.push_str(&quoted(subfolder));
    }
    Some(url)
}

/// A text with all but letters, digits and `_.-~` escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) {
            quoted.push(char::from(byte));
        } else {
            quoted.push_str(&format!("%{byte:02X}"));
        }
    }
    quoted
}

/// A time as ISO text without a zone.
fn written(micros: i64) -> String {
    let time = chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default().naive_utc();
    let format = if micros % 1_000_000 == 0 { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S%.6f" };
    time.format(format).to_string()
}
