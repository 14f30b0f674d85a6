//! The task that asks the server about jobs: what ends a job is the server's record, never the socket alone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use comfy_protocol::routes::history::{Ending, HistoryEntry};
use comfy_protocol::routes::queue::{Queue, QueuePlace};
use comfy_protocol::{ExecutionInterrupted, route};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde::de::IgnoredAny;
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

type Record = HistoryEntry<IgnoredAny>;

pub(super) async fn run(core: Arc<Core>) {
    let _end = EndOfTask(&core);
    let mut records = FuturesUnordered::new();
    // At most one, beside the records, which must not wait for it.
    let mut sweeps = FuturesUnordered::new();
    let mut next: Option<Instant> = None;
    loop {
        while records.len() < MOST_AT_ONCE
            && let Some(job) = core.next_leaver()
        {
            records.push(end_by_record(&core.http, job));
        }
        let due = async {
            match next {
                Some(next) => sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(()) = records.next() => {}
            () = core.leaving.notified() => {}
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

/// Lets nobody wait for a job that is not followed any more, such as when the runtime of this task has ended.
struct EndOfTask<'a>(&'a Core);

impl Drop for EndOfTask<'_> {
    fn drop(&mut self) {
        for job in self.0.open_jobs() {
            let error = Error::new(ErrorKind::Disconnected, "the runtime that followed the job has ended");
            let hint = "ask for the prompt by its id, and keep the runtime of a client's first submit";
            job.end(Err(error.with_hint(hint).with_prompt_id(&job.prompt_id())));
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
    let (places, failure) = match queue(&core.http).await {
        Ok(queue) => (places(queue), None),
        Err(error) if error.is_retryable() => {
            due.iter().for_each(|job| wait_or_give_up(core, job, &error));
            return;
        }
        // A server that fails on its queue may have the records all the same.
        Err(error) => (HashMap::new(), Some(error)),
    };
    let mut absent = Vec::new();
    for job in due {
        match places.get(&job.prompt_id()) {
            Some(running) => job.is_alive(*running),
            None => absent.push(job),
        }
    }
    let answers = futures_util::stream::iter(absent).map(|job| async move {
        let answer = record(&core.http, &job.prompt_id()).await;
        (job, answer)
    });
    let mut answers = answers.buffer_unordered(MOST_AT_ONCE);
    while let Some((job, answer)) = answers.next().await {
        match (answer, &failure) {
            (Ok(Some(record)), _) => job.end(outcome(&job, record)),
            (Ok(None), None) if job.is_missing() => job.end(vanished(&job)),
            (Ok(None), None) => {}
            (Err(error), None) if error.status() == Some(500) => wait_or_say_broken(&job, error),
            (Ok(None), Some(error)) => wait_or_give_up(core, &job, error),
            (Err(error), _) => wait_or_give_up(core, &job, &error),
        }
    }
}

/// The prompts that are in the queue, and whether they run.
fn places(queue: Queue<QueuePlace>) -> HashMap<String, bool> {
    let running = queue.queue_running.into_iter().map(|place| (place.1, true));
    running.chain(queue.queue_pending.into_iter().map(|place| (place.1, false))).collect()
}

/// A question about a job was not answered: it is asked again, but not for ever.
fn wait_or_give_up(core: &Core, job: &Tracked, error: &Error) {
    tracing::debug!(%error, "the server does not tell about a job");
    let limit = core.http.settings().give_up_after;
    if job.is_unanswered() < limit {
        return;
    }
    let id = job.prompt_id();
    job.end(heard_outcome(job).unwrap_or_else(|| {
        let message = format!("{} has not told about prompt {id} for {limit:?}", core.http.address());
        Err(Error::new(error.kind(), message)
            .with_hint("the prompt may still be there; ask for it by its id when the server is well")
            .with_prompt_id(&id)
            .about_a_prompt_that_may_go_on()
            .with_source(error.clone()))
    }));
}

/// The server failed on the record of a job: it does so for good, but it may have been for another reason.
fn wait_or_say_broken(job: &Tracked, error: Error) {
    tracing::debug!(%error, "the server fails on a record");
    if job.is_broken() < BROKEN_RECORD {
        return;
    }
    let id = job.prompt_id();
    job.end(heard_outcome(job).unwrap_or_else(|| {
        Err(Error::new(ErrorKind::Status, format!("the server fails on the record of prompt {id}"))
            .with_hint("a node's output may not be JSON; look at the server's log")
            .with_prompt_id(&id)
            .with_source(error))
    }));
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
fn vanished(job: &Tracked) -> Outcome {
    if let Some(outcome) = heard_outcome(job) {
        return outcome;
    }
    let id = job.prompt_id();
    let error = if job.may_be_lost() {
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
    http.call(route::QUEUE, &[]).once().read().await
}

async fn record(http: &Http, prompt_id: &str) -> Result<Option<Record>> {
    match http.call(route::HISTORY_OF, &[prompt_id]).once().read::<HashMap<String, Record>>().await {
        Ok(mut records) => Ok(records.remove(prompt_id)),
        // Servers answer with an empty object, but what stands between may know better.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
