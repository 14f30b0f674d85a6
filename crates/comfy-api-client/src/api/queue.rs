use comfy_protocol::route;
use comfy_protocol::routes::queue::{Queue, Removal};
use serde_json::json;

use crate::{Client, Result};

impl Client {
    /// What runs and what waits, with the whole prompts.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn queue(&self) -> Result<Queue> {
        self.http().call(route::QUEUE, &[]).read().await
    }

    /// Takes everything that waits out of the queue, that of other clients too. What runs goes on.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn clear_queue(&self) -> Result<()> {
        self.http().call(route::CHANGE_QUEUE, &[]).json(&Removal::all()).repeatable().done().await
    }

    /// Takes prompts out of the queue. Those that run or are not there are passed over.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn remove_from_queue<Id: Into<String>>(&self, ids: impl IntoIterator<Item = Id>) -> Result<()> {
        let removal = Removal::of(ids.into_iter().map(Into::into).collect());
        self.http().call(route::CHANGE_QUEUE, &[]).json(&removal).repeatable().done().await
    }

    /// Interrupts a prompt if it runs. The server stops at its next node or step, a moment after the answer.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn interrupt(&self, prompt_id: &str) -> Result<()> {
        let body = json!({ "prompt_id": prompt_id });
        self.http().call(route::INTERRUPT, &[]).json(&body).repeatable().done().await
    }

    /// Interrupts whatever runs, that of other clients too.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn interrupt_any(&self) -> Result<()> {
        self.http().call(route::INTERRUPT, &[]).json(&json!({})).done().await
    }
}
