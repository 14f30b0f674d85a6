//! Answers of servers, as they are kept: everything long is clipped, and folders of the machine are replaced.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Entries of a list or map that are kept.
const ENTRIES: usize = 8;
/// Entries that are kept of what is longer: the first ones, and the last one.
const SOME: usize = 2;
/// Characters of a text that are kept.
const CHARACTERS: usize = 300;
/// Characters that are kept of what is longer.
const BEGINNING: usize = 60;

/// A body.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Said {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "null_is_a_value")]
    json: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

fn null_is_a_value<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(reader).map(Some)
}

impl Said {
    pub(crate) fn new(content_type: Option<&str>, body: &[u8]) -> Self {
        if body.is_empty() {
            return Self::default();
        }
        let is_json = content_type.is_some_and(|kind| kind.starts_with("application/json"));
        if let (true, Ok(value)) = (is_json, serde_json::from_slice::<Value>(body)) {
            return Self { json: Some(clipped(value)), ..Self::default() };
        }
        match std::str::from_utf8(body) {
            Ok(text) => Self::text(clipped_text(text)),
            Err(_) => Self { base64: Some(STANDARD.encode(body)), ..Self::default() },
        }
    }

    pub(crate) fn text(text: String) -> Self {
        Self { text: Some(text), ..Self::default() }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        match (&self.json, &self.text, &self.base64) {
            (Some(value), _, _) => value.to_string().into_bytes(),
            (_, Some(text), _) => text.clone().into_bytes(),
            (_, _, Some(base64)) => STANDARD.decode(base64).unwrap(),
            _ => Vec::new(),
        }
    }
}

fn clipped(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(clipped_text(&text)),
        Value::Array(entries) => {
            let count = entries.len();
            entries
                .into_iter()
                .enumerate()
                .filter(|(index, _)| is_kept(*index, count))
                .map(|(_, entry)| clipped(entry))
                .collect()
        }
        Value::Object(map) => {
            // Objects of a known form are kept whole; they have more than lists and maps in them.
            let is_list = map.values().all(|value| value.is_object() || value.is_array());
            let count = if is_list { map.len() } else { 0 };
            let entries = map.into_iter().enumerate().filter(|(index, _)| is_kept(*index, count));
            let entries = entries.map(|(_, (key, value))| match key.as_str() {
                // The command line of the server.
                "argv" => (key, Value::from(vec!["main.py"])),
                _ => (key, clipped(value)),
            });
            Value::Object(entries.collect())
        }
        other => other,
    }
}

fn is_kept(index: usize, count: usize) -> bool {
    count <= ENTRIES || index < SOME || index + 1 == count
}

fn clipped_text(text: &str) -> String {
    let mut text = text.to_owned();
    for pair in std::env::var("COMFY_RECORD").unwrap_or_default().split(',') {
        if let Some((from, to)) = pair.split_once('=') {
            text = text.replace(from, to);
        }
    }
    if text.chars().count() > CHARACTERS {
        text = text.chars().take(BEGINNING).collect();
    }
    text
}
