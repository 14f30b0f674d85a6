//! The command lines of `completions` and `man`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum, ValueHint};

const COMPLETIONS_HELP: &str = "\
Where to put it:
  bash        comfyctl completions bash > ~/.local/share/bash-completion/completions/comfyctl
              (with the package bash-completion; else: source <(comfyctl completions bash))
  zsh         comfyctl completions zsh > ~/.zfunc/_comfyctl
              and in ~/.zshrc, before compinit: fpath+=~/.zfunc
  fish        comfyctl completions fish > ~/.config/fish/completions/comfyctl.fish
  powershell  comfyctl completions powershell >> $PROFILE
  nushell     comfyctl completions nushell | save -f ~/.config/nushell/autoload/comfyctl.nu
  elvish      comfyctl completions elvish >> ~/.config/elvish/rc.elv

Open a new shell then.

Examples:
  comfyctl completions bash > ~/.local/share/bash-completion/completions/comfyctl
  source <(comfyctl completions zsh)

Exit codes:
  0    it is printed
  2    wrong usage";

/// Print the completions for a shell
#[derive(Debug, ClapArgs)]
#[command(after_long_help = COMPLETIONS_HELP)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: ShellKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShellKind {
    Bash,
    Zsh,
    Fish,
    // As it writes itself, not `power-shell`.
    #[value(name = "powershell")]
    PowerShell,
    Nushell,
    Elvish,
}

const MAN_HELP: &str = "\
Examples:
  comfyctl man | man -l -
  comfyctl man nodes show | man -l -
  comfyctl man -o ~/.local/share/man/man1

With -o the paths of the pages are printed.

Exit codes:
  0    it is printed or written
  2    wrong usage, or the pages cannot be written";

/// Print a manual page, or write all of them
#[derive(Debug, ClapArgs)]
#[command(after_long_help = MAN_HELP)]
pub(crate) struct Man {
    /// The command that the page is of, such as `run` or `nodes show`; without it the page is of comfyctl
    #[arg(value_name = "COMMAND", conflicts_with = "output")]
    pub(crate) command: Vec<String>,
    /// Write a page for every command into this folder, which is made if it does not exist
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) output: Option<PathBuf>,
}
