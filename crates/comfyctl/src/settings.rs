//! What flags and environment come to.

use std::io::IsTerminal;
use std::time::Duration;

use comfy_api_client::Tracking;

use crate::args::{ColorMode, Global, TrackingMode};

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
