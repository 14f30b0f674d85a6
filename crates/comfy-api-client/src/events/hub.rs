use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;
use uuid::Uuid;

use super::connection::Connection;
use super::core::{Core, Waiting};
use super::story::Nodes;
use super::tracked::{Removal, Tracked};
use super::{ConnectionStatus, ServerEvents, reconcile, socket};
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

impl Hub {
    pub(crate) fn new(http: Http) -> Self {
        Self { core: Arc::new(Core::new(http)), tasks: Mutex::default() }
    }

    fn tracking(&self) -> Tracking {
        self.core.http.settings().tracking
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the tasks that do not run: at first, because they need a runtime, and when theirs has ended since.
    fn start(&self, with_socket: bool) {
        let is_over = |task: &Option<AbortHandle>| task.as_ref().is_none_or(AbortHandle::is_finished);
        let mut tasks = self.tasks();
        if is_over(&tasks.reconcile) {
            tasks.reconcile = Some(tokio::spawn(reconcile::run(Arc::clone(&self.core))).abort_handle());
        }
        if with_socket && is_over(&tasks.socket) {
            tasks.socket = Some(tokio::spawn(socket::run(Arc::clone(&self.core))).abort_handle());
        }
    }

    /// Whether jobs are followed by the WebSocket, where it can be had.
    fn listens(&self) -> bool {
        matches!(self.tracking(), Tracking::Auto | Tracking::WebSocket)
    }

    /// The client id under which a prompt is to be sent, and whether a socket listens to it.
    ///
    /// # Errors
    /// The WebSocket cannot be had, and nothing else will do.
    async fn client_id(&self) -> Result<(String, bool)> {
        let unheard = || (Uuid::new_v4().to_string(), false);
        self.start(self.listens());
        if !self.listens() {
            return Ok(unheard());
        }
        let mut connection = self.core.connection.subscribe();
        let state = connection.borrow_and_update().clone();
        let is_strict = self.tracking() == Tracking::WebSocket;
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
    /// As [`Hub::client_id`]; a job of that id is followed already.
    pub(crate) async fn register(&self, prompt_id: String, nodes: Nodes) -> Result<(Arc<Tracked>, String)> {
        let (client_id, is_heard) = self.client_id().await?;
        let tracked = Tracked::new(prompt_id.clone(), nodes, is_heard, self.core.http.settings());
        let tracked = self.core.insert_new(prompt_id, tracked)?;
        // The connection may have gone between the two lines above, when the job was not known yet.
        if is_heard && self.core.connection.borrow().client_id() != Some(&client_id) {
            tracked.lose_connection();
        }
        Ok((tracked, client_id))
    }

    /// A job that somebody else submitted, or this client earlier: what is known of it here, or nothing yet. One that
    /// was given up here is followed anew.
    pub(crate) fn adopt(&self, prompt_id: &str, nodes: Nodes) -> Arc<Tracked> {
        if let Some(tracked) = self.core.job(prompt_id).filter(|job| !job.is_ended()) {
            return tracked;
        }
        let tracked = Tracked::new(prompt_id.to_owned(), nodes, false, self.core.http.settings());
        self.core.insert(prompt_id.to_owned(), tracked)
    }

    /// The server took a job, under the id that it chose.
    pub(crate) fn accept(&self, tracked: &Arc<Tracked>, prompt_id: &str) {
        self.core.rename(tracked, prompt_id);
        if self.tracking() != Tracking::Manual {
            self.follow_as(tracked, prompt_id);
        }
    }

    /// Somebody waits for the end or the events of a job, so that it is asked about from now on.
    pub(crate) fn follow(&self, tracked: &Tracked) {
        self.follow_as(tracked, &tracked.prompt_id());
    }

    fn follow_as(&self, tracked: &Tracked, prompt_id: &str) {
        tracked.accept(prompt_id);
        self.core.changed.notify_one();
        // The tasks may have ended with their runtime after the job was registered.
        self.start(self.listens());
    }

    /// The job is about to be taken out of the queue, until what is returned is dropped.
    pub(crate) fn begin_removal(&self, prompt_id: &str) -> Option<Removal> {
        self.core.job(prompt_id).map(Tracked::begin_removal)
    }

    /// Whether the job is followed here and is known to have left the queue to run.
    pub(crate) fn has_started(&self, prompt_id: &str) -> bool {
        self.core.job(prompt_id).is_some_and(|job| job.has_started())
    }

    /// The job was taken out of the queue.
    pub(crate) fn remove(&self, prompt_id: &str) {
        if let Some(tracked) = self.core.job(prompt_id) {
            tracked.remove();
            self.core.changed.notify_one();
        }
    }

    /// Forgets a job.
    pub(crate) fn forget(&self, prompt_id: &str) {
        self.core.forget(prompt_id);
    }

    /// State of the WebSocket.
    pub(crate) fn status(&self) -> ConnectionStatus {
        self.core.connection.borrow().status()
    }

    /// Everything that the server says from now on.
    pub(crate) fn server_events(self: &Arc<Self>) -> ServerEvents {
        let receiver = self.core.said.subscribe();
        self.start(true);
        self.core.wanted.notify_one();
        ServerEvents::new(receiver, Arc::clone(self))
    }

    /// The id under which the server knows the open WebSocket.
    pub(crate) fn open_client_id(&self) -> Option<String> {
        self.core.connection.borrow().client_id().map(str::to_owned)
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

/// The error for a WebSocket that cannot be had.
pub(super) fn no_socket(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::Connect, reason)
        .with_hint("a proxy in front of the server must pass WebSockets on; `Tracking::Polling` does without")
}
