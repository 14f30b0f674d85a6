//! Changing assets.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde_json::{Value as Json, json};

use super::super::answer::{self, Refusal};
use super::problems::{Problems, refuse};
use super::{Answered, Shares, assets_of, id_in, json_of, no_such_asset};
use crate::assets::{Change, ChangeError};

/// The longest name of an asset, in characters.
pub(super) const LONGEST_NAME: usize = 512;

pub(super) async fn update(State(state): Shares, request: Request) -> Answered {
    let id = id_in(&state, (&request).into()).await?;
    let assets = assets_of(&state)?;
    let body = json_of(request).await?;
    let mut problems = Problems::default();
    let mut change = Change::default();
    if body.is_object() {
        change.name = problems.text("name", body.get("name"), usize::MAX);
        change.user_metadata = problems.object("user_metadata", body.get("user_metadata"));
        change.preview_id = problems.text("preview_id", body.get("preview_id"), usize::MAX);
    } else {
        problems.no_object("UpdateAssetBody", &body);
    }
    problems.check("INVALID_BODY", "Validation failed.")?;
    if change.name.is_none() && change.user_metadata.is_none() && change.preview_id.is_none() {
        let mut problems = Problems::default();
        problems.value(&[], "Provide at least one of: name, user_metadata, preview_id.", &body);
        problems.check("INVALID_BODY", "Validation failed.")?;
    }
    let mut store = assets.store();
    store.change(&id, change, assets.now()).map_err(|error| match error {
        ChangeError::NoSuchAsset => no_such_asset(&id),
        ChangeError::NoSuchPreview(preview) => {
            let message = format!("Preview AssetReference {preview} not found");
            refuse(StatusCode::NOT_FOUND, "ASSET_NOT_FOUND", &message, json!({"id": id}))
        }
    })?;
    Ok(answer::json(&store.describe(&id)))
}

pub(super) async fn remove(State(state): Shares, request: Request) -> Answered {
    let id = id_in(&state, (&request).into()).await?;
    if assets_of(&state)?.store().delete(&id) {
        return Ok(answer::empty(StatusCode::NO_CONTENT));
    }
    let message = format!("AssetReference {id} not found.");
    Err(refuse(StatusCode::NOT_FOUND, "ASSET_NOT_FOUND", &message, json!({})))
}

pub(super) async fn add_tags(State(state): Shares, request: Request) -> Answered {
    let id = id_in(&state, (&request).into()).await?;
    let assets = assets_of(&state)?;
    let tags = tags_in(request, "TagsAdd", "Invalid JSON body for tags add.").await?;
    let changed = assets.store().add_tags(&id, &tags, assets.now());
    let [added, present, all] = changed.ok_or_else(|| no_such_asset(&id))?;
    Ok(answer::json(&json!({"added": added, "already_present": present, "total_tags": all})))
}

pub(super) async fn remove_tags(State(state): Shares, request: Request) -> Answered {
    let id = id_in(&state, (&request).into()).await?;
    let assets = assets_of(&state)?;
    let tags = tags_in(request, "TagsRemove", "Invalid JSON body for tags remove.").await?;
    let changed = assets.store().remove_tags(&id, &tags, assets.now());
    let [removed, absent, all] = changed.ok_or_else(|| no_such_asset(&id))?;
    Ok(answer::json(&json!({"removed": removed, "not_present": absent, "total_tags": all})))
}

/// The tags of a body, of which there has to be one at least.
async fn tags_in(request: Request, class: &str, message: &str) -> Result<Vec<String>, Refusal> {
    let body = json_of(request).await?;
    let mut problems = Problems::default();
    let mut tags = Vec::new();
    match (&body, body.get("tags")) {
        (Json::Object(_), None) => problems.missing("tags", &body),
        (Json::Object(_), Some(Json::Array(items))) => {
            if items.is_empty() {
                problems.too_short("tags", &json!([]));
            }
            for (at, item) in items.iter().enumerate() {
                match item {
                    Json::String(tag) => tags.push(tag.clone()),
                    other => problems.string_type(&["tags".into(), at.into()], other),
                }
            }
        }
        (Json::Object(_), Some(other)) => problems.list_type("tags", other),
        _ => problems.no_object(class, &body),
    }
    problems.check("INVALID_BODY", message)?;
    Ok(tags)
}
