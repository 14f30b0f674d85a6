//! The command lines of what `run` does in steps.

use clap::Args as ClapArgs;

use super::run::{Given, Save};

const SUBMIT_HELP: &str = "\
Examples:
  comfyctl submit workflow.json
  id=$(comfyctl submit workflow.json --seed random)
  comfyctl wait $id && comfyctl fetch $id -o out
  comfyctl submit urgent.json --front --set KSampler.steps=8

Exit codes:
  0    the server has taken it
  2    wrong usage
  3    the server cannot be reached, or answered nonsense
  4    the workflow was rejected
  5    the time limit was reached
  130  stopped by Ctrl-C";

/// Submit a workflow, and do not wait for it
///
/// Prints its prompt id.
#[derive(Debug, ClapArgs)]
#[command(after_long_help = SUBMIT_HELP)]
pub(crate) struct Submit {
    #[command(flatten)]
    pub(crate) given: Given,
}

const WAIT_HELP: &str = "\
Examples:
  comfyctl wait 0f60ac3e-5d52-4b7c-9b5f-5a4f4e6b9d0a
  comfyctl wait $id --timeout 10m && comfyctl fetch $id

Prints nothing on stdout, and with `--json` the result of each prompt. Ctrl-C stops the waiting,
and the prompts go on.

Exit codes, of the first prompt that did not succeed:
  0    all have run
  1    a workflow failed on the server, or the server does not know the prompt
  2    wrong usage
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached
  6    a prompt was interrupted or cancelled on the server
  130  stopped by Ctrl-C";

/// Wait until prompts have ended
#[derive(Debug, ClapArgs)]
#[command(after_long_help = WAIT_HELP)]
pub(crate) struct Wait {
    /// Prompt ids, as `submit` prints them
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,
}

const STATUS_HELP: &str = "\
Examples:
  comfyctl status 0f60ac3e-5d52-4b7c-9b5f-5a4f4e6b9d0a
  comfyctl status $id --json

Prints one line: waiting at position N of M, running, success, error or interrupted, and why.

Exit codes:
  0    it is printed, also for a prompt that failed
  1    the server does not know the prompt
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";

/// Tell where a prompt is, or how it ended
#[derive(Debug, ClapArgs)]
#[command(after_long_help = STATUS_HELP)]
pub(crate) struct Status {
    /// Prompt id, as `submit` prints it
    pub(crate) id: String,
}

const FETCH_HELP: &str = "\
Examples:
  comfyctl fetch 0f60ac3e-5d52-4b7c-9b5f-5a4f4e6b9d0a -o out
  comfyctl fetch $id --with-previews --name '{prompt_id}-{index}.{ext}'
  comfyctl fetch $id --no-download --json

Exit codes:
  0    the files are saved
  1    the workflow failed, has not ended or is not known, or a file could not be saved
  2    wrong usage
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached
  6    the prompt was interrupted on the server
  130  stopped by Ctrl-C";

/// Download what a prompt made
///
/// The prompt must have ended. Prints the paths of the files.
#[derive(Debug, ClapArgs)]
#[command(after_long_help = FETCH_HELP)]
pub(crate) struct Fetch {
    /// Prompt id, as `submit` prints it
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) save: Save,
}
