//! The options of a simulator.

use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Clock;
use crate::error::Error;
use crate::faults::Fault;
use crate::options::{Assets, CachePolicy, Options, PreviewMethod};
use crate::server::{Records, Sim};
use crate::version::ServerVersion;

/// How a [`Sim`] is to be.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Builder {
    pub(crate) port: u16,
    pub(crate) base_dir: Option<PathBuf>,
    pub(crate) options: Options,
    pub(crate) records: Option<Records>,
    pub(crate) faults: Vec<Fault>,
}

impl Builder {
    /// Listens on this port of 127.0.0.1. The port of a simulator that was stopped can be used again at once.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Keeps the folders `input`, `output`, `temp` and `user` in this folder, which is made when it is not there. What is
    /// in `input`, `output` and `user` is used, added to, and kept when the simulator stops. **`temp` is emptied at the
    /// start**, as the server does. Two simulators must not use one folder at a time.
    ///
    /// Without this option they are in a temporary folder that is removed when the simulator stops.
    pub fn base_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.base_dir = Some(path.into());
        self
    }

    /// Makes every node that is run take at least this long, so that there is time to look at the queue, to interrupt
    /// or to lose the connection. Nodes whose results are known take no time. An interrupt ends the wait at once; the
    /// node is then not run and is the one that the server names.
    pub fn node_delay(mut self, delay: Duration) -> Self {
        self.options.node_delay = delay;
        self
    }

    /// Makes every node of this class take at least this long, in place of [`Builder::node_delay`].
    pub fn node_time(mut self, class: impl Into<String>, time: Duration) -> Self {
        self.options.node_times.insert(class.into(), time);
        self
    }

    /// How long a simulated sampler takes for each of its steps; no time without this option.
    pub fn step_time(mut self, time: Duration) -> Self {
        self.options.step_time = time;
        self
    }

    /// Which previews samplers send for prompts that do not choose them (`--preview-method`): without this option none.
    pub fn preview_method(mut self, method: PreviewMethod) -> Self {
        self.options.preview_method = method;
        self
    }

    /// Begins with the records of another simulator. ComfyUI itself forgets its history when it stops; this is for
    /// servers that keep it, as some that are built on it do.
    pub fn records(mut self, records: &Records) -> Self {
        self.records = Some(records.clone());
        self
    }

    /// Behaves as this version of ComfyUI.
    pub fn version(mut self, version: ServerVersion) -> Self {
        self.options.version = version;
        self
    }

    /// Has the node classes that an `object_info` describes, which is the body of `GET /object_info` of some server, packed
    /// by gzip or not. Without it there are those that ComfyUI brings in this version.
    pub fn object_info(mut self, object_info: impl Into<Vec<u8>>) -> Self {
        self.options.object_info = Some(object_info.into().into());
        self
    }

    /// Adds the small nodes for tests: they sleep, fail, report progress, send previews and texts, expand and return lists.
    pub fn test_nodes(mut self, test_nodes: bool) -> Self {
        self.options.test_nodes = test_nodes;
        self
    }

    /// Offers the model files below this folder, which has one folder per kind, such as `checkpoints` and `loras`. What is
    /// in the files does not matter: they can be empty. Without this option the folder is `models` in that of
    /// [`base_dir`](Self::base_dir).
    pub fn models(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.models = Some(path.into());
        self
    }

    /// Takes any model name where the list of models is empty; in `object_info` the input is a text then. ComfyUI has an
    /// empty list there and refuses all names.
    pub fn any_model(mut self, any_model: bool) -> Self {
        self.options.any_model = any_model;
        self
    }

    /// Serves the files of ComfyUI's frontend from this folder (`--front-end-root`).
    pub fn front_end_root(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.front_end_root = Some(path.into());
        self
    }

    /// Tells users apart by the header `comfy-user` (`--multi-user`). Users are made by `POST /users`; settings and files
    /// of others, and of nobody, are refused.
    pub fn multi_user(mut self, multi_user: bool) -> Self {
        self.options.multi_user = multi_user;
        self
    }

    /// Lets pages of this origin use the server, `*` for all (`--enable-cors-header`).
    pub fn cors_origin(mut self, origin: impl Into<String>) -> Self {
        self.options.cors_origin = Some(origin.into());
        self
    }

    /// Packs JSON and text for those who accept gzip (`--enable-compress-response-body`), by deflate for those who accept
    /// that as well.
    pub fn compress_responses(mut self, compress: bool) -> Self {
        self.options.compress = compress;
        self
    }

    /// The largest request body in MB of 1,048,576 bytes (`--max-upload-size`), which may be a fraction; 100 without this
    /// option.
    pub fn max_upload_megabytes(mut self, megabytes: f64) -> Self {
        self.options.max_upload_megabytes = megabytes;
        self
    }

    /// Which results are kept from one prompt to the next.
    pub fn cache(mut self, cache: CachePolicy) -> Self {
        self.options.cache = cache;
        self
    }

    /// Whether there is a database of assets.
    pub fn assets(mut self, assets: Assets) -> Self {
        self.options.assets = assets;
        self
    }

    /// Adds an entry to what the server says it can do (`--feature-flag name=value`).
    pub fn feature_flag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.feature_flags.push((name.into(), value.into()));
        self
    }

    /// Has no nodes that use paid services, and tells browsers to stay on this server (`--disable-api-nodes`).
    pub fn disable_api_nodes(mut self, disable: bool) -> Self {
        self.options.disable_api_nodes = disable;
        self
    }

    /// Has these node replacements: the body of `GET /node_replacements` of some server (0.30.0). Without this option there
    /// are those that ComfyUI brings.
    pub fn node_replacements(mut self, replacements: serde_json::Value) -> Self {
        self.options.node_replacements = Some(replacements);
        self
    }

    /// Begins with a fault. More can be set [while it runs](Sim::fault).
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// What time it is, and whether waiting takes time.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.options.clock = clock;
        self
    }

    /// Gives ids from a seed, where they come from chance otherwise: those of prompts and of sockets without one of their
    /// own. The same seed and the same requests give the same ids.
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = Some(seed);
        self
    }

    /// Starts the simulator.
    ///
    /// # Errors
    /// The port is in use, the folders cannot be made, the description of the nodes cannot be read, or the machine has no
    /// thread for it.
    pub async fn start(self) -> Result<Sim, Error> {
        Sim::launch(self)
    }
}
