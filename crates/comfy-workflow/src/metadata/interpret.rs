//! Which of the texts of a file, or which parts of a JSON document, are the prompt and the workflow.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::markup;
use crate::editor::EditorWorkflow;
use crate::json;
use crate::workflow::clip;

/// How deep a prompt or workflow may lie inside what was put around it.
const DEPTH: usize = 6;

/// What was found so far.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Found {
    /// A workflow in the API format.
    pub(super) prompt: Option<Value>,
    /// A workflow in the editor's format.
    pub(super) workflow: Option<Value>,
    /// Texts that should have been one of them.
    pub(super) problems: Vec<String>,
}

impl Found {
    fn is_complete(&self) -> bool {
        self.prompt.is_some() && self.workflow.is_some()
    }

    /// Takes what a document holds.
    pub(super) fn take(&mut self, value: Value) {
        self.look(value, DEPTH);
    }

    fn look(&mut self, value: Value, depth: usize) {
        let Some(depth) = depth.checked_sub(1).filter(|_| !self.is_complete()) else { return };
        match value {
            Value::Object(fields) if is_editors(&fields) => {
                self.workflow.get_or_insert(Value::Object(fields));
            }
            Value::Object(fields) if is_prompt(&fields) => {
                self.prompt.get_or_insert(Value::Object(fields));
            }
            Value::Object(fields) => self.look_around(fields, depth),
            // An entry of a queue or a history: number, id, prompt, extra data, outputs.
            Value::Array(mut items)
                if matches!(items.as_slice(), [_, Value::String(_), Value::Object(_), ..]) =>
            {
                if let Some(extra) = items.get_mut(3) {
                    self.look(extra.take(), depth);
                }
                if let Some(prompt) = items.get_mut(2) {
                    self.look(prompt.take(), depth);
                }
            }
            // JSON inside of JSON.
            Value::String(text) if text.trim_start().starts_with('{') => {
                if let Ok(value) = json::from_str(&text) {
                    self.look(value, depth);
                }
            }
            _ => {}
        }
    }

    /// Looks where the server, the editor and savers put a prompt and a workflow.
    fn look_around(&mut self, mut fields: Map<String, Value>, depth: usize) {
        for (key, value) in &mut fields {
            let expected = matches!(
                key.to_ascii_lowercase().as_str(),
                "prompt" | "workflow" | "extra_data" | "extra_pnginfo" | "output" | "extras" | "asset"
            );
            if expected {
                self.look(value.take(), depth);
            }
        }
        // A history of one entry, by its id.
        if fields.len() == 1
            && let Some(Value::Object(entry)) = fields.values_mut().next()
            && entry.contains_key("prompt")
        {
            self.look(Value::Object(std::mem::take(entry)), depth);
        }
    }
}

/// Other programs have documents with `nodes` too: InvokeAI with edges, n8n with connections, glTF with an asset.
fn is_editors(fields: &Map<String, Value>) -> bool {
    let has = |key: &&str| fields.contains_key(*key);
    EditorWorkflow::recognises(fields)
        && (has(&"links") || !["edges", "connections", "asset"].iter().any(has))
}

fn is_prompt(fields: &Map<String, Value>) -> bool {
    fields.values().any(|entry| entry.get("class_type").is_some_and(Value::is_string))
}

/// Takes the prompt and the workflow out of the texts of a file. The other texts stay.
pub(super) fn texts(texts: &mut IndexMap<String, String>) -> Found {
    let mut found = Found::default();
    // Texts of these names first, whatever their case: some containers know capitals only.
    for name in ["prompt", "workflow"] {
        let keys: Vec<String> = texts.keys().filter(|key| key.eq_ignore_ascii_case(name)).cloned().collect();
        for key in keys {
            try_text(texts, &key, &mut found);
        }
    }
    // Some programs put both into one text.
    let others: Vec<String> = texts.keys().filter(|key| !is_ours(key)).cloned().collect();
    for key in others {
        if found.is_complete() {
            break;
        }
        try_text(texts, &key, &mut found);
    }
    found
}

fn try_text(texts: &mut IndexMap<String, String>, key: &str, found: &mut Found) {
    let Some(text) = texts.get(key) else { return };
    let before = (found.prompt.is_some(), found.workflow.is_some());
    if key == "xmp" {
        markup::embedded(text).into_iter().for_each(|value| found.take(value));
    } else if text.trim_start().starts_with('{') {
        match json::from_str(text) {
            Ok(value) => found.take(value),
            Err(error) if is_ours(key) => {
                found.problems.push(format!("has a text `{}` that is no JSON: {error}", clip(key)));
            }
            Err(_) => {}
        }
    }
    // What was understood is no other text any more, unless it holds more than that.
    let whole = is_ours(key) || key == "metadata";
    if whole && before != (found.prompt.is_some(), found.workflow.is_some()) {
        texts.shift_remove(key);
    }
}

fn is_ours(key: &str) -> bool {
    key.eq_ignore_ascii_case("prompt") || key.eq_ignore_ascii_case("workflow")
}
