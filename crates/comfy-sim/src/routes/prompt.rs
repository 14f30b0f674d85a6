//! `GET /prompt`, `POST /prompt`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use comfy_protocol::ExecInfo;
use comfy_protocol::json::exact;
use comfy_workflow::NodeId;
use comfy_workflow::validate::{
    Accepted, CheckInputs, CheckResult, ErrorDetail, NodeChecks, NodeErrors, Options, Order, Undescribed,
    Validator, Verdict, validate,
};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::answer::{self, Refusal};
use super::body::read_json;
use crate::files::Files;
use crate::logs::Level;
use crate::nodes::{Registry, checks};
use crate::queue::{Item, SENSITIVE, SharedItem};
use crate::version::ServerVersion;
use crate::{python, state};

#[derive(Serialize)]
struct Info {
    exec_info: ExecInfo,
}

#[derive(Serialize)]
struct Queued<'a> {
    prompt_id: &'a str,
    number: &'a Json,
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
    let version = state.options.version;
    state.log(Level::Info, "got prompt");
    let mut body = match read_json(request).await? {
        Json::Object(body) => body,
        number if exact::stand_in(&number).is_some() => return Ok(answer::trouble()),
        // The server asks whether words occur in the body: that works for lists and texts, and then nothing else does.
        Json::Array(items) if !FIELDS.iter().any(|field| items.contains(&Json::from(*field))) => Map::new(),
        Json::String(text) if !FIELDS.iter().any(|field| text.contains(field)) => Map::new(),
        _ => return Ok(answer::trouble()),
    };
    let number = number(&body, &state)?;
    let prompt = body
        .remove("prompt")
        .ok_or_else(|| refuse("no_prompt", "No prompt provided", "No prompt provided"))?;
    let prompt_id = prompt_id(&body, &state)?;
    // The server looks for a key in it early, which texts and lists let it do. They fail after validation.
    let is_searched = |extra: &Json| {
        matches!(extra, Json::Array(_) | Json::Object(_) | Json::String(_))
            && exact::stand_in(extra).is_none()
    };
    if version >= ServerVersion::V0_30_0 && !body.get("extra_data").is_none_or(is_searched) {
        return Ok(answer::trouble());
    }
    let checks =
        Checks { files: &state.files, nodes: &state.nodes, version, test_nodes: state.options.test_nodes };
    let schemas = state.nodes.schemas_for(&prompt);
    let mut options = Options::new(&schemas)
        .profile(version.profile())
        .checks(&checks)
        .order(Order::HashSeedZero)
        .exact(true);
    if let Some(replacements) = &state.replacements {
        options = options.replacements(&replacements.rules);
    }
    if let Some(targets) = body.get("partial_execution_targets").filter(|targets| !targets.is_null()) {
        options = options.partial_targets(targets);
    }
    let Accepted { prompt, outputs, node_errors, .. } = match validate(&prompt, &options) {
        Verdict::Accepted(accepted) => accepted,
        Verdict::Rejected(rejection) => {
            log_errors(&state, &rejection.node_errors);
            let error = serde_json::to_value(&rejection.error).unwrap_or_default();
            state.log(Level::Warning, &format!("invalid prompt: {}", python::python_repr(&error)));
            return Ok(answer::json_with(StatusCode::BAD_REQUEST, &rejection));
        }
        Verdict::Crashed(crash) => {
            tracing::debug!(crash.reason, "the check of a prompt failed");
            return Ok(answer::trouble());
        }
        _ => return Ok(answer::trouble()),
    };
    log_errors(&state, &node_errors);
    let extra_data = extra_data(&mut body, &headers, version, state.now())?;
    let item = Arc::new(Item { number, prompt_id, prompt: Arc::new(prompt), extra_data, outputs });
    if state.enqueue(SharedItem(Arc::clone(&item))).is_err() {
        return Ok(answer::trouble());
    }
    Ok(answer::json(&Queued { prompt_id: &item.prompt_id, number: &item.number, node_errors: &node_errors }))
}

const FIELDS: [&str; 3] = ["number", "front", "prompt"];

/// The prompt's number: its own, as a float, or the next one, negated for the front.
fn number(body: &Map<String, Json>, state: &state::State) -> Result<Json, Refusal> {
    if let Some(number) = body.get("number") {
        let number = python::float(number).ok_or_else(answer::trouble)?;
        return Ok(exact::float(number));
    }
    let number = state.queue(crate::queue::Queue::next_number);
    let front = body.get("front").is_some_and(python::is_true);
    Ok(if front { -number } else { number }.into())
}

/// The prompt's id: what was sent, as a text, or a new one. Since 0.30.0 only a UUID in lower case with hyphens will do.
fn prompt_id(body: &Map<String, Json>, state: &state::State) -> Result<String, Refusal> {
    let new = || state.new_id().to_string();
    if state.options.version < ServerVersion::V0_30_0 {
        return Ok(body.get("prompt_id").map_or_else(new, python::python_text));
    }
    match body.get("prompt_id") {
        None | Some(Json::Null) => Ok(new()),
        Some(Json::String(id)) if is_canonical(id) => Ok(id.clone()),
        Some(_) => Err(refuse(
            "invalid_prompt_id",
            "prompt_id must be a valid UUID",
            "prompt_id must be a UUID string in canonical lowercase hyphenated form; omit it to let the server generate one",
        )),
    }
}

/// Whether a text is a UUID as the server writes it.
pub(super) fn is_canonical(id: &str) -> bool {
    uuid::Uuid::parse_str(id).is_ok_and(|uuid| uuid.to_string() == *id)
}

/// What goes with the prompt: as sent, without what nobody is to see, and with what the server adds.
fn extra_data(
    body: &mut Map<String, Json>,
    headers: &HeaderMap,
    version: ServerVersion,
    now: u64,
) -> Result<Map<String, Json>, Refusal> {
    let mut extra = match body.remove("extra_data") {
        None => Map::new(),
        Some(Json::Object(extra)) => extra,
        Some(_) => return Err(answer::trouble().into()),
    };
    if let Some(client_id) = body.remove("client_id") {
        extra.insert("client_id".into(), client_id);
    }
    if version < ServerVersion::V0_8_0 {
        return Ok(extra);
    }
    if version >= ServerVersion::V0_30_0
        && let Some(source) = headers.get("comfy-usage-source").and_then(|source| source.to_str().ok())
        && !extra.contains_key("comfy_usage_source")
    {
        extra.insert("comfy_usage_source".into(), source.into());
    }
    for key in SENSITIVE {
        extra.shift_remove(key);
    }
    extra.insert("create_time".into(), now.into());
    Ok(extra)
}

/// Writes what is wrong with the outputs of a prompt into the log.
fn log_errors(state: &state::State, node_errors: &NodeErrors) {
    let log = |text: &str| state.log(Level::Error, text);
    let mut outputs: Vec<&NodeId> = Vec::new();
    for (_, node) in node_errors.iter() {
        for output in &node.dependent_outputs {
            if !outputs.contains(&output) {
                outputs.push(output);
            }
        }
    }
    for output in outputs {
        log(&format!("Failed to validate prompt for output {output}:"));
        let list = |title: &str, errors: &[ErrorDetail]| {
            log(title);
            for error in errors {
                log(&format!("  - {}: {}", error.message, error.details));
            }
        };
        if let Some(node) = node_errors.get(output.as_str()) {
            list("* (prompt):", &node.errors);
        }
        // Each node is told of with the first output that it spoils.
        for (id, node) in
            node_errors.iter().filter(|(_, node)| node.dependent_outputs.first() == Some(output))
        {
            list(&format!("* {} {id}:", node.class_type), &node.errors);
        }
        log("Output will be ignored");
    }
}

fn refuse(kind: &str, message: &str, details: &str) -> Refusal {
    let error = json!({"type": kind, "message": message, "details": details, "extra_info": {}});
    answer::json_with(StatusCode::BAD_REQUEST, &json!({"error": error, "node_errors": {}})).into()
}

/// The checks that node classes bring themselves.
struct Checks<'a> {
    files: &'a Files,
    nodes: &'a Registry,
    version: ServerVersion,
    test_nodes: bool,
}

impl NodeChecks for Checks<'_> {
    fn validator(&self, class_type: &str) -> Option<Validator> {
        let Some(check) = self.nodes.check(class_type) else {
            return checks::validator(class_type, self.version, self.test_nodes);
        };
        let validator = Validator::new(format!("{class_type}.VALIDATE_INPUTS"));
        Some(check.inputs.iter().fold(validator, |validator, input| validator.required(*input)))
    }

    fn check(&self, class_type: &str, inputs: &CheckInputs) -> CheckResult {
        match self.nodes.check(class_type) {
            Some(check) => (check.run)(inputs, self.files),
            None => checks::check(class_type, inputs),
        }
    }

    fn undescribed(&self, class_type: &str) -> Option<Undescribed> {
        checks::undescribed(class_type, self.test_nodes)
    }
}
