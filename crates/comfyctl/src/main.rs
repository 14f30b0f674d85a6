//! `comfyctl`: runs ComfyUI workflows from the command line.

mod args;
mod commands;
mod config;
mod exit;
mod failure;
mod log;
mod printer;
mod render;
mod settings;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::args::Args;
use crate::exit::Exit;
use crate::failure::{Failure, one_line, reason};
use crate::printer::Printer;
use crate::settings::Settings;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return refuse(&with_help(error)).into(),
    };
    let settings = Settings::new(args.global);
    let printer = Printer::new(&settings);
    log::start(&settings);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.error(&Failure::new(Exit::Failure, "start", format!("cannot start: {}", reason(&error))));
            return Exit::Failure.into();
        }
    };
    let exit = runtime.block_on(commands::run(args.command, &settings, &printer));
    // A node of the simulator may still compute; nobody waits for it.
    runtime.shutdown_background();
    exit.into()
}

/// What is said to a command line that asks for help, with all of it: most command lines do not, and need not wait for it.
fn with_help(error: clap::Error) -> clap::Error {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let is_long = std::env::args_os().any(|arg| arg == "--help" || arg == "help");
            args::grouped(is_long).try_get_matches().err().unwrap_or(error)
        }
        _ => error,
    }
}

/// Ends a command line that asks for help, or that is wrong.
fn refuse(error: &clap::Error) -> Exit {
    // Those who name the server in the environment have given no arguments either.
    if error.kind() == ErrorKind::MissingSubcommand && std::env::args_os().len() == 1 {
        let _ = write!(anstream::stderr(), "{}", args::grouped(false).render_help().ansi());
        return Exit::Usage;
    }
    let _ = error.print();
    // Help and version go to stdout and are no failure.
    if !error.use_stderr() {
        return Exit::Success;
    }
    if std::env::args_os().any(|arg| arg == "--json") {
        let text = error.to_string();
        let first = text.split("\n\n").next().unwrap_or_default();
        commands::print_refusal(&one_line(first.trim_start_matches("error: ")));
    }
    Exit::Usage
}
