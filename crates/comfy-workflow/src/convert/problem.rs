use std::fmt;

use crate::NodeId;
use crate::severity::Severity;
use crate::validate::write_place;

/// Something that a conversion found, and could not turn into what the user may have wanted.
///
/// `Display` shows all of it on one line: `node 3 "Sampler" (KSampler): input steps: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Whether the result is fit to run.
    pub severity: Severity,
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// The node by its id in the result, where the problem is one of a node: `9:4` is node 4 inside the subgraph that
    /// node 9 stands for.
    pub node: Option<NodeId>,
    /// The node's title, when the user gave it one.
    pub title: Option<String>,
    /// The node's class.
    pub class_type: Option<String>,
    /// The input.
    pub input: Option<String>,
    /// What is wrong, and what to do.
    pub message: String,
}

/// The kinds of [`Problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The class is not known to the server.
    UnknownClass,
    /// The chosen option of a dynamic combo is not known to the server, so that the inputs it brings are missing.
    UnknownOption,
    /// The stored values do not fit the widgets: they seem to have been stored for another version of the class.
    ShiftedWidgets,
    /// A value that the schema forbids.
    InvalidValue,
    /// A link that leads to nowhere, or that the parts of the document disagree on.
    BrokenLink,
    /// A link to an input that the class does not have.
    UnknownInput,
    /// Links go in a circle through nodes that only pass them on, or a subgraph contains itself.
    Cycle,
    /// A date or a name in a `filename_prefix` that cannot be filled in.
    Pattern,
    /// A part of the document is of a wrong shape and was passed over.
    Malformed,
}

impl Problem {
    /// A warning about the document as a whole.
    pub(super) fn of_document(message: String) -> Self {
        Self {
            severity: Severity::Warning,
            kind: ProblemKind::Malformed,
            node: None,
            title: None,
            class_type: None,
            input: None,
            message,
        }
    }
}

impl ProblemKind {
    /// A stable name for programs, such as `unknown_class`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownClass => "unknown_class",
            Self::UnknownOption => "unknown_option",
            Self::ShiftedWidgets => "shifted_widgets",
            Self::InvalidValue => "invalid_value",
            Self::BrokenLink => "broken_link",
            Self::UnknownInput => "unknown_input",
            Self::Cycle => "cycle",
            Self::Pattern => "pattern",
            Self::Malformed => "malformed",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, title, class_type, input, .. } = self;
        write_place(f, node.as_ref(), title.as_deref(), class_type.as_deref(), input.as_deref())?;
        f.write_str(&self.message)
    }
}
