//! The command lines of the commands that look around a server.

use clap::Args as ClapArgs;

const STATS_HELP: &str = "\
Examples:
  comfyctl stats
  comfyctl stats -s gpu1 --json

Exit codes:
  0    it is printed
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached";

/// Show a server's version, system, devices and memory
#[derive(Debug, ClapArgs)]
#[command(after_long_help = STATS_HELP)]
pub(crate) struct Stats {}
