//! What flags, environment and the config file come to, in this order.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use comfy_api_client::Tracking;
use etcetera::BaseStrategy;

use crate::args::{ColorMode, Global, TrackingMode};
use crate::config::{Config, NamedServer};
use crate::failure::Failure;

/// Names a folder in place of the platform's for caches; `off` is none.
const CACHE_DIR: &str = "COMFYCTL_CACHE_DIR";

/// Where the server of somebody who says nothing is.
const USUAL_SERVER: &str = "http://127.0.0.1:8188";

/// What every command has to know, but for the server.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) timeout: Option<Duration>,
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    pub(crate) verbose: u8,
    pub(crate) log: Option<String>,
    pub(crate) color: ColorMode,
    pub(crate) progress: bool,
    /// Whether anything may be drawn over.
    animated: bool,
    /// Where node schemas of servers are kept between commands.
    pub(crate) schema_folder: Option<PathBuf>,
    /// What was said of servers. The config file is read when a server is needed.
    servers: Servers,
}

#[derive(Debug)]
struct Servers {
    given: Vec<String>,
    token: Option<String>,
    headers: Vec<(String, String)>,
    tracking: Option<TrackingMode>,
    insecure: bool,
    ca: Option<PathBuf>,
    config: Option<PathBuf>,
}

/// A server, and how to speak to it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// What to call it: its name in the config file, or what was given.
    pub(crate) name: String,
    pub(crate) server: Server,
    pub(crate) token: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) tracking: Tracking,
    pub(crate) insecure: bool,
    pub(crate) ca: Option<PathBuf>,
    /// The names of the config file, where it has none such and what was given looks like one.
    pub(crate) other_names: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Server {
    /// The simulator, inside this process.
    Embedded,
    /// A server at an address.
    At(String),
}

impl Settings {
    pub(crate) fn new(global: Global) -> Self {
        let stderr = std::io::stderr().is_terminal();
        let animated = !global.no_progress && !global.json && !is_dumb();
        Self {
            timeout: global.timeout,
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose,
            log: global.log,
            color: global.color,
            // A bar and other lines would write over each other.
            progress: animated && !global.quiet && global.verbose == 0 && stderr,
            animated,
            schema_folder: schema_folder(std::env::var_os(CACHE_DIR)),
            servers: Servers {
                given: global.server,
                token: global.token,
                headers: global.header,
                tracking: global.tracking,
                insecure: global.insecure,
                ca: global.ca,
                config: global.config,
            },
        }
    }

    /// The server of the command.
    pub(crate) fn target(&self) -> Result<Target, Failure> {
        let mut targets = self.targets()?;
        match (targets.pop(), targets.is_empty()) {
            (Some(target), true) => Ok(target),
            _ => Err(Failure::usage("usage", "`--server` is given more than once")
                .with_hint("only `watch` takes several servers")),
        }
    }

    /// The servers of the command, at least one.
    pub(crate) fn targets(&self) -> Result<Vec<Target>, Failure> {
        let config = Config::read(self.servers.config.as_deref())?;
        let mut given: Vec<&str> =
            self.servers.given.iter().map(String::as_str).filter(|given| !given.is_empty()).collect();
        if given.is_empty() {
            given.push(config.server.as_deref().unwrap_or(USUAL_SERVER));
        }
        Ok(given.into_iter().map(|given| self.servers.target(given, &config)).collect())
    }

    /// All servers of the config file.
    pub(crate) fn all_targets(&self) -> Result<Vec<Target>, Failure> {
        let config = Config::read(self.servers.config.as_deref())?;
        if config.servers.is_empty() {
            return Err(Failure::usage("config", "the config file names no servers")
                .with_hint("write `[servers.NAME]` with `url = \"…\"`, or give servers with `-s`"));
        }
        Ok(config.servers.keys().map(|name| self.servers.target(name, &config)).collect())
    }

    /// Whether the whole screen can be drawn on: stdout is a terminal, and no log is written over it.
    pub(crate) fn full_screen(&self) -> bool {
        let logs = self.verbose > 0 || self.log.is_some();
        self.animated && std::io::stdout().is_terminal() && !(logs && std::io::stderr().is_terminal())
    }

    pub(crate) fn color_on_stderr(&self) -> bool {
        self.color_on(std::io::stderr().is_terminal())
    }

    pub(crate) fn color_on_stdout(&self) -> bool {
        self.color_on(std::io::stdout().is_terminal())
    }

    fn color_on(&self, terminal: bool) -> bool {
        match self.color {
            ColorMode::Always => true,
            ColorMode::Never => false,
            ColorMode::Auto => {
                std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && terminal && !is_dumb()
            }
        }
    }
}

impl Servers {
    fn target(&self, given: &str, config: &Config) -> Target {
        let named = config.servers.get(given).cloned();
        let NamedServer { url, token, headers, tracking, insecure, ca } =
            named.unwrap_or_else(|| NamedServer { url: given.to_owned(), ..NamedServer::default() });
        let looks_like_a_name = !given.contains([':', '.', '/'])
            && !given.bytes().all(|byte| byte.is_ascii_digit())
            && given != "localhost"
            && given != "embedded";
        let is_unknown = looks_like_a_name && !config.servers.contains_key(given);
        let mut headers: Vec<(String, String)> = headers.into_iter().collect();
        let is_given = |name: &str| self.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        headers.retain(|(name, _)| !is_given(name));
        headers.extend(self.headers.iter().cloned());
        Target {
            name: given.to_owned(),
            server: if url == "embedded" { Server::Embedded } else { Server::At(url) },
            token: self.token.clone().or(token),
            headers,
            tracking: match self.tracking.or(tracking).unwrap_or(TrackingMode::Auto) {
                TrackingMode::Auto => Tracking::Auto,
                TrackingMode::Ws => Tracking::WebSocket,
                TrackingMode::Poll => Tracking::Polling,
            },
            insecure: self.insecure || insecure,
            ca: self.ca.clone().or(ca),
            other_names: (is_unknown && !config.servers.is_empty()).then(|| config.names()),
        }
    }
}

/// Whether the terminal can do nothing but write lines.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

fn schema_folder(named: Option<OsString>) -> Option<PathBuf> {
    match named.filter(|name| !name.is_empty()) {
        Some(name) if name == "off" => None,
        Some(name) => Some(name.into()),
        None => Some(etcetera::base_strategy::choose_native_strategy().ok()?.cache_dir().join("comfyctl")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_for_schemas_is_the_platforms_unless_it_is_named_or_off() {
        assert_eq!(schema_folder(Some("off".into())), None);
        assert_eq!(schema_folder(Some("here".into())), Some("here".into()));
        assert_eq!(schema_folder(Some("".into())), schema_folder(None));
        assert!(schema_folder(None).is_none_or(|folder| folder.ends_with("comfyctl")));
    }

    #[test]
    fn a_name_that_the_config_file_lacks_may_be_one_of_its_others() {
        let servers = Servers {
            given: Vec::new(),
            token: None,
            headers: Vec::new(),
            tracking: None,
            insecure: false,
            ca: None,
            config: None,
        };
        let mut config = Config::default();
        assert_eq!(servers.target("gpu", &config).other_names, None);
        config.servers.insert("gpu1".into(), NamedServer { url: "a:1".into(), ..NamedServer::default() });
        assert_eq!(servers.target("gpu", &config).other_names.as_deref(), Some("`gpu1`"));
        for known in ["gpu1", "localhost", "embedded", "8188", "gpu:8188", "gpu.lan", "http://gpu"] {
            assert_eq!(servers.target(known, &config).other_names, None, "{known}");
        }
        assert_eq!(servers.target("gpu1", &config).server, Server::At("a:1".into()));
    }
}
