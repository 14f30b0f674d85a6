use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use comfy_protocol::{Message, PreviewMetadata};
use comfy_workflow::NodeId;
use tokio::sync::watch;
use tokio::time::Instant;

use super::buffer::{Buffer, Buffers};
use super::pace::Pace;
use super::story::{HeardEnd, Listener, Nodes, Story};
use super::{Event, Place, Stall};
use crate::config::Settings;
use crate::outputs::Gains;
use crate::{Error, ErrorKind, Result};

/// How a job ended.
pub(crate) type Outcome = Result<Arc<Gains>>;

/// A job that the hub follows: what was heard of it, and when to ask for it.
#[derive(Debug)]
pub(crate) struct Tracked {
    state: Mutex<State>,
    outcome: watch::Sender<Option<Outcome>>,
    span: tracing::Span,
}

#[derive(Debug)]
struct State {
    prompt_id: String,
    accepted: bool,
    /// Whether a message named it.
    was_heard: bool,
    /// How many are about to take it out of the queue, and whether one did.
    removals: usize,
    removed: bool,
    /// Whether the server was out of reach for a time, in which it may have restarted.
    lost_touch: bool,
    /// Whether a gap was told and not yet that the server knows the job after it.
    in_gap: bool,
    /// Where the server said that the job is.
    place: Option<Place>,
    story: Story,
    pace: Pace,
    buffers: Buffers,
}

impl Tracked {
    pub(crate) fn new(prompt_id: String, nodes: Nodes, heard: bool, settings: &Settings) -> Self {
        let span = tracing::info_span!("job", prompt_id);
        let state = State {
            prompt_id,
            accepted: false,
            was_heard: false,
            removals: 0,
            removed: false,
            lost_touch: false,
            in_gap: false,
            place: None,
            story: Story::new(nodes, heard),
            pace: Pace::new(heard, settings.silence, settings.stall_after),
            buffers: Buffers::default(),
        };
        Self { state: Mutex::new(state), outcome: watch::Sender::new(None), span }
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
        if !std::mem::replace(&mut state.accepted, true) {
            tracing::debug!(parent: &self.span, "accepted");
        }
        if state.prompt_id != prompt_id {
            prompt_id.clone_into(&mut state.prompt_id);
            state.miss_message();
            state.pace.ask_now();
        }
    }

    /// The job is about to be taken out of the queue, until what is returned is dropped.
    pub(super) fn begin_removal(self: Arc<Self>) -> Removal {
        self.lock().removals += 1;
        Removal(self)
    }

    /// The job was taken out of the queue: of that comes no message.
    pub(super) fn remove(&self) {
        let mut state = self.lock();
        state.removed = true;
        state.pace.ask_now();
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.outcome.borrow().is_some()
    }

    /// Whether the job has ended and does not go on at the server.
    pub(crate) fn is_ended_for_good(&self) -> bool {
        self.outcome.borrow().as_ref().is_some_and(|outcome| match outcome {
            Ok(_) => true,
            Err(error) => !error.may_go_on(),
        })
    }

    /// Whether the job is known to have left the queue to run.
    pub(super) fn has_started(&self) -> bool {
        self.lock().story.started
    }

    /// Whether the server has said anything of the job.
    pub(crate) fn was_heard(&self) -> bool {
        self.lock().was_heard
    }

    /// Waits for the end.
    pub(crate) async fn outcome(&self) -> Outcome {
        let mut receiver = self.outcome.subscribe();
        match receiver.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or_else(|| Err(gone())),
            Err(_) => Err(gone()),
        }
    }

    /// Ends the job at a time, unless it has ended before.
    pub(crate) fn end_at(self: &Arc<Self>, end: Instant, limit: Duration) {
        let job = Arc::downgrade(self);
        let mut outcome = self.outcome.subscribe();
        tokio::spawn(async move {
            // It ends with the job, or when nobody holds that any more.
            let ended = outcome.wait_for(Option::is_some);
            if tokio::time::timeout_at(end, ended).await.is_ok() {
                return;
            }
            let Some(job) = job.upgrade() else { return };
            let id = job.prompt_id();
            let message = format!("prompt {id} has not ended within {limit:?}, and goes on at the server");
            let error = Error::new(ErrorKind::Timeout, message)
                .with_hint("follow it again by its id, or cancel it")
                .with_prompt_id(&id)
                .about_a_prompt_that_may_go_on();
            job.end(Err(error));
        });
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
            match &last {
                Ok(_) => tracing::debug!(parent: &self.span, "finished"),
                Err(error) => tracing::debug!(parent: &self.span, %error, "ended with an error"),
            }
            self.lock().buffers.close(&last);
        }
    }

    pub(super) fn subscribe(&self) -> Arc<Buffer> {
        let mut state = self.lock();
        // Under the lock: an end that comes at the same time closes the buffers after this.
        let last = self.outcome.borrow().as_ref().map(|outcome| match outcome {
            Ok(_) => Ok(Event::Finished),
            Err(error) => Err(error.clone()),
        });
        if !state.story.started && !std::mem::replace(&mut state.pace.watched, true) {
            state.pace.ask_now();
        }
        state.buffers.subscribe(last)
    }

    /// Nobody will read the events from the job's beginning.
    pub(crate) fn drop_first_buffer(&self) {
        self.lock().buffers.drop_first();
    }

    pub(super) fn unsubscribe(&self, buffer: &Arc<Buffer>) {
        self.lock().buffers.unsubscribe(buffer);
    }

    /// Takes a message in. Returns whether the job has left the worker, so that its record can be read now.
    pub(super) fn hear(&self, message: Message) -> bool {
        let state = &mut *self.lock();
        state.was_heard = true;
        state.pace.hear();
        state.story.hear(message, &mut state.buffers)
    }

    /// Takes a picture in.
    pub(super) fn hear_picture(&self, metadata: Option<PreviewMetadata>, content_type: String, bytes: Bytes) {
        let state = &mut *self.lock();
        state.pace.hear();
        state.story.hear_picture(metadata, content_type, bytes, &mut state.buffers);
    }

    /// Takes a text in that a node of the running prompt shows.
    pub(super) fn hear_text(&self, node: NodeId, text: String) {
        let state = &mut *self.lock();
        state.pace.hear();
        state.story.hear_text(node, text, &mut state.buffers);
    }

    /// The connection is gone.
    pub(super) fn lose_connection(&self) {
        let mut state = self.lock();
        if state.pace.lose_connection() {
            state.lost_touch = true;
            state.miss_message();
        }
    }

    /// A message that may have been about the job was not understood.
    pub(super) fn miss_message(&self) {
        self.lock().miss_message();
    }

    /// When to ask the server about the job; `None` while it has not been accepted.
    pub(super) fn due(&self) -> Option<Instant> {
        let state = self.lock();
        state.accepted.then(|| state.pace.due())
    }

    /// The server has the job in its queue.
    pub(super) fn is_at(&self, place: Place) {
        let state = &mut *self.lock();
        state.pace.be_told();
        let is_waiting = matches!(place, Place::Waiting { .. });
        let before = state.place.replace(place.clone());
        if before.as_ref() != Some(&place) {
            if before.as_ref().is_none_or(|before| place.is_ahead_of(before)) {
                state.pace.live();
            }
            match &place {
                Place::Running => state.story.start(&mut state.buffers),
                Place::Waiting { queued, .. } => {
                    let before = match &before {
                        Some(Place::Waiting { queued, .. }) => Some(queued.position),
                        _ => None,
                    };
                    // A message may have told meanwhile that the job runs.
                    if before != Some(queued.position) && !state.story.started {
                        state.buffers.emit(|| Event::Queued(*queued));
                    }
                }
            }
        }
        if std::mem::take(&mut state.in_gap) {
            state.buffers.emit(|| Event::Recovered);
        }
        if let Some(quiet_for) = state.pace.stall() {
            let stall = Stall { quiet_for, place, node: state.story.progress.node.clone() };
            tracing::warn!(parent: &self.span, "{stall}");
            state.buffers.emit(|| Event::Stalled(stall));
        }
        state.pace.ask_later(is_waiting);
    }

    /// The server knows nothing of the job. Returns whether that was so often enough in a row.
    pub(super) fn is_missing(&self) -> bool {
        let mut state = self.lock();
        let surely = state.removed;
        let is_gone = state.pace.miss(surely);
        // Why it is gone is about to be known.
        is_gone && (surely || state.removals == 0)
    }

    /// A question about the job was not answered. Returns for how long none was.
    pub(super) fn is_unanswered(&self) -> Duration {
        let mut state = self.lock();
        state.lost_touch = true;
        state.pace.go_unanswered()
    }

    /// The server failed on the job's record. Returns for how long it has.
    pub(super) fn is_broken(&self) -> Duration {
        self.lock().pace.be_broken()
    }

    /// Whether a job that the server knows nothing of may have been lost by it: one that waited was removed else.
    pub(super) fn may_be_lost(&self) -> bool {
        let state = self.lock();
        state.story.started || (state.lost_touch && !state.removed)
    }

    /// Whether it is sure that a job that is gone has not run: a message would have told, or it was taken out by us.
    pub(super) fn surely_has_not_run(&self) -> bool {
        let state = self.lock();
        state.removed || state.story.is_gapless()
    }

    /// How the job ended, where the socket told all of it: what was heard is then the whole truth.
    pub(super) fn heard_end(&self) -> Option<HeardEnd> {
        self.lock().story.heard_end()
    }

    /// What was heard that the job gave.
    pub(super) fn gains(&self) -> Gains {
        self.lock().story.gains()
    }

    /// The nodes whose pictures may have been missed.
    pub(super) fn missed_images(&self) -> Vec<NodeId> {
        self.lock().story.missed_images().to_vec()
    }
}

/// An attempt to take a job out of the queue.
#[derive(Debug)]
pub(crate) struct Removal(Arc<Tracked>);

impl Drop for Removal {
    fn drop(&mut self) {
        self.0.lock().removals -= 1;
    }
}

impl State {
    fn miss_message(&mut self) {
        self.in_gap |= self.story.miss_message(&mut self.buffers);
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Disconnected, "the client was closed")
}
