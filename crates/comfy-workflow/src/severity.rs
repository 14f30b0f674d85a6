use std::fmt;

use serde::Serialize;

/// How bad a problem is that a [conversion](crate::convert::Problem) or a [check](crate::validate::Problem) has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// It runs, and may be what was meant; the editor and servers take such a workflow as well.
    Warning,
    /// Something will not run, or not as it is drawn.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}
