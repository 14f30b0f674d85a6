use crate::json::JsonError;
use crate::template::Problem;

/// Most problems that a message lists.
const LISTED: usize = 20;

/// What is wrong with a workflow, or with what was asked of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    #[source]
    source: Option<JsonError>,
    problems: Option<Box<Problems>>,
}

/// A type of its own, as an error is to be small.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problems(Vec<Problem>);

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
    /// A template is wrong, or the file that declares it.
    Template,
    /// The values for a template are not what it takes.
    Values,
    /// A sweep is wrong, or does not fit the workflow or the template.
    Sweep,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, problems: None }
    }

    pub(crate) fn json(source: JsonError) -> Self {
        Self { source: Some(source), ..Self::new(ErrorKind::Json, "the document is no JSON") }
    }

    /// All of `problems`, of which there is at least one; a line for each.
    pub(crate) fn of_problems(kind: ErrorKind, problems: Vec<Problem>) -> Self {
        let mut lines: Vec<String> = problems.iter().take(LISTED).map(Problem::to_string).collect();
        if problems.len() > LISTED {
            lines.push(format!("and {} more", problems.len() - LISTED));
        }
        Self { problems: Some(Box::new(Problems(problems))), ..Self::new(kind, lines.join("\n")) }
    }

    /// What kind of error this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What is wrong, one by one, for [`ErrorKind::Template`], [`ErrorKind::Values`] and [`ErrorKind::Sweep`]; else empty.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        self.problems.as_ref().map_or(&[], |problems| &problems.0)
    }
}
