//! The task that asks the server about jobs: what ends a job is the server's record, never the socket alone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use comfy_protocol::ExecutionInterrupted;
use comfy_protocol::routes::history::{Ending, HistoryEntry};
use comfy_protocol::routes::queue::{Queue, QueuePlace};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde::de::IgnoredAny;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::hub::Core;
use super::tracked::{FASTEST_POLL, HeardEnd, Outcome, Tracked};
use crate::http::Http;
use crate::outputs::NodeOutputs;
use crate::text::one_line;
use crate::{Error, ErrorKind, Result};

/// Records that are read at the same time.
const MOST_AT_ONCE: usize = 16;
/// Pauses between attempts to read the record of a job that has just left the worker.
const RECORD_PAUSES: [Duration; 5] = [
    Duration::from_millis(5),
    Duration::from_millis(20),
    Duration::from_millis(80),
    Duration::from_millis(300),
    Duration::from_millis(1000),
];
/// For how long a server may fail on a record before it counts as broken.
const BROKEN_RECORD: Duration = Duration::from_secs(3);
/// How often in a row the server must know nothing of a job before it is gone.
const MISSING_AT_MOST: u32 = 2;

type Record = HistoryEntry<IgnoredAny>;

pub(super) async fn run(core: Arc<Core>, mut leavers: mpsc::UnboundedReceiver<Arc<Tracked>>) {
    let mut records = FuturesUnordered::new();
    // At most one, beside the records, which must not wait for it.
    let mut sweeps = FuturesUnordered::new();
    let mut next: Option<Instant> = None;
    loop {
        let due = async {
            match next {
                Some(next) => sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(()) = records.next() => {}
            Some(job) = leavers.recv(), if records.len() < MOST_AT_ONCE => records.push(end_by_record(&core.http, job)),
            Some(()) = sweeps.next() => next = core.open_jobs().iter().filter_map(|job| job.due()).min(),
            // Many jobs change at a time, and looking through all of them takes as long as there are many.
            () = core.changed.notified() => {
                let soon = Instant::now() + FASTEST_POLL;
                next = Some(next.map_or(soon, |next| next.min(soon)));
            }
            () = due, if sweeps.is_empty() => sweeps.push(sweep(&core)),
        }
    }
}

/// Ends a job that has left the worker. Its record is written before the server says so; the attempts after the first
/// are for proxies and for servers under load.
async fn end_by_record(http: &Http, job: Arc<Tracked>) {
    let mut pauses = RECORD_PAUSES.iter();
    loop {
        if job.is_ended() {
            return;
        }
        match record(http, &job.prompt_id()).await {
            Ok(Some(record)) => return job.end(outcome(&job, record)),
            Ok(None) | Err(_) => match pauses.next() {
                Some(pause) => sleep(*pause).await,
                None => break,
            },
        }
    }
    // The record was cleared, or cannot be given out.
    if let Some(outcome) = heard_outcome(&job) {
        job.end(outcome);
    }
}

/// Asks about every job that is due.
async fn sweep(core: &Core) {
    let now = Instant::now();
    let due: Vec<Arc<Tracked>> =
        core.open_jobs().into_iter().filter(|job| job.due().is_some_and(|due| due <= now)).collect();
    if due.is_empty() {
        return;
    }
    tracing::debug!(jobs = due.len(), "asking about jobs");
    // The queue first: a job that is not there any more has its record already, since both change in one step.
    let queue = match queue(&core.http).await {
        Ok(queue) => queue,
        Err(error) => {
            if error.kind() == ErrorKind::Connect {
                core.server_is_down();
            }
            due.iter().for_each(|job| wait_or_give_up(core, job, &error));
            return;
        }
    };
    let places: HashMap<&str, bool> = (queue.queue_running.iter().map(|place| (place.1.as_str(), true)))
        .chain(queue.queue_pending.iter().map(|place| (place.1.as_str(), false)))
        .collect();
    let mut absent = Vec::new();
    for job in due {
        match places.get(job.prompt_id().as_str()) {
            Some(running) => job.is_alive(*running),
            None => absent.push(job),
        }
    }
    let answers = futures_util::stream::iter(absent).map(|job| async move {
        let answer = record(&core.http, &job.prompt_id()).await;
        (job, answer)
    });
    let answers: Vec<_> = answers.buffer_unordered(MOST_AT_ONCE).collect().await;
    for (job, answer) in answers {
        match answer {
            Ok(Some(record)) => job.end(outcome(&job, record)),
            Ok(None) if job.is_missing() >= MISSING_AT_MOST => job.end(vanished(&job, core.last_down())),
            Ok(None) => {}
            Err(error) => wait_or_give_up(core, &job, &error),
        }
    }
}

/// A question about a job was not answered: it is asked again, but not for ever.
fn wait_or_give_up(core: &Core, job: &Tracked, error: &Error) {
    tracing::debug!(%error, "the server does not tell about a job");
    let unanswered = job.is_unanswered();
    // A server that fails on the record of one job fails on it for good; what stands before a server gets well again.
    let is_broken = error.status() == Some(500);
    let limit = core.http.settings().give_up_after;
    if unanswered < limit.min(if is_broken { BROKEN_RECORD } else { Duration::MAX }) {
        return;
    }
    let id = job.prompt_id();
    let outcome = heard_outcome(job).unwrap_or_else(|| {
        let message = format!("{} has not told about prompt {id} for {limit:?}", core.http.address());
        let hint = "the prompt may still be there; ask for it by its id when the server is well";
        let failure = if is_broken {
            Error::new(ErrorKind::Status, format!("the server fails on the record of prompt {id}"))
                .with_hint("a node's output may not be JSON; look at the server's log")
        } else {
            Error::new(error.kind(), message).with_hint(hint)
        };
        Err(failure.with_prompt_id(&id).with_source(error.clone()))
    });
    job.end(outcome);
}

/// The outcome that a record tells.
fn outcome(job: &Tracked, record: Record) -> Outcome {
    match record.ending() {
        Ending::Success => {
            let mut outputs: NodeOutputs =
                record.outputs.into_iter().filter_map(|(id, output)| Some((id, output?))).collect();
            // Servers leave the outputs of cached nodes out of some records, but tell of them over the socket.
            for (id, output) in job.heard_outputs() {
                outputs.entry(id).or_insert(output);
            }
            Ok(Arc::new(outputs))
        }
        Ending::Error(Some(report)) => Err(Error::failed(report)),
        Ending::Interrupted(report) => Err(interrupted(&report)),
        _ => Err(Error::new(
            ErrorKind::Execution,
            "the prompt failed, and the server's record does not say why",
        )
        .with_hint("look at the server's log")
        .with_prompt_id(&job.prompt_id())),
    }
}

/// The outcome that the socket told, if it told all of it.
fn heard_outcome(job: &Tracked) -> Option<Outcome> {
    Some(match job.heard_end()? {
        HeardEnd::Success => Ok(Arc::new(job.heard_outputs())),
        HeardEnd::Error(report) => Err(Error::failed(report)),
        HeardEnd::Interrupted(report) => Err(interrupted(&report)),
    })
}

fn interrupted(report: &ExecutionInterrupted) -> Error {
    let (node, class) = (one_line(report.node_id.as_str(), 60), one_line(&report.node_type, 60));
    Error::new(ErrorKind::Interrupted, format!("the prompt was interrupted at node {node} ({class})"))
        .with_prompt_id(&report.prompt_id)
}

/// The outcome of a job that the server knows nothing of.
fn vanished(job: &Tracked, down_at: Option<Instant>) -> Outcome {
    if let Some(outcome) = heard_outcome(job) {
        return outcome;
    }
    let id = job.prompt_id();
    let was_down = down_at.is_some_and(|at| job.accepted_before(at));
    let error = if job.is_started() || job.has_lost_socket() || was_down {
        Error::new(
            ErrorKind::Lost,
            format!(
                "the server knows nothing of prompt {id} any more: it restarted, or somebody removed the prompt"
            ),
        )
        .with_hint("submit the workflow again")
    } else {
        Error::new(ErrorKind::Removed, format!("prompt {id} was removed from the queue before it ran"))
    };
    Err(error.with_prompt_id(&id))
}

/// Whether the server has the prompt in its queue or history.
pub(super) async fn is_known(http: &Http, prompt_id: &str) -> Result<bool> {
    let queue = queue(http).await?;
    let mut places = queue.queue_running.iter().chain(&queue.queue_pending);
    Ok(places.any(|place| place.1 == prompt_id) || record(http, prompt_id).await?.is_some())
}

async fn queue(http: &Http) -> Result<Queue<QueuePlace>> {
    http.get("api/queue").await
}

async fn record(http: &Http, prompt_id: &str) -> Result<Option<Record>> {
    let path = format!("api/history/{}", crate::http::segment(prompt_id));
    match http.get::<HashMap<String, Record>>(&path).await {
        Ok(mut records) => Ok(records.remove(prompt_id)),
        // Servers answer with an empty object, but what stands between may know better.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
