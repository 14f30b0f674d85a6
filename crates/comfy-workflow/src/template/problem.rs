use std::fmt;

use crate::workflow::clip;

/// One thing that is wrong with a template, its values or a sweep. `Display` shows the message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// What kind of problem this is.
    pub kind: ProblemKind,
    /// The parameter, or the selector of a sweep, that it is about.
    pub name: Option<String>,
    /// The row that it is about, from 1, where the values come from rows.
    pub row: Option<usize>,
    /// What is wrong, with the names of parameter and row, and what is wanted instead.
    pub message: String,
}

/// The kinds of [`Problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// What was read has another form.
    Syntax,
    /// A parameter without a default was not given.
    Missing,
    /// There is no such parameter, input or node.
    Unknown,
    /// A placeholder names no declared parameter.
    Undeclared,
    /// A declared parameter sets nothing.
    Unused,
    /// A value has the wrong type, is out of range, or is none of the choices.
    InvalidValue,
    /// Two declarations cannot both hold.
    Conflict,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Problem {
    pub(super) fn new(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self { kind, name: None, row: None, message: message.into() }
    }

    /// A problem with what is called `name`; the message is its subject and the predicate.
    pub(super) fn of(kind: ProblemKind, name: &str, predicate: impl fmt::Display) -> Self {
        let message = format!("{}{predicate}", subject(name));
        Self { name: Some(name.to_owned()), ..Self::new(kind, message) }
    }

    /// The problem of a value in a row, which is on this line of its file.
    pub(super) fn in_row(self, row: usize, line: Option<usize>) -> Self {
        let line = line.map(|line| format!(" (line {line})")).unwrap_or_default();
        let message = format!("row {row}{line}: {}", self.message);
        Self { row: Some(row), message, ..self }
    }
}

/// How messages name a parameter, or a selector, which is told by its dot.
fn subject(name: &str) -> String {
    if name.contains('.') { format!("`{}`", clip(name)) } else { format!("parameter `{}`", clip(name)) }
}
