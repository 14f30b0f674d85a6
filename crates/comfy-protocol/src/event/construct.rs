//! Constructors for those who speak as a server.

use comfy_workflow::NodeId;
use indexmap::IndexMap;
use serde_json::{Map, Number, Value};

use super::{
    ExecInfo, Executed, Executing, ExecutionCached, ExecutionError, ExecutionInterrupted, ExecutionStart,
    NodeProgress, NodeState, Progress, ProgressState, Status, StatusBody,
};
use crate::NodeOutput;

impl Status {
    /// A `status` with this count, and `sid` for the first one of a connection.
    #[must_use]
    pub fn new(queue_remaining: u64, sid: Option<String>) -> Self {
        Self { status: StatusBody { exec_info: ExecInfo { queue_remaining } }, sid }
    }
}

impl ExecutionStart {
    /// Data of `execution_start` and `execution_success`.
    #[must_use]
    pub fn new(prompt_id: String, timestamp: u64) -> Self {
        Self { prompt_id, timestamp }
    }
}

impl ExecutionCached {
    /// Data of `execution_cached`.
    #[must_use]
    pub fn new(nodes: Vec<NodeId>, prompt_id: String, timestamp: u64) -> Self {
        Self { nodes, prompt_id, timestamp }
    }
}

impl ProgressState {
    /// Data of `progress_state`.
    #[must_use]
    pub fn new(prompt_id: String, nodes: IndexMap<NodeId, NodeProgress>) -> Self {
        Self { prompt_id, nodes }
    }
}

impl NodeProgress {
    /// The state of a node of the submitted prompt.
    #[must_use]
    pub fn new(node: NodeId, prompt_id: String, state: NodeState, value: Number, max: Number) -> Self {
        Self {
            value,
            max,
            state,
            prompt_id,
            display_node_id: Some(node.clone()),
            parent_node_id: None,
            real_node_id: Some(node.clone()),
            node_id: node,
        }
    }
}

impl Executing {
    /// `executing` for a node of the submitted prompt, or for its end.
    #[must_use]
    pub fn new(node: Option<NodeId>, prompt_id: Option<String>) -> Self {
        let display_node = if prompt_id.is_some() { node.clone() } else { None };
        Self { node, display_node, prompt_id }
    }
}

impl Progress {
    /// Data of `progress`.
    #[must_use]
    pub fn new(value: Number, max: Number, prompt_id: String, node: NodeId) -> Self {
        Self { value, max, prompt_id: Some(prompt_id), node: Some(node) }
    }
}

impl Executed {
    /// Data of `executed` for a node of the submitted prompt.
    #[must_use]
    pub fn new(node: NodeId, output: Option<NodeOutput>, prompt_id: String) -> Self {
        Self { display_node: Some(node.clone()), node, output, prompt_id }
    }
}

impl ExecutionError {
    /// Data of `execution_error` for a node that raised an exception.
    #[must_use]
    pub fn new(
        prompt_id: String,
        node_id: NodeId,
        node_type: String,
        exception_type: String,
        exception_message: String,
    ) -> Self {
        Self {
            prompt_id,
            node_id,
            node_type,
            executed: Vec::new(),
            exception_message,
            exception_type,
            traceback: Vec::new(),
            current_inputs: Value::Object(Map::new()),
            current_outputs: Value::Array(Vec::new()),
            timestamp: None,
            extra: Map::new(),
        }
    }
}

impl ExecutionInterrupted {
    /// Data of `execution_interrupted`.
    #[must_use]
    pub fn new(
        prompt_id: String,
        node_id: NodeId,
        node_type: String,
        executed: Vec<NodeId>,
        timestamp: u64,
    ) -> Self {
        Self { prompt_id, node_id, node_type, executed, timestamp }
    }
}

impl ExecInfo {
    /// The answer of `GET /prompt`.
    #[must_use]
    pub fn new(queue_remaining: u64) -> Self {
        Self { queue_remaining }
    }
}
