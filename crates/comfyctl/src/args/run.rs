//! The command line of `run`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum, ValueHint};

use super::Batch;
use crate::commands::Template;

const RUN_HELP: &str = "\
Examples:
  comfyctl run hello.json -o out
  comfyctl run thumbnail.json --set LoadImage.image=@photo.jpg -s gpu1:8188
  comfyctl run hello.json --set EmptyImage.color=255 -s embedded
  comfyctl run workflow.json --seed random --show
  comfyctl run workflow.json -o out --name '{title}/{seed}-{index}.{ext}'
  comfyctl run out/hello_00001_.png --set KSampler.seed=7

Many runs of one workflow, with what can be gone on with after an interruption:
  comfyctl run w.json -o out --sweep KSampler.seed=1..8 --sweep KSampler.cfg=4,6,8 --grid grid.png
  comfyctl run w.json -o out --params rows.csv --jobs 4 --gallery out/index.html
  comfyctl run w.json -o out --sweep 'KSampler.seed=1..8' --resume
  comfyctl run x.template.toml --param size=64 --sweep color=255,65280
  comfyctl run thumbnail.json -o out --watch-dir in --set LoadImage.image=@{}

Files of nodes that only show pictures are left on the server without `--with-previews`. Nodes whose
results the server still has do not run again, which is told.

Ctrl-C cancels the workflow on the server; a second Ctrl-C leaves at once.

Exit codes:
  0    the files are saved
  1    the workflow, or a row of many, failed on the server, or a file could not be saved
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
    #[command(flatten)]
    pub(crate) given: Given,
    /// Show pictures on the terminal: while it runs as they sharpen, and in the end those that are saved
    ///
    /// Without a value the terminal is recognised by its environment; where it shows no pictures, they are drawn with
    /// coloured blocks.
    #[arg(
        long,
        value_name = "HOW",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "auto"
    )]
    pub(crate) show: Option<ShowMode>,
    #[command(flatten)]
    pub(crate) save: Save,
    #[command(flatten)]
    pub(crate) batch: Batch,
}

/// A workflow, and what is changed in it before it is submitted.
#[derive(Debug, ClapArgs)]
pub(crate) struct Given {
    /// Workflow: a file in the API format or in the editor's, or a picture or media file that carries one; `-` reads stdin
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) workflow: PathBuf,
    /// Set an input: `NODE.INPUT=VALUE`, `NODE.INPUT:=JSON`, or `NODE.INPUT=@FILE` to upload a file; repeatable
    ///
    /// NODE is a node id, a class type or a title in quotes; `*` stands for every node that has the input, and
    /// `CLASS[1]` for the second of its class. A VALUE that begins with `@` is written `@@`.
    #[arg(long, value_name = "NODE.INPUT=VALUE")]
    pub(crate) set: Vec<String>,
    /// Give a parameter of a template (`x.template.toml`) its value; repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) param: Vec<String>,
    /// Noise seeds: N for all of them, `random` for new ones, or `keep`; before `--set`
    ///
    /// What was set or drawn is told. Nodes that take smaller numbers only get what N comes to when one counts round.
    #[arg(long, value_name = "N|random|keep", value_parser = seeds, default_value = "keep")]
    pub(crate) seed: Seeds,
    /// Run before everything that waits in the queue
    #[arg(long)]
    pub(crate) front: bool,
}

/// Where files go.
#[derive(Debug, ClapArgs)]
pub(crate) struct Save {
    /// Folder for the files; made if it does not exist
    #[arg(short, long, default_value = ".", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) output: PathBuf,
    /// Names for the files below that folder, made of {prompt_id}, {node}, {title}, {index}, {filename}, {stem}, {ext},
    /// {seed}, {row} and {label}; as on the server unless given
    ///
    /// A `/` leads into a subfolder, {index} counts the files of a run from 1, {seed} is the first noise seed of the
    /// workflow, {row} and {label} tell the rows of many runs apart, and a missing extension is added.
    #[arg(long, value_name = "TEMPLATE", value_parser = Template::parse)]
    pub(crate) name: Option<Template>,
    /// Overwrite files that exist, instead of appending a number
    #[arg(long)]
    pub(crate) force: bool,
    /// Save the pictures of nodes that only show them, too
    #[arg(long)]
    pub(crate) with_previews: bool,
    /// Leave all files on the server; `--json` lists them
    #[arg(long, conflicts_with_all = ["output", "name", "force", "with_previews"])]
    pub(crate) no_download: bool,
}

/// How pictures are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowMode {
    /// As the terminal can, as far as it says
    Auto,
    /// The graphics protocol of kitty and Ghostty
    Kitty,
    /// Pictures within the text, as in iTerm2 and WezTerm
    Iterm2,
    /// Sixels, as in foot, mlterm and xterm
    Sixel,
    /// Half blocks in colours, which every terminal shows
    Blocks,
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
