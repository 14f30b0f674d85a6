//! What a simulator was asked to be: the options of the server that change what it says, and those of the simulator.

use std::collections::HashMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use crate::clock::Clock;
use crate::files::Files;
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

/// How samplers make the pictures of their progress (`--preview-method`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PreviewMethod {
    /// They send none, as without an option.
    #[default]
    None,
    /// The server chooses.
    Auto,
    /// Without a model.
    Latent2Rgb,
    /// With small decoders.
    Taesd,
}

/// A text names no way of making previews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is none of none, auto, latent2rgb and taesd")]
pub struct UnknownPreviewMethod;

impl FromStr for PreviewMethod {
    type Err = UnknownPreviewMethod;

    /// Reads the server's names of the methods.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "none" => Ok(Self::None),
            "auto" => Ok(Self::Auto),
            "latent2rgb" => Ok(Self::Latent2Rgb),
            "taesd" => Ok(Self::Taesd),
            _ => Err(UnknownPreviewMethod),
        }
    }
}

/// Everything that can be chosen.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) version: ServerVersion,
    /// Time that every node takes at least.
    pub(crate) node_delay: Duration,
    /// The same for the nodes of some classes.
    pub(crate) node_times: HashMap<String, Duration>,
    /// How long a simulated sampler takes for a step.
    pub(crate) step_time: Duration,
    /// Whether samplers send previews where a prompt does not say it.
    pub(crate) preview_method: PreviewMethod,
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
    pub(crate) clock: Clock,
    /// Where ids come from, when not from chance.
    pub(crate) seed: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            version: ServerVersion::default(),
            node_delay: Duration::ZERO,
            node_times: HashMap::new(),
            step_time: Duration::ZERO,
            preview_method: PreviewMethod::default(),
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
            clock: Clock::default(),
            seed: None,
        }
    }
}

impl Options {
    /// The node classes that follow from the options.
    pub(crate) fn registry(&self, files: &Files) -> Result<Registry, String> {
        let registry = Registry::new(self.version, self.object_info.as_deref(), self.test_nodes)?;
        let registry = if self.disable_api_nodes { registry.without_services() } else { registry };
        Ok(registry.with_files(files, self.models.clone(), self.any_model))
    }

    /// How long a node of a class takes at least.
    pub(crate) fn time_of(&self, class: &str) -> Duration {
        self.node_times.get(class).copied().unwrap_or(self.node_delay)
    }

    /// Whether the samplers of a prompt with these extras send previews. Since 0.8.0 a prompt can say it.
    pub(crate) fn previews(&self, extra_data: &Map<String, Json>) -> bool {
        let asked = extra_data.get("preview_method").filter(|_| self.version >= ServerVersion::V0_8_0);
        let asked = asked.and_then(Json::as_str).and_then(|name| name.parse::<PreviewMethod>().ok());
        asked.unwrap_or(self.preview_method) != PreviewMethod::None
    }

    /// The largest request body as the server tells it: a float, unless it is the one that it has without the option.
    pub(crate) fn max_upload_size_shown(&self) -> serde_json::Value {
        if self.max_upload_megabytes == MAX_UPLOAD_MEGABYTES {
            return self.max_upload_size().into();
        }
        (self.max_upload_megabytes * 1_048_576.0).into()
    }

    /// The largest request body in bytes. A fraction of a byte counts as the server counts it: not at all.
    pub(crate) fn max_upload_size(&self) -> u64 {
        (self.max_upload_megabytes * 1_048_576.0) as u64
    }
}
