//! The command line, as clap reads it.

use clap::{Parser, Subcommand};

mod convert;
mod extract;
mod global;
mod help;
mod look;
mod look_around;
mod models;
mod nodes;
mod run;
#[cfg(feature = "sim")]
mod serve;
mod settings;
mod shells;
mod userdata;
mod validate;

pub(crate) use convert::{Convert, DynamicPromptsMode};
pub(crate) use extract::Extract;
pub(crate) use global::{ColorMode, Global, TrackingMode};
pub(crate) use help::{command, grouped};
pub(crate) use look::{Diff, Graph, Show, ThemeMode};
pub(crate) use look_around::{Features, Logs, Stats};
pub(crate) use models::{Models, ModelsAction};
pub(crate) use nodes::{Nodes, NodesAction, NodesFilter};
pub(crate) use run::{Run, Save, Seeds};
#[cfg(feature = "sim")]
pub(crate) use serve::Serve;
pub(crate) use settings::{SettingsAction, SettingsArgs};
pub(crate) use shells::{Completions, Man, ShellKind};
pub(crate) use userdata::{Userdata, UserdataAction};
pub(crate) use validate::Validate;

/// Run ComfyUI workflows from the command line.
#[derive(Debug, Parser)]
#[command(name = "comfyctl", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

// In the order in which completions and manual pages list them; the help has them in groups, see `help.rs`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    // Run workflows: run, submit, wait, status, fetch, watch.
    Run(Box<Run>),
    // Manage a server: queue, jobs, history, cancel, interrupt, free.
    // Files on a server: upload, download, userdata.
    Userdata(Userdata),
    // Look around a server: nodes, models, stats, features, logs, settings.
    Nodes(Nodes),
    Models(Models),
    Stats(Stats),
    Features(Features),
    Logs(Logs),
    Settings(SettingsArgs),
    // Workflow files: show, validate, convert, extract, graph, diff.
    Show(Show),
    Validate(Validate),
    Convert(Convert),
    Extract(Extract),
    Graph(Graph),
    Diff(Diff),
    // More: serve, completions, man.
    #[cfg(feature = "sim")]
    Serve(Box<Serve>),
    Completions(Completions),
    Man(Man),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn help_fits_into_the_width_to_which_it_is_wrapped() {
        fn check(command: &clap::Command) {
            let text = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            for line in text.lines() {
                assert!(line.chars().count() <= 100, "{}: {line}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Args::command());
    }
}
