//! What the tasks of the hub share.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use comfy_protocol::{Frame, ImageFormat, Message};
use tokio::sync::{Notify, broadcast, watch};

use super::connection::Connection;
use super::server_events::{MOST_EVENTS, ServerEvent};
use super::tracked::Tracked;
use crate::http::Http;
use crate::{Error, ErrorKind, Result};

#[derive(Debug)]
pub(super) struct Core {
    pub(super) http: Http,
    jobs: Mutex<HashMap<String, Weak<Tracked>>>,
    pub(super) connection: watch::Sender<Connection>,
    /// Somebody wants a connection.
    pub(super) wanted: Notify,
    pub(super) waiting: AtomicUsize,
    losses: AtomicU64,
    /// Some job may have become due earlier than it was.
    pub(super) changed: Notify,
    /// Jobs that have left the worker, whose record can be read.
    left: Mutex<VecDeque<Arc<Tracked>>>,
    /// Some job has left the worker.
    pub(super) leaving: Notify,
    /// What the server says, for those who want to hear all of it.
    pub(super) said: broadcast::Sender<ServerEvent>,
}

/// Somebody who waits for a connection.
pub(super) struct Waiting<'a>(&'a Core);

impl<'a> Waiting<'a> {
    pub(super) fn new(core: &'a Core) -> Self {
        core.waiting.fetch_add(1, Ordering::SeqCst);
        core.wanted.notify_one();
        Self(core)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Core {
    pub(super) fn new(http: Http) -> Self {
        Self {
            http,
            jobs: Mutex::default(),
            connection: watch::Sender::new(Connection::Closed { losses: 0 }),
            wanted: Notify::new(),
            waiting: AtomicUsize::new(0),
            losses: AtomicU64::new(0),
            changed: Notify::new(),
            left: Mutex::default(),
            leaving: Notify::new(),
            said: broadcast::Sender::new(MOST_EVENTS),
        }
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<String, Weak<Tracked>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn job(&self, prompt_id: &str) -> Option<Arc<Tracked>> {
        self.jobs().get(prompt_id)?.upgrade()
    }

    /// Makes a job known, unless an open one has its id.
    pub(super) fn insert_new(&self, prompt_id: String, job: Tracked) -> Result<Arc<Tracked>> {
        let mut jobs = self.jobs();
        let other = jobs.get(&prompt_id).and_then(Weak::upgrade);
        if other.is_some_and(|job| !job.is_ended()) {
            let message = format!("prompt {prompt_id} was submitted before and has not ended");
            return Err(Error::new(ErrorKind::Conflict, message)
                .with_hint("give every submit an id of its own, or none")
                .with_prompt_id(&prompt_id));
        }
        let job = Arc::new(job);
        jobs.insert(prompt_id, Arc::downgrade(&job));
        Ok(job)
    }

    pub(super) fn insert(&self, prompt_id: String, job: Tracked) -> Arc<Tracked> {
        let job = Arc::new(job);
        self.jobs().insert(prompt_id, Arc::downgrade(&job));
        job
    }

    /// A job has another id than the one it was given.
    pub(super) fn rename(&self, job: &Arc<Tracked>, prompt_id: &str) {
        let chosen = job.prompt_id();
        if chosen != prompt_id {
            let mut jobs = self.jobs();
            jobs.remove(&chosen);
            jobs.insert(prompt_id.to_owned(), Arc::downgrade(job));
        }
    }

    pub(super) fn forget(&self, prompt_id: &str) {
        self.jobs().remove(prompt_id);
    }

    /// The jobs that somebody still holds and that have not ended.
    pub(super) fn open_jobs(&self) -> Vec<Arc<Tracked>> {
        let mut open = Vec::new();
        self.jobs().retain(|_, job| {
            let job = job.upgrade().filter(|job| !job.is_ended());
            open.extend(job.clone());
            job.is_some()
        });
        open
    }

    /// Whether a job is open or about to be submitted, or somebody wants to hear all that the server says.
    pub(super) fn is_needed(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
            || self.said.receiver_count() > 0
            || self.jobs().values().any(|job| job.upgrade().is_some_and(|job| !job.is_ended()))
    }

    pub(super) fn set_connection(&self, state: Connection) {
        tracing::debug!(?state, "socket");
        let status = state.status();
        self.connection.send_replace(state);
        self.say(|| ServerEvent::Connection(status));
    }

    /// Tells those who want to hear all; what is told is only made where there are some.
    pub(super) fn say(&self, event: impl FnOnce() -> ServerEvent) {
        if self.said.receiver_count() > 0 {
            // The last one may just have gone.
            let _ = self.said.send(event());
        }
    }

    /// The next attempt to connect is to be waited for. Returns how often a connection was lost so far.
    pub(super) fn forget_failure(&self) -> u64 {
        let losses = self.losses.load(Ordering::SeqCst);
        // Unless another attempt has succeeded meanwhile.
        self.connection.send_if_modified(|state| {
            let has_failed = matches!(state, Connection::Failed(_));
            if has_failed {
                *state = Connection::Closed { losses };
            }
            has_failed
        });
        losses
    }

    /// The connection is gone: the jobs have to be asked for, now and until they end.
    pub(super) fn lose_connection(&self) {
        let losses = self.losses.fetch_add(1, Ordering::SeqCst) + 1;
        self.set_connection(Connection::Closed { losses });
        for job in self.open_jobs() {
            job.lose_connection();
        }
        self.changed.notify_one();
    }

    /// Something was said that cannot be read; it may have been about any job.
    pub(super) fn miss_message(&self) {
        for job in self.open_jobs() {
            job.miss_message();
        }
    }

    /// A job that has left the worker, whose record can be read.
    pub(super) fn next_leaver(&self) -> Option<Arc<Tracked>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Hands a message to the job that it names.
    pub(super) fn hear(&self, message: Message) {
        self.say(|| ServerEvent::Message(Arc::new(message.clone())));
        let Some(job) = message.prompt_id().and_then(|id| self.job(id)) else {
            return;
        };
        if job.hear(message) {
            self.left.lock().unwrap_or_else(PoisonError::into_inner).push_back(job);
            self.leaving.notify_one();
        }
    }

    /// Hands a binary frame to the job that it names, or to the one that runs.
    pub(super) fn hear_frame(&self, frame: Frame, running: Option<&str>) {
        self.say(|| ServerEvent::Frame(frame.clone()));
        match frame {
            Frame::PreviewWithMetadata { metadata, data } => {
                let job = metadata.prompt_id.as_deref().or(running).and_then(|id| self.job(id));
                if let Some(job) = job {
                    let content_type = metadata.image_type.clone();
                    job.hear_picture(Some(*metadata), content_type, data);
                }
            }
            Frame::Preview { format, data } => {
                let content_type = match format {
                    ImageFormat::Png => "image/png",
                    _ => "image/jpeg",
                };
                if let Some(job) = running.and_then(|id| self.job(id)) {
                    job.hear_picture(None, content_type.into(), data);
                }
            }
            Frame::Text { node, text } => {
                if let Some(job) = running.and_then(|id| self.job(id)) {
                    job.hear_text(node, text);
                }
            }
            other => tracing::trace!(?other, "frame"),
        }
    }
}
