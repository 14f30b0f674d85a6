//! The command line of `validate`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueHint};
use comfy_api_client::protocol::Version;

const VALIDATE_HELP: &str = "\
Examples:
  comfyctl validate workflow.json
  comfyctl validate picture.png -s gpu1:8188
  comfyctl validate hello.json --object-info nodes.json --as 0.8.0
  comfyctl validate hello.json --json -s embedded

Every problem is told, also where a server would stop at the first one or would not look. Nothing
is submitted.

`perhaps` stands before what a check that the node's class brings itself may let through: no
schema tells. Warnings do not count: the server does not mind them.

With --json there is one line of type `problem` for each, with kind, severity, effect, node,
title, class_type, input, message, what was found, what is allowed and the nearest names, and at
last one of type `result`, with what the server would answer.

Exit codes:
  0    the server would run the workflow
  2    wrong usage, or the file is no workflow
  3    the server cannot be reached, or answered nonsense
  4    the server would reject the workflow, or stop for ever over it
  5    the time limit was reached";

/// Tell all that is wrong with a workflow
///
/// Checks it as the server would, and where that would not look.
#[derive(Debug, ClapArgs)]
#[command(after_long_help = VALIDATE_HELP)]
pub(crate) struct Validate {
    /// Workflow: a file in the API format or the editor's, or a picture or media file that carries one; `-` reads stdin
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) workflow: PathBuf,
    /// Take the node schemas of this file, the body of a server's `/object_info` as JSON or packed by gzip, and ask no server
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) object_info: Option<PathBuf>,
    /// Version of the server that the schemas of the file are of; the newest that is known unless given
    #[arg(long = "as", value_name = "VERSION", requires = "object_info", value_parser = str::parse::<Version>)]
    pub(crate) as_version: Option<Version>,
}
