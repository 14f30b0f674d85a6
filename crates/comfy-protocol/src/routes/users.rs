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

impl UserFile {
    /// When the file was changed, in milliseconds since the epoch, whatever the version of the server.
    #[must_use]
    pub fn modified_ms(&self) -> Option<f64> {
        milliseconds(self.modified.as_ref()?)
    }

    /// When the file was made, likewise.
    #[must_use]
    pub fn created_ms(&self) -> Option<f64> {
        milliseconds(self.created.as_ref()?)
    }
}

/// A time in milliseconds: seconds have not reached eleven digits before the year 5000, milliseconds had them in 1973.
fn milliseconds(time: &Number) -> Option<f64> {
    let time = time.as_f64()?;
    Some(if time < 1e11 { time * 1000.0 } else { time })
}

/// A path of a user's file with its parts, with `split`: `[whole, part, part, …]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
#[non_exhaustive]
pub struct SplitPath {
    /// The whole path.
    pub path: String,
    /// Its folders and, last, its name.
    pub parts: Vec<String>,
}

impl From<Vec<String>> for SplitPath {
    fn from(whole_and_parts: Vec<String>) -> Self {
        let mut parts = whole_and_parts.into_iter();
        Self { path: parts.next().unwrap_or_default(), parts: parts.collect() }
    }
}

impl From<SplitPath> for Vec<String> {
    fn from(split: SplitPath) -> Self {
        std::iter::once(split.path).chain(split.parts).collect()
    }
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

impl UserEntry {
    /// Whether it is a folder.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.kind == "directory"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_files_are_milliseconds_whether_the_server_says_seconds_or_milliseconds() {
        let file = |text| serde_json::from_str::<UserFile>(text).unwrap().modified_ms();
        assert_eq!(file(r#"{"path": "a", "modified": 1795427803.5}"#), Some(1_795_427_803_500.0));
        assert_eq!(file(r#"{"path": "a", "modified": 1795427803666}"#), Some(1_795_427_803_666.0));
        assert_eq!(file(r#"{"path": "a"}"#), None);
    }

    #[test]
    fn split_paths_have_the_whole_first() {
        let split: SplitPath = serde_json::from_str(r#"["a/b.json", "a", "b.json"]"#).unwrap();
        assert_eq!((split.path.as_str(), split.parts.len()), ("a/b.json", 2));
        assert_eq!(serde_json::to_string(&split).unwrap(), r#"["a/b.json","a","b.json"]"#);
    }
}
