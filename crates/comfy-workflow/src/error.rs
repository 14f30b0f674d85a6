use crate::json::JsonError;

/// What is wrong with a workflow, or with what was asked of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    #[source]
    source: Option<JsonError>,
}

/// The kinds of [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The document is empty.
    Empty,
    /// The document is no JSON.
    Json,
    /// The document is JSON, but no workflow.
    NotAWorkflow,
    /// The document is a workflow in the editor's format, which a server does not run.
    EditorFormat,
    /// The document is a picture, a video or another file that carries no workflow.
    NoWorkflow,
    /// The document could not be read to its end.
    Io,
    /// A selector is not of the form `NODE.INPUT`.
    SelectorSyntax,
    /// A selector names no node or no input of the workflow.
    NoMatch,
    /// A selector names several nodes.
    Ambiguous,
    /// The input to be set is a link from another node.
    Linked,
    /// The value does not fit the input.
    InvalidValue,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn json(source: JsonError) -> Self {
        Self { kind: ErrorKind::Json, message: "the document is no JSON".into(), source: Some(source) }
    }

    /// What kind of error this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}
