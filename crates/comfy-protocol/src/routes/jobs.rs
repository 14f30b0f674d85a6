//! `GET /api/jobs`, `GET /api/jobs/{id}`, `POST /api/jobs/{id}/cancel`, `POST /api/jobs/cancel` (since 0.8.0, cancelling
//! since 0.30.0).

use comfy_workflow::NodeId;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::routes::history::HistoryStatus;
use crate::{ExecutionError, FileRef, NodeOutput};

/// Answer of `GET /api/jobs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JobList {
    /// One page of jobs.
    pub jobs: Vec<JobRecord>,
    /// Where the page stands among all.
    pub pagination: Pagination,
}

/// Where a page of jobs stands among all that match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pagination {
    /// Jobs before the page.
    pub offset: u64,
    /// Most jobs of a page; `None` for no limit.
    #[serde(default)]
    pub limit: Option<u64>,
    /// Jobs that match.
    pub total: u64,
    /// Whether there are jobs after the page.
    pub has_more: bool,
}

/// A prompt as the jobs routes tell of it: waiting, running or ended. Servers leave out what they do not know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JobRecord {
    /// The prompt's id.
    pub id: String,
    /// Where it is.
    pub status: JobStatus,
    /// Its number in the queue's order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Number>,
    /// When it was submitted, in milliseconds since the epoch by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_time: Option<u64>,
    /// When it began to run, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_start_time: Option<u64>,
    /// When it ended, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_end_time: Option<u64>,
    /// The report of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_error: Option<ExecutionError>,
    /// How many files it gave; texts do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs_count: Option<u64>,
    /// The output to show for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview_output: Option<PreviewOutput>,
    /// The id of the editor's workflow that was sent along: a text, or whatever its sender wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<Value>,
    /// What the nodes gave; only in the answer for one job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<IndexMap<NodeId, Option<NodeOutput>>>,
    /// How it ended; only in the answer for one job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_status: Option<HistoryStatus>,
    /// The prompt and what was sent with it; only in the answer for one job that has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Value>,
    /// Fields not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Where a job is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobStatus {
    /// It waits in the queue.
    Pending,
    /// It runs.
    InProgress,
    /// It has ended well.
    Completed,
    /// It failed; on 0.8.0 also when it was interrupted.
    Failed,
    /// It was interrupted (since 0.30.0).
    Cancelled,
    /// A status not known here.
    #[serde(untagged)]
    Other(String),
}

impl JobStatus {
    /// The status as it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Other(other) => other,
        }
    }
}

/// By what jobs are listed in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum JobSort {
    /// By when they were submitted.
    #[default]
    CreatedAt,
    /// By how long they ran.
    ExecutionDuration,
}

impl JobSort {
    /// As it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::ExecutionDuration => "execution_duration",
        }
    }
}

/// The output to show for a job: a file, or (since 0.30.0) a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PreviewOutput {
    /// The file.
    #[serde(flatten)]
    pub file: Option<FileRef>,
    /// The text, cut at 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The node that gave it.
    #[serde(default, rename = "nodeId", skip_serializing_if = "Option::is_none")]
    pub node_id: Option<NodeId>,
    /// The key under which the node gave it, such as `images`.
    #[serde(default, rename = "mediaType", skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
}

/// Answer of the routes that cancel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cancelled {
    /// Whether a job was taken out of the queue or told to stop.
    pub cancelled: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_are_files_or_texts() {
        let text = r#"{"content": "t", "nodeId": "2", "mediaType": "text"}"#;
        let preview: PreviewOutput = serde_json::from_str(text).unwrap();
        assert_eq!((preview.content.as_deref(), preview.file), (Some("t"), None));
        let file =
            r#"{"filename": "a.png", "subfolder": "", "type": "temp", "nodeId": "2", "mediaType": "images"}"#;
        let preview: PreviewOutput = serde_json::from_str(file).unwrap();
        assert_eq!(preview.file.unwrap().filename, "a.png");
    }
}
