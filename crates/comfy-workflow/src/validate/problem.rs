use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{ErrorType, Line, Verdict};
use crate::NodeId;
use crate::severity::Severity;

/// Most choices that a problem carries.
pub(super) const CHOICES: usize = 50;

/// All that [`inspect`](super::inspect) finds in a prompt.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Findings {
    /// What is wrong, in the order of the prompt's nodes; what concerns the prompt as a whole first.
    pub problems: Vec<Problem>,
    /// What the server will answer, as far as can be told: of a class of which nothing is known it is taken that it checks
    /// nothing itself.
    pub verdict: Verdict,
    /// Whether the server refuses the prompt whatever the checks are that classes bring themselves.
    pub certain: bool,
}

impl Findings {
    /// Whether the server will refuse the prompt, as far as can be told.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        !matches!(self.verdict, Verdict::Accepted(_))
    }

    /// Whether the prompt would stop the server's worker for ever.
    #[must_use]
    pub fn stops_the_worker(&self) -> bool {
        self.problems.iter().any(|problem| problem.effect == Effect::DeadWorker)
    }

    /// The problems that are no mere warnings.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error)
    }
}

/// A line per problem, errors and warnings alike.
impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index > 0 { "\n" } else { "" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

/// One problem of a prompt. `Display` is that of its [`Line`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// How bad it is.
    pub severity: Severity,
    /// What comes of it.
    pub effect: Effect,
    /// The kind of error as which the server reports it; nothing when the server does not mind, or stops before it gets
    /// there.
    pub server_type: Option<ErrorType>,
    /// Where it is, and what it is in words.
    #[serde(flatten, serialize_with = "place")]
    pub line: Line,
    /// The value that was found.
    pub found: Option<Value>,
    /// What is allowed in its place.
    pub allowed: Option<Allowed>,
    /// The nearest valid names, the closest first; at most three.
    pub nearest: Vec<String>,
}

/// Writes a line without its kind: the problem has a better one.
fn place<S: Serializer>(line: &Line, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Place<'a> {
        node: Option<&'a NodeId>,
        title: Option<&'a str>,
        class_type: Option<&'a str>,
        input: Option<&'a str>,
        message: &'a str,
    }
    let Line { node, title, class_type, input, text, .. } = line;
    Place {
        node: node.as_ref(),
        title: title.as_deref(),
        class_type: class_type.as_deref(),
        input: input.as_deref(),
        message: text,
    }
    .serialize(serializer)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.line.fmt(f)
    }
}

impl Problem {
    pub(super) fn new(kind: ProblemKind, line: Line) -> Self {
        Self {
            kind,
            severity: Severity::Warning,
            effect: Effect::None,
            server_type: None,
            line,
            found: None,
            allowed: None,
            nearest: Vec::new(),
        }
    }

    /// What comes of it, and how bad it is therefore.
    pub(super) fn with_effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self.severity = if effect == Effect::None { Severity::Warning } else { Severity::Error };
        self
    }

    pub(super) fn found(mut self, value: Value) -> Self {
        self.found = Some(value);
        self
    }

    /// The nearest names; the text asks for the first.
    pub(super) fn nearest(mut self, names: Vec<&str>) -> Self {
        self.nearest = names.into_iter().map(str::to_owned).collect();
        self
    }
}

/// What is allowed in an input.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Allowed {
    /// One of these values.
    Choices {
        /// The first fifty.
        first: Vec<Value>,
        /// How many there are.
        total: usize,
    },
    /// A number in this range.
    Range {
        /// The smallest, where there is one.
        min: Option<Value>,
        /// The largest, where there is one.
        max: Option<Value>,
    },
    /// A value or a link of this type, such as `INT` or `IMAGE,MASK`.
    Type(String),
    /// An output with a smaller number than this.
    Outputs(usize),
}

/// What comes of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Effect {
    /// The server refuses the outputs that the node feeds, or the whole prompt when it has no others.
    Refused,
    /// As [`Refused`](Self::Refused), unless a check that the class brings itself, or a replacement of the class, lets it
    /// through. No description tells.
    PerhapsRefused,
    /// The server takes the prompt, and the run fails at the node.
    FailedRun,
    /// The server takes the prompt, and its worker stops for ever: nothing runs any more until it is started again.
    DeadWorker,
    /// Nothing: the server does not look at it, or does not mind.
    None,
}

/// What kind of problem it is. Where the server has a name for the kind, it has the same here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A kind that servers report themselves.
    Reported(ErrorType),
    /// A link to a node that the prompt does not have.
    LinkToMissingNode,
    /// A link to an output that its node does not have.
    LinkToMissingOutput,
    /// A link whose node or output is of a type that no link has.
    MalformedLink,
    /// A node without inputs, not even an empty object of them.
    NoInputs,
    /// A node, its class or its inputs are of a type that they must not be.
    MalformedNode,
    /// A file that the server's list does not have, and that may lie elsewhere.
    UnlistedFile,
    /// A value that the server changes: a fraction cut off, a text as a truth value.
    ConvertedValue,
    /// An input that the class does not declare.
    UndeclaredInput,
    /// A node that feeds no output.
    UnreachableNode,
    /// The chain of links is too long for the server to follow.
    ChainTooLong,
    /// Lists and objects nested deeper than a server can copy.
    NestedTooDeep,
}

impl ProblemKind {
    /// Its stable name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Reported(kind) => kind.as_str(),
            Self::LinkToMissingNode => "link_to_missing_node",
            Self::LinkToMissingOutput => "link_to_missing_output",
            Self::MalformedLink => "malformed_link",
            Self::NoInputs => "no_inputs",
            Self::MalformedNode => "malformed_node",
            Self::UnlistedFile => "unlisted_file",
            Self::ConvertedValue => "converted_value",
            Self::UndeclaredInput => "undeclared_input",
            Self::UnreachableNode => "unreachable_node",
            Self::ChainTooLong => "chain_too_long",
            Self::NestedTooDeep => "nested_too_deep",
        }
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ProblemKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
