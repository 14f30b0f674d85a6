use comfy_protocol::route;
use comfy_workflow::schema::Schemas;

use crate::{Client, Result, schemas};

impl Client {
    /// The schemas of all node classes that the server has: megabytes on large installations. See
    /// [`schemas`](Self::schemas) for those that are kept.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn object_info(&self) -> Result<Schemas> {
        schemas::read(&self.http().call(route::OBJECT_INFO, &[]).bytes().await?)
    }

    /// The schema of one node class; empty when the server does not have it.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn object_info_of(&self, class_type: &str) -> Result<Schemas> {
        schemas::read(&self.http().call(route::OBJECT_INFO_OF, &[class_type]).bytes().await?)
    }
}
