//! The log of a server as it goes on.

mod lines;
mod seen;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use comfy_protocol::Message;
use comfy_protocol::routes::frontend::{LogEntry, Logs};
use futures_core::Stream;
use tokio::time::{Interval, MissedTickBehavior, interval};

pub use lines::{LogLine, LogLines};

use self::seen::Seen;
use crate::{Client, ConnectionStatus, Result, ServerEvent, ServerEvents, Tracking};

/// How often a server is asked that cannot be heard.
const PAUSE: Duration = Duration::from_secs(1);

/// What happens to a log that is followed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum LogEvent {
    /// Pieces of the log, oldest first: once those that the server still has, then new ones. [`LogLines`] makes lines of
    /// them.
    Entries(Vec<LogEntry>),
    /// The server does not answer. It is asked again every second.
    Lost,
    /// It answers again. What it has kept of the time between follows; it may have been started anew.
    Back,
}

/// The log of a server as it goes on; made by [`Client::follow_logs`]. It never ends by itself.
#[must_use = "a stream does nothing unless it is read"]
pub struct LogEvents {
    stream: Pin<Box<dyn Stream<Item = Result<LogEvent>> + Send>>,
}

impl LogEvents {
    /// The next event.
    pub async fn next(&mut self) -> Option<Result<LogEvent>> {
        std::future::poll_fn(|context| self.stream.as_mut().poll_next(context)).await
    }
}

impl Stream for LogEvents {
    type Item = Result<LogEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.as_mut().poll_next(context)
    }
}

impl std::fmt::Debug for LogEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogEvents").finish_non_exhaustive()
    }
}

impl Client {
    /// The log of the server: what it still has of it, and what it writes from now on, each piece once. It comes over the
    /// WebSocket; where that cannot be had, or jobs are followed without it, the server is asked every second. Breaks of the
    /// connection and restarts of the server are bridged, as far as the server has kept the log.
    ///
    /// The first item is an error where the log cannot be had at all; see [`log_text`](Self::log_text). Later there are
    /// none.
    ///
    /// ```no_run
    /// use comfy_api_client::{LogEvent, LogLines};
    ///
    /// # async fn example(client: comfy_api_client::Client) -> comfy_api_client::Result<()> {
    /// let mut events = client.follow_logs();
    /// let mut lines = LogLines::new();
    /// while let Some(event) = events.next().await {
    ///     if let LogEvent::Entries(entries) = event? {
    ///         for line in entries.iter().flat_map(|entry| lines.push(entry)) {
    ///             println!("{} {}", line.time, line.text);
    ///         }
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn follow_logs(&self) -> LogEvents {
        let follower = Follower {
            client: self.clone(),
            events: None,
            pause: None,
            is_heard: false,
            is_lost: false,
            next: None,
            seen: Seen::default(),
        };
        let stream = futures_util::stream::unfold(Some(follower), async |follower| {
            let mut follower = follower?;
            match follower.next().await {
                Ok(event) => Some((Ok(event), Some(follower))),
                Err(error) => Some((Err(error), None)),
            }
        });
        LogEvents { stream: Box::pin(stream) }
    }
}

struct Follower {
    client: Client,
    events: Option<ServerEvents>,
    /// Set once the log was asked for.
    pause: Option<Interval>,
    /// Whether new pieces come by themselves.
    is_heard: bool,
    is_lost: bool,
    /// What comes before anything else.
    next: Option<LogEvent>,
    seen: Seen,
}

impl Follower {
    async fn next(&mut self) -> Result<LogEvent> {
        if self.pause.is_none() {
            let event = self.begin().await?;
            let mut pause = interval(PAUSE);
            pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
            // The first tick of an interval is at once.
            pause.reset();
            self.pause = Some(pause);
            return Ok(event);
        }
        if let Some(event) = self.next.take() {
            return Ok(event);
        }
        loop {
            if let Some(event) = self.step().await {
                return Ok(event);
            }
        }
    }

    /// The log so far.
    async fn begin(&mut self) -> Result<LogEvent> {
        let entries = self.client.log_entries().await?.entries;
        let entries = self.seen.new_ones(entries);
        if matches!(self.client.http().settings().tracking, Tracking::Auto | Tracking::WebSocket) {
            self.events = Some(self.client.events());
            // One that is open already is not told of.
            self.listen().await;
        }
        Ok(LogEvent::Entries(entries))
    }

    async fn step(&mut self) -> Option<LogEvent> {
        let tick = async {
            match &mut self.pause {
                Some(pause) if !self.is_heard => drop(pause.tick().await),
                _ => std::future::pending().await,
            }
        };
        let said = async {
            match &mut self.events {
                Some(events) => events.next().await,
                None => std::future::pending().await,
            }
        };
        let event = tokio::select! {
            event = said => event,
            () = tick => return self.ask().await,
        };
        match event {
            Some(ServerEvent::Connection(ConnectionStatus::Connected)) => {
                self.listen().await;
                // What was written while nobody listened.
                self.ask().await
            }
            Some(ServerEvent::Connection(_)) => {
                self.is_heard = false;
                None
            }
            Some(ServerEvent::Message(message)) => self.hear(&message),
            Some(ServerEvent::Skipped(_)) => self.ask().await,
            Some(_) => None,
            None => {
                (self.events, self.is_heard) = (None, false);
                None
            }
        }
    }

    /// Has the server send new pieces over the WebSocket, if that is open.
    async fn listen(&mut self) {
        let Some(id) = self.client.client_id() else { return };
        self.is_heard = self.client.subscribe_logs(&id, true).await.is_ok();
    }

    fn hear(&mut self, message: &Message) -> Option<LogEvent> {
        let Message::Other { kind, data } = message else { return None };
        if kind != "logs" {
            return None;
        }
        let logs: Logs = serde_json::from_value(data.clone()).ok()?;
        self.told(logs)
    }

    async fn ask(&mut self) -> Option<LogEvent> {
        match self.client.log_entries().await {
            Ok(logs) if self.is_lost => {
                self.is_lost = false;
                self.listen().await;
                self.next = self.told(logs);
                Some(LogEvent::Back)
            }
            Ok(logs) => self.told(logs),
            Err(_) if self.is_lost => None,
            Err(error) => {
                tracing::debug!(%error, "the log cannot be asked for");
                (self.is_lost, self.is_heard) = (true, false);
                Some(LogEvent::Lost)
            }
        }
    }

    fn told(&mut self, logs: Logs) -> Option<LogEvent> {
        let entries = self.seen.new_ones(logs.entries);
        (!entries.is_empty()).then_some(LogEvent::Entries(entries))
    }
}
