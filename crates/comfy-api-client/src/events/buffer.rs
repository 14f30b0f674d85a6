use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::Event;
use super::story::Listener;
use crate::Result;

/// Events that wait to be read, beyond which those that can be missed are dropped.
const MOST_EVENTS: usize = 256;
/// Previews that wait to be read; older ones are dropped.
const MOST_PREVIEWS: usize = 4;

/// The events of one reader.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Result<Event>>,
    previews: usize,
    skipped: u64,
    closed: bool,
    waker: Option<Waker>,
}

impl Buffer {
    /// Adds an event. What can be missed makes room for what cannot.
    pub(super) fn push(&self, event: Result<Event>) {
        self.lock().push(event);
    }

    /// Adds the last event.
    pub(super) fn close(&self, last: Result<Event>) {
        // In one step: a reader that sees the last event but not that it is the last would wait for another.
        let mut state = self.lock();
        state.push(last);
        state.closed = true;
    }

    pub(super) fn skipped(&self) -> u64 {
        self.lock().skipped
    }

    pub(super) fn poll_next(&self, context: &Context<'_>) -> Poll<Option<Result<Event>>> {
        let mut state = self.lock();
        match state.events.pop_front() {
            Some(event) => {
                state.previews -= usize::from(matches!(event, Ok(Event::Preview(_))));
                Poll::Ready(Some(event))
            }
            None if state.closed => Poll::Ready(None),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, event: Result<Event>) {
        if self.closed {
            return;
        }
        // Positions are worth nothing when there is a newer one.
        if matches!((&event, self.events.back()), (Ok(Event::Queued(_)), Some(Ok(Event::Queued(_))))) {
            self.events.pop_back();
        }
        let is_preview = matches!(event, Ok(Event::Preview(_)));
        let full = self.events.len() >= MOST_EVENTS;
        if is_preview && self.previews >= MOST_PREVIEWS {
            self.drop_first(|event| matches!(event, Ok(Event::Preview(_))));
        } else if full && !self.drop_first(can_be_missed) && can_be_missed(&event) {
            self.skipped += 1;
            return;
        }
        self.previews += usize::from(is_preview);
        self.events.push_back(event);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn drop_first(&mut self, which: impl Fn(&Result<Event>) -> bool) -> bool {
        let Some(index) = self.events.iter().position(which) else {
            return false;
        };
        if let Some(Ok(Event::Preview(_))) = self.events.remove(index) {
            self.previews -= 1;
        }
        self.skipped += 1;
        true
    }
}

/// The events of all readers of a job.
#[derive(Debug)]
pub(super) struct Buffers {
    all: Vec<Arc<Buffer>>,
    /// The buffer from the job's beginning, until its first reader takes it.
    first: Option<Arc<Buffer>>,
}

impl Default for Buffers {
    fn default() -> Self {
        let first = Arc::new(Buffer::default());
        Self { all: vec![Arc::clone(&first)], first: Some(first) }
    }
}

impl Buffers {
    /// A buffer for another reader: that from the job's beginning for the first one, else one from now on, which is at
    /// its end where the job is.
    pub(super) fn subscribe(&mut self, last: Option<Result<Event>>) -> Arc<Buffer> {
        if let Some(first) = self.first.take() {
            return first;
        }
        let buffer = Arc::new(Buffer::default());
        match last {
            Some(last) => buffer.close(last),
            None => self.all.push(Arc::clone(&buffer)),
        }
        buffer
    }

    /// Nobody will read the events from the job's beginning.
    pub(super) fn drop_first(&mut self) {
        if let Some(first) = self.first.take() {
            self.unsubscribe(&first);
        }
    }

    pub(super) fn unsubscribe(&mut self, buffer: &Arc<Buffer>) {
        self.all.retain(|other| !Arc::ptr_eq(other, buffer));
    }

    /// Gives everybody the last event.
    pub(super) fn close(&mut self, last: &Result<Event>) {
        self.all.drain(..).for_each(|buffer| buffer.close(last.clone()));
    }
}

impl Listener for Buffers {
    fn emit(&mut self, event: impl FnOnce() -> Event) {
        let Some((last, others)) = self.all.split_last() else {
            return;
        };
        let event = event();
        for buffer in others {
            buffer.push(Ok(event.clone()));
        }
        last.push(Ok(event));
    }
}

fn can_be_missed(event: &Result<Event>) -> bool {
    matches!(event, Ok(Event::Preview(_) | Event::Progress(_) | Event::Text(..) | Event::Other(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{Preview, Progress};

    fn drain(buffer: &Buffer) -> Vec<Event> {
        let context = Context::from_waker(Waker::noop());
        let mut events = Vec::new();
        while let Poll::Ready(Some(event)) = buffer.poll_next(&context) {
            events.push(event.unwrap());
        }
        events
    }

    #[test]
    fn a_slow_reader_loses_previews_and_progress_but_nothing_else() {
        let buffer = Buffer::default();
        for index in 0..1000 {
            let preview = Preview { node: None, content_type: "image/png".into(), bytes: vec![0; 10].into() };
            buffer.push(Ok(Event::Preview(preview)));
            buffer.push(Ok(Event::Progress(Progress::new(1))));
            if index % 10 == 0 {
                buffer.push(Ok(Event::NodeStarted(index.to_string().into())));
            }
        }
        buffer.close(Ok(Event::Finished));
        buffer.push(Ok(Event::Started));
        let events = drain(&buffer);
        assert_eq!(events.iter().filter(|event| matches!(event, Event::NodeStarted(_))).count(), 100);
        assert!(events.iter().filter(|event| matches!(event, Event::Preview(_))).count() <= MOST_PREVIEWS);
        assert!(matches!(events.last(), Some(Event::Finished)));
        assert_eq!(buffer.skipped() + events.len() as u64, 2101);
    }
}
