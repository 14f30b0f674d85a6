//! The task that asks the server about jobs: what ends a job is the server's record, never the socket alone.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep, sleep_until};

use super::core::Core;
use super::pace::FASTEST_POLL;
use super::record::{self, Places};
use super::tracked::Tracked;
use crate::http::Http;
use crate::{Error, ErrorKind};

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
/// How many times longer than asking about jobs took it is not done again, and for how long at most.
const REST: u32 = 4;
const LONGEST_REST: Duration = Duration::from_secs(10);
/// For how long a server may fail on a record before it counts as broken.
const BROKEN_RECORD: Duration = Duration::from_secs(3);

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
            Some(took) = sweeps.next() => {
                let took: Duration = took;
                // Asking for a long queue takes the server a while, and it has other things to do.
                let rest = Instant::now() + (took * REST).min(LONGEST_REST);
                next = core.open_jobs().iter().filter_map(|job| job.due()).min().map(|due| due.max(rest));
            }
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
        match record::of(http, &job.prompt_id()).await {
            Ok(Some(record)) => return job.end(record::outcome(&job, record)),
            Ok(None) | Err(_) => match pauses.next() {
                Some(pause) => sleep(*pause).await,
                None => break,
            },
        }
    }
    // The record was cleared, or cannot be given out.
    if let Some(outcome) = record::heard_outcome(&job) {
        job.end(outcome);
    }
}

/// Asks about every job that is due, and tells how long the server took to tell its queue.
async fn sweep(core: &Core) -> Duration {
    let now = Instant::now();
    let due: Vec<Arc<Tracked>> =
        core.open_jobs().into_iter().filter(|job| job.due().is_some_and(|due| due <= now)).collect();
    if due.is_empty() {
        return Duration::ZERO;
    }
    tracing::debug!(jobs = due.len(), "asking about jobs");
    // The queue first: a job that is not there any more has its record already, since both change in one step.
    let asked = Instant::now();
    let (places, failure) = match record::places(&core.http).await {
        Ok(places) => (places, None),
        Err(error) if error.is_retryable() => {
            due.iter().for_each(|job| wait_or_give_up(core, job, &error));
            return Duration::ZERO;
        }
        // A server that fails on its queue may have the records all the same.
        Err(error) => (Places::default(), Some(error)),
    };
    let took = asked.elapsed();
    let mut absent = Vec::new();
    for job in due {
        match places.of(&job.prompt_id()) {
            Some(place) => job.is_at(place),
            None => absent.push(job),
        }
    }
    let answers = futures_util::stream::iter(absent).map(|job| async move {
        let answer = record::of(&core.http, &job.prompt_id()).await;
        (job, answer)
    });
    let mut answers = answers.buffer_unordered(MOST_AT_ONCE);
    while let Some((job, answer)) = answers.next().await {
        match (answer, &failure) {
            (Ok(Some(record)), _) => job.end(record::outcome(&job, record)),
            (Ok(None), None) if job.is_missing() => job.end(record::vanished(&job)),
            (Ok(None), None) => {}
            (Err(error), None) if error.status() == Some(500) => wait_or_say_broken(&job, error),
            (Ok(None), Some(error)) => wait_or_give_up(core, &job, error),
            (Err(error), _) => wait_or_give_up(core, &job, &error),
        }
    }
    took
}

/// A question about a job was not answered: it is asked again, but not for ever.
fn wait_or_give_up(core: &Core, job: &Tracked, error: &Error) {
    tracing::debug!(%error, "the server does not tell about a job");
    let limit = core.http.settings().give_up_after;
    if job.is_unanswered() < limit {
        return;
    }
    let id = job.prompt_id();
    job.end(record::heard_outcome(job).unwrap_or_else(|| {
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
    job.end(record::heard_outcome(job).unwrap_or_else(|| {
        Err(Error::new(ErrorKind::Status, format!("the server fails on the record of prompt {id}"))
            .with_hint("a node's output may not be JSON; look at the server's log")
            .with_prompt_id(&id)
            .with_source(error))
    }));
}
