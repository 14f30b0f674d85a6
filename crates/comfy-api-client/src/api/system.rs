use comfy_protocol::route;
use comfy_protocol::routes::system::{Features, SystemStats};

use crate::{Client, Result};

impl Client {
    /// Versions, memory and devices of the server.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn system_stats(&self) -> Result<SystemStats> {
        self.http().call(route::SYSTEM_STATS, &[]).read().await
    }

    /// What the server can do, such as the largest body it takes.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn features(&self) -> Result<Features> {
        self.http().call(route::FEATURES, &[]).read().await
    }
}
