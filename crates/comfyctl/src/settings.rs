//! What flags and environment come to.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use comfy_api_client::Tracking;
use etcetera::BaseStrategy;

use crate::args::{ColorMode, Global, TrackingMode};

/// Names a folder in place of the platform's for caches; `off` is none.
const CACHE_DIR: &str = "COMFYCTL_CACHE_DIR";

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) server: Server,
    pub(crate) token: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) tracking: Tracking,
    pub(crate) timeout: Option<Duration>,
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    pub(crate) verbose: u8,
    pub(crate) log: Option<String>,
    pub(crate) color: ColorMode,
    pub(crate) progress: bool,
    /// Where node schemas of servers are kept between commands.
    pub(crate) schema_folder: Option<PathBuf>,
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
        Self {
            server: if global.server == "embedded" { Server::Embedded } else { Server::At(global.server) },
            token: global.token,
            headers: global.header,
            tracking: match global.tracking {
                TrackingMode::Auto => Tracking::Auto,
                TrackingMode::Ws => Tracking::WebSocket,
                TrackingMode::Poll => Tracking::Polling,
            },
            timeout: global.timeout,
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose,
            log: global.log,
            color: global.color,
            // A bar and other lines would write over each other.
            progress: !global.no_progress
                && !global.json
                && !global.quiet
                && global.verbose == 0
                && std::io::stderr().is_terminal(),
            schema_folder: schema_folder(std::env::var_os(CACHE_DIR)),
        }
    }

    pub(crate) fn color_on_stderr(&self) -> bool {
        match self.color {
            ColorMode::Always => true,
            ColorMode::Never => false,
            ColorMode::Auto => {
                std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && std::io::stderr().is_terminal()
            }
        }
    }
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
}
