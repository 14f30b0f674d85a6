//! The command line, as clap reads it.

use clap::{Parser, Subcommand};

mod batch;
mod convert;
mod extract;
mod files;
mod global;
mod help;
mod look;
mod look_around;
mod manage;
mod models;
mod nodes;
mod prompt;
mod run;
#[cfg(feature = "sim")]
mod serve;
mod settings;
mod shells;
mod userdata;
mod validate;
mod watch;

pub(crate) use batch::Batch;
pub(crate) use convert::{Convert, DynamicPromptsMode};
pub(crate) use extract::Extract;
pub(crate) use files::{Download, Upload, WhereMode};
pub(crate) use global::{ColorMode, Global, TrackingMode};
pub(crate) use help::{command, grouped};
pub(crate) use look::{Diff, Graph, Show, ThemeMode};
pub(crate) use look_around::{Features, Logs, Stats};
pub(crate) use manage::{
    Cancel, Free, History, HistoryCommand, HistoryList, Interrupt, Jobs, JobsCommand, JobsList, Queue,
    QueueCommand, ShowPrompt, SortMode, StatusMode,
};
pub(crate) use models::{Models, ModelsAction};
pub(crate) use nodes::{Nodes, NodesAction, NodesFilter};
pub(crate) use prompt::{Fetch, Status, Submit, Wait};
pub(crate) use run::{Given, Run, Save, Seeds, ShowMode};
#[cfg(feature = "sim")]
pub(crate) use serve::Serve;
pub(crate) use settings::{SettingsAction, SettingsArgs};
pub(crate) use shells::{Completions, Man, ShellKind};
pub(crate) use userdata::{Userdata, UserdataAction};
pub(crate) use validate::Validate;
pub(crate) use watch::Watch;

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
    // Run workflows.
    Run(Box<Run>),
    Submit(Submit),
    Wait(Wait),
    Status(Status),
    Fetch(Fetch),
    Watch(Watch),
    // Manage a server.
    Queue(Queue),
    Jobs(Jobs),
    History(History),
    Cancel(Cancel),
    Interrupt(Interrupt),
    Free(Free),
    // Files on a server.
    Upload(Upload),
    Download(Download),
    Userdata(Userdata),
    // Look around a server.
    Nodes(Nodes),
    Models(Models),
    Stats(Stats),
    Features(Features),
    Logs(Logs),
    Settings(SettingsArgs),
    // Workflow files.
    Show(Show),
    Validate(Validate),
    Convert(Convert),
    Extract(Extract),
    Graph(Graph),
    Diff(Diff),
    // More.
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
