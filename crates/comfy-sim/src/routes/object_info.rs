//! `GET /object_info`, `GET /object_info/{class}`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use indexmap::IndexMap;

use super::answer;
use crate::assets::{self, Phase, Root};
use crate::state;

pub(super) async fn all(State(state): State<Arc<state::State>>) -> Response {
    let info = answer::json(&state.nodes.object_info());
    // A list of all nodes has all files in it: the server takes the occasion to look for assets.
    assets::start(&state, Root::SCANNED.to_vec(), Phase::Full);
    info
}

/// One class; an empty object when there is none of this name.
pub(super) async fn one(
    State(state): State<Arc<state::State>>,
    class: Result<Path<String>, PathRejection>,
) -> Response {
    // What is no text is no class.
    let class = class.map(|Path(class)| class).unwrap_or_default();
    let info = state.nodes.object_info_of(&class);
    let entry: IndexMap<_, _> = info.map(|info| (class.as_str(), info)).into_iter().collect();
    answer::json(&entry)
}
