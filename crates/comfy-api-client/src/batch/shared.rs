//! What the rows of a batch have in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{mpsc, watch};

use super::journal::Journal;
use super::save::Saver;
use super::{BatchEvent, Options};
use crate::{Client, Error, ErrorKind};

/// What the rows of a batch have in common.
pub(super) struct Shared<'a> {
    pub(super) client: Client,
    pub(super) journal: Journal,
    pub(super) saver: Option<Saver<'a>>,
    pub(super) options: Option<Options<'a>>,
    pub(super) told: mpsc::UnboundedSender<BatchEvent>,
    pub(super) stopped: watch::Receiver<bool>,
}

/// Room for a row among those that are queued or run, until it is dropped.
pub(super) struct Slot(Arc<AtomicUsize>);

impl Slot {
    pub(super) fn take(queued: &Arc<AtomicUsize>) -> Self {
        queued.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(queued))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits until the batch is cancelled.
pub(super) async fn stop(stopped: &mut watch::Receiver<bool>) {
    if stopped.wait_for(|stopped| *stopped).await.is_err() {
        // The batch is gone, and with it what would be stopped.
        std::future::pending().await
    }
}

/// Whether somebody has ended the prompt.
pub(super) fn is_interruption(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::Removed)
}

/// Whether the other rows would meet the same.
pub(super) fn ends_the_batch(error: &Error) -> bool {
    use std::io::ErrorKind as Io;
    match error.kind() {
        ErrorKind::Connect
        | ErrorKind::Tls
        | ErrorKind::Timeout
        | ErrorKind::Disconnected
        | ErrorKind::UnexpectedReply
        | ErrorKind::Unauthorized
        | ErrorKind::Config => true,
        ErrorKind::Status => matches!(error.status(), Some(429 | 502..=504)),
        ErrorKind::Io => {
            let source = std::error::Error::source(error).and_then(|source| source.downcast_ref());
            source.is_some_and(|source: &std::io::Error| {
                matches!(source.kind(), Io::StorageFull | Io::QuotaExceeded | Io::ReadOnlyFilesystem)
            })
        }
        _ => false,
    }
}
