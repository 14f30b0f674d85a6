//! Exit codes: a contract with scripts.

use std::process::ExitCode;

/// How the command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done.
    Success,
    /// The workflow failed on the server, or its files could not be saved.
    Failure,
    /// What was compared differs.
    Different,
    /// The command was used wrongly.
    Usage,
    /// The server cannot be reached, or answered nonsense.
    Unreachable,
    /// The workflow was rejected, and nothing ran.
    Rejected,
    /// The time limit was reached.
    Timeout,
    /// The workflow was interrupted or cancelled on the server.
    Interrupted,
    /// Ctrl-C.
    Stopped,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Failure | Exit::Different => 1,
            Exit::Usage => 2,
            Exit::Unreachable => 3,
            Exit::Rejected => 4,
            Exit::Timeout => 5,
            Exit::Interrupted => 6,
            Exit::Stopped => 130,
        })
    }
}
