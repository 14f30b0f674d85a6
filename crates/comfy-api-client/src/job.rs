use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use comfy_workflow::validate::NodeErrors;
use serde_json::Number;

use crate::events::Events;
use crate::events::tracked::Tracked;
use crate::{Client, Outputs, Result};

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
}

impl Job {
    pub(crate) fn new(
        client: Client,
        tracked: Arc<Tracked>,
        number: Option<Number>,
        node_errors: NodeErrors,
    ) -> Self {
        Self { client, tracked, number, node_errors }
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

    /// What happens to the job, from its beginning for the first call and from now on for others.
    pub fn events(&self) -> Events {
        Events::new(Arc::clone(&self.tracked), Arc::clone(self.client.hub()))
    }

    /// Waits for the end, and gives the outputs.
    ///
    /// # Errors
    /// [`ErrorKind::Execution`](crate::ErrorKind::Execution) with the server's report, `Interrupted`, `Removed`, `Lost`,
    /// or an error of the connection when the server stays away for too long.
    pub async fn outputs(&self) -> Result<Outputs> {
        let nodes = self.tracked.outcome().await?;
        Ok(Outputs::new(self.client.clone(), self.id(), nodes))
    }

    /// Takes the job out of the queue, or interrupts it when it runs. Does nothing to a job that has ended.
    ///
    /// The answer does not wait for the end: a node that runs goes on to its next step.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn cancel(&self) -> Result<()> {
        if self.tracked.is_ended() {
            return Ok(());
        }
        let id = self.id();
        // In this order: a job that leaves the queue in between runs, and is met by the second.
        self.client.remove_from_queue([&id]).await?;
        self.client.hub().cancel(&self.tracked);
        self.client.interrupt(&id).await
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
