//! `GET /history`, `GET /history/{prompt_id}`, `POST /history`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde::ser::Serializer;
use serde_json::Value as Json;

use super::answer::{self, Refusal};
use super::body::read_json;
use super::queue::removal;
use crate::history::Entry;
use crate::{python, state};

/// Entries by id, written as one map.
struct Entries(Vec<(String, Arc<Entry>)>);

impl Serialize for Entries {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(id, entry)| (id, &**entry)))
    }
}

pub(super) async fn list(State(state): State<Arc<state::State>>, request: Request) -> Response {
    let (Ok(max_items), Ok(offset)) = (integer(&request, "max_items"), integer(&request, "offset")) else {
        return answer::trouble();
    };
    let entries = state.history().list(max_items, offset.unwrap_or(-1));
    answer::json(&Entries(entries))
}

pub(super) async fn show(
    State(state): State<Arc<state::State>>,
    prompt_id: Result<Path<String>, PathRejection>,
) -> Response {
    // What is no text is nobody's id.
    let prompt_id = prompt_id.map(|Path(id)| id).unwrap_or_default();
    let entry = state.history().get(&prompt_id);
    answer::json(&Entries(entry.map(|entry| (prompt_id, entry)).into_iter().collect()))
}

pub(super) async fn change(
    State(state): State<Arc<state::State>>,
    request: Request,
) -> Result<Response, Refusal> {
    let Some(removal) = removal(&read_json(request).await?) else { return Ok(answer::trouble()) };
    let mut history = state.history();
    if removal.clear {
        history.clear();
    }
    for id in &removal.ids {
        match id {
            Json::String(id) => history.delete(id),
            // They cannot be keys, which the server finds out when there is something to look through.
            Json::Array(_) | Json::Object(_) if !history.is_empty() => return Ok(answer::trouble()),
            _ => {}
        }
    }
    Ok(answer::empty(StatusCode::OK))
}

/// What was to be a whole number is none.
struct NoInteger;

/// The whole number under a name of the query.
fn integer(request: &Request, name: &str) -> Result<Option<i64>, NoInteger> {
    let query = request.uri().query().unwrap_or_default();
    let value = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
    // Numbers may be as large as they like; those here only have to be larger than any history.
    let clamp = |number: i128| number.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    value.map(|(_, value)| python::int(&value).map(clamp).ok_or(NoInteger)).transpose()
}
