use comfy_protocol::route;
use comfy_workflow::schema::Schemas;

use crate::http::Call;
use crate::{Client, Error, ErrorKind, Result};

impl Client {
    /// The schemas of all node classes that the server has: megabytes on large installations.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn object_info(&self) -> Result<Schemas> {
        self.read_schemas(self.http().call(route::OBJECT_INFO, &[])).await
    }

    /// The schema of one node class; empty when the server does not have it.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn object_info_of(&self, class_type: &str) -> Result<Schemas> {
        self.read_schemas(self.http().call(route::OBJECT_INFO_OF, &[class_type])).await
    }

    async fn read_schemas(&self, call: Call<'_>) -> Result<Schemas> {
        Schemas::from_slice(&call.bytes().await?).map_err(|error| {
            Error::new(ErrorKind::UnexpectedReply, "the server's node schemas have an unknown form")
                .with_source(error)
        })
    }
}
