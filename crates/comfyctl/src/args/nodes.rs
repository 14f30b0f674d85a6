//! The command line of `nodes`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueHint};

const NODES_HELP: &str = "\
Examples:
  comfyctl nodes
  comfyctl nodes --category sampling --output-type LATENT
  comfyctl nodes --custom -s gpu1
  comfyctl nodes show KSampler
  comfyctl nodes search upscale model
  comfyctl nodes --json | jq -r 'select(.inputs[].type == \"MASK\").class_type'

The server is asked for its nodes each time, since installed packs and model files change; with
--object-info no server is needed.

With --json there is one line of type `node_class` for each class: class_type, display_name,
category, pack, description, output_node, deprecated, experimental, api_node, and lists of inputs
and outputs.

Exit codes:
  0    it is printed, also when nothing fits
  1    there is no such node class
  2    wrong usage
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";

/// List, show and search node classes
#[derive(Debug, ClapArgs)]
#[command(after_long_help = NODES_HELP)]
pub(crate) struct Nodes {
    #[command(subcommand)]
    pub(crate) action: Option<NodesAction>,
    #[command(flatten)]
    pub(crate) filter: NodesFilter,
    /// Take the node schemas of this file, the body of a server's `/object_info` as JSON or packed by gzip, and ask no server
    #[arg(long, value_name = "FILE", global = true, value_hint = ValueHint::FilePath)]
    pub(crate) object_info: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NodesAction {
    /// List node classes; this is what happens without a subcommand
    #[command(visible_alias = "list", after_long_help = LS_HELP)]
    Ls {
        #[command(flatten)]
        filter: NodesFilter,
    },
    /// Show what a node class takes and gives
    #[command(after_long_help = SHOW_HELP)]
    Show {
        /// The class, such as `KSampler`
        class: String,
    },
    /// Find node classes by their names, categories, inputs and descriptions
    #[command(after_long_help = SEARCH_HELP)]
    Search {
        /// Words, all of which have to occur
        #[arg(required = true)]
        text: Vec<String>,
        #[command(flatten)]
        filter: NodesFilter,
    },
}

const LS_HELP: &str = "\
Examples:
  comfyctl nodes ls --category image/upscaling
  comfyctl nodes ls --input-type MASK --output-type IMAGE
  comfyctl nodes ls --deprecated

Several filters all have to fit. The list is ordered by category and class.

Exit codes:
  0    it is printed, also when nothing fits
  2    wrong usage
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";

const SHOW_HELP: &str = "\
Examples:
  comfyctl nodes show KSampler
  comfyctl nodes show LoadImage --json | jq '.inputs[0].choices'
  comfyctl nodes show KSampler --object-info nodes.json.gz | grep sampler_name

An input that another one brings is shown with its whole name, such as `resize_type.width`, and
with what brings it. On a terminal long lists of choices are cut, with their number; in a pipe
they are whole. Hidden inputs are filled by the server.

Exit codes:
  0    it is shown
  1    there is no such node class
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";

const SEARCH_HELP: &str = "\
Examples:
  comfyctl nodes search upscale
  comfyctl nodes search mask image --output-type IMAGE

The likeliest come first: names count most, then aliases, categories, names of inputs and
descriptions.

Exit codes:
  0    it is printed, also when nothing fits
  2    wrong usage
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";

/// Which node classes are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, ClapArgs)]
pub(crate) struct NodesFilter {
    /// Only those of a category, and of those below it
    #[arg(long, value_name = "CATEGORY")]
    pub(crate) category: Option<String>,
    /// Only those that take this type, such as IMAGE
    #[arg(long, value_name = "TYPE")]
    pub(crate) input_type: Option<String>,
    /// Only those that give this type
    #[arg(long, value_name = "TYPE")]
    pub(crate) output_type: Option<String>,
    /// Only those of a node pack, by its folder or a part of that
    #[arg(long, value_name = "NAME")]
    pub(crate) pack: Option<String>,
    /// Only those of node packs, not the server's own
    #[arg(long)]
    pub(crate) custom: bool,
    /// Only deprecated ones
    #[arg(long)]
    pub(crate) deprecated: bool,
}
