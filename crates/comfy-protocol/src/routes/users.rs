//! `/users`, `/userdata`, `/v2/userdata`.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

/// Answer of `GET /users`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Users {
    /// Where settings are kept; `server`.
    #[serde(default)]
    pub storage: String,
    /// Names by id, on servers with several users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<IndexMap<String, String>>,
    /// Fields not known here, such as `migrated`.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A file of a user, with `full_info`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserFile {
    /// Its path.
    pub path: String,
    /// Its size in bytes.
    #[serde(default)]
    pub size: u64,
    /// When it was changed: seconds since the epoch as a float before 0.30.0, whole milliseconds since.
    #[serde(default)]
    pub modified: Option<Number>,
    /// When it was made, likewise.
    #[serde(default)]
    pub created: Option<Number>,
}

/// An entry of `GET /v2/userdata`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserEntry {
    /// Its name.
    pub name: String,
    /// Its path from the user's folder on.
    pub path: String,
    /// `file` or `directory`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its size in bytes; files only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When it was changed, in seconds since the epoch; files only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<f64>,
}
