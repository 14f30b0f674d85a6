//! The config file: named servers.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::Deserialize;

use crate::args::TrackingMode;
use crate::failure::{Failure, one_line};

/// What the file says.
///
/// ```toml
/// server = "gpu1"
///
/// [servers.gpu1]
/// url = "http://gpu1:8188"
/// token = "…"
/// ```
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The server where none is given: a name of [`servers`](Self::servers), or an address.
    pub(crate) server: Option<String>,
    #[serde(default)]
    pub(crate) servers: BTreeMap<String, NamedServer>,
}

/// A server, and how to speak to it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NamedServer {
    pub(crate) url: String,
    pub(crate) token: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) tracking: Option<TrackingMode>,
    #[serde(default)]
    pub(crate) insecure: bool,
    /// A PEM file; a relative path begins at the folder of the config file.
    pub(crate) ca: Option<PathBuf>,
}

impl Config {
    /// Reads the file that is named, else the one in the platform's folder if it is there. The name `off` is none.
    pub(crate) fn read(named: Option<&Path>) -> Result<Self, Failure> {
        match named.filter(|path| !path.as_os_str().is_empty()) {
            Some(path) if path == Path::new("off") => Ok(Self::default()),
            Some(path) => {
                Self::of_file(path, &std::fs::read_to_string(path).map_err(|e| unreadable(path, &e))?)
            }
            None => {
                let Some(path) = usual_path() else { return Ok(Self::default()) };
                match std::fs::read_to_string(&path) {
                    Ok(text) => Self::of_file(&path, &text),
                    Err(error) if is_absent(&error) => Ok(Self::default()),
                    Err(error) => Err(unreadable(&path, &error)),
                }
            }
        }
    }

    fn of_file(path: &Path, text: &str) -> Result<Self, Failure> {
        let mut config: Self = toml::from_str(text).map_err(|error| wrong(path, text, &error))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for server in config.servers.values_mut() {
            server.ca = server.ca.take().map(|ca| folder.join(ca));
        }
        Ok(config)
    }

    /// The names of the servers, to be told.
    pub(crate) fn names(&self) -> String {
        self.servers.keys().map(|name| format!("`{}`", one_line(name))).collect::<Vec<_>>().join(", ")
    }
}

/// Where the file is on this platform.
pub(crate) fn usual_path() -> Option<PathBuf> {
    Some(etcetera::base_strategy::choose_native_strategy().ok()?.config_dir().join("comfyctl/config.toml"))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::of_file("config", &format!("cannot read the config file {}", shown(path)), error)
        .with_hint("name another one with `--config FILE`, or none with `--config off`")
}

/// The text of the file is not shown: it may hold secrets.
fn wrong(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    let line = error.span().map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
    let place = line.map(|line| format!(" in line {line}")).unwrap_or_default();
    let message = format!("the config file {} is wrong{place}: {}", shown(path), one_line(error.message()));
    Failure::usage("config", message)
        .with_hint("servers are written as `[servers.NAME]` with `url = \"…\"`; see `comfyctl --help`")
}

fn shown(path: &Path) -> String {
    one_line(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Config, Failure> {
        Config::of_file(Path::new("conf/config.toml"), text)
    }

    #[test]
    fn servers_have_names_and_a_relative_certificate_is_beside_the_file() {
        let config = of(
            "server = 'a'\n[servers.a]\nurl = 'b:1'\nca = 'ca.pem'\ntracking = 'poll'\nheaders = { X = 'y' }",
        )
        .unwrap();
        assert_eq!(config.server.as_deref(), Some("a"));
        let server = &config.servers["a"];
        assert_eq!(server.ca.as_deref(), Some(Path::new("conf/ca.pem")));
        assert_eq!(server.tracking, Some(TrackingMode::Poll));
        assert_eq!(server.headers["X"], "y");
        assert_eq!(config.names(), "`a`");
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_without_secrets() {
        for (text, line, part) in [
            ("[servers.a]\nurl = 'b'\ntoken = 'secret'\nurll = 1", "line 4", "urll"),
            ("[servers.a]\ntoken = 'secret'", "line 1", "url"),
            ("server = 5", "line 1", "string"),
            ("[servers.a]\nurl = 'b'\ntracking = 'secretly'", "line 3", "auto"),
        ] {
            let message = of(text).unwrap_err().report.message.clone();
            assert!(message.contains(line) && message.contains(part), "{message}");
            assert!(!message.contains("secret'"), "{message}");
        }
    }

    #[test]
    fn no_file_is_no_servers() {
        assert_eq!(Config::read(Some(Path::new("off"))).unwrap(), Config::default());
        assert!(Config::read(Some(Path::new("no/such/file"))).is_err());
    }
}
