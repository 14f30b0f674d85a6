//! What a simulator was asked to be: the options of the server that change what it says, and those of the simulator.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::nodes::Registry;
use crate::version::ServerVersion;

/// The largest request body that the server takes unless told otherwise, in MB of 1,048,576 bytes.
pub(crate) const MAX_UPLOAD_MEGABYTES: f64 = 100.0;

/// Which results are kept from one prompt to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CachePolicy {
    /// Only what the prompt before used too: what every version does without an option, and with `--cache-classic`.
    #[default]
    Classic,
    /// The results of this many nodes, those used last (`--cache-lru N`).
    LeastRecentlyUsed(usize),
    /// Everything, until memory runs short (`--cache-ram` with small thresholds, 0.30.0).
    Memory,
    /// Nothing (`--cache-none`).
    None,
}

/// Whether the server has its database of assets (0.30.0).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Assets {
    /// Its routes answer 503, as without an option.
    #[default]
    Off,
    /// `--enable-assets`.
    On,
    /// `--enable-assets --enable-asset-hashing`.
    Hashed,
}

/// Everything that can be chosen.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) version: ServerVersion,
    /// Time that every node takes at least.
    pub(crate) node_delay: Duration,
    /// Where the node classes come from, when it is not the bundled list of the version.
    pub(crate) object_info: Option<Arc<[u8]>>,
    /// Whether there are the nodes that the recordings were made with.
    pub(crate) test_nodes: bool,
    /// The folder that has the model folders.
    pub(crate) models: Option<PathBuf>,
    /// Takes every name where a node chooses a model from an empty list.
    pub(crate) any_model: bool,
    pub(crate) front_end_root: Option<PathBuf>,
    pub(crate) multi_user: bool,
    /// The value of `Access-Control-Allow-Origin`; with it origins are not checked.
    pub(crate) cors_origin: Option<String>,
    pub(crate) compress: bool,
    pub(crate) max_upload_megabytes: f64,
    pub(crate) cache: CachePolicy,
    pub(crate) assets: Assets,
    /// Entries of `/features` besides the server's own.
    pub(crate) feature_flags: Vec<(String, String)>,
    pub(crate) disable_api_nodes: bool,
    /// The node replacements, when they are not those of the version.
    pub(crate) node_replacements: Option<serde_json::Value>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            version: ServerVersion::default(),
            node_delay: Duration::ZERO,
            object_info: None,
            test_nodes: false,
            models: None,
            any_model: false,
            front_end_root: None,
            multi_user: false,
            cors_origin: None,
            compress: false,
            max_upload_megabytes: MAX_UPLOAD_MEGABYTES,
            cache: CachePolicy::default(),
            assets: Assets::default(),
            feature_flags: Vec::new(),
            disable_api_nodes: false,
            node_replacements: None,
        }
    }
}

impl Options {
    /// The node classes that follow from the options.
    pub(crate) fn registry(&self) -> Result<Registry, String> {
        Registry::new(self.version, self.object_info.as_deref(), self.test_nodes)
    }

    /// The largest request body in bytes. A fraction of a byte counts as the server counts it: not at all.
    pub(crate) fn max_upload_size(&self) -> u64 {
        (self.max_upload_megabytes * 1_048_576.0) as u64
    }
}
