//! `GET /prompt`, `POST /prompt`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use comfy_protocol::ExecInfo;
use comfy_workflow::validate::{
    Accepted, CheckInputs, CheckResult, NodeChecks, NodeErrors, Options, Order, Validator, Verdict, validate,
};
use serde::Serialize;
use serde_json::{Map, Number, Value as Json, json};

use super::answer::{self, Refusal};
use super::body::read_json;
use crate::files::Files;
use crate::nodes::Registry;
use crate::queue::{Item, SharedItem};
use crate::{python, state};

/// Keys of `extra_data` that are shown to nobody.
const SENSITIVE: [&str; 2] = ["auth_token_comfy_org", "api_key_comfy_org"];

#[derive(Serialize)]
struct Info {
    exec_info: ExecInfo,
}

#[derive(Serialize)]
struct Queued<'a> {
    prompt_id: &'a str,
    number: &'a Number,
    node_errors: &'a NodeErrors,
}

pub(super) async fn info(State(state): State<Arc<state::State>>) -> Response {
    answer::json(&Info { exec_info: ExecInfo::new(state.remaining()) })
}

/// Checks a prompt and adds it to the queue.
pub(super) async fn submit(
    State(state): State<Arc<state::State>>,
    request: Request,
) -> Result<Response, Refusal> {
    let headers = request.headers().clone();
    let mut body = match read_json(request).await? {
        Json::Object(body) => body,
        // The server asks whether words occur in the body: that works for lists and texts, and then nothing else does.
        Json::Array(items) if !FIELDS.iter().any(|field| items.contains(&Json::from(*field))) => Map::new(),
        Json::String(text) if !FIELDS.iter().any(|field| text.contains(field)) => Map::new(),
        _ => return Ok(answer::trouble()),
    };
    let number = number(&body, &state)?;
    let prompt = body
        .remove("prompt")
        .ok_or_else(|| refuse("no_prompt", "No prompt provided", "No prompt provided"))?;
    let prompt_id = prompt_id(&body)?;
    // The server looks for a key in it early, which texts and lists let it do. They fail after validation.
    if matches!(body.get("extra_data"), Some(Json::Null | Json::Bool(_) | Json::Number(_))) {
        return Ok(answer::trouble());
    }
    let checks = Checks { files: &state.files, nodes: &state.nodes };
    let schemas = state.nodes.schemas();
    let mut options = Options::new(&schemas).checks(&checks).order(Order::HashSeedZero);
    if let Some(replacements) = &state.replacements {
        options = options.replacements(&replacements.rules);
    }
    if let Some(targets) = body.get("partial_execution_targets").filter(|targets| !targets.is_null()) {
        options = options.partial_targets(targets);
    }
    let Accepted { prompt, outputs, node_errors, .. } = match validate(&prompt, &options) {
        Verdict::Accepted(accepted) => accepted,
        Verdict::Rejected(rejection) => return Ok(answer::json_with(StatusCode::BAD_REQUEST, &rejection)),
        Verdict::Crashed(crash) => {
            tracing::debug!(crash.reason, "the check of a prompt failed");
            return Ok(answer::trouble());
        }
        _ => return Ok(answer::trouble()),
    };
    let extra_data = extra_data(&mut body, &headers)?;
    let item = Arc::new(Item { number, prompt_id, prompt: Arc::new(prompt), extra_data, outputs });
    if state.enqueue(SharedItem(Arc::clone(&item))).is_err() {
        return Ok(answer::trouble());
    }
    Ok(answer::json(&Queued { prompt_id: &item.prompt_id, number: &item.number, node_errors: &node_errors }))
}

const FIELDS: [&str; 3] = ["number", "front", "prompt"];

/// The prompt's number: its own, or the next one, negated for the front.
fn number(body: &Map<String, Json>, state: &state::State) -> Result<Number, Refusal> {
    if let Some(number) = body.get("number") {
        let number = float(number).ok_or_else(answer::trouble)?;
        return Ok(Number::from_f64(number).ok_or_else(answer::trouble)?);
    }
    let number = state.queue(crate::queue::Queue::next_number);
    let front = body.get("front").is_some_and(python::is_true);
    Ok(if front { -number } else { number }.into())
}

/// What `float()` makes of a value.
fn float(value: &Json) -> Option<f64> {
    match value {
        Json::Number(number) => number.as_f64(),
        Json::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Json::String(text) => text.trim().replace('_', "").parse().ok(),
        _ => None,
    }
}

/// The prompt's id: a UUID in lower case with hyphens, or a new one.
fn prompt_id(body: &Map<String, Json>) -> Result<String, Refusal> {
    match body.get("prompt_id") {
        None | Some(Json::Null) => Ok(uuid::Uuid::new_v4().to_string()),
        Some(Json::String(id)) if uuid::Uuid::parse_str(id).is_ok_and(|uuid| uuid.to_string() == *id) => {
            Ok(id.clone())
        }
        Some(_) => Err(refuse(
            "invalid_prompt_id",
            "prompt_id must be a valid UUID",
            "prompt_id must be a UUID string in canonical lowercase hyphenated form; omit it to let the server generate one",
        )),
    }
}

/// What goes with the prompt: as sent, without what nobody is to see, and with what the server adds.
fn extra_data(body: &mut Map<String, Json>, headers: &HeaderMap) -> Result<Map<String, Json>, Refusal> {
    let mut extra = match body.remove("extra_data") {
        None => Map::new(),
        Some(Json::Object(extra)) => extra,
        Some(_) => return Err(answer::trouble().into()),
    };
    if let Some(client_id) = body.remove("client_id") {
        extra.insert("client_id".into(), client_id);
    }
    if let Some(source) = headers.get("comfy-usage-source").and_then(|source| source.to_str().ok())
        && !extra.contains_key("comfy_usage_source")
    {
        extra.insert("comfy_usage_source".into(), source.into());
    }
    for key in SENSITIVE {
        extra.shift_remove(key);
    }
    extra.insert("create_time".into(), state::now().into());
    Ok(extra)
}

fn refuse(kind: &str, message: &str, details: &str) -> Refusal {
    let error = json!({"type": kind, "message": message, "details": details, "extra_info": {}});
    answer::json_with(StatusCode::BAD_REQUEST, &json!({"error": error, "node_errors": {}})).into()
}

/// The checks that node classes bring themselves.
struct Checks<'a> {
    files: &'a Files,
    nodes: &'a Registry,
}

impl NodeChecks for Checks<'_> {
    fn validator(&self, class_type: &str) -> Option<Validator> {
        let check = self.nodes.class(class_type)?.check?;
        let validator = Validator::new(format!("{class_type}.VALIDATE_INPUTS"));
        Some(check.inputs.iter().fold(validator, |validator, input| validator.required(*input)))
    }

    fn check(&self, class_type: &str, inputs: &CheckInputs) -> CheckResult {
        let check = self.nodes.class(class_type).and_then(|class| class.check);
        check.map_or(CheckResult::Passed, |check| (check.run)(inputs, self.files))
    }
}
