//! Every message and body that real servers sent is read, and nothing of a known type is taken for an unknown one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod corpus;

use std::collections::BTreeMap;

use base64::Engine;
use comfy_protocol::json::{self, JsonError};
use comfy_protocol::routes::assets::{Asset, AssetList, Pruned, SeedStatus, TagChange, TagCounts, TagList};
use comfy_protocol::routes::frontend::{GlobalSubgraph, Logs};
use comfy_protocol::routes::history::History;
use comfy_protocol::routes::jobs::{Cancelled, JobList, JobRecord};
use comfy_protocol::routes::models::{ModelFile, ModelFolder};
use comfy_protocol::routes::prompt::PromptAccepted;
use comfy_protocol::routes::queue::{Queue, QueuePlace};
use comfy_protocol::routes::system::{Features, SystemStats};
use comfy_protocol::routes::upload::Uploaded;
use comfy_protocol::routes::users::{UserEntry, Users};
use comfy_protocol::{ExecInfo, Frame, Message};
use comfy_workflow::schema::Schemas;
use comfy_workflow::validate::Rejection;
use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

/// How many things of each kind were read.
type Counts = BTreeMap<&'static str, usize>;

fn read_all(scenarios: &[(String, Value)]) -> Counts {
    let mut counts = Counts::new();
    for (name, scenario) in scenarios {
        for step in scenario["steps"].as_array().unwrap() {
            let read = match step["kind"].as_str().unwrap() {
                "ws_text" => read_message(step),
                "ws_binary" => read_frame(step),
                "http" => read_answer(step),
                _ => Ok(None),
            };
            match read {
                Ok(Some(kind)) => *counts.entry(kind).or_default() += 1,
                Ok(None) => {}
                Err(error) => panic!("{name}: {error}\n{step}"),
            }
        }
    }
    counts
}

fn read_message(step: &Value) -> Result<Option<&'static str>, String> {
    let text = step["text"].as_str().map_or_else(|| step["json"].to_string(), str::to_owned);
    let message = Message::from_slice(text.as_bytes()).map_err(|error| error.to_string())?;
    let known = [
        "status",
        "feature_flags",
        "execution_start",
        "execution_cached",
        "progress_state",
        "executing",
        "progress",
        "executed",
        "execution_success",
        "execution_error",
        "execution_interrupted",
    ];
    match &message {
        Message::Other { kind, .. } if known.contains(&kind.as_str()) => {
            Err(format!("`{kind}` is not understood"))
        }
        Message::Other { .. } => Ok(Some("other message")),
        _ if step["json"].is_object() && serde_json::to_value(&message).unwrap() != step["json"] => {
            Err(format!("something is lost: {}", serde_json::to_string(&message).unwrap()))
        }
        _ => Ok(Some("message")),
    }
}

fn read_frame(step: &Value) -> Result<Option<&'static str>, String> {
    let bytes =
        base64::engine::general_purpose::STANDARD.decode(step["binary_base64"].as_str().unwrap()).unwrap();
    match Frame::decode(bytes.clone().into()).map_err(|error| error.to_string())? {
        Frame::Other { event: 1..=4, .. } => Err("a known event is not understood".into()),
        Frame::Other { .. } => Ok(Some("other frame")),
        Frame::PreviewWithMetadata { metadata, .. } if metadata.prompt_id.is_none() => {
            Err("a preview names no prompt".into())
        }
        _ => Ok(Some("frame")),
    }
}

fn read_answer(step: &Value) -> Result<Option<&'static str>, String> {
    #[derive(Deserialize)]
    struct Info {
        #[serde(rename = "exec_info")]
        _exec_info: ExecInfo,
    }
    let (request, response) = (&step["request"], &step["response"]);
    let body = &response["body"];
    let text = body["text"].as_str().map_or_else(|| body["json"].to_string(), str::to_owned);
    let path = request["path"].as_str().unwrap().split('?').next().unwrap();
    let path = path.strip_prefix("/api").unwrap_or(path);
    let is_json =
        response["headers"]["Content-Type"].as_str().is_some_and(|kind| kind.starts_with("application/json"));
    let (method, status) = (request["method"].as_str().unwrap(), response["status"].as_u64());
    if !is_json || body["omitted"].is_boolean() {
        return Ok(None);
    }
    match (method, status, path) {
        ("GET", Some(200), "/prompt") => read::<Info>(&text, "prompt info"),
        ("POST", Some(200), "/prompt") => read::<PromptAccepted>(&text, "accepted"),
        ("POST", Some(400), "/prompt") => read::<Rejection>(&text, "rejected"),
        ("GET", Some(200), "/queue") => {
            read::<Queue<QueuePlace>>(&text, "queue")?;
            read::<Queue>(&text, "queue")
        }
        ("GET", Some(200), path) if path == "/history" || path.starts_with("/history/") => {
            read::<History<IgnoredAny>>(&text, "history")?;
            read::<History>(&text, "history")
        }
        ("GET", Some(200), "/features") => read::<Features>(&text, "features"),
        ("GET", Some(200), "/system_stats") => read::<SystemStats>(&text, "system stats"),
        ("POST", Some(200), "/upload/image") => read::<Uploaded>(&text, "upload"),
        ("GET", Some(200), path) if path == "/object_info" || path.starts_with("/object_info/") => {
            Schemas::from_slice(text.as_bytes()).map_err(|error| error.to_string())?;
            Ok(Some("schemas"))
        }
        ("GET", Some(200), "/jobs") => read::<JobList>(&text, "jobs"),
        ("POST", Some(200), path) if path.starts_with("/jobs/") => read::<Cancelled>(&text, "cancelled"),
        ("GET", Some(200), path) if path.starts_with("/jobs/") => read::<JobRecord>(&text, "job"),
        ("GET", Some(200), "/experiment/models") => read::<Vec<ModelFolder>>(&text, "model folders"),
        ("GET", Some(200), path) if path.starts_with("/experiment/models/") => {
            read::<Vec<ModelFile>>(&text, "model files")
        }
        ("GET", Some(200), path)
            if path == "/models" || path.starts_with("/models/") || path == "/embeddings" =>
        {
            read::<Vec<String>>(&text, "names")
        }
        ("GET", Some(200), "/users") => read::<Users>(&text, "users"),
        ("GET", Some(200), "/v2/userdata") => read::<Vec<UserEntry>>(&text, "user entries"),
        ("GET", Some(200), "/global_subgraphs") => {
            read::<IndexMap<String, GlobalSubgraph>>(&text, "subgraphs")
        }
        ("GET", Some(200), path) if path.starts_with("/global_subgraphs/") => {
            read::<Option<GlobalSubgraph>>(&text, "subgraph")
        }
        ("GET", Some(200), "/internal/logs/raw") => read::<Logs>(&text, "logs"),
        ("GET", Some(200), "/assets") => read::<AssetList>(&text, "assets"),
        ("GET", Some(200), "/tags") => read::<TagList>(&text, "tags"),
        ("GET", Some(200), "/assets/tags/refine") => read::<TagCounts>(&text, "tag counts"),
        ("POST", Some(200), "/assets/prune") => read::<Pruned>(&text, "pruned"),
        (_, Some(200 | 202), path) if path.starts_with("/assets/seed") => read::<SeedStatus>(&text, "seed"),
        ("POST" | "DELETE", Some(200), path) if path.ends_with("/tags") => {
            read::<TagChange>(&text, "tag change")
        }
        ("POST", Some(200 | 201), "/assets" | "/assets/from-hash") => read::<Asset>(&text, "asset"),
        ("GET" | "PUT", Some(200), path) if path.starts_with("/assets/") && !path.ends_with("/content") => {
            read::<Asset>(&text, "asset")
        }
        _ => Ok(None),
    }
}

fn read<T: DeserializeOwned>(text: &str, kind: &'static str) -> Result<Option<&'static str>, String> {
    let result: Result<T, JsonError> = json::from_str(text);
    result.map(|_| Some(kind)).map_err(|error| format!("{kind}: {error}"))
}

#[test]
fn what_the_fixtures_recorded_is_read() {
    let counts = read_all(&corpus::fixtures());
    for kind in ["message", "accepted", "history", "queue", "rejected"] {
        assert!(counts.get(kind).is_some_and(|count| *count > 0), "{kind} in {counts:?}");
    }
}

#[test]
fn what_the_collection_recorded_is_read() {
    let scenarios = corpus::collection();
    if scenarios.is_empty() {
        return;
    }
    let counts = read_all(&scenarios);
    eprintln!("{counts:?}");
    let at_least = [
        ("message", 5000),
        ("frame", 100),
        ("accepted", 400),
        ("rejected", 50),
        ("history", 250),
        ("upload", 50),
    ];
    for (kind, least) in at_least {
        assert!(counts.get(kind).is_some_and(|count| *count >= least), "{kind} in {counts:?}");
    }
}
