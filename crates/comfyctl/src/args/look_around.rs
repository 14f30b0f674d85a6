//! The command lines of `stats`, `features` and `logs`.

use clap::Args as ClapArgs;

const STATS_HELP: &str = "\
Examples:
  comfyctl stats
  comfyctl stats -s gpu1 --json | jq '.devices[0].vram_free'

With --json there is one line of type `stats`: what the server says.

Exit codes:
  0    it is printed
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";

/// Show versions, devices and memory
#[derive(Debug, ClapArgs)]
#[command(after_long_help = STATS_HELP)]
pub(crate) struct Stats {}

const FEATURES_HELP: &str = "\
Examples:
  comfyctl features
  comfyctl features --json | jq .max_upload_size

With --json there is one line of type `features`: what the server says.

Exit codes:
  0    it is printed
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";

/// Show what the server can do
#[derive(Debug, ClapArgs)]
#[command(after_long_help = FEATURES_HELP)]
pub(crate) struct Features {}

const LOGS_HELP: &str = "\
Examples:
  comfyctl logs
  comfyctl logs -n 20 -f
  comfyctl logs -t | grep -i error
  comfyctl logs -f --json | jq -r 'select(.text | test(\"Prompt executed\")).time'

A server keeps the last 300 pieces of its log. With -f new lines are printed as they come; breaks
of the connection and restarts of the server are bridged. Colours of the server are left out, and
of a progress bar only its last state is printed; with -f on a terminal it moves in the last line.

With --json there is one line of type `log` for each line, with time, by the server's clock, and
text.

Exit codes:
  0    it is printed
  1    the server does not give its log
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached
  130  stopped by Ctrl-C";

/// Print the log, and follow it
#[derive(Debug, ClapArgs)]
#[command(after_long_help = LOGS_HELP)]
pub(crate) struct Logs {
    /// Go on with new lines until Ctrl-C
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Print the last N lines only of what the server has kept
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) lines: Option<usize>,
    /// Put the time in front of each line, by the server's clock
    #[arg(short = 't', long)]
    pub(crate) times: bool,
}
