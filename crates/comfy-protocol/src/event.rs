mod construct;

use comfy_workflow::NodeId;
use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use crate::NodeOutput;
use crate::json::{self, JsonError};

/// A JSON message of the WebSocket: `{"type": …, "data": …}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Message {
    /// How many prompts are waiting or running; to everyone. The first message of a connection, then with `sid`.
    Status(Status),
    /// What the server can do; the answer to the client's own `feature_flags`.
    FeatureFlags(Map<String, Value>),
    /// A prompt has left the queue and runs.
    ExecutionStart(ExecutionStart),
    /// The nodes whose results are still known from earlier runs.
    ExecutionCached(ExecutionCached),
    /// The state of every node that the prompt has touched so far: it replaces what was said before.
    ProgressState(ProgressState),
    /// A node begins; without a node: the prompt has left the worker and its record is written.
    Executing(Executing),
    /// How far a node has come.
    Progress(Progress),
    /// A node has outputs for the user.
    Executed(Executed),
    /// The prompt has run to its end. The history is written a moment later.
    ExecutionSuccess(ExecutionStart),
    /// A node failed, or (see [`ExecutionError::is_blocked`]) would not run while the prompt goes on.
    ExecutionError(Box<ExecutionError>),
    /// The prompt was interrupted.
    ExecutionInterrupted(ExecutionInterrupted),
    /// A message of another type, or one of a known type in a form not known here.
    #[serde(untagged)]
    Other {
        /// The message's type.
        #[serde(rename = "type")]
        kind: String,
        /// The message's data; `null` when absent.
        data: Value,
    },
}

/// Data of `status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// The counts.
    pub status: StatusBody,
    /// The id under which the server knows this connection; only in the first message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

/// The inner object of `status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StatusBody {
    /// The counts.
    pub exec_info: ExecInfo,
}

/// Counts of the queue; also the answer of `GET /prompt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExecInfo {
    /// Prompts of all clients that wait or run.
    pub queue_remaining: u64,
}

/// Data of `execution_start` and `execution_success`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExecutionStart {
    /// The prompt.
    pub prompt_id: String,
    /// Milliseconds since the epoch, by the server's clock.
    #[serde(default)]
    pub timestamp: u64,
}

/// Data of `execution_cached`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExecutionCached {
    /// Nodes whose results are known, needed or not.
    #[serde(default)]
    pub nodes: Vec<NodeId>,
    /// The prompt.
    pub prompt_id: String,
    /// Milliseconds since the epoch, by the server's clock.
    #[serde(default)]
    pub timestamp: u64,
}

/// Data of `progress_state`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProgressState {
    /// The prompt.
    pub prompt_id: String,
    /// Every node touched so far; pending ones are absent.
    #[serde(default)]
    pub nodes: IndexMap<NodeId, NodeProgress>,
}

/// The state of one node in [`ProgressState`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeProgress {
    /// Steps done.
    pub value: Number,
    /// Steps in all.
    pub max: Number,
    /// Running or finished.
    pub state: NodeState,
    /// The node; an id of its own for a node that the server made while running.
    pub node_id: NodeId,
    /// The prompt.
    pub prompt_id: String,
    /// The node of the submitted prompt that a user knows.
    #[serde(default)]
    pub display_node_id: Option<NodeId>,
    /// The node that made this one while running.
    #[serde(default)]
    pub parent_node_id: Option<NodeId>,
    /// The node of the submitted prompt.
    #[serde(default)]
    pub real_node_id: Option<NodeId>,
}

/// State of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NodeState {
    /// It waits; servers leave such nodes out.
    Pending,
    /// It runs.
    Running,
    /// It is done, or its result was known.
    Finished,
    /// It failed. Declared by servers, never seen.
    Error,
    /// A state not known here.
    #[serde(untagged)]
    Other(String),
}

/// Data of `executing`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Executing {
    /// The node that begins; `None` when the prompt has left the worker.
    pub node: Option<NodeId>,
    /// The node of the submitted prompt that a user knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_node: Option<NodeId>,
    /// The prompt; absent in the message that greets a client that comes back during a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_id: Option<String>,
}

/// Data of `progress`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Progress {
    /// Steps done.
    pub value: Number,
    /// Steps in all.
    pub max: Number,
    /// The prompt.
    #[serde(default)]
    pub prompt_id: Option<String>,
    /// The node.
    #[serde(default)]
    pub node: Option<NodeId>,
}

/// Data of `executed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Executed {
    /// The node.
    pub node: NodeId,
    /// The node of the submitted prompt that a user knows.
    #[serde(default)]
    pub display_node: Option<NodeId>,
    /// Its outputs; `None` for a cached output node that has none.
    pub output: Option<NodeOutput>,
    /// The prompt.
    pub prompt_id: String,
}

/// Data of `execution_error`: the server's report of a failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExecutionError {
    /// The prompt.
    pub prompt_id: String,
    /// The node of the submitted prompt that failed.
    pub node_id: NodeId,
    /// Its class.
    pub node_type: String,
    /// The nodes that this run had finished, in no order.
    #[serde(default)]
    pub executed: Vec<NodeId>,
    /// The text of the exception; servers end it with a newline and may add advice.
    pub exception_message: String,
    /// The name of the Python exception, with its module unless built in.
    pub exception_type: String,
    /// The formatted frames of the stack.
    #[serde(default)]
    pub traceback: Vec<String>,
    /// The values of the inputs by name, printed; can be large.
    #[serde(default)]
    pub current_inputs: Value,
    /// Ids of nodes of the prompt, in no order.
    #[serde(default)]
    pub current_outputs: Value,
    /// Milliseconds since the epoch, by the server's clock; absent for a blocked node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<u64>,
    /// Fields not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ExecutionError {
    /// Whether a node was only kept from running while the prompt goes on: not the end of the prompt.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.exception_type == "ExecutionBlocked"
    }
}

/// Data of `execution_interrupted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExecutionInterrupted {
    /// The prompt.
    pub prompt_id: String,
    /// The node that ran or was about to.
    pub node_id: NodeId,
    /// Its class.
    pub node_type: String,
    /// The nodes that this run had finished, in no order.
    #[serde(default)]
    pub executed: Vec<NodeId>,
    /// Milliseconds since the epoch, by the server's clock.
    #[serde(default)]
    pub timestamp: u64,
}

impl Message {
    /// Reads a text frame of the WebSocket.
    ///
    /// # Errors
    /// The text is no JSON object with a `type`. A known type in an unknown form is no error: it is [`Message::Other`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, JsonError> {
        #[derive(Deserialize)]
        struct Envelope {
            #[serde(rename = "type")]
            kind: String,
            data: Option<Box<RawValue>>,
        }
        let Envelope { kind, data } = json::from_slice(bytes)?;
        let data = data.as_deref().unwrap_or(RawValue::NULL);
        // Read as what it is, since the way over a `Value` takes several times as long. That way is left for data in
        // unknown forms, and for texts that are no JSON by themselves.
        match Self::known(&kind, data) {
            Some(message) => Ok(message),
            None => Ok(Self::new(kind, json::from_str(data.get())?)),
        }
    }

    /// The message of a type with its data.
    #[must_use]
    pub fn new(kind: String, data: Value) -> Self {
        Self::known(&kind, &data).unwrap_or(Self::Other { kind, data })
    }

    /// A message of a type and form known here.
    fn known<'de>(kind: &str, data: impl Deserializer<'de>) -> Option<Self> {
        Some(match kind {
            "status" => Self::Status(Deserialize::deserialize(data).ok()?),
            "feature_flags" => Self::FeatureFlags(Deserialize::deserialize(data).ok()?),
            "execution_start" => Self::ExecutionStart(Deserialize::deserialize(data).ok()?),
            "execution_cached" => Self::ExecutionCached(Deserialize::deserialize(data).ok()?),
            "progress_state" => Self::ProgressState(Deserialize::deserialize(data).ok()?),
            "executing" => Self::Executing(Deserialize::deserialize(data).ok()?),
            "progress" => Self::Progress(Deserialize::deserialize(data).ok()?),
            "executed" => Self::Executed(Deserialize::deserialize(data).ok()?),
            "execution_success" => Self::ExecutionSuccess(Deserialize::deserialize(data).ok()?),
            "execution_error" => Self::ExecutionError(Deserialize::deserialize(data).ok()?),
            "execution_interrupted" => Self::ExecutionInterrupted(Deserialize::deserialize(data).ok()?),
            _ => return None,
        })
    }

    /// The prompt that the message is about, if it names one.
    #[must_use]
    pub fn prompt_id(&self) -> Option<&str> {
        match self {
            Self::Status(_) | Self::FeatureFlags(_) => None,
            Self::ExecutionStart(data) | Self::ExecutionSuccess(data) => Some(&data.prompt_id),
            Self::ExecutionCached(data) => Some(&data.prompt_id),
            Self::ProgressState(data) => Some(&data.prompt_id),
            Self::Executing(data) => data.prompt_id.as_deref(),
            Self::Progress(data) => data.prompt_id.as_deref(),
            Self::Executed(data) => Some(&data.prompt_id),
            Self::ExecutionError(data) => Some(&data.prompt_id),
            Self::ExecutionInterrupted(data) => Some(&data.prompt_id),
            Self::Other { data, .. } => data.get("prompt_id")?.as_str(),
        }
    }
}

#[cfg(test)]
mod tests;
