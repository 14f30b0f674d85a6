use comfy_protocol::route;
use comfy_protocol::routes::prompt::{FreeRequest, PromptInfo};
use comfy_protocol::routes::queue::{Queue, Removal};
use serde_json::json;

use super::awaitable;
use crate::{Client, Result};

impl Client {
    /// How many prompts of all clients wait or run.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn queue_remaining(&self) -> Result<u64> {
        let info: PromptInfo = self.http().call(route::PROMPT_INFO, &[]).read().await?;
        Ok(info.exec_info.queue_remaining)
    }

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

    /// Asks the server to free memory, which it does when nothing runs, a moment after the answer. Nothing is freed
    /// unless it is said what.
    ///
    /// ```no_run
    /// # async fn example(client: comfy_api_client::Client) -> comfy_api_client::Result<()> {
    /// client.free().unload_models(true).await?;
    /// # Ok(()) }
    /// ```
    pub fn free(&self) -> Free<'_> {
        Free { client: self, request: FreeRequest::default() }
    }
}

/// A wish to free memory, about to be sent; made by [`Client::free`]. Await it to send it.
#[derive(Debug)]
#[must_use = "nothing is sent unless this is awaited"]
pub struct Free<'a> {
    client: &'a Client,
    request: FreeRequest,
}

impl Free<'_> {
    /// Whether to take the models out of memory.
    pub fn unload_models(mut self, unload: bool) -> Self {
        self.request.unload_models = unload;
        self
    }

    /// Whether to throw away what earlier prompts left, so that the next one begins from nothing; models go too.
    pub fn free_memory(mut self, free: bool) -> Self {
        self.request.free_memory = free;
        self
    }

    async fn send(self) -> Result<()> {
        self.client.http().call(route::FREE, &[]).json(&self.request).repeatable().done().await
    }
}

awaitable!(Free -> ());
