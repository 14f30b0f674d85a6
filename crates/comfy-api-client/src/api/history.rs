use comfy_protocol::route;
use comfy_protocol::routes::history::{History, HistoryEntry};
use comfy_protocol::routes::queue::Removal;

use super::awaitable;
use crate::{Client, Result};

impl Client {
    /// The record of a prompt that has run; `None` for one that has not, or is not known.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn history(&self, prompt_id: &str) -> Result<Option<HistoryEntry>> {
        let mut history: History = self.http().call(route::HISTORY_OF, &[prompt_id]).read().await?;
        Ok(history.shift_remove(prompt_id))
    }

    /// The records of the prompts that have run, the oldest first: all of them, up to 10 000, or some. The server keeps
    /// them in memory, so they are gone when it restarts.
    ///
    /// ```no_run
    /// # async fn example(client: comfy_api_client::Client) -> comfy_api_client::Result<()> {
    /// for (prompt_id, record) in client.histories().max_items(10).await? {
    ///     println!("{prompt_id}: {:?}", record.ending());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn histories(&self) -> Histories<'_> {
        Histories { client: self, max_items: None, offset: None }
    }

    /// Takes prompts out of the history. Those that are not there are passed over; files stay.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn remove_history<Id: Into<String>>(&self, ids: impl IntoIterator<Item = Id>) -> Result<()> {
        let removal = Removal::of(ids.into_iter().map(Into::into).collect());
        self.http().call(route::CHANGE_HISTORY, &[]).json(&removal).repeatable().done().await
    }

    /// Takes all prompts out of the history, those of other clients too; files stay.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn clear_history(&self) -> Result<()> {
        self.http().call(route::CHANGE_HISTORY, &[]).json(&Removal::all()).repeatable().done().await
    }
}

/// A question for the history, about to be asked; made by [`Client::histories`]. Await it for the records by prompt id.
#[derive(Debug)]
#[must_use = "nothing is asked unless this is awaited"]
pub struct Histories<'a> {
    client: &'a Client,
    max_items: Option<u64>,
    offset: Option<u64>,
}

impl Histories<'_> {
    /// At most so many: the newest ones, unless there is an [`offset`](Self::offset).
    pub fn max_items(mut self, most: u64) -> Self {
        self.max_items = Some(most);
        self
    }

    /// Passes over so many of the oldest.
    pub fn offset(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    async fn send(self) -> Result<History> {
        let call = self.client.http().call(route::HISTORY, &[]);
        call.query_if("max_items", self.max_items).query_if("offset", self.offset).read().await
    }
}

awaitable!(Histories -> History);
