//! The command line of `run`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueHint};

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

/// Run a workflow and save what it makes
///
/// Submits it, follows it, downloads the files that it makes and prints their paths.
#[derive(Debug, ClapArgs)]
#[command(after_long_help = RUN_HELP)]
pub(crate) struct Run {
    /// Workflow: a file in the API format or in the editor's, or a picture or media file that carries one; `-` reads stdin
    #[arg(value_hint = ValueHint::FilePath)]
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
    #[command(flatten)]
    pub(crate) save: Save,
}

/// Where files go.
#[derive(Debug, ClapArgs)]
pub(crate) struct Save {
    /// Folder for the files; made if it does not exist
    #[arg(short, long, default_value = ".", value_name = "DIR", value_hint = ValueHint::DirPath)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_kept_drawn_or_a_number() {
        assert_eq!(seeds("keep"), Ok(Seeds::Keep));
        assert_eq!(seeds("random"), Ok(Seeds::Random));
        assert_eq!(seeds("18446744073709551615"), Ok(Seeds::Number(u64::MAX)));
        for wrong in ["", "-1", "1.5", "18446744073709551616", "Random"] {
            assert!(seeds(wrong).is_err(), "{wrong}");
        }
    }
}
