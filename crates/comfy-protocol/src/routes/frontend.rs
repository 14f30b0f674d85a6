//! What editors ask for: `/global_subgraphs`, `/node_replacements`, `/internal/logs`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A subgraph that a server offers (since 0.8.0).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GlobalSubgraph {
    /// `custom_node`, or (since 0.30.0) `templates`.
    pub source: String,
    /// Its name.
    pub name: String,
    /// The node pack it comes from, under `node_pack`.
    #[serde(default)]
    pub info: Map<String, Value>,
    /// The subgraph as JSON text; only in the answer for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

/// An entry of `GET /node_replacements` (since 0.30.0): how a node of a class that is gone becomes one of another class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeReplacement {
    /// The class that is there now.
    pub new_node_id: String,
    /// The class that is gone.
    #[serde(default)]
    pub old_node_id: String,
    /// The widgets of the old class in their order, which saved graphs of the editor need.
    #[serde(default)]
    pub old_widget_ids: Option<Vec<String>>,
    /// Where the inputs of the new node come from; those of the old one that are not named are lost.
    #[serde(default)]
    pub input_mapping: Option<Vec<InputMapping>>,
    /// Which output of the new node stands for which of the old one.
    #[serde(default)]
    pub output_mapping: Option<Vec<OutputMapping>>,
    /// Fields not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Where an input of a node that replaces another comes from: an old input, or a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InputMapping {
    /// The input of the new node.
    pub new_id: String,
    /// The input of the old node that it takes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_id: Option<String>,
    /// The value that it gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_value: Option<Value>,
}

/// Which output of a node that replaces another stands for which of the old one, by slot from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OutputMapping {
    /// The slot of the new node.
    pub new_idx: u32,
    /// The slot of the old node.
    pub old_idx: u32,
}

/// Answer of `GET /internal/logs/raw`, and data of `logs` messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Logs {
    /// The lines, oldest first; a line may come in parts.
    pub entries: Vec<LogEntry>,
    /// Size of the server's terminal.
    #[serde(default)]
    pub size: Option<TerminalSize>,
}

/// A piece of a server's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogEntry {
    /// When it was written: ISO text without time zone, by the server's clock.
    #[serde(rename = "t")]
    pub time: String,
    /// The text, with its newline; since 0.30.0 with colour sequences.
    #[serde(rename = "m")]
    pub message: String,
}

/// Size of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TerminalSize {
    /// Columns.
    pub cols: u32,
    /// Rows.
    pub rows: u32,
}
