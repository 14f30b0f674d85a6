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
