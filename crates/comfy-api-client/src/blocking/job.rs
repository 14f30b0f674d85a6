use std::future::IntoFuture;
use std::ops::Deref;
use std::path::Path;

use comfy_workflow::validate::NodeErrors;
use serde_json::Number;

use super::{Iter, Runtime};
use crate::{Cancellation, Event, Result, SavedFile};

/// A workflow that a server has taken. See the async [`Job`](crate::Job).
#[derive(Debug)]
#[must_use = "wait for the job to have its outputs; dropping it does not cancel it"]
pub struct Job {
    inner: crate::Job,
    runtime: Runtime,
}

impl Job {
    pub(super) fn new(inner: crate::Job, runtime: Runtime) -> Self {
        Self { inner, runtime }
    }

    /// The prompt's id on the server.
    #[must_use]
    pub fn id(&self) -> String {
        self.inner.id()
    }

    /// The prompt's number in the queue's order, where the server said it; not a position.
    #[must_use]
    pub fn number(&self) -> Option<&Number> {
        self.inner.number()
    }

    /// Problems of outputs that will not run although others do; mostly empty.
    #[must_use]
    pub fn node_errors(&self) -> &NodeErrors {
        self.inner.node_errors()
    }

    /// Whether the job has ended, as far as is known here.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.inner.is_ended()
    }

    /// What happens to the job, from its beginning for the first call and from now on for others; every `next` waits.
    pub fn events(&self) -> Iter<'static, Result<Event>> {
        Iter::new(self.runtime.clone(), self.runtime.within(|| self.inner.events()))
    }

    /// Waits for the end, and gives the outputs.
    ///
    /// # Errors
    /// Those of [`Job::outputs`](crate::Job::outputs).
    pub fn outputs(&self) -> Result<Outputs> {
        let outputs = self.runtime.wait(self.inner.outputs())?;
        Ok(Outputs::new(outputs, self.runtime.clone()))
    }

    /// Waits for the end, and gives the outputs; what awaiting an async job does.
    ///
    /// # Errors
    /// Those of [`Job::outputs`](crate::Job::outputs).
    pub fn wait(self) -> Result<Outputs> {
        let outputs = self.runtime.wait(self.inner.into_future())?;
        Ok(Outputs::new(outputs, self.runtime))
    }

    /// Takes the job out of the queue, or interrupts it when it runs, and says which.
    ///
    /// # Errors
    /// Those of the connection.
    pub fn cancel(&self) -> Result<Cancellation> {
        self.runtime.wait(self.inner.cancel())
    }
}

/// What a job gave. Everything that waits for nothing is that of the async [`Outputs`](crate::Outputs).
#[derive(Debug, Clone)]
pub struct Outputs {
    inner: crate::Outputs,
    runtime: Runtime,
}

impl Outputs {
    pub(super) fn new(inner: crate::Outputs, runtime: Runtime) -> Self {
        Self { inner, runtime }
    }

    /// Downloads every file into a folder; see [`Outputs::save_all`](crate::Outputs::save_all).
    ///
    /// # Errors
    /// Those of the async method.
    pub fn save_all(&self, folder: impl AsRef<Path>) -> Result<Vec<SavedFile>> {
        self.runtime.wait(self.inner.save_all(folder.as_ref()))
    }
}

impl Deref for Outputs {
    type Target = crate::Outputs;

    fn deref(&self) -> &crate::Outputs {
        &self.inner
    }
}
