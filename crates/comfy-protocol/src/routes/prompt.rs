//! `POST /prompt`, `GET /prompt`, `POST /interrupt`, `POST /free`.

use std::fmt;

use comfy_workflow::validate::NodeErrors;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::ExecInfo;

/// Body of `POST /prompt`. `Debug` shows only the keys of the extra data, which can hold keys of paid services.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PromptRequest {
    /// The workflow in the API format.
    pub prompt: Value,
    /// Where messages about the prompt go. Always sent: 0.8.0 leaves the outputs of a cached run out of the history else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The id that the prompt is to have: since 0.30.0 only a UUID in lower case with hyphens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_id: Option<String>,
    /// Place in the queue: lower runs first. The server counts up from 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Number>,
    /// Whether to run before all that wait; only without `number`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub front: bool,
    /// Run only these output nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial_execution_targets: Option<Vec<String>>,
    /// Kept with the prompt and given back in queue and history; `extra_pnginfo` goes into saved pictures.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra_data: Map<String, Value>,
}

impl fmt::Debug for PromptRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extra: Vec<&String> = self.extra_data.keys().collect();
        f.debug_struct("PromptRequest")
            .field("prompt", &self.prompt)
            .field("client_id", &self.client_id)
            .field("prompt_id", &self.prompt_id)
            .field("number", &self.number)
            .field("front", &self.front)
            .field("partial_execution_targets", &self.partial_execution_targets)
            .field("extra_data", &extra)
            .finish()
    }
}

impl PromptRequest {
    /// The request for a workflow.
    #[must_use]
    pub fn new(prompt: Value) -> Self {
        Self { prompt, ..Self::default() }
    }
}

/// Answer of `GET /prompt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PromptInfo {
    /// Counts of the queue.
    pub exec_info: ExecInfo,
}

/// Body of `POST /free`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FreeRequest {
    /// Whether to take the models out of memory.
    #[serde(default)]
    pub unload_models: bool,
    /// Whether to throw away what earlier prompts left, and the models with it.
    #[serde(default)]
    pub free_memory: bool,
}

/// Answer of `POST /prompt` when the prompt was queued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PromptAccepted {
    /// The prompt's id.
    pub prompt_id: String,
    /// Its number in the queue's order; not a position.
    #[serde(default)]
    pub number: Option<Number>,
    /// Problems of outputs that will not run although others do.
    #[serde(default)]
    pub node_errors: NodeErrors,
}
