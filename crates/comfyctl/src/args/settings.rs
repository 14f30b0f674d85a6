//! The command line of `settings`.

use clap::{Args as ClapArgs, Subcommand};

const SETTINGS_HELP: &str = "\
Examples:
  comfyctl settings
  comfyctl settings get Comfy.ColorPalette
  comfyctl settings set Comfy.ColorPalette dark
  comfyctl settings set Comfy.Queue.MaxHistoryItems 64
  comfyctl settings --header 'comfy-user: anna_0b1c…'

These are the settings of the editor, as far as they were changed there. On a server that was
started with --multi-user, the header `comfy-user` says whose; it holds the user's id, which is
not the name.

Exit codes:
  0    it is printed or set
  1    it is not set
  2    wrong usage
  3    the server cannot be reached, answered nonsense, or does not know the user
  5    the time limit was reached";

/// List, read and change settings of the editor
#[derive(Debug, ClapArgs)]
#[command(after_long_help = SETTINGS_HELP)]
pub(crate) struct SettingsArgs {
    #[command(subcommand)]
    pub(crate) action: Option<SettingsAction>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SettingsAction {
    /// List all that are set; this is what happens without a subcommand
    #[command(visible_alias = "list", after_long_help = LS_HELP)]
    Ls,
    /// Print the value of one
    #[command(after_long_help = GET_HELP)]
    Get {
        /// The setting, such as `Comfy.ColorPalette`
        id: String,
    },
    /// Change one
    #[command(after_long_help = SET_HELP)]
    Set {
        /// The setting
        id: String,
        /// The value: JSON, or else a text
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
}

const LS_HELP: &str = "\
Examples:
  comfyctl settings ls
  comfyctl settings ls --json | jq -r 'select(.value == true).id'

With --json there is one line of type `setting` for each, with id and value.

Exit codes:
  0    it is printed, also when nothing is set
  3    the server cannot be reached, answered nonsense, or does not know the user
  5    the time limit was reached";

const GET_HELP: &str = "\
Examples:
  comfyctl settings get Comfy.ColorPalette

A text is printed as it is, everything else as JSON. With --json there is one line of type
`setting`, with id and value.

Exit codes:
  0    it is printed
  1    it is not set
  3    the server cannot be reached, answered nonsense, or does not know the user
  5    the time limit was reached";

const SET_HELP: &str = "\
Examples:
  comfyctl settings set Comfy.Queue.MaxHistoryItems 64
  comfyctl settings set Comfy.ColorPalette dark
  comfyctl settings set My.Text '\"64\"'
  comfyctl settings set My.List '[1, 2]'

What can be read as JSON is JSON (true, 64, null, [1, 2], \"64\"); anything else is a text.

Exit codes:
  0    it is set
  2    wrong usage
  3    the server cannot be reached, answered nonsense, or does not know the user
  5    the time limit was reached";
