use comfy_protocol::routes::history::{History, HistoryEntry};

use crate::{Client, Result};

impl Client {
    /// The record of a prompt that has run; `None` for one that has not, or is not known.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn history(&self, prompt_id: &str) -> Result<Option<HistoryEntry>> {
        let path = format!("api/history/{}", crate::http::segment(prompt_id));
        Ok(self.http().get::<History>(&path).await?.shift_remove(prompt_id))
    }
}
