//! What the server knows of a prompt, and what that means for its job.

use std::collections::HashMap;
use std::sync::Arc;

use comfy_protocol::routes::history::{Ending, HistoryEntry};
use comfy_protocol::routes::queue::{Queue, QueuePlace};
use comfy_protocol::{ExecutionInterrupted, route};
use serde::de::IgnoredAny;

use super::story::HeardEnd;
use super::tracked::{Outcome, Tracked};
use super::{Place, Queued};
use crate::http::Http;
use crate::outputs::{Gains, NodeOutputs};
use crate::text::one_line;
use crate::{Error, ErrorKind, Result};

pub(crate) type Record = HistoryEntry<IgnoredAny>;

/// Where the prompts of the queue are.
#[derive(Debug, Default)]
pub(crate) struct Places {
    running: Vec<String>,
    /// Positions of those that wait, from 1.
    waiting: HashMap<String, usize>,
}

impl Places {
    /// Where a prompt is, if it is in the queue.
    pub(crate) fn of(&self, prompt_id: &str) -> Option<Place> {
        if self.running.iter().any(|id| id == prompt_id) {
            return Some(Place::Running);
        }
        let queued = Queued { position: *self.waiting.get(prompt_id)?, waiting: self.waiting.len() };
        Some(Place::Waiting { queued, running: self.running.clone() })
    }
}

/// Asks for the queue.
pub(crate) async fn places(http: &Http) -> Result<Places> {
    let queue: Queue<QueuePlace> = http.call(route::QUEUE, &[]).once().read().await?;
    let waiting = queue.pending_in_order().into_iter().zip(1..);
    Ok(Places {
        waiting: waiting.map(|(id, position)| (id.to_owned(), position)).collect(),
        running: queue.queue_running.into_iter().map(|place| place.1).collect(),
    })
}

/// Asks for the record of a prompt that has ended.
pub(crate) async fn of(http: &Http, prompt_id: &str) -> Result<Option<Record>> {
    match http.call(route::HISTORY_OF, &[prompt_id]).once().read::<HashMap<String, Record>>().await {
        Ok(mut records) => Ok(records.remove(prompt_id)),
        // Servers answer with an empty object, but what stands between may know better.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the server has the prompt in its queue or history.
pub(crate) async fn is_known(http: &Http, prompt_id: &str) -> Result<bool> {
    Ok(places(http).await?.of(prompt_id).is_some() || of(http, prompt_id).await?.is_some())
}

/// What the server's record says that a job gave, or why it did not.
pub(crate) fn gains(prompt_id: &str, record: Record) -> Result<NodeOutputs> {
    match record.ending() {
        Ending::Success => {
            Ok(record.outputs.into_iter().filter_map(|(id, output)| Some((id, output?))).collect())
        }
        Ending::Error(Some(report)) => Err(Error::failed(report)),
        Ending::Interrupted(report) => Err(interrupted(&report)),
        _ => Err(Error::new(
            ErrorKind::Execution,
            "the prompt failed, and the server's record does not say why",
        )
        .with_hint("look at the server's log")
        .with_prompt_id(prompt_id)),
    }
}

/// The outcome of a job that has a record.
pub(super) fn outcome(job: &Tracked, record: Record) -> Outcome {
    let cached = record.cached();
    let mut nodes = gains(&job.prompt_id(), record)?;
    let missed = job.missed_images();
    if !missed.is_empty() {
        return Err(incomplete(job, &missed));
    }
    let heard = job.gains();
    // Servers leave the outputs of cached nodes out of some records, but tell of them over the socket.
    for (id, output) in heard.nodes {
        nodes.entry(id).or_insert(output);
    }
    let cached = if heard.cached.is_empty() { cached } else { heard.cached };
    Ok(Arc::new(Gains { nodes, images: heard.images, cached }))
}

/// The outcome that the socket told, if it told all of it.
pub(super) fn heard_outcome(job: &Tracked) -> Option<Outcome> {
    Some(match job.heard_end()? {
        HeardEnd::Success => Ok(Arc::new(job.gains())),
        HeardEnd::Error(report) => Err(Error::failed(report)),
        HeardEnd::Interrupted(report) => Err(interrupted(&report)),
    })
}

fn interrupted(report: &ExecutionInterrupted) -> Error {
    let (node, class) = (one_line(report.node_id.as_str(), 60), one_line(&report.node_type, 60));
    Error::new(ErrorKind::Interrupted, format!("the prompt was interrupted at node {node} ({class})"))
        .with_prompt_id(&report.prompt_id)
}

/// A job that is done, of whose pictures some came over a socket that was not heard all the time.
fn incomplete(job: &Tracked, nodes: &[comfy_workflow::NodeId]) -> Error {
    let id = job.prompt_id();
    let nodes: Vec<String> = nodes.iter().map(|node| one_line(node.as_str(), 60)).collect();
    let message = format!(
        "prompt {id} is done, but pictures that node {} sends over the WebSocket may have been missed",
        nodes.join(", ")
    );
    Error::new(ErrorKind::Incomplete, message)
        .with_hint("follow it by WebSocket when it runs again, or save them as files, which cannot be missed; ask for the prompt by its id for its other outputs")
        .with_prompt_id(&id)
}

/// The outcome of a job that the server knows nothing of.
pub(super) fn vanished(job: &Tracked) -> Outcome {
    if let Some(outcome) = heard_outcome(job) {
        return outcome;
    }
    let id = job.prompt_id();
    let error = if job.may_be_lost() {
        let message = format!(
            "the server knows nothing of prompt {id} any more: it restarted, or somebody removed the prompt or its record"
        );
        Error::new(ErrorKind::Lost, message)
            .with_hint("submit the workflow again, unless its outputs are there already")
    } else if job.surely_has_not_run() {
        Error::new(ErrorKind::Removed, format!("prompt {id} was removed from the queue before it ran"))
    } else {
        let message =
            format!("prompt {id} was removed: from the queue before it ran, or its record after it ran");
        Error::new(ErrorKind::Removed, message)
            .with_hint("see whether its outputs are there before it is run again")
    };
    Err(error.with_prompt_id(&id))
}
