//! `/api/assets`, `/api/tags` (since 0.30.0, where the server was started with assets).

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A file that a server knows by its content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Asset {
    /// The id of this reference to the content; another one for every upload.
    pub id: String,
    /// A label; not a path.
    #[serde(default)]
    pub name: String,
    /// `blake3:` and 64 hexadecimal digits; absent while the file has not been hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Its media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Its tags, sorted: its role (`input`, `output`, `temp`, `models`), `model_type:…`, and own ones.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The name under which a loader node takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loader_path: Option<String>,
    /// Data of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_metadata: Option<Map<String, Value>>,
    /// Whether the content was new to the server; only in answers that create.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_new: Option<bool>,
    /// Fields not known here, such as `preview_url`, `metadata`, `job_id` and times.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Answer of `GET /api/assets`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AssetList {
    /// One page.
    pub assets: Vec<Asset>,
    /// How many match.
    #[serde(default)]
    pub total: u64,
    /// Whether there are more after the page.
    #[serde(default)]
    pub has_more: bool,
    /// What to ask for the next page with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Answer of the routes that change the tags of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TagChange {
    /// Tags that were added or removed.
    #[serde(alias = "added", alias = "removed", default)]
    pub changed: Vec<String>,
    /// Tags that were there, or not there, already.
    #[serde(alias = "already_present", alias = "not_present", default)]
    pub unchanged: Vec<String>,
    /// All tags of the asset now.
    #[serde(default)]
    pub total_tags: Vec<String>,
}

/// Answer of `GET /api/tags`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TagList {
    /// One page.
    pub tags: Vec<TagCount>,
    /// How many match.
    #[serde(default)]
    pub total: u64,
    /// Whether there are more after the page.
    #[serde(default)]
    pub has_more: bool,
}

/// A tag and how many assets have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TagCount {
    /// The tag.
    pub name: String,
    /// How many assets have it.
    #[serde(default)]
    pub count: u64,
}

/// Answer of `GET /api/assets/tags/refine`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TagCounts {
    /// How many of the matching assets have each tag.
    pub tag_counts: IndexMap<String, u64>,
}

/// Answers of `/api/assets/seed`, `/api/assets/seed/status` and `/api/assets/seed/cancel`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeedStatus {
    /// `started`, `completed`, `already_running`, `cancelling`, `idle`; for a status: `IDLE`, `RUNNING`, `PAUSED`, …
    #[serde(alias = "state")]
    pub status: String,
    /// Counts of the scan.
    #[serde(default)]
    pub progress: Option<Map<String, Value>>,
    /// What went wrong.
    #[serde(default)]
    pub errors: Vec<Value>,
}

/// Answer of `POST /api/assets/prune`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pruned {
    /// `completed` or `scan_running`.
    pub status: String,
    /// How many assets were marked as missing.
    #[serde(default)]
    pub marked: u64,
}
