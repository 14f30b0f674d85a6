use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use comfy_workflow::Workflow;
use comfy_workflow::validate::{NodeErrors, Problem};
use serde_json::Number;

use crate::events::Events;
use crate::events::record;
use crate::events::story::Nodes;
use crate::events::tracked::Tracked;
use crate::{Cancellation, Client, Error, ErrorKind, Outputs, Result};

/// A workflow that a server has taken; made by [`Client::submit`]. Await it for its [`Outputs`].
///
/// Dropping it does not cancel it on the server; [`cancel`](Self::cancel) does.
#[derive(Debug)]
#[must_use = "await the job for its outputs; dropping it does not cancel it"]
pub struct Job {
    client: Client,
    tracked: Arc<Tracked>,
    number: Option<Number>,
    node_errors: NodeErrors,
    cleaned: Vec<Problem>,
}

impl Job {
    pub(crate) fn new(
        client: Client,
        tracked: Arc<Tracked>,
        number: Option<Number>,
        node_errors: NodeErrors,
    ) -> Self {
        Self { client, tracked, number, node_errors, cleaned: Vec::new() }
    }

    pub(crate) fn with_cleaned(mut self, cleaned: Vec<Problem>) -> Self {
        self.cleaned = cleaned;
        self
    }

    /// A job that somebody else submitted.
    pub(crate) async fn adopt(client: &Client, prompt_id: &str) -> Result<Self> {
        let queue = client.queue().await?;
        let items = queue.queue_running.into_iter().chain(queue.queue_pending);
        let item = items.into_iter().find(|item| item.prompt_id() == prompt_id);
        if item.is_none() && record::of(client.http(), prompt_id).await?.is_none() {
            return Err(Error::new(ErrorKind::NotFound, format!("the server knows no prompt {prompt_id}"))
                .with_hint("it was removed, or the server was started again since")
                .with_prompt_id(prompt_id));
        }
        let number = item.as_ref().and_then(|item| item.0.clone());
        let workflow = item.and_then(|item| Workflow::from_value(item.2).ok()).unwrap_or_default();
        // Pictures over the socket went to whoever submitted it.
        let tracked = client.hub().adopt(prompt_id, Nodes::of(&workflow, Some(&[])));
        let job = Self::new(client.clone(), tracked, number, NodeErrors::default());
        client.hub().accept(&job.tracked, prompt_id);
        Ok(job)
    }

    /// The prompt's id on the server.
    #[must_use]
    pub fn id(&self) -> String {
        self.tracked.prompt_id()
    }

    /// The prompt's number in the queue's order, where the server said it; not a position.
    #[must_use]
    pub fn number(&self) -> Option<&Number> {
        self.number.as_ref()
    }

    /// Problems of outputs that will not run although others do; mostly empty.
    #[must_use]
    pub fn node_errors(&self) -> &NodeErrors {
        &self.node_errors
    }

    /// What was taken out of the workflow before it was sent, since the server would have stopped over it for ever; mostly
    /// nothing. The outputs are the same without.
    #[must_use]
    pub fn cleaned(&self) -> &[Problem] {
        &self.cleaned
    }

    /// Whether the job has ended, as far as is known here.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.tracked.is_ended()
    }

    /// What happens to the job, from its beginning for the first call and from now on for others.
    pub fn events(&self) -> Events {
        Events::new(Arc::clone(&self.tracked), Arc::clone(self.client.hub()))
    }

    /// Waits for the end, and gives the outputs.
    ///
    /// # Errors
    /// [`ErrorKind::Execution`] with the server's report, `Interrupted`, `Removed`, `Lost`, `Timeout` when the job has a
    /// time limit, `Incomplete` when pictures that were sent over the socket were missed, or an error of the connection
    /// when the server stays away for too long.
    pub async fn outputs(&self) -> Result<Outputs> {
        self.client.hub().follow(&self.tracked);
        let gains = self.tracked.outcome().await?;
        Ok(Outputs::new(self.client.clone(), self.id(), gains))
    }

    /// Takes the job out of the queue, or interrupts it when it runs, and says which. Does nothing to a job that has
    /// ended on the server.
    ///
    /// The answer does not wait for the end: a node that runs goes on to its next step.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn cancel(&self) -> Result<Cancellation> {
        // One that was given up here may still run there.
        if self.tracked.is_ended_for_good() {
            return Ok(Cancellation::Nothing);
        }
        self.client.cancel(&self.id()).await
    }
}

impl IntoFuture for Job {
    type Output = Result<Outputs>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        self.tracked.drop_first_buffer();
        Box::pin(async move { self.outputs().await })
    }
}
