use crate::Error;

/// State of a client's WebSocket.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum ConnectionStatus {
    /// Not opened yet: nothing needed it, or the client asks over HTTP only.
    #[default]
    Idle,
    /// Open.
    Connected,
    /// It broke. It is opened again when something needs it.
    Lost,
    /// It could not be opened. It is tried again while something needs it.
    Failed(Error),
}

/// State of the WebSocket.
#[derive(Debug, Clone)]
pub(super) enum Connection {
    /// Not tried yet, or lost and not yet made again. Counts how often it was lost, since a connection can come and go
    /// before anybody sees it open.
    Closed { losses: u64 },
    /// Open under this client id.
    Open(String),
    /// Could not be made; it is tried again when somebody wants it or a job waits.
    Failed(Error),
}

impl Connection {
    pub(super) fn status(&self) -> ConnectionStatus {
        match self {
            Self::Closed { losses: 0 } => ConnectionStatus::Idle,
            Self::Closed { .. } => ConnectionStatus::Lost,
            Self::Open(_) => ConnectionStatus::Connected,
            Self::Failed(error) => ConnectionStatus::Failed(error.clone()),
        }
    }

    pub(super) fn client_id(&self) -> Option<&str> {
        match self {
            Self::Open(id) => Some(id),
            _ => None,
        }
    }
}
