use comfy_workflow::schema::Schemas;
use serde_json::Value;

use crate::{Client, Error, ErrorKind, Result};

impl Client {
    /// The schemas of all node classes that the server has: megabytes on large installations.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn object_info(&self) -> Result<Schemas> {
        self.read_schemas("api/object_info").await
    }

    /// The schema of one node class; empty when the server does not have it.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn object_info_of(&self, class_type: &str) -> Result<Schemas> {
        self.read_schemas(&format!("api/object_info/{}", crate::http::segment(class_type))).await
    }

    async fn read_schemas(&self, path: &str) -> Result<Schemas> {
        let value: Value = self.http().get(path).await?;
        Schemas::from_value(value).map_err(|error| {
            Error::new(ErrorKind::UnexpectedReply, "the server's node schemas have an unknown form")
                .with_source(error)
        })
    }
}
