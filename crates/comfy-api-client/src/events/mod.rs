//! What happens to a job while it runs.

mod buffer;
pub(crate) mod hub;
mod reconcile;
mod socket;
pub(crate) mod tracked;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use comfy_protocol::{ExecutionError, Message, NodeOutput};
use comfy_workflow::NodeId;
use futures_core::Stream;

use crate::{Error, Result};
use hub::Hub;
use tracked::Tracked;

/// Something that happened to a job.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// The job has left the queue and runs.
    Started,
    /// The nodes whose results were still known from earlier runs.
    Cached(Vec<NodeId>),
    /// A node begins. A node that asks for its inputs lazily can begin twice.
    Executing(NodeId),
    /// How far the job is.
    Progress(Progress),
    /// A picture of what is being made.
    Preview(Preview),
    /// A node has outputs.
    Executed(NodeId, NodeOutput),
    /// A node was kept from running, while the job goes on.
    Blocked(Box<ExecutionError>),
    /// Messages may have been missed: the connection broke, or said what cannot be read. The job goes on.
    Gap,
    /// A message of a kind not known here that names the job.
    Other(Message),
    /// The job is done, and its outputs are there. Always the last event; a job that fails ends with an error instead.
    Finished,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// The node that reports, if one does.
    pub node: Option<NodeId>,
    /// Steps of that node that are done.
    pub value: f64,
    /// Steps of that node in all.
    pub max: f64,
    /// Nodes of the workflow that are done or known from earlier runs.
    pub nodes_done: usize,
    /// Nodes of the workflow.
    pub nodes_total: usize,
    overall: f64,
}

impl Progress {
    pub(crate) fn new(nodes_total: usize) -> Self {
        Self { nodes_total, ..Self::default() }
    }

    pub(crate) fn set_overall(&mut self, overall: f64) {
        self.overall = overall.clamp(0.0, 1.0);
    }

    /// The share of the job that is done, 0.0 to 1.0, counting every node alike.
    ///
    /// Nodes that turn out not to be needed keep it below 1.0 until the job is done.
    #[must_use]
    pub fn overall(&self) -> f64 {
        self.overall
    }
}

/// A picture that the server sent while a job runs.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Preview {
    /// The node that made it, if the server says so.
    pub node: Option<NodeId>,
    /// `image/jpeg` or `image/png`.
    pub content_type: String,
    pub(crate) bytes: Bytes,
}

impl Preview {
    /// The bytes of the picture's file.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl std::fmt::Debug for Preview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Preview")
            .field("node", &self.node)
            .field("content_type", &self.content_type)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// The events of a job, from its beginning; made by [`Job::events`](crate::Job::events).
///
/// A reader that is slow loses previews, reports of progress and messages of unknown kinds (see
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
        Self { buffer: tracked.subscribe(), tracked, _hub: hub }
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
