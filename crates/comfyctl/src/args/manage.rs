//! The command lines of the commands that manage a server.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

const QUEUE_HELP: &str = "\
Examples:
  comfyctl queue
  comfyctl queue --json | jq -r 'select(.status == \"waiting\").prompt_id'
  comfyctl queue rm 3f2a9c1b
  comfyctl queue clear

What runs stands first, at position 0. An ID may be shortened to its first 4 or more characters.
`rm` and `clear` leave alone what runs: `comfyctl cancel` and `comfyctl interrupt` stop it.

With --json, `ls` prints one line of type `prompt` for each, `rm` one of type `removed`, and `clear`
one of type `cleared`.

Exit codes:
  0    it is done
  1    a prompt that was to be removed runs, has ended, or is not known
  2    wrong usage, or a short ID fits several prompts
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";

/// Show what runs and waits, or take it out
#[derive(Debug, ClapArgs)]
#[command(after_long_help = QUEUE_HELP)]
pub(crate) struct Queue {
    #[command(subcommand)]
    pub(crate) command: Option<QueueCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// List what runs and waits; what `queue` alone does
    #[command(visible_alias = "list")]
    Ls,
    /// Take everything that waits out of the queue, that of other clients too
    Clear,
    /// Take prompts that wait out of the queue
    Rm(Ids),
}

/// Prompts.
#[derive(Debug, ClapArgs)]
pub(crate) struct Ids {
    /// Ids of prompts; 4 or more of their first characters are enough
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,
}

const HISTORY_HELP: &str = "\
Examples:
  comfyctl history
  comfyctl history --limit 0 --json | jq -r 'select(.status == \"error\").prompt_id'
  comfyctl history show 3f2a9c1b
  comfyctl history show 3f2a9c1b --workflow | comfyctl run -
  comfyctl history rm 3f2a9c1b 77d0e4aa

The newest stands first. Times are those of the server's clock, in the time zone of this machine.
The server keeps its history in memory: it is gone when the server restarts. `rm` and `clear`
remove records, not files.

With --json, `ls` and `show` print one line of type `prompt` for each, `rm` one of type `removed`,
and `clear` one of type `cleared`.

Exit codes:
  0    it is done
  1    a prompt is not known, or has not ended yet
  2    wrong usage, or a short ID fits several prompts
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";

/// Show what has run, or remove records of it
#[derive(Debug, ClapArgs)]
#[command(after_long_help = HISTORY_HELP)]
pub(crate) struct History {
    #[command(flatten)]
    pub(crate) list: HistoryList,
    #[command(subcommand)]
    pub(crate) command: Option<HistoryCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HistoryCommand {
    /// List what has run, the newest first; what `history` alone does
    #[command(visible_alias = "list")]
    Ls(HistoryList),
    /// Show a prompt: its times, its outputs, why it failed
    Show(ShowPrompt),
    /// Remove records; files stay
    Rm(Ids),
    /// Remove all records, those of other clients too; files stay
    Clear,
}

#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct HistoryList {
    /// List at most N; 0 for all, 20 unless given
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
}

/// One prompt.
#[derive(Debug, ClapArgs)]
pub(crate) struct ShowPrompt {
    /// Id of the prompt; 4 or more of its first characters are enough
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Print what the prompt runs, in the API format, to be run again
    #[arg(long)]
    pub(crate) workflow: bool,
}

const JOBS_HELP: &str = "\
Examples:
  comfyctl jobs
  comfyctl jobs --status failed,cancelled --limit 0
  comfyctl jobs --sort longest --limit 5
  comfyctl jobs show 3f2a9c1b
  comfyctl jobs cancel 3f2a9c1b

What waits, runs and has ended, in one list; needs a server of 0.8.0 or newer, but for `cancel`.
On older servers there are `comfyctl queue` and `comfyctl history`. On servers before 0.30.0, jobs
that were interrupted count as failed.

With --json, `ls` and `show` print one line of type `job` for each, with the fields that the server
gives (`ls` leaves out the values of nodes that failed), and `cancel` one of type `cancelled`.

Exit codes:
  0    it is done
  1    a job is not known, or the server is too old
  2    wrong usage, or a short ID fits several jobs
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";

/// Show what waits, runs and has ended
#[derive(Debug, ClapArgs)]
#[command(after_long_help = JOBS_HELP)]
pub(crate) struct Jobs {
    #[command(flatten)]
    pub(crate) list: JobsList,
    #[command(subcommand)]
    pub(crate) command: Option<JobsCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// List jobs; what `jobs` alone does
    #[command(visible_alias = "list")]
    Ls(JobsList),
    /// Show a job: its times, its outputs, why it failed
    Show(ShowPrompt),
    /// Cancel jobs, as `comfyctl cancel` does
    Cancel(Cancel),
}

#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct JobsList {
    /// Only jobs of these statuses, with commas between them
    #[arg(long, value_name = "STATUS", value_enum, value_delimiter = ',')]
    pub(crate) status: Vec<StatusMode>,
    /// List at most N; 0 for all, 20 unless given
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Pass over the first N
    #[arg(long, value_name = "N")]
    pub(crate) offset: Option<u64>,
    /// Which come first; `newest` unless given
    #[arg(long, value_name = "ORDER", value_enum)]
    pub(crate) sort: Option<SortMode>,
}

/// The server's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum StatusMode {
    /// It waits in the queue
    #[value(alias = "waiting")]
    Pending,
    /// It runs
    #[value(alias = "running")]
    InProgress,
    /// It has ended well
    #[value(alias = "success")]
    Completed,
    /// It failed
    #[value(alias = "error")]
    Failed,
    /// It was interrupted; servers of 0.30.0 and newer
    #[value(alias = "interrupted")]
    Cancelled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SortMode {
    /// By when they were submitted
    Newest,
    /// The same the other way round
    Oldest,
    /// By how long they ran
    Longest,
    /// The same the other way round
    Shortest,
}

const CANCEL_HELP: &str = "\
Examples:
  comfyctl cancel 3f2a9c1b
  comfyctl cancel 3f2a9c1b 77d0e4aa --wait
  comfyctl queue clear && comfyctl interrupt

A prompt that waits is taken out of the queue; one that runs is told to stop, which it does at its
next node or step. No other prompt is touched. An ID may be shortened to its first 4 or more
characters.

With --json there is one line of type `cancelled` for each, whose `result` is `removed`,
`interrupted`, `ended` (it had ended already) or `unknown`.

Exit codes:
  0    none of them waits or goes on running
  1    a prompt is not known
  2    wrong usage, or a short ID fits several prompts
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";

/// Cancel prompts, whether they wait or run
#[derive(Debug, ClapArgs)]
#[command(after_long_help = CANCEL_HELP)]
pub(crate) struct Cancel {
    #[command(flatten)]
    pub(crate) ids: Ids,
    /// Wait until those that were running have stopped
    #[arg(long)]
    pub(crate) wait: bool,
}

const INTERRUPT_HELP: &str = "\
Examples:
  comfyctl interrupt
  comfyctl interrupt 3f2a9c1b

What runs stops at its next node or step, and the next prompt of the queue begins. Without an ID
that hits whatever runs, that of other clients too.

With --json there is one line of type `interrupted` for each prompt that was told to stop.

Exit codes:
  0    it was told to stop, has ended already, or nothing runs
  1    the prompt is not known, or waits in the queue
  2    wrong usage, or a short ID fits several prompts
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";

/// Stop what runs, or a prompt if it runs
#[derive(Debug, ClapArgs)]
#[command(after_long_help = INTERRUPT_HELP)]
pub(crate) struct Interrupt {
    /// Id of the prompt; 4 or more of its first characters are enough
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
}

const FREE_HELP: &str = "\
Examples:
  comfyctl free
  comfyctl free --models

The server frees memory when nothing runs, a moment after the answer. With neither option, both
are freed.

Exit codes:
  0    the server was asked to
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";

/// Have the server free its memory
#[derive(Debug, ClapArgs)]
#[command(after_long_help = FREE_HELP)]
pub(crate) struct Free {
    /// Take the models out of memory
    #[arg(long)]
    pub(crate) models: bool,
    /// Throw away the results that are kept for later prompts; models go too
    #[arg(long)]
    pub(crate) memory: bool,
}
