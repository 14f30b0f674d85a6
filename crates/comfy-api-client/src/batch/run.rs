use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};

use super::entry::Entry;
use super::journal::{Journal, RowState};
use super::row::Content;
use super::save::Saver;
use super::shared::{Shared, Slot};
use super::work;
use super::{BatchBuilder, BatchEvent, Row, RowEvent, RowInfo, Rows};
use crate::{Error, Result};

/// Rows whose files are saved, beside those that are queued or run.
const MOST_SAVING: usize = 4;

type Working<'a> = Pin<Box<dyn Future<Output = Option<Error>> + Send + 'a>>;

/// A batch that runs; made by [`Client::batch`](crate::Client::batch). A stream of what happens.
///
/// It does something only while its events are read. What fails of one row is an event of that row. An error of the stream
/// concerns all: the server is gone or refuses everything, or nothing can be written any more. Then rows that are under way
/// come to their end, no further one is begun, and the error is the last that the stream gives. Rows that had no end are still
/// to be done when the batch is run again with its journal.
///
/// Dropping it does not cancel what it submitted; [`cancel`](Self::cancel) does.
#[must_use = "a batch does something only while its events are read"]
pub struct Batch<'a> {
    shared: Arc<Shared<'a>>,
    rows: Option<Rows<'a>>,
    index: usize,
    at_once: usize,
    retry_failed: bool,
    working: FuturesUnordered<Working<'a>>,
    /// Rows that are queued or run.
    queued: Arc<AtomicUsize>,
    events: mpsc::UnboundedReceiver<BatchEvent>,
    stop: watch::Sender<bool>,
    /// What has ended the batch.
    error: Option<Error>,
    /// Whether rows are left that had no end.
    unsettled: bool,
    done: bool,
}

impl<'a> Batch<'a> {
    pub(super) fn new(builder: BatchBuilder<'a>) -> Self {
        let BatchBuilder {
            client,
            rows,
            at_once,
            journal,
            folder,
            wants,
            namer,
            overwrite,
            retry_failed,
            options,
        } = builder;
        let (told, events) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let journal = journal.unwrap_or_else(Journal::nowhere);
        let saver = folder.map(|folder| Saver {
            client: client.clone(),
            journal: journal.clone(),
            folder,
            wants,
            namer,
            overwrite,
        });
        let error = journal.is_new().then(|| journal.begin_empty().err()).flatten();
        Self {
            shared: Arc::new(Shared { client, journal, saver, options, told, stopped }),
            rows: error.is_none().then_some(rows),
            index: 0,
            at_once,
            retry_failed,
            working: FuturesUnordered::new(),
            queued: Arc::default(),
            events,
            stop,
            error,
            unsettled: false,
            done: false,
        }
    }

    /// What happens next; `None` when all has come to an end.
    pub async fn next(&mut self) -> Option<Result<BatchEvent>> {
        poll_fn(|context| self.poll(context)).await
    }

    /// Ends the batch: takes what it submitted out of the queue or interrupts it, and begins nothing new. Go on to read the
    /// events, until the server has answered for all of it.
    pub fn cancel(&mut self) {
        self.rows = None;
        self.unsettled = true;
        self.stop.send_replace(true);
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<BatchEvent>>> {
        loop {
            if let Poll::Ready(Some(event)) = self.events.poll_recv(context) {
                self.unsettled |= matches!(event.event, RowEvent::Unsettled(_) | RowEvent::Cancelled);
                return Poll::Ready(Some(Ok(event)));
            }
            if let Some(skipped) = self.begin(context) {
                return Poll::Ready(Some(Ok(skipped)));
            }
            match self.working.poll_next_unpin(context) {
                Poll::Ready(Some(stopping)) => {
                    if let Some(error) = stopping {
                        self.rows = None;
                        self.unsettled = true;
                        self.error.get_or_insert(error);
                    }
                    continue;
                }
                // What is told while the others are polled is told before anything is waited for.
                Poll::Pending if !self.events.is_empty() => continue,
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) if !self.events.is_empty() => continue,
                Poll::Ready(None) if self.rows.is_some() => return Poll::Pending,
                Poll::Ready(None) => {}
            }
            return Poll::Ready(self.end().map(Err));
        }
    }

    /// Begins rows while there is room for them. Gives back one that needs nothing.
    fn begin(&mut self, context: &mut Context<'_>) -> Option<BatchEvent> {
        while let Some(rows) = &mut self.rows {
            let queued = self.queued.load(Ordering::Relaxed);
            if queued >= self.at_once || self.working.len() >= self.at_once + MOST_SAVING {
                return None;
            }
            match rows.as_mut().poll_next(context) {
                Poll::Ready(Some(row)) => {
                    let index = self.index;
                    self.index += 1;
                    let state = self.shared.journal.state(&row.key);
                    if state == RowState::Done || (state == RowState::Failed && !self.retry_failed) {
                        return Some(skipped(row, index));
                    }
                    let slot = Slot::take(&self.queued);
                    let shared = Arc::clone(&self.shared);
                    self.working.push(Box::pin(work::run(shared, row, index, slot)));
                }
                Poll::Ready(None) => self.rows = None,
                Poll::Pending => return None,
            }
        }
        None
    }

    /// The last of the stream.
    fn end(&mut self) -> Option<Error> {
        if std::mem::replace(&mut self.done, true) {
            return None;
        }
        if self.error.is_none() && !self.unsettled {
            self.error = self.shared.journal.add(Entry::End).err();
        }
        self.error.take()
    }
}

fn skipped(row: Row<'_>, index: usize) -> BatchEvent {
    let info = match row.content {
        Content::Ready(ready) => RowInfo::of(&row.key, index, *ready),
        Content::Later(_) => RowInfo::of_key(&row.key, index),
    };
    BatchEvent { row: Arc::new(info), event: RowEvent::Skipped }
}

impl Stream for Batch<'_> {
    type Item = Result<BatchEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(context)
    }
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("index", &self.index)
            .field("working", &self.working.len())
            .finish_non_exhaustive()
    }
}
