use comfy_protocol::route;
use comfy_protocol::routes::frontend::Logs;
use comfy_protocol::routes::system::{Features, SystemStats};
use indexmap::IndexMap;
use serde_json::json;

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

    /// The last lines of the server's log as one text, each with its time. Since 0.30.0 with colour sequences of
    /// terminals.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) on servers that keep their logs to themselves, such as the
    /// cloud, or those of the connection.
    pub async fn log_text(&self) -> Result<String> {
        self.http().call(route::LOGS, &[]).read().await
    }

    /// The last pieces of the server's log, up to 300.
    ///
    /// # Errors
    /// As [`log_text`](Self::log_text).
    pub async fn log_entries(&self) -> Result<Logs> {
        self.http().call(route::LOG_ENTRIES, &[]).read().await
    }

    /// Has the server send `logs` messages to the WebSocket that was opened under a client id, or stop to. They end
    /// with that socket.
    ///
    /// # Errors
    /// As [`log_text`](Self::log_text). An id that the server does not know is no error.
    pub async fn subscribe_logs(&self, client_id: &str, enabled: bool) -> Result<()> {
        let body = json!({ "clientId": client_id, "enabled": enabled });
        self.http().call(route::SUBSCRIBE_LOGS, &[]).json(&body).repeatable().done().await
    }

    /// The folders of the server by what is in them, such as `checkpoints`: those of models, and some others.
    ///
    /// # Errors
    /// As [`log_text`](Self::log_text).
    pub async fn folder_paths(&self) -> Result<IndexMap<String, Vec<String>>> {
        self.http().call(route::FOLDER_PATHS, &[]).read().await
    }

    /// The files in `input`, `output` or `temp`, the newest first, without those in folders below. The names are as
    /// nodes take them: since 0.30.0 with the folder behind them, as in `a.png [output]`.
    ///
    /// # Errors
    /// [`ErrorKind::Status`](crate::ErrorKind::Status) for another folder, or as [`log_text`](Self::log_text).
    pub async fn folder_files(&self, folder: &str) -> Result<Vec<String>> {
        self.http().call(route::FOLDER_FILES, &[folder]).read().await
    }
}
