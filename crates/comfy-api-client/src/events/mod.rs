//! What happens to a job while it runs.
//!
//! [`hub`] knows the jobs and hands out what [`socket`] hears; [`reconcile`] asks the server about them, when the pace of
//! each says so, with the questions of [`record`]. A [`tracked`] job is its [`story`] (what messages told), its [`pace`]
//! and the [`buffer`]s of its readers.

mod buffer;
mod connection;
mod core;
mod event;
pub(crate) mod hub;
mod inflate;
mod pace;
mod reconcile;
pub(crate) mod record;
mod server_events;
mod socket;
pub(crate) mod story;
pub(crate) mod tracked;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

pub use connection::ConnectionStatus;
pub use event::{Event, Place, Preview, Progress, Queued, SocketImage, Stall};
pub use server_events::{ServerEvent, ServerEvents};

use crate::{Error, Result};
use hub::Hub;
use tracked::Tracked;

/// The events of a job, from its beginning; made by [`Job::events`](crate::Job::events).
///
/// A reader that is slow loses previews, texts, reports of progress and messages of unknown kinds (see
/// [`skipped`](Self::skipped)), and nothing else.
#[derive(Debug)]
#[must_use = "a stream does nothing unless it is read"]
pub struct Events {
    buffer: Arc<buffer::Buffer>,
    tracked: Arc<Tracked>,
    /// Events come only as long as the hub is there.
    _hub: Arc<Hub>,
}

impl Events {
    pub(crate) fn new(tracked: Arc<Tracked>, hub: Arc<Hub>) -> Self {
        let buffer = tracked.subscribe();
        hub.follow(&tracked);
        Self { buffer, tracked, _hub: hub }
    }

    /// How many events were dropped because they were not read in time.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.buffer.skipped()
    }

    /// The next event; `None` after the last one.
    pub async fn next(&mut self) -> Option<Result<Event>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for Events {
    type Item = Result<Event, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.buffer.poll_next(context)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.tracked.unsubscribe(&self.buffer);
    }
}
