use std::pin::Pin;

use futures_core::Stream;
use futures_util::StreamExt;

use super::Runtime;

/// A stream of the async tree, read one item at a time; every `next` waits.
pub struct Iter<'a, T> {
    stream: Pin<Box<dyn Stream<Item = T> + Send + 'a>>,
    runtime: Runtime,
}

impl<'a, T> Iter<'a, T> {
    pub(super) fn new(runtime: Runtime, stream: impl Stream<Item = T> + Send + 'a) -> Self {
        Self { stream: Box::pin(stream), runtime }
    }
}

impl<T: Send> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.runtime.wait(self.stream.next())
    }
}

impl<T> std::fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}
