//! The command line, as clap reads it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

mod convert;
mod extract;
mod look;
#[cfg(feature = "sim")]
mod serve;
mod validate;

pub(crate) use convert::{Convert, DynamicPromptsMode};
pub(crate) use extract::Extract;
pub(crate) use look::{Diff, Graph, Show, ThemeMode};
#[cfg(feature = "sim")]
pub(crate) use serve::Serve;
pub(crate) use validate::Validate;

/// Run ComfyUI workflows from the command line.
#[derive(Debug, Parser)]
#[command(name = "comfyctl", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Address of the server: `host:port` or a URL; `embedded` starts the simulator inside this process
    #[arg(
        short,
        long,
        global = true,
        env = "COMFYUI_URL",
        // It may hold a password.
        hide_env_values = true,
        default_value = "http://127.0.0.1:8188",
        value_name = "URL"
    )]
    pub(crate) server: String,
    /// Send `Authorization: Bearer TOKEN`
    #[arg(long, global = true, env = "COMFYUI_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Send a header with every request; repeatable
    #[arg(long, global = true, value_name = "NAME: VALUE", value_parser = header)]
    pub(crate) header: Vec<(String, String)>,
    /// How a job is followed
    #[arg(long, global = true, value_name = "HOW", value_enum, default_value_t = TrackingMode::Auto)]
    pub(crate) tracking: TrackingMode,
    /// Time limit for the whole command, such as 90s or 10m; the server goes on with what was submitted
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
    /// Draw no progress bar
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
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

const RUN_HELP: &str = "\
Examples:
  comfyctl run hello.json -o out
  comfyctl run thumbnail.json --set LoadImage.image=@photo.jpg -s gpu1:8188
  comfyctl run hello.json --set EmptyImage.color=255 -s embedded
  comfyctl run workflow.json --seed random
  comfyctl run out/hello_00001_.png --set KSampler.seed=7

Ctrl-C cancels the workflow on the server; a second Ctrl-C leaves at once.

Exit codes:
  0    the files are saved
  1    the workflow failed on the server, or a file could not be saved
  2    wrong usage
  3    the server cannot be reached, or answered nonsense
  4    the workflow was rejected, and nothing ran
  5    the time limit was reached
  6    the workflow was interrupted or cancelled on the server
  130  stopped by Ctrl-C";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Run),
    Convert(Convert),
    Extract(Extract),
    Graph(Graph),
    Show(Show),
    Diff(Diff),
    Validate(Validate),
    #[cfg(feature = "sim")]
    Serve(Box<Serve>),
}

/// Submit a workflow, follow it, download what it makes and print the paths of the files
#[derive(Debug, ClapArgs)]
#[command(after_long_help = RUN_HELP)]
pub(crate) struct Run {
    /// Workflow: a file in the API format or in the editor's, or a picture or media file that carries one; `-` reads stdin
    pub(crate) workflow: PathBuf,
    /// Set an input: `NODE.INPUT=VALUE`, `NODE.INPUT:=JSON`, or `NODE.INPUT=@FILE` to upload a file; repeatable
    ///
    /// NODE is a node id, a class type or a title in quotes; `*` stands for every node that has the input, and
    /// `CLASS[1]` for the second of its class. A VALUE that begins with `@` is written `@@`.
    #[arg(long, value_name = "NODE.INPUT=VALUE")]
    pub(crate) set: Vec<String>,
    /// Noise seeds: N for all of them, `random` for new ones, or `keep`; before `--set`
    ///
    /// What was set or drawn is told. Nodes that take smaller numbers only get what N comes to when one counts round.
    #[arg(long, value_name = "N|random|keep", value_parser = seeds, default_value = "keep")]
    pub(crate) seed: Seeds,
    /// Folder for the files; made if it does not exist
    #[arg(short, long, default_value = ".", value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Overwrite files that exist, instead of appending a number
    #[arg(long)]
    pub(crate) force: bool,
}

/// What becomes of the noise seeds of a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seeds {
    Keep,
    Random,
    Number(u64),
}

fn seeds(text: &str) -> Result<Seeds, String> {
    match text {
        "keep" => Ok(Seeds::Keep),
        "random" => Ok(Seeds::Random),
        number => number.parse().map(Seeds::Number).map_err(|_| {
            format!("it is no whole number from 0 to {}, and neither `random` nor `keep`", u64::MAX)
        }),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
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
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn help_fits_into_the_width_to_which_it_is_wrapped() {
        for command in Args::command().get_subcommands() {
            let text = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            for line in text.lines() {
                assert!(line.chars().count() <= 100, "{}: {line}", command.get_name());
            }
        }
    }

    #[test]
    fn seeds_are_kept_drawn_or_a_number() {
        assert_eq!(seeds("keep"), Ok(Seeds::Keep));
        assert_eq!(seeds("random"), Ok(Seeds::Random));
        assert_eq!(seeds("18446744073709551615"), Ok(Seeds::Number(u64::MAX)));
        for wrong in ["", "-1", "1.5", "18446744073709551616", "Random"] {
            assert!(seeds(wrong).is_err(), "{wrong}");
        }
    }

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
