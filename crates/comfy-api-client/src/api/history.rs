use comfy_protocol::route;
use comfy_protocol::routes::history::{History, HistoryEntry};

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
}
