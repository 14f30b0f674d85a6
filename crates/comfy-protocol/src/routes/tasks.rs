//! `/api/tasks`, which only the cloud has.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Work that a server does in the background, such as the download of a model. Its fields were never seen on a running
/// server, so all but the status are left as they come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Task {
    /// Its id.
    #[serde(default, alias = "task_id")]
    pub id: String,
    /// Where it is.
    #[serde(default)]
    pub status: String,
    /// All other fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
