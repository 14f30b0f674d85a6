//! Options that every command has.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum, ValueHint};
use serde::Deserialize;

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The server: `host:port` or a URL, a name from the config file, or `embedded` for the simulator inside this process
    ///
    /// Without it the server is that of COMFYUI_URL, else that of the config file, else http://127.0.0.1:8188.
    /// `watch` takes several.
    #[arg(
        short,
        long,
        global = true,
        env = "COMFYUI_URL",
        // It may hold a password.
        hide_env_values = true,
        value_name = "URL|NAME"
    )]
    pub(crate) server: Vec<String>,
    /// Send `Authorization: Bearer TOKEN`
    #[arg(long, global = true, env = "COMFYUI_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Send a header with every request; repeatable
    #[arg(long, global = true, value_name = "NAME: VALUE", value_parser = header)]
    pub(crate) header: Vec<(String, String)>,
    /// Trust whatever certificate the server shows: anybody between can read and change everything
    #[arg(long, global = true)]
    pub(crate) insecure: bool,
    /// Trust certificates that are signed with one of this PEM file, beside those that the system trusts
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca: Option<PathBuf>,
    /// How a job is followed; `auto` unless given
    #[arg(long, global = true, value_name = "HOW", value_enum)]
    pub(crate) tracking: Option<TrackingMode>,
    /// Time limit for the whole command, such as 90s or 10m; the server goes on with what was submitted
    ///
    /// Without it, commands that only ask the server have 30 s, and those that follow or transfer have no limit.
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Print JSON lines on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print nothing on stderr but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Log to stderr, and show the causes of errors; -vv logs more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Filter for the log, in the form of the tracing crate; overrides -v
    #[arg(long, global = true, env = "COMFYCTL_LOG", hide = true)]
    pub(crate) log: Option<String>,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = ColorMode::Auto)]
    pub(crate) color: ColorMode,
    /// Draw no progress
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
    /// Config file with named servers, in place of the one in the platform's folder; `off` is none
    #[arg(long, global = true, env = "COMFYCTL_CONFIG", hide_env_values = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TrackingMode {
    /// By WebSocket, falling back to polling
    Auto,
    /// By WebSocket only
    Ws,
    /// By asking over HTTP only
    Poll,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorMode {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Also in a file or a pipe
    Always,
    /// Not even on a terminal
    Never,
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = match text.parse::<u64>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => humantime::parse_duration(text),
    };
    match parsed {
        Ok(Duration::ZERO) => Err("it must be longer than nothing".into()),
        Ok(duration) => Ok(duration),
        Err(_) => Err("it is no duration; write it as 90s, 10m or 1h30m".into()),
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("it has no colon; write it as `Name: value`")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_or_are_seconds() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("5"), Ok(Duration::from_secs(5)));
        for wrong in ["", "0", "-1", "10 parsecs", "1e3"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
