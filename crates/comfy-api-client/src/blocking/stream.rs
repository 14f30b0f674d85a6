use std::io::{self, Read};
use std::pin::Pin;

use bytes::Bytes;
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

/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;

/// What a reader gives, read on threads that may block.
pub(super) fn pieces<R: Read + Send + 'static>(
    reader: R,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    futures_util::stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; PIECE];
            let length = reader.read(&mut piece)?;
            piece.truncate(length);
            Ok((piece, reader))
        });
        match read.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok((piece, _)) if piece.is_empty() => None,
            Ok((piece, reader)) => Some((Ok(piece.into()), Some(reader))),
            Err(error) => Some((Err(error), None)),
        }
    })
}
