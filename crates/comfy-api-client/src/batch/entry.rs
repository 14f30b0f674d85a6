//! The lines of a journal.

use std::path::PathBuf;

use comfy_protocol::FileRef;
use comfy_workflow::NodeId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::outputs::NodeOutputs;

/// The form of journal that is written here.
pub(super) const VERSION: u32 = 1;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Entry {
    /// The first line: what the batch is.
    Batch(Header),
    /// A workflow is about to be submitted.
    Submit(Submit),
    /// The server has taken it, under this id.
    Accepted { row: String, prompt_id: String },
    /// It has run and gave this.
    Ran { row: String, outputs: NodeOutputs, elapsed_ms: Option<u64> },
    /// A file is complete under the name `part`, and is about to be renamed.
    Saving { row: String, place: usize, path: PathBuf, part: PathBuf, bytes: u64 },
    /// A file is there.
    Saved(Saved),
    /// All is done: the row has run, and its files are there.
    Done { row: String },
    /// The row has come to a bad end.
    Failed { row: String, kind: String, message: String },
    /// It has run, and its files could not be saved: that can be done later.
    Unsaved { row: String, message: String },
    /// What was submitted was cancelled by whoever ran the batch, or is not known to the server any more: it is as if it had
    /// never been.
    Withdrawn { row: String },
    /// Every row has come to its end.
    End,
    /// Of a later version.
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) version: u32,
    /// Tells the partial files of this batch from those of others.
    pub(super) id: String,
    #[serde(default)]
    pub(super) plan: Map<String, Value>,
    #[serde(default)]
    pub(super) notes: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Submit {
    pub(super) row: String,
    pub(super) prompt_id: String,
    /// Of the workflow.
    pub(super) hash: String,
    /// The server that it goes to.
    pub(super) server: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) label: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(super) values: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(super) extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Saved {
    pub(super) row: String,
    pub(super) place: usize,
    pub(super) node: NodeId,
    pub(super) key: String,
    pub(super) file: FileRef,
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
}
