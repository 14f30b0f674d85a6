use std::sync::{Arc, Mutex, PoisonError};

use comfy_protocol::route;
use comfy_workflow::schema::Schemas;
use tokio::sync::Semaphore;

use crate::http::Call;
use crate::{Client, Error, ErrorKind, Result};

/// The schemas that a client has asked for.
#[derive(Debug)]
pub(crate) struct SchemaCache {
    schemas: Mutex<Option<Arc<Schemas>>>,
    /// One question at a time: the answer is large.
    turn: Semaphore,
}

impl Default for SchemaCache {
    fn default() -> Self {
        Self { schemas: Mutex::default(), turn: Semaphore::new(1) }
    }
}

impl SchemaCache {
    pub(crate) fn known(&self) -> Option<Arc<Schemas>> {
        self.schemas.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, schemas: Schemas) -> Arc<Schemas> {
        let schemas = Arc::new(schemas);
        *self.schemas.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&schemas));
        schemas
    }
}

impl Client {
    /// The schemas of all node classes that the server has: megabytes on large installations. See
    /// [`schemas`](Self::schemas) for those that are kept.
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
        let body = call.bytes().await?;
        Schemas::from_slice(&body).map_err(|error| {
            Error::new(ErrorKind::UnexpectedReply, "the server's node schemas have an unknown form")
                .with_source(error)
        })
    }

    /// The schemas of all node classes: asked for once, and kept for all clones of the client. They hold lists of files
    /// too, such as models, which change while the server runs: [`refresh_schemas`](Self::refresh_schemas) asks again.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn schemas(&self) -> Result<Arc<Schemas>> {
        let cache = self.schema_cache();
        if let Some(schemas) = cache.known() {
            return Ok(schemas);
        }
        // It is never closed.
        let _turn = cache.turn.acquire().await.ok();
        match cache.known() {
            Some(schemas) => Ok(schemas),
            None => Ok(cache.keep(self.object_info().await?)),
        }
    }

    /// Asks for the schemas of all node classes, whether some are kept or not, and keeps them. Those kept before stay
    /// when that fails.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn refresh_schemas(&self) -> Result<Arc<Schemas>> {
        let cache = self.schema_cache();
        let _turn = cache.turn.acquire().await.ok();
        Ok(cache.keep(self.object_info().await?))
    }
}
