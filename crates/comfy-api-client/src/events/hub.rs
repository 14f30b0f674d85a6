use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use comfy_protocol::{Frame, ImageFormat, Message};
use comfy_workflow::NodeId;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::reconcile;
use super::socket;
use super::tracked::Tracked;
use crate::config::Tracking;
use crate::http::Http;
use crate::{Error, ErrorKind, Result};

/// Follows the jobs of a client: one task owns the WebSocket and hands its messages out by prompt id, another asks the
/// server about jobs that no message tells enough about. Both end with the hub.
#[derive(Debug)]
pub(crate) struct Hub {
    core: Arc<Core>,
    tasks: Mutex<Tasks>,
}

#[derive(Debug, Default)]
struct Tasks {
    reconcile: Option<AbortHandle>,
    socket: Option<AbortHandle>,
}

/// What the hub's tasks share.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) http: Http,
    jobs: Mutex<HashMap<String, Weak<Tracked>>>,
    connection: watch::Sender<Connection>,
    /// Somebody wants a connection.
    pub(super) wanted: Notify,
    waiting: AtomicUsize,
    losses: AtomicU64,
    /// Some job may have become due earlier than it was.
    pub(super) changed: Notify,
    /// Jobs that have left the worker, whose record can be read.
    left: Mutex<VecDeque<Arc<Tracked>>>,
    /// Some job has left the worker.
    pub(super) leaving: Notify,
}

/// State of the WebSocket.
#[derive(Debug, Clone)]
pub(super) enum Connection {
    /// Not tried yet, or lost and not yet made again. Counts how often it was lost, since a connection can come and go
    /// before anybody sees it open.
    Closed { losses: u64 },
    /// Open under this client id.
    Open(String),
    /// Could not be made; it is tried again when somebody wants it or a job waits.
    Failed(Error),
}

/// Somebody who waits for a connection.
struct Waiting<'a>(&'a Core);

impl<'a> Waiting<'a> {
    fn new(core: &'a Core) -> Self {
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

impl Hub {
    pub(crate) fn new(http: Http) -> Self {
        let core = Core {
            http,
            jobs: Mutex::default(),
            connection: watch::Sender::new(Connection::Closed { losses: 0 }),
            wanted: Notify::new(),
            waiting: AtomicUsize::new(0),
            losses: AtomicU64::new(0),
            changed: Notify::new(),
            left: Mutex::default(),
            leaving: Notify::new(),
        };
        Self { core: Arc::new(core), tasks: Mutex::default() }
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the tasks that do not run: at first, because they need a runtime, and when theirs has ended since.
    fn start(&self) {
        let is_over = |task: &Option<AbortHandle>| task.as_ref().is_none_or(AbortHandle::is_finished);
        let mut tasks = self.tasks();
        if is_over(&tasks.reconcile) {
            tasks.reconcile = Some(tokio::spawn(reconcile::run(Arc::clone(&self.core))).abort_handle());
        }
        if is_over(&tasks.socket) && self.core.http.settings().tracking != Tracking::Polling {
            tasks.socket = Some(tokio::spawn(socket::run(Arc::clone(&self.core))).abort_handle());
        }
    }

    /// The client id under which a prompt is to be sent, and whether a socket listens to it.
    ///
    /// # Errors
    /// The WebSocket cannot be had, and nothing else will do.
    async fn client_id(&self) -> Result<(String, bool)> {
        self.start();
        let unheard = || (Uuid::new_v4().to_string(), false);
        if self.core.http.settings().tracking == Tracking::Polling {
            return Ok(unheard());
        }
        let mut connection = self.core.connection.subscribe();
        let state = connection.borrow_and_update().clone();
        let is_strict = self.core.http.settings().tracking == Tracking::WebSocket;
        let losses = match state {
            Connection::Open(id) => return Ok((id, true)),
            Connection::Closed { losses } => losses,
            // The next attempt is waited for only when nothing else will do.
            Connection::Failed(_) if is_strict => self.core.forget_failure(),
            Connection::Failed(_) => {
                self.core.wanted.notify_one();
                return Ok(unheard());
            }
        };
        let _waiting = Waiting::new(&self.core);
        let settled = |state: &Connection| match state {
            Connection::Open(_) | Connection::Failed(_) => true,
            Connection::Closed { losses: now } => *now > losses,
        };
        let state = connection.wait_for(settled).await.map(|state| state.clone());
        match state {
            Ok(Connection::Open(id)) => Ok((id, true)),
            Ok(Connection::Failed(error)) if is_strict => Err(error),
            _ if is_strict => Err(no_socket("the WebSocket broke as soon as it was open")),
            _ => Ok(unheard()),
        }
    }

    /// Makes a job known before its prompt is sent. It is forgotten when the last reference to it goes.
    ///
    /// # Errors
    /// As [`Hub::client_id`].
    pub(crate) async fn register(
        &self,
        prompt_id: String,
        nodes: HashSet<NodeId>,
    ) -> Result<(Arc<Tracked>, String)> {
        let (client_id, is_heard) = self.client_id().await?;
        let silence = self.core.http.settings().silence;
        let tracked = Arc::new(Tracked::new(prompt_id.clone(), nodes, is_heard, silence));
        self.core.jobs().insert(prompt_id, Arc::downgrade(&tracked));
        // The connection may have gone between the two lines above, when the job was not known yet.
        if is_heard && !matches!(&*self.core.connection.borrow(), Connection::Open(id) if *id == client_id) {
            tracked.lose_connection();
        }
        Ok((tracked, client_id))
    }

    /// The server took a job, under the id that it chose.
    pub(crate) fn accept(&self, tracked: &Arc<Tracked>, prompt_id: &str) {
        let chosen = tracked.prompt_id();
        if chosen != prompt_id {
            let mut jobs = self.core.jobs();
            jobs.remove(&chosen);
            jobs.insert(prompt_id.to_owned(), Arc::downgrade(tracked));
        }
        tracked.accept(prompt_id);
        self.core.changed.notify_one();
        // The tasks may have ended with their runtime after the job was registered.
        self.start();
    }

    /// The job was taken out of the queue, if it waited there.
    pub(crate) fn cancel(&self, tracked: &Tracked) {
        tracked.cancel();
        self.core.changed.notify_one();
    }

    /// Forgets a job.
    pub(crate) fn forget(&self, prompt_id: &str) {
        self.core.jobs().remove(prompt_id);
    }

    /// Whether the server has the prompt in its queue or history; see [`reconcile::is_known`].
    pub(crate) async fn is_known(&self, prompt_id: &str) -> Result<bool> {
        reconcile::is_known(&self.core.http, prompt_id).await
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let tasks = std::mem::take(&mut *self.tasks());
        for task in [tasks.reconcile, tasks.socket].into_iter().flatten() {
            task.abort();
        }
    }
}

impl Core {
    fn jobs(&self) -> MutexGuard<'_, HashMap<String, Weak<Tracked>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn job(&self, prompt_id: &str) -> Option<Arc<Tracked>> {
        self.jobs().get(prompt_id)?.upgrade()
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

    /// Whether a job is open or about to be submitted.
    pub(super) fn is_needed(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
            || self.jobs().values().any(|job| job.upgrade().is_some_and(|job| !job.is_ended()))
    }

    pub(super) fn set_connection(&self, state: Connection) {
        tracing::debug!(?state, "socket");
        self.connection.send_replace(state);
    }

    /// The next attempt to connect is to be waited for. Returns how often a connection was lost so far.
    fn forget_failure(&self) -> u64 {
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
        match frame {
            Frame::PreviewWithMetadata { metadata, data } => {
                let job = metadata.prompt_id.as_deref().or(running).and_then(|id| self.job(id));
                if let Some(job) = job {
                    let content_type = metadata.image_type.clone();
                    job.hear_preview(Some(*metadata), content_type, data);
                }
            }
            Frame::Preview { format, data } => {
                let content_type = match format {
                    ImageFormat::Png => "image/png",
                    _ => "image/jpeg",
                };
                if let Some(job) = running.and_then(|id| self.job(id)) {
                    job.hear_preview(None, content_type.into(), data);
                }
            }
            other => tracing::trace!(?other, "frame"),
        }
    }
}

/// The error for a WebSocket that cannot be had.
pub(super) fn no_socket(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::Connect, reason)
        .with_hint("a proxy in front of the server must pass WebSockets on; `Tracking::Polling` does without")
}
