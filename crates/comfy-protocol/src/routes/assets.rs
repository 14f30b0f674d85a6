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
    /// Its name inside its folder; only where the reference owns a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Where the server shows it, from the server's address on: `/api/view?…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview_url: Option<String>,
    /// The asset that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview_id: Option<String>,
    /// The last prompt that reported the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// Data of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_metadata: Option<Map<String, Value>>,
    /// What the server found in the file, such as `kind`, `width` and `height`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// When the reference was made: ISO text without time zone, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was changed, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// When it was used, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_access_time: Option<String>,
    /// Whether the content was new to the server; only in answers that create.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_new: Option<bool>,
    /// Fields not known here, such as `asset_hash` (the hash again) and `is_immutable`.
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

/// By what assets are listed in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum AssetSort {
    /// By their names.
    Name,
    /// By when they were made.
    #[default]
    CreatedAt,
    /// By when they were changed.
    UpdatedAt,
    /// By their sizes.
    Size,
    /// By when they were used last.
    LastAccessTime,
}

impl AssetSort {
    /// As it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::Size => "size",
            Self::LastAccessTime => "last_access_time",
        }
    }
}

/// The order of tags in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum TagOrder {
    /// The most used first.
    #[default]
    MostUsed,
    /// By name.
    Name,
}

impl TagOrder {
    /// As it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MostUsed => "count_desc",
            Self::Name => "name_asc",
        }
    }
}

/// Body of `POST /api/assets/from-hash`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AssetFromHash {
    /// `blake3:` and 64 hexadecimal digits.
    pub hash: String,
    /// The label of the new reference; the hash unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Data of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_metadata: Option<Map<String, Value>>,
    /// Its media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// The asset that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview_id: Option<String>,
}

impl AssetFromHash {
    /// A new reference to the content with a hash.
    #[must_use]
    pub fn new(hash: String) -> Self {
        Self { hash, ..Self::default() }
    }
}

/// Body of `PUT /api/assets/{id}`; at least one of its fields.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AssetChange {
    /// The new label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Data of the user, in place of what was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_metadata: Option<Map<String, Value>>,
    /// The asset that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview_id: Option<String>,
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
    /// `started`, `completed`, `cancelling`, `idle`; for a status: `IDLE`, `RUNNING`, `PAUSED`, …
    #[serde(alias = "state")]
    pub status: String,
    /// Counts of the scan.
    #[serde(default)]
    pub progress: Option<Map<String, Value>>,
    /// What went wrong.
    #[serde(default)]
    pub errors: Vec<Value>,
}

impl SeedStatus {
    /// Whether a scan is under way.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(
            self.status.to_ascii_lowercase().as_str(),
            "started" | "running" | "paused" | "cancelling" | "already_running"
        )
    }
}

/// Answer of `POST /api/assets/prune`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pruned {
    /// `completed`.
    pub status: String,
    /// How many assets were marked as missing.
    #[serde(default)]
    pub marked: u64,
}
