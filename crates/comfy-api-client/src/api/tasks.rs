use comfy_protocol::route;
use comfy_protocol::routes::tasks::Task;

use crate::{Client, Result};

impl Client {
    /// Work that the server does in the background, such as the download of a model; `None` for an id that is not
    /// known. Only the cloud has it.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) on servers of one's own, or those of the connection.
    pub async fn task(&self, id: &str) -> Result<Option<Task>> {
        self.http().call(route::TASK, &[id]).read_if_found().await
    }

    /// Cancels work that the server does in the background. Only the cloud has it.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when it has gone too far to be cancelled,
    /// [`NotFound`](crate::ErrorKind::NotFound) for an id that is not known, or as [`task`](Self::task).
    pub async fn cancel_task(&self, id: &str) -> Result<()> {
        self.http().call(route::CANCEL_TASK, &[id]).done().await
    }
}
