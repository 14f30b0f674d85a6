use std::fmt;

use crate::validate::{ErrorType, Line};

/// Why a [`WorkflowBuilder`](super::WorkflowBuilder) gives no workflow. `Display` shows all problems, one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError {
    problems: Vec<BuildProblem>,
}

/// One thing that is wrong. `Display` says it whole: `node 3 "Title" (KSampler): input sed: no such input; did you mean …`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildProblem {
    /// What kind of problem it is.
    pub kind: BuildProblemKind,
    /// Where it is, and what it is in words.
    pub line: Line,
}

/// The kinds of [`BuildProblem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BuildProblemKind {
    /// Another node has the same id.
    DuplicateId,
    /// The server has no such class.
    UnknownClass,
    /// The class has no such input.
    UnknownInput,
    /// The node that a link comes from has no such output, or several of this name.
    UnknownOutput,
    /// A link comes from a node of another builder.
    ForeignNode,
    /// An output is named, or a row is set, and there are no schemas.
    NeedsSchemas,
    /// A required input is not set, and has no default.
    MissingInput,
    /// A link from an output of another type.
    WrongType,
    /// A value that the input does not take.
    InvalidValue,
    /// The links form a cycle.
    Cycle,
    /// No node is an output, from which runs start.
    NoOutputNode,
    /// Something else that a server would refuse.
    Refused,
}

impl BuildError {
    pub(super) fn new(problems: Vec<BuildProblem>) -> Self {
        Self { problems }
    }

    /// All that is wrong, in the order of the nodes; at least one problem.
    #[must_use]
    pub fn problems(&self) -> &[BuildProblem] {
        &self.problems
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for BuildError {}

impl fmt::Display for BuildProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.line.fmt(f)
    }
}

impl From<&ErrorType> for BuildProblemKind {
    fn from(kind: &ErrorType) -> Self {
        match kind {
            ErrorType::MissingNodeType => Self::UnknownClass,
            ErrorType::PromptNoOutputs => Self::NoOutputNode,
            ErrorType::RequiredInputMissing => Self::MissingInput,
            ErrorType::ReturnTypeMismatch => Self::WrongType,
            ErrorType::DependencyCycle => Self::Cycle,
            ErrorType::InvalidDynamicInput => Self::UnknownInput,
            ErrorType::InvalidInputType
            | ErrorType::ValueSmallerThanMin
            | ErrorType::ValueBiggerThanMax
            | ErrorType::ValueNotInList
            | ErrorType::CustomValidationFailed => Self::InvalidValue,
            _ => Self::Refused,
        }
    }
}
