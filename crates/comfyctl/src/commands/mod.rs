//! The commands, one file per verb, and what several of them need.

mod assignment;
mod completions;
mod connect;
mod convert;
mod diff;
mod extract;
mod graph;
mod logs;
mod look;
mod man;
mod models;
mod nodes;
mod object_info;
mod output_file;
mod request;
mod run;
mod seeds;
#[cfg(feature = "sim")]
mod serve;
mod settings;
mod show;
mod stats;
mod stop;
mod userdata;
mod validate;
mod workflow_file;

use serde_json::json;

use crate::args::Command;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::Settings;

/// Runs a command to its end.
pub(crate) async fn run(command: Command, settings: &Settings, printer: &Printer) -> Exit {
    match command {
        Command::Run(args) => run::run(settings, printer, *args).await,
        Command::Convert(args) => convert::convert(settings, printer, args).await,
        Command::Validate(args) => validate::validate(settings, printer, args).await,
        Command::Extract(args) => extract::extract(printer, args).await,
        Command::Show(args) => show::show(printer, args).await,
        Command::Diff(args) => diff::diff(printer, args).await,
        Command::Graph(args) => graph::graph(printer, args).await,
        Command::Stats(_) => stats::stats(settings, printer).await,
        Command::Features(_) => stats::features(settings, printer).await,
        Command::Logs(args) => logs::logs(settings, printer, args).await,
        Command::Nodes(args) => nodes::nodes(settings, printer, args).await,
        Command::Models(args) => models::models(settings, printer, args).await,
        Command::Settings(args) => settings::settings(settings, printer, args).await,
        Command::Userdata(args) => userdata::userdata(settings, printer, args).await,
        Command::Completions(args) => completions::completions(printer, &args),
        Command::Man(args) => man::man(printer, &args),
        #[cfg(feature = "sim")]
        Command::Serve(args) => serve::serve(printer, *args).await,
    }
}

/// Prints the result of a command whose line was refused, in JSON: a script reads it as that of any other.
pub(crate) fn print_refusal(message: &str) {
    let given = |word: &str| std::env::args_os().skip(1).any(|arg| arg == word);
    if given("run") {
        run::print_refusal(message);
    } else if given("convert") {
        convert::print_refusal(message);
    } else if given("validate") {
        validate::print_refusal(message);
    } else if given("extract") {
        extract::print_refusal(message);
    } else {
        let failure = Failure::usage("usage", message);
        Printer::for_json()
            .json(&json!({"type": "result", "status": failure.status, "error": failure.report}));
    }
}
