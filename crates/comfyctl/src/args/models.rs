//! The command line of `models`.

use clap::{Args as ClapArgs, Subcommand};

const MODELS_HELP: &str = "\
Examples:
  comfyctl models
  comfyctl models ls loras
  comfyctl models ls embeddings --json | jq -r .name
  comfyctl models show sd_xl_base_1.0.safetensors

Exit codes:
  0    it is printed
  1    the server has no such folder or model
  2    wrong usage, or several models are called so
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";

/// List models, and show what they say
#[derive(Debug, ClapArgs)]
#[command(after_long_help = MODELS_HELP)]
pub(crate) struct Models {
    #[command(subcommand)]
    pub(crate) action: Option<ModelsAction>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsAction {
    /// List the folders of models, or the models of one; this is what happens without a subcommand
    #[command(visible_alias = "list", after_long_help = LS_HELP)]
    Ls {
        /// The folder, such as `checkpoints`, `loras` or `embeddings`; without it the folders are listed
        folder: Option<String>,
    },
    /// Show the metadata in the header of a .safetensors file
    #[command(after_long_help = SHOW_HELP)]
    Show {
        /// The model, as nodes take it or only its file name, with its folder in front where several are called so:
        /// `loras/detail.safetensors`
        name: String,
    },
}

const LS_HELP: &str = "\
Examples:
  comfyctl models ls
  comfyctl models ls checkpoints

Names are as loader nodes take them. With --json there is one line of type `model_folder` with
name, files, folders and extensions, or of type `model` with folder, name, size in bytes and the
times modified and created in seconds since 1970.

Exit codes:
  0    it is printed, also when there is no model
  1    the server has no such folder
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";

const SHOW_HELP: &str = "\
Examples:
  comfyctl models show detail.safetensors
  comfyctl models show loras/detail --json | jq -r '.metadata.ss_base_model_version'

The folder is found by itself; the ending .safetensors can be left out. With --json there is one
line of type `model`, with metadata, which is null where the file carries none.

Exit codes:
  0    it is printed
  1    the server has no such model
  2    several models are called so
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";
