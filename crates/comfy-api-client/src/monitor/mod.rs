//! What a server does, kept up to date.

mod ask;
mod notice;
mod steps;
mod view;

use std::collections::VecDeque;
use std::sync::Arc;

use comfy_protocol::Message;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep_until};

pub use steps::LogSteps;
pub use view::{EndedJob, Reach, RunningJob, ServerView, WatchedJob, WatchedProgress};

use crate::{Client, ConnectionStatus, Error, ServerEvents, Tracking};
use ask::{Answer, Pace};
use notice::Ended;

/// Watches a server: what runs and waits there, whoever submitted it, how far it is, what has ended, and the memory; made
/// by [`Client::monitor`].
///
/// It listens to the WebSocket for when to ask, and asks over HTTP for what is not told there: a few requests every second
/// at most, fewer where answers are slow, and less and less often while the server is away. It never ends by itself, and
/// does nothing while [`next`](Self::next) is not awaited.
///
/// ```no_run
/// use comfy_api_client::ServerChange;
///
/// # async fn example(client: comfy_api_client::Client) {
/// let mut monitor = client.monitor();
/// loop {
///     match monitor.next().await {
///         ServerChange::Started(id) => println!("{id} runs, {} wait", monitor.view().waiting.len()),
///         ServerChange::Ended(job) => println!("{} has ended with {} files", job.job.prompt_id, job.files().count()),
///         _ => {}
///     }
/// }
/// # }
/// ```
#[must_use = "a monitor does nothing unless its changes are awaited"]
pub struct Monitor {
    client: Client,
    events: Option<ServerEvents>,
    asking: Option<BoxFuture<'static, Answer>>,
    pace: Pace,
    view: ServerView,
    ended: Ended,
    /// How many prompts the server said last that wait or run.
    remaining: Option<u64>,
    /// Progress of a job that is not in the view yet.
    early: Option<(String, WatchedProgress)>,
    changes: VecDeque<ServerChange>,
}

/// Something that has changed on a server; the [view](Monitor::view) has the news in it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ServerChange {
    /// It answers, for the first time or again: what it does is in the view, and is not told as changes.
    Reached,
    /// It does not answer any more, or did not from the beginning. It is asked again.
    Lost(Error),
    /// Memory, or the state of the WebSocket.
    State,
    /// A job waits.
    Queued(String),
    /// The order or the number of what waits.
    Queue,
    /// A job runs.
    Started(String),
    /// How far a job is.
    Progress(String),
    /// A job has ended; the server has a record of it.
    Ended(Arc<EndedJob>),
    /// A job is gone, and the server has no record of it: it was removed before it ran, or its record was, or the server
    /// was started again.
    Gone(String),
    /// A message, whatever it is about.
    Message(Arc<Message>),
}

impl Client {
    /// Watches the server. Opens the WebSocket unless jobs are followed without; must be called within a runtime.
    pub fn monitor(&self) -> Monitor {
        let listens = matches!(self.http().settings().tracking, Tracking::Auto | Tracking::WebSocket);
        Monitor {
            client: self.clone(),
            events: listens.then(|| self.events()),
            asking: None,
            pace: Pace::new(),
            view: ServerView::default(),
            ended: Ended::default(),
            remaining: None,
            early: None,
            changes: VecDeque::new(),
        }
    }
}

impl Monitor {
    /// What is known of the server.
    #[must_use]
    pub fn view(&self) -> &ServerView {
        &self.view
    }

    /// Waits for the next change. Nothing is lost when this is dropped before it is done.
    pub async fn next(&mut self) -> ServerChange {
        loop {
            if let Some(change) = self.changes.pop_front() {
                return change;
            }
            if self.asking.is_none()
                && let Some(question) = self.pace.question(Instant::now(), self.ended.wanted(self.is_told()))
            {
                if question.records.is_some() {
                    self.ended.asked();
                }
                self.asking = Some(Box::pin(ask::ask(self.client.clone(), question)));
            }
            let due = self.pace.due();
            tokio::select! {
                event = hear(&mut self.events) => self.hear(event),
                answer = answered(&mut self.asking) => self.take_in(answer),
                () = sleep_until(due), if self.asking.is_none() => {}
            }
        }
    }

    /// Whether the server tells of changes.
    fn is_told(&self) -> bool {
        matches!(self.view.socket, ConnectionStatus::Connected)
    }

    fn tell(&mut self, change: ServerChange) {
        self.changes.push_back(change);
    }
}

async fn hear(events: &mut Option<ServerEvents>) -> crate::ServerEvent {
    match events {
        Some(events) => match events.next().await {
            Some(event) => event,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

async fn answered(asking: &mut Option<BoxFuture<'static, Answer>>) -> Answer {
    match asking {
        Some(question) => {
            let answer = question.await;
            *asking = None;
            answer
        }
        None => std::future::pending().await,
    }
}

impl std::fmt::Debug for Monitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Monitor")
            .field("client", &self.client)
            .field("view", &self.view)
            .finish_non_exhaustive()
    }
}
