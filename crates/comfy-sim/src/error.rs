use std::io;

/// Why the simulator could not be started.
#[derive(Debug, thiserror::Error)]
#[error("{context}")]
pub struct Error {
    kind: ErrorKind,
    context: String,
    source: Option<io::Error>,
}

/// What kind of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The address could not be listened on: it is in use, or not allowed.
    Listen,
    /// The base folder could not be made or used.
    Folder,
    /// The description of the node classes could not be read.
    Nodes,
    /// The machine did not give a thread or another resource.
    Resources,
}

impl Error {
    pub(crate) fn new(
        kind: ErrorKind,
        context: impl Into<String>,
        source: impl Into<Option<io::Error>>,
    ) -> Self {
        Self { kind, context: context.into(), source: source.into() }
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}
