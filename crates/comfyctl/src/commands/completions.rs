//! `completions`: scripts for shells.

use clap_complete::{Generator, Shell, generate};
use clap_complete_nushell::Nushell;
use serde_json::json;

use crate::args::{self, Completions, ShellKind};
use crate::exit::Exit;
use crate::printer::Printer;

/// Prints the completions for a shell.
pub(crate) fn completions(printer: &Printer, args: &Completions) -> Exit {
    let script = match args.shell {
        ShellKind::Bash => script(Shell::Bash),
        ShellKind::Zsh => script(Shell::Zsh),
        ShellKind::Fish => script(Shell::Fish),
        ShellKind::PowerShell => script(Shell::PowerShell),
        ShellKind::Elvish => script(Shell::Elvish),
        ShellKind::Nushell => script(Nushell),
    };
    if printer.is_json() {
        printer.json(&json!({"type": "completions", "script": String::from_utf8_lossy(&script)}));
    } else {
        printer.bytes(&script);
    }
    Exit::Success
}

fn script(shell: impl Generator) -> Vec<u8> {
    let mut script = Vec::new();
    generate(shell, &mut args::command(), "comfyctl", &mut script);
    script
}
