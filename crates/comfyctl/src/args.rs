//! The command line, as clap reads it.

use clap::{Parser, Subcommand};

mod batch;
mod convert;
mod extract;
mod files;
mod global;
mod look;
mod look_around;
mod manage;
mod prompt;
mod run;
#[cfg(feature = "sim")]
mod serve;
mod validate;
mod watch;

pub(crate) use batch::Batch;
pub(crate) use convert::{Convert, DynamicPromptsMode};
pub(crate) use extract::Extract;
pub(crate) use files::{Download, Upload, WhereMode};
pub(crate) use global::{ColorMode, Global, TrackingMode};
pub(crate) use look::{Diff, Graph, Show, ThemeMode};
pub(crate) use look_around::Stats;
pub(crate) use manage::{
    Cancel, Free, History, HistoryCommand, HistoryList, Interrupt, Jobs, JobsCommand, JobsList, Queue,
    QueueCommand, ShowPrompt, SortMode, StatusMode,
};
pub(crate) use prompt::{Fetch, Status, Submit, Wait};
pub(crate) use run::{Run, Save, Seeds, ShowMode};
#[cfg(feature = "sim")]
pub(crate) use serve::Serve;
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

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Box<Run>),
    Submit(Submit),
    Wait(Wait),
    Status(Status),
    Fetch(Fetch),
    Watch(Watch),
    Convert(Convert),
    Extract(Extract),
    Graph(Graph),
    Show(Show),
    Diff(Diff),
    Validate(Validate),
    Queue(Queue),
    History(History),
    Jobs(Jobs),
    Cancel(Cancel),
    Interrupt(Interrupt),
    Free(Free),
    Upload(Upload),
    Download(Download),
    Stats(Stats),
    #[cfg(feature = "sim")]
    Serve(Box<Serve>),
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
        for command in Args::command().get_subcommands() {
            let text = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            for line in text.lines() {
                assert!(line.chars().count() <= 100, "{}: {line}", command.get_name());
            }
        }
    }
}
