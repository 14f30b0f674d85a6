//! Values without what differs from run to run, by the rules of the yardstick that plays transcripts: ids, times, counters
//! of the queue, random parts of names, tracebacks, and the order of what the server leaves unordered.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

static ID: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b").ok()
});
static TEMPORARY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("_temp_[a-z]{5}_").ok());

/// Keys whose numbers depend on when something happened.
const TIMES: [&str; 11] = [
    "timestamp",
    "create_time",
    "execution_start_time",
    "execution_end_time",
    "created",
    "modified",
    "created_at",
    "updated_at",
    "last_access_time",
    "t",
    "size",
];

/// Lists without an order.
const UNORDERED: [&str; 6] =
    ["nodes", "executed", "current_outputs", "dependent_outputs", "errors", "outputs_to_execute"];

/// Answers that are about the machine: only their shape is compared.
const SHAPE: [&str; 13] = [
    "/system_stats",
    "/internal/logs",
    "/extensions",
    "/i18n",
    "/workflow_templates",
    "/object_info",
    "/global_subgraphs",
    "/models",
    "/embeddings",
    "/experiment/models",
    "/internal/folder_paths",
    "/users",
    "/features",
];

/// A text that is the same for values that are the same for the yardstick.
pub(crate) fn canonical(value: &Value) -> String {
    normal(value, "").to_string()
}

/// The same for the body of an answer to a request for `path`.
pub(crate) fn canonical_body(path: &str, value: &Value) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let path = path.strip_prefix("/api").unwrap_or(path);
    if SHAPE.iter().any(|start| path.starts_with(start)) {
        sorted(&shape(value)).to_string()
    } else {
        canonical(value)
    }
}

/// A text with `<id>` for every id.
pub(crate) fn without_ids(text: &str) -> String {
    ID.as_ref().map_or_else(|| text.to_owned(), |id| id.replace_all(text, "<id>").into_owned())
}

/// Whether a text is an id and nothing else.
pub(crate) fn is_id(text: &str) -> bool {
    ID.as_ref().and_then(|id| id.find(text)).is_some_and(|found| found.len() == text.len())
}

/// The random parts of the names of temporary files in a text, in their order.
pub(crate) fn temporary(text: &str) -> Vec<String> {
    let names = TEMPORARY.iter().flat_map(|name| name.find_iter(text));
    names.map(|name| name.as_str().to_owned()).collect()
}

fn normal(value: &Value, key: &str) -> Value {
    let is_time = TIMES.contains(&key);
    match value {
        Value::Number(_) if is_time => json!("<time>"),
        Value::String(_) if key == "t" => json!("<time>"),
        Value::Number(_) if matches!(key, "number" | "priority") => json!("<number>"),
        _ if key == "traceback" => json!("<traceback>"),
        Value::Object(entries) => {
            // Ids, which are random, stay in their order.
            let (ids, mut others): (Vec<_>, Vec<_>) = entries.iter().partition(|(key, _)| is_id(key));
            others.sort_by_key(|(key, _)| key.as_str());
            let others = others.into_iter().map(|(key, value)| (without_ids(key), normal(value, key)));
            let ids = ids.into_iter().enumerate();
            let ids = ids.map(|(at, (key, value))| (format!("<id> {at}"), normal(value, key)));
            Value::Object(ids.chain(others).collect())
        }
        Value::Array(items) => list(items, key),
        Value::String(text) => json!(line(text, key)),
        Value::Number(number) => match number.as_f64() {
            Some(float)
                if number.is_f64() && float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 =>
            {
                json!(float as i64)
            }
            _ => value.clone(),
        },
        _ => value.clone(),
    }
}

fn list(items: &[Value], key: &str) -> Value {
    let mut normalised: Vec<_> = items.iter().map(|item| normal(item, "")).collect();
    let is_queue_item =
        items.len() == 5 && items[1].is_string() && items[2].is_object() && items[4].is_array();
    if is_queue_item {
        normalised[0] = json!("<number>");
        if let Value::Array(outputs) = &mut normalised[4] {
            outputs.sort_by_cached_key(Value::to_string);
        }
    }
    if UNORDERED.contains(&key) {
        normalised.sort_by_cached_key(Value::to_string);
    }
    Value::Array(normalised)
}

fn line(text: &str, key: &str) -> String {
    let text = without_ids(text);
    let text = TEMPORARY
        .as_ref()
        .map_or_else(|| text.clone(), |name| name.replace_all(&text, "_temp_xxxxx_").into_owned());
    if key != "details" {
        return text;
    }
    let mut lines: Vec<_> = text.split('\n').collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// The kinds of the values, with the first of a list for all.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            Value::Object(entries.iter().map(|(key, value)| (key.clone(), shape(value))).collect())
        }
        Value::Array(items) => items.first().map(shape).into_iter().collect(),
        Value::String(_) => json!("str"),
        Value::Bool(_) => json!("bool"),
        Value::Null => json!("NoneType"),
        Value::Number(number) => json!(if number.is_f64() { "float" } else { "int" }),
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            let entries = entries.into_iter().map(|(key, value)| (key.clone(), sorted(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
