//! The command line of `watch`.

use clap::Args as ClapArgs;

const WATCH_HELP: &str = "\
On a terminal a server, or several, fill the screen until q is pressed; ? shows the keys. In a pipe,
with --json, --no-progress or on a dumb terminal, every change is a line.

Servers tell of the nodes of a job only to whoever submitted it. Of other people's jobs the steps of
samplers are shown, which are in the server's log.

Examples:
  comfyctl watch
  comfyctl watch -s gpu1 -s gpu2
  comfyctl watch --all
  comfyctl watch 8f14e45f-ceea-467f-9e0e-3c1ab4f9a8d1
  comfyctl watch --json | jq -c 'select(.type == \"ended\")'

JSON lines, each with `server` (its name) and, where it is about a job, `prompt_id`:
  reached       url, version, running [job], waiting [job]: what there is when the server answers
  lost          error: it does not answer any more; it is asked again
  queued        job {prompt_id, title, nodes, client_id}, position, waiting
  started       a job runs
  progress      node, value, max, overall, source: `server`, or `log`, which names no node
  ended         status: success, error or interrupted; outputs, error, elapsed_ms
  gone          it left the queue without a record: it was removed, or the server was restarted
  event         message: what the server said, as it is

With an ID the first is `watching` with `place` (running, waiting or ended), the others are those of
`run`, and the last is the result.

Exit codes:
  0    the job has succeeded; a server is watched until it is stopped
  1    the job failed, or the server does not know it
  2    wrong usage
  3    the server cannot be reached, or answered nonsense
  5    the time limit was reached
  6    the job was interrupted or cancelled
  130  stopped by Ctrl-C, which leaves the job alone";

/// Watch servers, or one job, as they go
///
/// What runs and waits there, how far it is, memory, and the last outputs.
#[derive(Debug, ClapArgs)]
#[command(after_long_help = WATCH_HELP)]
pub(crate) struct Watch {
    /// The prompt id of one job; without it the whole server is watched
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Watch every server of the config file
    #[arg(long, conflicts_with = "id")]
    pub(crate) all: bool,
}
