//! Submitting prompts, and waiting for them.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::exchange::{Answer, exchange};
use super::json;

/// How long a prompt may take.
const PATIENCE: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_millis(4);

/// Submits a prompt that is given as JSON text, with other fields of the body.
pub(crate) async fn submit(host: &str, prompt: &str, extra: Option<&str>) -> anyhow::Result<Answer> {
    let extra = extra.map(|extra| extra.trim().trim_start_matches('{').trim_end_matches('}').trim());
    let extra = extra.filter(|extra| !extra.is_empty()).map(|extra| format!(", {extra}")).unwrap_or_default();
    post(host, "/prompt", &format!(r#"{{"prompt": {prompt}, "client_id": "conformance"{extra}}}"#)).await
}

pub(crate) async fn post(host: &str, path: &str, body: &str) -> anyhow::Result<Answer> {
    let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
    exchange(host, "POST", path, &headers, Some(body.as_bytes())).await
}

pub(crate) async fn get_json(host: &str, path: &str) -> anyhow::Result<Value> {
    body(&exchange(host, "GET", path, &[], None).await?)
}

/// The body of an answer as a value.
pub(crate) fn body(answer: &Answer) -> anyhow::Result<Value> {
    json::lenient(&String::from_utf8_lossy(&answer.body)).context("the answer is no JSON")
}

/// The id of an accepted prompt; what the server had against it where it is refused.
pub(crate) fn id(answer: &Answer) -> anyhow::Result<String> {
    let body = body(answer)?;
    if let Some(id) = body["prompt_id"].as_str() {
        return Ok(id.to_owned());
    }
    let per_node = body["node_errors"].as_object().into_iter().flatten();
    let mut reasons: Vec<_> = per_node
        .flat_map(|(node, facts)| {
            let errors = facts["errors"].as_array().into_iter().flatten();
            errors.map(move |error| format!("{node}: {}: {}", error["type"], error["details"]))
        })
        .collect();
    if reasons.is_empty() {
        reasons.push(format!("{}: {}", body["error"]["type"], body["error"]["message"]));
    }
    anyhow::bail!("not accepted: {}", reasons.join("; "))
}

/// How a prompt ended, with the error that a node had.
pub(crate) fn end(record: &Value) -> String {
    let messages = record["status"]["messages"].as_array().into_iter().flatten();
    let error =
        messages.into_iter().find(|message| message[0] == "execution_error").map(|message| &message[1]);
    let error = error.map(|error| format!(": {}: {}", error["node_type"], error["exception_message"]));
    format!("{}{}", record["status"]["status_str"], error.unwrap_or_default())
}

/// The record of a prompt that has ended; `None` when it does not end in time.
pub(crate) async fn record(host: &str, id: &str) -> anyhow::Result<Option<Value>> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let mut history = get_json(host, &format!("/history/{id}")).await?;
        if let Some(record) = history.get_mut(id) {
            return Ok(Some(record.take()));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(None)
}

/// Submits a prompt that keeps the worker busy where nodes take their time, and waits until it runs.
pub(crate) async fn hold(host: &str) -> anyhow::Result<()> {
    id(&submit(host, &picture().to_string(), None).await?)?;
    while get_json(host, "/queue").await?["queue_running"].as_array().is_none_or(Vec::is_empty) {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// A prompt that every server runs.
pub(crate) fn picture() -> Value {
    json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    })
}
