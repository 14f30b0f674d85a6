use super::Runtime;
use crate::{ServerChange, ServerView};

/// Watches a server; made by [`Client::monitor`](super::Client::monitor). See the async [`Monitor`](crate::Monitor).
#[derive(Debug)]
#[must_use = "a monitor does nothing unless its changes are waited for"]
pub struct Monitor {
    inner: crate::Monitor,
    runtime: Runtime,
}

impl Monitor {
    pub(super) fn new(inner: crate::Monitor, runtime: Runtime) -> Self {
        Self { inner, runtime }
    }

    /// What is known of the server.
    #[must_use]
    pub fn view(&self) -> &ServerView {
        self.inner.view()
    }

    /// Waits for the next change.
    pub fn wait(&mut self) -> ServerChange {
        self.runtime.wait(self.inner.next())
    }
}
