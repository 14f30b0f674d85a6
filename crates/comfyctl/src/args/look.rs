//! The command lines of `graph`, `show` and `diff`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum, ValueHint};

const GRAPH_HELP: &str = "\
Examples:
  comfyctl graph workflow.json -o workflow.svg
  comfyctl graph picture.png --object-info nodes.json.gz -o picture.svg
  comfyctl graph prompt.json --theme dark > prompt.svg

A workflow of the editor is drawn as it was laid out, with its subgraphs below; one in the API
format is laid out from left to right. Point at a node to see its whole values. No server is
asked: with --object-info, the body of a server's /object_info, values and outputs are named where
the file does not name them.

Exit codes:
  0    the drawing is written
  2    wrong usage, or the file is no workflow";

/// Draw a workflow as SVG
#[derive(Debug, ClapArgs)]
#[command(after_long_help = GRAPH_HELP)]
pub(crate) struct Graph {
    /// Workflow: a file in the API format or in the editor's, or a picture or media file that carries one; `-` reads stdin
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) workflow: PathBuf,
    /// Write to a file in place of stdout
    #[arg(short, long, value_name = "FILE.svg", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Colours
    #[arg(long, value_name = "COLORS", value_enum, default_value_t = ThemeMode::Auto)]
    pub(crate) theme: ThemeMode,
    /// Draw what runs, laid out anew, where the file has that beside the editor's workflow
    #[arg(long)]
    pub(crate) api: bool,
    /// Name values by the node schemas of this file: the body of a server's `/object_info`, as JSON or packed by gzip
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) object_info: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ThemeMode {
    /// Those that the reader prefers
    Auto,
    /// Dark on light
    Light,
    /// Light on dark
    Dark,
}

const SHOW_HELP: &str = "\
Examples:
  comfyctl show workflow.json
  comfyctl show picture.png | grep seed
  comfyctl show workflow.json --object-info nodes.json.gz
  comfyctl show prompt.json --json | jq -r 'select(.class_type == \"KSampler\").inputs.seed'

A value that comes from another node is shown as `<- NODE output NUMBER`. On a terminal, values
are clipped to its width; in a pipe they are whole, and every line has its node. No server is
asked: a workflow of the editor is shown node by node as its file has it, or with --object-info,
the body of a server's /object_info, as it would run.

What cannot be converted is left out, with a warning.

With --json there is one line of type `node` for each node.

Exit codes:
  0    the workflow is shown
  2    wrong usage, or the file is no workflow";

/// Show the inputs of a workflow as a table
#[derive(Debug, ClapArgs)]
#[command(after_long_help = SHOW_HELP)]
pub(crate) struct Show {
    /// Workflow: a file in the API format or in the editor's, or a picture or media file that carries one; `-` reads stdin
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) workflow: PathBuf,
    /// Convert with the node schemas of this file: the body of a server's `/object_info`, as JSON or packed by gzip
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) object_info: Option<PathBuf>,
}

const DIFF_HELP: &str = "\
Examples:
  comfyctl diff before.json after.json
  comfyctl diff picture1.png picture2.png
  comfyctl diff workflow.json prompt.json --object-info nodes.json.gz

Nodes are matched by what they are and how they are linked: neither other ids nor another order
make a difference, and neither do places and colours. No server is asked: workflows of the editor
are compared as their files have them, or with --object-info, the body of a server's /object_info,
as they would run. A file in the API format can be compared with one of the editor only so.

With --json there is one line of type `change` for each change, and one of type `result`.

Exit codes, as of the command diff:
  0    there is no difference
  1    there are differences
  2    wrong usage, or a file is no workflow
  4    a workflow of the editor cannot be converted";

/// Compare two workflows by what they do
#[derive(Debug, ClapArgs)]
#[command(after_long_help = DIFF_HELP)]
pub(crate) struct Diff {
    /// The first workflow, in any format; `-` reads stdin
    #[arg(value_name = "A", value_hint = ValueHint::FilePath)]
    pub(crate) before: PathBuf,
    /// The second workflow, in any format; `-` reads stdin
    #[arg(value_name = "B", value_hint = ValueHint::FilePath)]
    pub(crate) after: PathBuf,
    /// Convert with the node schemas of this file: the body of a server's `/object_info`, as JSON or packed by gzip
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) object_info: Option<PathBuf>,
}
