//! The command line of `serve`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueHint};
use comfy_sim::{CachePolicy, Fault, PreviewMethod, ServerVersion};

const SERVE_HELP: &str = "\
Examples:
  comfyctl serve
  comfyctl serve --port 0 --json
  comfyctl serve --as 0.8.0 --object-info nodes.json.gz --models ~/models
  comfyctl serve --any-model --step-time 200ms --preview-method auto
  comfyctl serve --node-delay 500ms -v
  comfyctl serve --fault out-of-memory:class=KSampler --fault http-error:status=502,share=0.1

Faults, with their settings; all can be left out:
  node-error      at=N, class=C, times=N, exception=TYPE, message=TEXT
  out-of-memory   at=N, class=C, times=N
  slow-node       at=N, class=C, times=N, seconds=S
  dead-worker     at=N, class=C
  nan-in-history  at=N, class=C, times=N
  socket-cut      after=MESSAGES, times=N
  socket-silent   after=MESSAGES, times=N
  http-error      status=N, share=0..1, seed=N, path=/PATH, handled=true, times=N
  restart         at=N, history=lost|kept, down=S
  queue-full      jobs=N, seconds=S
They strike the at-th node of class C that is run, and times times in all, 0 for ever. While the
simulator runs, faults are set and taken back at /simulator/faults.

With --json the first line on stdout is {\"type\":\"listening\",\"url\":\"http://127.0.0.1:PORT\"}. With -v
every request is logged to stderr. Ctrl-C stops the simulator.

Exit codes:
  0    it was stopped
  2    wrong usage, or the port is in use";

/// Run the simulator, a server without a GPU
///
/// It behaves as ComfyUI.
#[derive(Debug, ClapArgs)]
#[command(after_long_help = SERVE_HELP)]
pub(crate) struct Serve {
    /// Port on the loopback interface; 0 takes a free one
    #[arg(long, default_value_t = 8188, value_name = "PORT")]
    pub(crate) port: u16,
    /// Behave as this version of ComfyUI
    #[arg(long = "as", id = "as", default_value_t, value_name = "VERSION")]
    pub(crate) version: ServerVersion,

    /// Let something go wrong, such as node-error:at=2 or http-error:share=0.1; repeatable
    #[arg(long, value_name = "NAME[:SETTING=VALUE,…]")]
    pub(crate) fault: Vec<Fault>,

    #[command(flatten)]
    pub(crate) nodes: Nodes,
    #[command(flatten)]
    pub(crate) folders: Folders,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Which nodes there are, and how they run.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Nodes")]
pub(crate) struct Nodes {
    /// Have the nodes of another server: the body of its `/object_info`, as JSON or packed by gzip
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) object_info: Option<PathBuf>,
    /// Offer the model files below this folder, which has one folder per kind; the files can be empty
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) models: Option<PathBuf>,
    /// Take any model name where the list of models is empty
    #[arg(long)]
    pub(crate) any_model: bool,
    /// Add small nodes for tests: they sleep, fail, report progress, expand and return lists
    #[arg(long)]
    pub(crate) test_nodes: bool,
    /// Have no nodes that use paid services
    #[arg(long)]
    pub(crate) disable_api_nodes: bool,
    /// Time that every node takes at least, such as 500ms
    #[arg(long, value_name = "DURATION", value_parser = delay)]
    pub(crate) node_delay: Option<Duration>,
    /// The same for the nodes of one class, such as VAEDecode=2s; repeatable
    #[arg(long, value_name = "CLASS=DURATION", value_parser = node_time)]
    pub(crate) node_time: Vec<(String, Duration)>,
    /// Time that a simulated sampler takes for a step
    #[arg(long, value_name = "DURATION", value_parser = delay)]
    pub(crate) step_time: Option<Duration>,
    /// Let samplers send previews: none, auto, latent2rgb or taesd
    #[arg(long, value_name = "METHOD", default_value = "none", hide_default_value = true)]
    pub(crate) preview_method: PreviewMethod,
    /// Results to keep from one prompt to the next: none, classic, lru:N or memory
    #[arg(long, value_name = "POLICY", value_parser = cache)]
    pub(crate) cache: Option<CachePolicy>,
    #[command(flatten)]
    pub(crate) cache_of_server: CacheOfServer,
}

/// The server's own options for the cache.
#[derive(Debug, ClapArgs)]
#[group(multiple = false, conflicts_with = "cache")]
pub(crate) struct CacheOfServer {
    #[arg(long, hide = true)]
    cache_none: bool,
    #[arg(long, hide = true)]
    cache_classic: bool,
    #[arg(long, hide = true, value_name = "N")]
    cache_lru: Option<usize>,
    /// Thresholds in GB, which do not matter here: the simulator keeps everything.
    #[arg(long, hide = true, num_args = 0..=2, value_name = "GB")]
    cache_ram: Option<Vec<f64>>,
}

impl Nodes {
    /// Which results are kept, however that was said.
    pub(crate) fn cache_policy(&self) -> CachePolicy {
        let server = &self.cache_of_server;
        match self.cache {
            Some(policy) => policy,
            None if server.cache_none => CachePolicy::None,
            None if server.cache_classic => CachePolicy::Classic,
            None => match (server.cache_lru, &server.cache_ram) {
                (Some(nodes), _) => least_recently_used(nodes),
                // Without thresholds it behaves as the classic one on all but the largest machines.
                (None, Some(thresholds)) if !thresholds.is_empty() => CachePolicy::Memory,
                (None, _) => CachePolicy::default(),
            },
        }
    }
}

/// Where files are.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Folders")]
pub(crate) struct Folders {
    /// Keep `input`, `output` and `temp` in this folder; without it they are removed at the end
    #[arg(long, visible_alias = "base-directory", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) base_dir: Option<PathBuf>,
    /// Serve ComfyUI's frontend from this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) front_end_root: Option<PathBuf>,
}

/// Options that the server has too.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Options of the server")]
pub(crate) struct Server {
    /// Tell users apart by the header `comfy-user`
    #[arg(long)]
    pub(crate) multi_user: bool,
    /// Let pages of this origin use the server; of all origins without a value
    #[arg(long, value_name = "ORIGIN", num_args = 0..=1, default_missing_value = "*", value_parser = origin)]
    pub(crate) enable_cors_header: Option<String>,
    /// Pack answers for those who accept gzip
    #[arg(long)]
    pub(crate) enable_compress_response_body: bool,
    /// Largest request body in MB [default: 100]
    #[arg(long, value_name = "MB", value_parser = megabytes, allow_negative_numbers = true)]
    pub(crate) max_upload_size: Option<f64>,
    /// Have the database of assets
    #[arg(long)]
    pub(crate) enable_assets: bool,
    /// Compute the hashes of assets; needs --enable-assets
    #[arg(long, requires = "enable_assets")]
    pub(crate) enable_asset_hashing: bool,
    /// Add an entry to `/features`; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = feature_flag)]
    pub(crate) feature_flag: Vec<(String, String)>,
}

fn delay(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    super::global::duration(text)
}

fn node_time(text: &str) -> Result<(String, Duration), String> {
    let (class, time) = text.split_once('=').unwrap_or_default();
    if class.trim().is_empty() {
        return Err("it names no class; write it as CLASS=DURATION".into());
    }
    Ok((class.trim().to_owned(), delay(time.trim())?))
}

fn cache(text: &str) -> Result<CachePolicy, String> {
    match text.split_once(':') {
        None if text == "none" => Ok(CachePolicy::None),
        None if text == "classic" => Ok(CachePolicy::Classic),
        None if text == "memory" => Ok(CachePolicy::Memory),
        Some(("lru", nodes)) => {
            let nodes = nodes.parse().map_err(|_| "lru needs a number of nodes; write it as lru:50")?;
            Ok(least_recently_used(nodes))
        }
        _ => Err("it is none of none, classic, lru:N and memory".into()),
    }
}

/// To the server, room for no node means the classic cache.
fn least_recently_used(nodes: usize) -> CachePolicy {
    if nodes == 0 { CachePolicy::Classic } else { CachePolicy::LeastRecentlyUsed(nodes) }
}

fn origin(text: &str) -> Result<String, String> {
    // It is sent as a header.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it is no origin; write it as https://host, or * for all".into());
    }
    Ok(text.to_owned())
}

fn megabytes(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(size) if size > 0.0 && size.is_finite() => Ok(size),
        _ => Err("it is no size; write a number of megabytes, such as 100 or 0.5".into()),
    }
}

fn feature_flag(text: &str) -> Result<(String, String), String> {
    // The server takes a name alone for a yes.
    let (name, value) = text.split_once('=').unwrap_or((text, "true"));
    if name.trim().is_empty() {
        return Err("it has no name; write it as NAME=VALUE".into());
    }
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        serve: Serve,
    }

    fn policy(args: &[&str]) -> Result<CachePolicy, String> {
        let line = Line::try_parse_from([&["serve"], args].concat()).map_err(|error| error.to_string())?;
        Ok(line.serve.nodes.cache_policy())
    }

    #[test]
    fn the_cache_is_chosen_by_our_word_or_by_the_servers() {
        assert_eq!(policy(&[]), Ok(CachePolicy::Classic));
        assert_eq!(policy(&["--cache", "none"]), Ok(CachePolicy::None));
        assert_eq!(policy(&["--cache", "lru:7"]), Ok(CachePolicy::LeastRecentlyUsed(7)));
        assert_eq!(policy(&["--cache", "memory"]), Ok(CachePolicy::Memory));
        assert_eq!(policy(&["--cache-none"]), Ok(CachePolicy::None));
        assert_eq!(policy(&["--cache-classic"]), Ok(CachePolicy::Classic));
        assert_eq!(policy(&["--cache-lru", "7"]), Ok(CachePolicy::LeastRecentlyUsed(7)));
        assert_eq!(policy(&["--cache-lru", "0"]), Ok(CachePolicy::Classic));
        assert_eq!(policy(&["--cache-ram", "2", "2"]), Ok(CachePolicy::Memory));
        assert_eq!(policy(&["--cache-ram"]), Ok(CachePolicy::Classic));
        for wrong in [
            &["--cache", "lru"][..],
            &["--cache-none", "--cache-classic"],
            &["--cache", "none", "--cache-none"],
        ] {
            assert!(policy(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_origin_may_be_left_out_and_flags_may_have_no_value() {
        let line =
            Line::try_parse_from(["serve", "--enable-cors-header", "--feature-flag", "a"]).ok().unwrap();
        assert_eq!(line.serve.server.enable_cors_header.as_deref(), Some("*"));
        assert_eq!(line.serve.server.feature_flag, [("a".to_owned(), "true".to_owned())]);
        assert!(origin("a\nb").is_err());
    }
}
