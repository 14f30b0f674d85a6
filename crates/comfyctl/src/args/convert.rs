//! The command line of `convert`.

use std::path::PathBuf;

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike};
use clap::{Args as ClapArgs, ValueEnum, ValueHint};
use comfy_api_client::workflow::convert::LocalTime;

const CONVERT_HELP: &str = "\
Examples:
  comfyctl convert workflow.json -o prompt.json
  comfyctl convert picture.png -s gpu1:8188
  comfyctl convert workflow.json --object-info nodes.json.gz --dynamic-prompts first
  comfyctl convert workflow.json --seed 7 --now 2025-01-02T03:04:05Z

A workflow in the API format is printed as it is, and so is that of a picture that carries one.

The node schemas are those of the server (--server), which are kept for a day in the platform's
folder for caches; COMFYCTL_CACHE_DIR names another folder, or is `off`. With --object-info no
server is needed: save the answer of its /object_info in a file.

What the editor takes as well is a warning. With an error the result would be refused, or would
run something else than what is drawn: nothing is printed then, unless --partial is given. JSON
that is no workflow gives an empty prompt, as in the editor. With --json there is one line, with
`workflow`, `problems` and `error`.

Exit codes:
  0    the workflow is printed
  2    wrong usage, or the file is no workflow
  3    the server cannot be reached, or answered nonsense
  4    the workflow cannot be converted, or only in part
  5    the time limit was reached";

/// Convert an editor's file to the API format
#[derive(Debug, ClapArgs)]
#[command(after_long_help = CONVERT_HELP)]
pub(crate) struct Convert {
    /// Workflow: a file in the editor's format, or a picture or media file that carries one; `-` reads stdin
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) workflow: PathBuf,
    /// Take the node schemas of this file: the body of a server's `/object_info`, as JSON or packed by gzip
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) object_info: Option<PathBuf>,
    /// How `{day|night}` in texts is decided
    #[arg(long, value_name = "HOW", value_enum, default_value_t = DynamicPromptsMode::Random)]
    pub(crate) dynamic_prompts: DynamicPromptsMode,
    /// Number that random choices come from, so that they can be repeated
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Time for dates in names of files, in place of the clock's; taken as written, in whatever time zone
    #[arg(long, value_name = "RFC3339", value_parser = local_time)]
    pub(crate) now: Option<LocalTime>,
    /// Print what could be converted, also when there are errors
    #[arg(long)]
    pub(crate) partial: bool,
    /// Write to a file in place of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DynamicPromptsMode {
    /// By chance, as in the editor
    Random,
    /// Always the first alternative
    First,
}

fn local_time(text: &str) -> Result<LocalTime, String> {
    let time = DateTime::parse_from_rfc3339(text).map(|time| time.naive_local());
    let time = time.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f"));
    let time = time.map_err(|_| "it is no time; write it as 2025-01-02T03:04:05Z")?;
    // Each is far below 256.
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    Ok(LocalTime {
        year: time.year(),
        month: small(time.month()),
        day: small(time.day()),
        hour: small(time.hour()),
        minute: small(time.minute()),
        second: small(time.second()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_taken_as_written() {
        let time = LocalTime { year: 2025, month: 1, day: 2, hour: 3, minute: 4, second: 5 };
        for text in ["2025-01-02T03:04:05Z", "2025-01-02T03:04:05.5+09:00", "2025-01-02T03:04:05"] {
            assert_eq!(local_time(text), Ok(time), "{text}");
        }
        for wrong in ["", "now", "2025-01-02", "2025-13-02T03:04:05Z", "03:04"] {
            assert!(local_time(wrong).is_err(), "{wrong}");
        }
    }
}
