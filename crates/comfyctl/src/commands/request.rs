//! Commands that ask a server and print what it says.

use std::time::Duration;

use comfy_api_client::Client;
use serde_json::json;

use crate::commands::connect::connect;
use crate::commands::stop::Stop;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::Settings;

/// Time limit of a command that only asks, unless `--timeout` gives another.
const USUAL_LIMIT: Duration = Duration::from_secs(30);

/// Runs a command that only asks the server: connects, keeps the time limit, and tells a failure.
pub(crate) async fn request(
    settings: &Settings,
    printer: &Printer,
    work: impl AsyncFnOnce(&Client) -> Result<(), Failure>,
) -> Exit {
    ended(printer, asked(settings, work).await)
}

/// Does what such a command does, and leaves its end to the caller.
pub(crate) async fn asked(
    settings: &Settings,
    work: impl AsyncFnOnce(&Client) -> Result<(), Failure>,
) -> Result<(), Failure> {
    within(Some(settings.timeout.unwrap_or(USUAL_LIMIT)), connected(settings, work)).await
}

/// Runs a command that takes as long as it takes, such as one that transfers files; only `--timeout` limits it, and
/// Ctrl-C, which is told in these words.
pub(crate) async fn long(
    settings: &Settings,
    printer: &Printer,
    stopped: &str,
    work: impl AsyncFnOnce(&Client) -> Result<(), Failure>,
) -> Exit {
    let mut stop = Stop::listen();
    let result = tokio::select! {
        result = within(settings.timeout, connected(settings, work)) => result,
        () = stop.wait() => Err(Failure::new(Exit::Stopped, "stopped", stopped)),
    };
    ended(printer, result)
}

async fn connected(
    settings: &Settings,
    work: impl AsyncFnOnce(&Client) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let server = connect(settings).await?;
    work(server.client()).await
}

pub(crate) async fn within<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match limit {
        Some(limit) => {
            tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(Failure::timed_out(limit)))
        }
        None => work.await,
    }
}

/// How the command ends: in silence, or with an error on stderr and, with `--json`, a result on stdout.
pub(crate) fn ended(printer: &Printer, result: Result<(), Failure>) -> Exit {
    match result {
        Ok(()) => Exit::Success,
        Err(failure) => fail(printer, &failure),
    }
}

/// Ends a command that has failed.
pub(crate) fn fail(printer: &Printer, failure: &Failure) -> Exit {
    match failure.exit {
        // What was asked for is no error.
        Exit::Stopped => printer.note(&failure.report.message),
        _ => printer.error(failure),
    }
    printer.json(&json!({"type": "result", "status": failure.status, "error": failure.report}));
    failure.exit
}
