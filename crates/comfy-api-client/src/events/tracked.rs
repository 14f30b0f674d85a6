use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use comfy_protocol::{ExecutionError, ExecutionInterrupted, Message, NodeState, PreviewMetadata};
use comfy_workflow::NodeId;
use indexmap::IndexMap;
use serde_json::Number;
use tokio::sync::watch;
use tokio::time::Instant;

use super::buffer::Buffer;
use super::{Event, Preview, Progress};
use crate::outputs::NodeOutputs;
use crate::{Error, Result};

/// First pause between two questions about a job that no socket speaks of; doubles up to [`SLOWEST_POLL`].
pub(super) const FASTEST_POLL: Duration = Duration::from_millis(50);
const SLOWEST_POLL: Duration = Duration::from_secs(1);
/// Longest pause between two questions about a job that waits quietly while its socket is well.
const SLOWEST_CHECK: Duration = Duration::from_secs(10);
/// How often in a row the server must know nothing of a job before it is gone.
const MISSING_AT_MOST: u32 = 2;
/// The same where messages that tell of its end may still be on their way.
const MISSING_WHILE_HEARD: u32 = 5;

/// How a job ended.
pub(crate) type Outcome = Result<Arc<NodeOutputs>>;

/// A job that the hub follows: what was heard of it, and when to ask for it.
#[derive(Debug)]
pub(crate) struct Tracked {
    nodes: HashSet<NodeId>,
    silence: Duration,
    state: Mutex<State>,
    outcome: watch::Sender<Option<Outcome>>,
}

#[derive(Debug)]
struct State {
    prompt_id: String,
    /// Whether there is a connection that hears of the job.
    heard: bool,
    accepted: bool,
    cancelled: bool,
    started: bool,
    /// What the socket said of the end: the record is about to be there.
    heard_end: Option<HeardEnd>,
    /// Whether every message was heard, up to that of the end.
    gapless: bool,
    outputs: NodeOutputs,
    progress: Progress,
    /// When to ask the server about the job, and the pause after that.
    due: Instant,
    pause: Duration,
    /// How often in a row the server knew nothing of the job.
    missing: u32,
    /// Since when no question about the job was answered.
    unanswered_since: Option<Instant>,
    /// Since when the server fails on the job's record.
    broken_since: Option<Instant>,
    /// Whether the server was out of reach for a time, in which it may have restarted.
    lost_touch: bool,
    buffers: Vec<Arc<Buffer>>,
    /// The buffer from the job's beginning, until its first reader takes it.
    first: Option<Arc<Buffer>>,
}

/// How a run ended, as the socket told it.
#[derive(Debug, Clone)]
pub(super) enum HeardEnd {
    Success,
    Error(Box<ExecutionError>),
    Interrupted(ExecutionInterrupted),
}

impl Tracked {
    pub(crate) fn new(prompt_id: String, nodes: HashSet<NodeId>, heard: bool, silence: Duration) -> Self {
        let first = Arc::new(Buffer::default());
        let pause = if heard { silence } else { FASTEST_POLL };
        let state = State {
            prompt_id,
            heard,
            gapless: heard,
            accepted: false,
            cancelled: false,
            started: false,
            heard_end: None,
            outputs: IndexMap::new(),
            progress: Progress::new(nodes.len()),
            due: Instant::now() + pause,
            pause,
            missing: 0,
            unanswered_since: None,
            broken_since: None,
            lost_touch: false,
            buffers: vec![Arc::clone(&first)],
            first: Some(first),
        };
        Self { nodes, silence, state: Mutex::new(state), outcome: watch::Sender::new(None) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn prompt_id(&self) -> String {
        self.lock().prompt_id.clone()
    }

    /// The server took the job, under an id that may not be the one it was given.
    pub(crate) fn accept(&self, prompt_id: &str) {
        let mut state = self.lock();
        state.accepted = true;
        if state.prompt_id != prompt_id {
            prompt_id.clone_into(&mut state.prompt_id);
            state.miss_message();
            state.ask_now(self.silence);
        }
    }

    /// The job was taken out of the queue, if it waited there: of that comes no message.
    pub(super) fn cancel(&self) {
        let mut state = self.lock();
        state.cancelled = true;
        state.ask_now(self.silence);
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.outcome.borrow().is_some()
    }

    /// Waits for the end.
    pub(crate) async fn outcome(&self) -> Outcome {
        let mut receiver = self.outcome.subscribe();
        match receiver.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or_else(|| Err(gone())),
            Err(_) => Err(gone()),
        }
    }

    /// Ends the job. Only the first end counts.
    pub(super) fn end(&self, outcome: Outcome) {
        let last = outcome.as_ref().map(|_| Event::Finished).map_err(Clone::clone);
        let first_end = self.outcome.send_if_modified(|slot| {
            let first_end = slot.is_none();
            if first_end {
                *slot = Some(outcome);
            }
            first_end
        });
        if first_end {
            for buffer in self.lock().buffers.drain(..) {
                buffer.close(last.clone());
            }
        }
    }

    pub(super) fn subscribe(&self) -> Arc<Buffer> {
        let mut state = self.lock();
        if let Some(first) = state.first.take() {
            return first;
        }
        let buffer = Arc::new(Buffer::default());
        match &*self.outcome.borrow() {
            Some(outcome) => buffer.close(outcome.as_ref().map(|_| Event::Finished).map_err(Clone::clone)),
            None => state.buffers.push(Arc::clone(&buffer)),
        }
        buffer
    }

    /// Nobody will read the events from the job's beginning.
    pub(crate) fn drop_first_buffer(&self) {
        let mut state = self.lock();
        if let Some(first) = state.first.take() {
            state.buffers.retain(|other| !Arc::ptr_eq(other, &first));
        }
    }

    pub(super) fn unsubscribe(&self, buffer: &Arc<Buffer>) {
        self.lock().buffers.retain(|other| !Arc::ptr_eq(other, buffer));
    }

    /// Takes a message in. Returns whether the job has left the worker, so that its record can be read now.
    pub(super) fn hear(&self, message: Message) -> bool {
        let mut state = self.lock();
        state.hear(self.silence);
        match message {
            Message::ExecutionStart(_) => state.start(),
            Message::ExecutionCached(cached) => {
                state.progress.nodes_done = cached.nodes.iter().filter(|id| self.nodes.contains(*id)).count();
                state.emit(Event::Cached(cached.nodes));
            }
            Message::ProgressState(progress) => {
                let total = self.nodes.len().max(1) as f64;
                let mut done = 0.0;
                let mut finished = 0;
                for node in progress.nodes.values().filter(|node| self.nodes.contains(&node.node_id)) {
                    finished += usize::from(node.state == NodeState::Finished);
                    done +=
                        if node.state == NodeState::Finished { 1.0 } else { share(&node.value, &node.max) };
                }
                // Cached nodes are not in the list unless they have outputs, so the count never falls.
                state.progress.nodes_done = state.progress.nodes_done.max(finished);
                let share = (done / total)
                    .max(state.progress.nodes_done as f64 / total)
                    .max(state.progress.overall());
                state.progress.set_overall(share);
                let progress = state.progress.clone();
                state.emit(Event::Progress(progress));
            }
            Message::Executing(executing) => match executing.node {
                Some(node) => {
                    state.progress.node = Some(node.clone());
                    (state.progress.value, state.progress.max) = (0.0, 0.0);
                    state.emit(Event::Executing(node));
                }
                None => return true,
            },
            Message::Progress(progress) => {
                state.progress.node = progress.node;
                state.progress.value = progress.value.as_f64().unwrap_or_default();
                state.progress.max = progress.max.as_f64().unwrap_or_default();
                let progress = state.progress.clone();
                state.emit(Event::Progress(progress));
            }
            Message::Executed(executed) => {
                if let Some(output) = executed.output {
                    state.outputs.insert(executed.node.clone(), output.clone());
                    state.emit(Event::Executed(executed.node, output));
                }
            }
            Message::ExecutionError(error) if error.is_blocked() => state.emit(Event::Blocked(error)),
            Message::ExecutionSuccess(_) => state.heard_end = Some(HeardEnd::Success),
            Message::ExecutionError(error) => state.heard_end = Some(HeardEnd::Error(error)),
            Message::ExecutionInterrupted(report) => state.heard_end = Some(HeardEnd::Interrupted(report)),
            other => {
                // A message of the end or of outputs, in a form not known here, leaves what was heard incomplete.
                if matches!(&other, Message::Other { kind, .. } if kind.starts_with("execut")) {
                    state.gapless = false;
                }
                state.emit(Event::Other(other));
            }
        }
        false
    }

    /// Takes a preview picture in.
    pub(super) fn hear_preview(&self, metadata: Option<PreviewMetadata>, content_type: String, bytes: Bytes) {
        let mut state = self.lock();
        state.hear(self.silence);
        let node = metadata.and_then(|metadata| metadata.display_node_id.or(metadata.node_id));
        let node = node.or_else(|| state.progress.node.clone());
        state.emit(Event::Preview(Preview { node, content_type, bytes }));
    }

    /// The connection is gone.
    pub(super) fn lose_connection(&self) {
        let mut state = self.lock();
        if std::mem::take(&mut state.heard) {
            state.lost_touch = true;
            state.miss_message();
            state.ask_now(self.silence);
        }
    }

    /// A message that may have been about the job was not understood.
    pub(super) fn miss_message(&self) {
        self.lock().miss_message();
    }

    /// When to ask the server about the job; `None` while it has not been accepted.
    pub(super) fn due(&self) -> Option<Instant> {
        let state = self.lock();
        state.accepted.then_some(state.due)
    }

    /// The server has the job in its queue.
    pub(super) fn is_alive(&self, running: bool) {
        let mut state = self.lock();
        state.be_told();
        if running {
            state.start();
        }
        state.ask_later();
    }

    /// The server knows nothing of the job. Returns whether that was so often enough in a row.
    pub(super) fn is_missing(&self) -> bool {
        let mut state = self.lock();
        let missing = state.missing;
        state.be_told();
        state.missing = missing + 1;
        state.due = Instant::now() + FASTEST_POLL * (1 << missing);
        let at_most = if state.heard && !state.cancelled { MISSING_WHILE_HEARD } else { MISSING_AT_MOST };
        state.missing >= at_most
    }

    /// A question about the job was not answered. Returns for how long none was.
    pub(super) fn is_unanswered(&self) -> Duration {
        let mut state = self.lock();
        state.ask_later();
        state.lost_touch = true;
        state.broken_since = None;
        let now = Instant::now();
        now.duration_since(*state.unanswered_since.get_or_insert(now))
    }

    /// The server failed on the job's record. Returns for how long it has.
    pub(super) fn is_broken(&self) -> Duration {
        let mut state = self.lock();
        state.ask_later();
        let now = Instant::now();
        now.duration_since(*state.broken_since.get_or_insert(now))
    }

    /// Whether a job that the server knows nothing of may have been lost by it: one that waited was removed else.
    pub(super) fn may_be_lost(&self) -> bool {
        let state = self.lock();
        state.started || (state.lost_touch && !state.cancelled)
    }

    /// How the job ended, where the socket told all of it: what was heard is then the whole truth.
    pub(super) fn heard_end(&self) -> Option<HeardEnd> {
        let state = self.lock();
        state.heard_end.clone().filter(|_| state.gapless)
    }

    /// The outputs that were heard of.
    pub(super) fn heard_outputs(&self) -> NodeOutputs {
        self.lock().outputs.clone()
    }
}

impl State {
    fn emit(&mut self, event: Event) {
        let Some((last, others)) = self.buffers.split_last() else {
            return;
        };
        for buffer in others {
            buffer.push(Ok(event.clone()));
        }
        last.push(Ok(event));
    }

    fn start(&mut self) {
        if !std::mem::replace(&mut self.started, true) {
            self.emit(Event::Started);
        }
    }

    /// Something was learned of the job, be it that there is nothing to learn.
    fn be_told(&mut self) {
        self.missing = 0;
        self.unanswered_since = None;
        self.broken_since = None;
    }

    fn hear(&mut self, silence: Duration) {
        self.be_told();
        if self.heard {
            self.pause = silence;
            self.due = Instant::now() + silence;
        }
    }

    /// Messages were or will be missed. After that of the end there are none to miss.
    fn miss_message(&mut self) {
        if self.heard_end.is_none() && std::mem::take(&mut self.gapless) {
            self.emit(Event::Gap);
        }
    }

    fn ask_now(&mut self, silence: Duration) {
        self.pause = if self.heard { silence } else { FASTEST_POLL };
        self.due = Instant::now();
    }

    fn ask_later(&mut self) {
        self.due = Instant::now() + self.pause;
        let slowest = if self.heard { SLOWEST_CHECK } else { SLOWEST_POLL };
        self.pause = (self.pause * 2).min(slowest);
    }
}

fn share(value: &Number, max: &Number) -> f64 {
    match (value.as_f64(), max.as_f64()) {
        (Some(value), Some(max)) if max > 0.0 => (value / max).clamp(0.0, 1.0),
        _ => 0.0,
    }
}

fn gone() -> Error {
    Error::new(crate::ErrorKind::Disconnected, "the client was closed")
}
