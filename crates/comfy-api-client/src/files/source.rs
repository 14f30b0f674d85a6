//! What an upload sends.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::sync::watch;
use tokio_util::io::ReaderStream;

use crate::{Error, ErrorKind, Result};

/// Bytes that are sent at a time.
const PIECE: usize = 128 * 1024;

pub(crate) type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Where the content comes from.
pub(crate) enum Source {
    Path(PathBuf),
    Bytes(Bytes),
    Stream(Pieces, Option<u64>),
}

/// Why the content could not be read, if it could not. The error of the request says only that it broke off.
#[derive(Clone, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<io::Error>>>);

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Self::Bytes(bytes) => f.debug_tuple("Bytes").field(&bytes.len()).finish(),
            Self::Stream(_, size) => f.debug_tuple("Stream").field(size).finish_non_exhaustive(),
        }
    }
}

impl Source {
    /// The content, and its size where that is known.
    pub(super) async fn open(self) -> Result<(Pieces, Option<u64>)> {
        match self {
            Self::Path(path) => open_file(&path).await,
            Self::Bytes(bytes) => {
                let size = bytes.len() as u64;
                let pieces = futures_util::stream::unfold(bytes, async |mut rest| {
                    let piece = rest.split_to(rest.len().min(PIECE));
                    (!piece.is_empty()).then_some((Ok(piece), rest))
                });
                Ok((Box::pin(pieces), Some(size)))
            }
            Self::Stream(pieces, size) => Ok((pieces, size)),
        }
    }
}

async fn open_file(path: &Path) -> Result<(Pieces, Option<u64>)> {
    let cannot_read = |error| Error::io(format!("cannot read {}", path.display()), error);
    let file = File::open(path).await.map_err(cannot_read)?;
    let metadata = file.metadata().await.map_err(cannot_read)?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::Io, format!("{} is a folder, not a file", path.display())));
    }
    // A pipe or a device says that it has no bytes.
    if !metadata.is_file() {
        return Ok((Box::pin(ReaderStream::with_capacity(file, PIECE)), None));
    }
    // A file that grows meanwhile must not send more than was announced.
    let content = file.take(metadata.len());
    Ok((Box::pin(ReaderStream::with_capacity(content, PIECE)), Some(metadata.len())))
}

impl Trouble {
    pub(super) fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps an error, and gives one for the request.
    fn keep(&self, error: io::Error) -> io::Error {
        let broken = io::Error::new(error.kind(), "the content of the upload could not be read");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        broken
    }
}

/// The content with a count of the bytes that were passed on, which must be as many as were announced.
pub(super) fn counted(
    mut pieces: Pieces,
    size: Option<u64>,
    count: watch::Sender<u64>,
    trouble: Trouble,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let mut sent = 0;
    let unlike = move |sent: u64| {
        let size = size.unwrap_or_default();
        let message = format!("{sent} bytes came where {size} were announced");
        io::Error::new(io::ErrorKind::UnexpectedEof, message)
    };
    futures_util::stream::poll_fn(move |context| {
        pieces.poll_next_unpin(context).map(|next| match next {
            Some(Ok(piece)) => {
                sent += piece.len() as u64;
                if size.is_some_and(|size| sent > size) {
                    return Some(Err(trouble.keep(unlike(sent))));
                }
                count.send_replace(sent);
                Some(Ok(piece))
            }
            Some(Err(error)) => Some(Err(trouble.keep(error))),
            None if size.is_some_and(|size| sent < size) => Some(Err(trouble.keep(unlike(sent)))),
            None => None,
        })
    })
}
