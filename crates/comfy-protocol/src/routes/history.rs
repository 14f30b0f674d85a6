//! `GET /history`, `GET /history/{prompt_id}`.

use comfy_workflow::NodeId;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::routes::queue::QueueItem;
use crate::{ExecutionError, ExecutionInterrupted, Message, NodeOutput};

/// Answer of `GET /history` and `GET /history/{prompt_id}`: by prompt id, oldest first.
pub type History<Prompt = QueueItem> = IndexMap<String, HistoryEntry<Prompt>>;

/// The server's record of a prompt that has run. `Prompt` can be [`serde::de::IgnoredAny`] for those who need no body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistoryEntry<Prompt = QueueItem> {
    /// The prompt as it ran.
    pub prompt: Prompt,
    /// What the nodes gave to the user.
    #[serde(default)]
    pub outputs: IndexMap<NodeId, Option<NodeOutput>>,
    /// How it ended; `None` on servers that do not say.
    #[serde(default)]
    pub status: Option<HistoryStatus>,
    /// Which nodes the outputs belong to, with the keys of `outputs`.
    #[serde(default)]
    pub meta: IndexMap<NodeId, NodeMeta>,
}

/// How a prompt ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistoryStatus {
    /// `success` or `error`; an interrupted prompt has `error`.
    pub status_str: String,
    /// True exactly for success.
    #[serde(default)]
    pub completed: bool,
    /// `execution_start`, `execution_cached` and the last one, with the data that the WebSocket had.
    #[serde(default)]
    pub messages: Vec<StatusMessage>,
}

/// A message kept in the history: `[type, data]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusMessage(
    /// Its type.
    pub String,
    /// Its data.
    pub Value,
);

/// To which node an output belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeMeta {
    /// The node; an id of its own for a node that the server made while running.
    pub node_id: NodeId,
    /// The node of the submitted prompt that a user knows.
    #[serde(default)]
    pub display_node: Option<NodeId>,
    /// The node that made this one while running.
    #[serde(default)]
    pub parent_node: Option<NodeId>,
    /// The node of the submitted prompt.
    #[serde(default)]
    pub real_node_id: Option<NodeId>,
}

/// How a prompt ended, as its record says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Ending {
    /// It ran to its end.
    Success,
    /// A node failed, with the report if the record has one.
    Error(Option<Box<ExecutionError>>),
    /// It was interrupted.
    Interrupted(ExecutionInterrupted),
}

impl<Prompt> HistoryEntry<Prompt> {
    /// A record.
    #[must_use]
    pub fn new(
        prompt: Prompt,
        outputs: IndexMap<NodeId, Option<NodeOutput>>,
        status: HistoryStatus,
        meta: IndexMap<NodeId, NodeMeta>,
    ) -> Self {
        Self { prompt, outputs, status: Some(status), meta }
    }

    /// How the prompt ended. A record without a status counts as success.
    #[must_use]
    pub fn ending(&self) -> Ending {
        let Some(status) = &self.status else {
            return Ending::Success;
        };
        if status.status_str == "success" {
            return Ending::Success;
        }
        for StatusMessage(kind, data) in status.messages.iter().rev() {
            match Message::new(kind.clone(), data.clone()) {
                Message::ExecutionError(error) => return Ending::Error(Some(error)),
                Message::ExecutionInterrupted(data) => return Ending::Interrupted(data),
                _ => {}
            }
        }
        Ending::Error(None)
    }

    /// The nodes that did not run, since the server had their results from earlier runs.
    #[must_use]
    pub fn cached(&self) -> Vec<NodeId> {
        self.status.as_ref().map(HistoryStatus::cached_nodes).unwrap_or_default()
    }
}

impl HistoryStatus {
    /// How a prompt ended, with the messages of its run.
    #[must_use]
    pub fn new(success: bool, messages: Vec<StatusMessage>) -> Self {
        let status_str = if success { "success" } else { "error" };
        Self { status_str: status_str.into(), completed: success, messages }
    }

    /// When it began to run, in milliseconds since the epoch by the server's clock.
    #[must_use]
    pub fn execution_start_time(&self) -> Option<u64> {
        self.time_of(|kind| kind == "execution_start")
    }

    /// When it ended, likewise.
    #[must_use]
    pub fn execution_end_time(&self) -> Option<u64> {
        self.time_of(|kind| matches!(kind, "execution_success" | "execution_error" | "execution_interrupted"))
    }

    /// The nodes whose results were known from earlier runs.
    #[must_use]
    pub fn cached_nodes(&self) -> Vec<NodeId> {
        let cached =
            |StatusMessage(kind, data): &StatusMessage| match Message::new(kind.clone(), data.clone()) {
                Message::ExecutionCached(cached) => Some(cached.nodes),
                _ => None,
            };
        self.messages.iter().find_map(cached).unwrap_or_default()
    }

    fn time_of(&self, is_wanted: impl Fn(&str) -> bool) -> Option<u64> {
        let message = self.messages.iter().rev().find(|message| is_wanted(&message.0))?;
        message.1.get("timestamp")?.as_u64()
    }
}

impl NodeMeta {
    /// The entry of a node of the submitted prompt.
    #[must_use]
    pub fn new(node: NodeId) -> Self {
        Self {
            display_node: Some(node.clone()),
            parent_node: None,
            real_node_id: Some(node.clone()),
            node_id: node,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_tells_when_it_ran_and_what_was_known() {
        let message = |kind: &str, data: Value| StatusMessage(kind.into(), data);
        let start = message("execution_start", json!({"prompt_id": "p", "timestamp": 1000}));
        let cached =
            message("execution_cached", json!({"prompt_id": "p", "timestamp": 1001, "nodes": ["1", "2"]}));
        let end = message("execution_interrupted", json!({"timestamp": 1500}));
        let status = HistoryStatus::new(false, vec![start.clone(), cached, end]);
        assert_eq!(status.execution_start_time(), Some(1000));
        assert_eq!(status.execution_end_time(), Some(1500));
        assert_eq!(status.cached_nodes(), [NodeId::from("1"), NodeId::from("2")]);
        let fatal = HistoryStatus::new(false, vec![start]);
        assert_eq!((fatal.execution_end_time(), fatal.cached_nodes().len()), (None, 0));
    }
}
