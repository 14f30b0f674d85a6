//! `comfyctl`: runs ComfyUI workflows from the command line.

mod args;
mod commands;
mod exit;
mod failure;
mod printer;
mod progress;
mod settings;
mod table;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
use crate::exit::Exit;
use crate::failure::{Failure, one_line, reason};
use crate::printer::Printer;
use crate::settings::Settings;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return refuse(&error).into(),
    };
    let settings = Settings::new(args.global);
    let printer = Printer::new(&settings);
    start_log(&settings);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.error(&Failure::new(Exit::Failure, "start", format!("cannot start: {}", reason(&error))));
            return Exit::Failure.into();
        }
    };
    let exit = runtime.block_on(async {
        match args.command {
            Command::Run(run) => commands::run::run(&settings, &printer, run).await,
            Command::Convert(convert) => commands::convert::convert(&settings, &printer, convert).await,
            Command::Extract(extract) => commands::extract::extract(&printer, extract).await,
            Command::Graph(graph) => commands::graph::graph(&printer, graph).await,
            Command::Show(show) => commands::show::show(&printer, show).await,
            Command::Diff(diff) => commands::diff::diff(&printer, diff).await,
            Command::Validate(validate) => commands::validate::validate(&settings, &printer, validate).await,
            #[cfg(feature = "sim")]
            Command::Serve(serve) => commands::serve::serve(&printer, *serve).await,
        }
    });
    // A node of the simulator may still compute; nobody waits for it.
    runtime.shutdown_background();
    exit.into()
}

/// Ends a command line that asks for help, or that is wrong.
fn refuse(error: &clap::Error) -> Exit {
    let _ = error.print();
    // Help and version go to stdout and are no failure.
    if !error.use_stderr() {
        return Exit::Success;
    }
    let given = |word: &str| std::env::args_os().any(|arg| arg == word);
    if given("--json") {
        let text = error.to_string();
        let first = text.split("\n\n").next().unwrap_or_default();
        let message = one_line(first.trim_start_matches("error: "));
        if given("run") {
            commands::run::print_refusal(&message);
        } else if given("convert") {
            commands::convert::print_refusal(&message);
        } else if given("validate") {
            commands::validate::print_refusal(&message);
        } else if given("extract") {
            commands::extract::print_refusal(&message);
        } else if ["graph", "show", "diff"].into_iter().any(given) {
            commands::look::print_refusal(&message);
        }
    }
    Exit::Usage
}

/// Log lines on stderr: warnings, and more with `-v`.
fn start_log(settings: &Settings) {
    let filter = settings.log.clone().unwrap_or_else(|| {
        match settings.verbose {
            0 => "off",
            1 => "comfy_api_client=debug,comfy_sim=info,comfyctl=debug",
            _ => "comfy_api_client=trace,comfy_sim=debug,comfyctl=trace",
        }
        .to_owned()
    });
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(settings.color_on_stderr())
        .try_init();
}
