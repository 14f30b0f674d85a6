//! `GET /models`, `GET /experiment/models`, and what hangs below them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An entry of `GET /experiment/models`: a kind of models and where they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelFolder {
    /// Its name, such as `checkpoints`.
    pub name: String,
    /// Its folders on the server.
    #[serde(default)]
    pub folders: Vec<String>,
    /// Endings of the files that count as models (since 0.30.0).
    #[serde(default)]
    pub extensions: Vec<String>,
    /// Fields not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An entry of `GET /experiment/models/{folder}`: a model's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelFile {
    /// Its name, with the folders below that of its kind.
    pub name: String,
    /// Which of the kind's folders it is in, from 0.
    #[serde(default, rename = "pathIndex")]
    pub path_index: u64,
    /// When it was changed, in seconds since the epoch.
    #[serde(default)]
    pub modified: Option<f64>,
    /// When it was made, likewise.
    #[serde(default)]
    pub created: Option<f64>,
    /// Its size in bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// Fields not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
