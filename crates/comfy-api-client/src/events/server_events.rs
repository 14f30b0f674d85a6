use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use comfy_protocol::{Frame, Message};
use futures_core::Stream;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::ConnectionStatus;
use super::hub::Hub;

/// How much of what a server says waits for a slow reader at most.
pub(super) const MOST_EVENTS: usize = 256;

/// Something that a server says to a client, whatever job it is about.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ServerEvent {
    /// The WebSocket was opened, has broken, or could not be opened.
    Connection(ConnectionStatus),
    /// A message.
    Message(Arc<Message>),
    /// A binary frame: a picture or a text.
    Frame(Frame),
    /// A message that cannot be read.
    Unreadable(String),
    /// The reader was too slow for so many events.
    Skipped(u64),
}

/// Everything that a server says to a client; made by [`Client::events`](crate::Client::events). It never ends by
/// itself.
#[must_use = "a stream does nothing unless it is read"]
pub struct ServerEvents {
    stream: Pin<Box<dyn Stream<Item = ServerEvent> + Send>>,
}

impl ServerEvents {
    pub(super) fn new(receiver: broadcast::Receiver<ServerEvent>, hub: Arc<Hub>) -> Self {
        // Events come only as long as the hub is there.
        let stream = futures_util::stream::unfold((receiver, hub), |(mut receiver, hub)| async move {
            let event = match receiver.recv().await {
                Ok(event) => event,
                Err(RecvError::Lagged(count)) => ServerEvent::Skipped(count),
                Err(RecvError::Closed) => return None,
            };
            Some((event, (receiver, hub)))
        });
        Self { stream: Box::pin(stream) }
    }

    /// The next event.
    pub async fn next(&mut self) -> Option<ServerEvent> {
        std::future::poll_fn(|context| self.stream.as_mut().poll_next(context)).await
    }
}

impl Stream for ServerEvents {
    type Item = ServerEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.as_mut().poll_next(context)
    }
}

impl std::fmt::Debug for ServerEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerEvents").finish_non_exhaustive()
    }
}
