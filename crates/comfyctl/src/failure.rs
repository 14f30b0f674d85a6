//! Why a command did not do what was asked, in the terms of the contract.

use std::error::Error as _;

use comfy_api_client::workflow;
use comfy_api_client::{Error, ErrorKind};
use serde::Serialize;
use serde_json::{Value, json};

use crate::exit::Exit;

/// A failure of a command.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// `status` of the result in JSON.
    pub(crate) status: &'static str,
    pub(crate) report: Box<Report>,
    pub(crate) causes: Vec<String>,
}

/// `error` of the result in JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) details: Value,
}

impl Failure {
    pub(crate) fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        let status = match exit {
            Exit::Success => "success",
            Exit::Usage | Exit::Rejected => "rejected",
            Exit::Unreachable => "unreachable",
            Exit::Timeout => "timeout",
            Exit::Interrupted | Exit::Stopped => "interrupted",
            Exit::Failure => "error",
        };
        let report = Box::new(Report { code, message: message.into(), hint: None, details: Value::Null });
        Self { exit, status, report, causes: Vec::new() }
    }

    pub(crate) fn usage(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, code, message)
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.report.hint = Some(hint.into());
        self
    }

    pub(crate) fn caused_by(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = one_line(&error.to_string());
            // Errors of libraries tend to repeat their cause in their own text.
            if !self.causes.iter().any(|seen| seen.contains(&text)) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// A failure that belongs to a file or folder of the user, before anything ran.
    pub(crate) fn into_usage(mut self) -> Self {
        (self.exit, self.status) = (Exit::Usage, "rejected");
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (exit, code) = match error.kind() {
            ErrorKind::Config => (Exit::Usage, "config"),
            ErrorKind::Connect => (Exit::Unreachable, "connect"),
            ErrorKind::Tls => (Exit::Unreachable, "tls"),
            ErrorKind::Timeout => (Exit::Unreachable, "no_answer"),
            ErrorKind::Disconnected => (Exit::Unreachable, "disconnected"),
            ErrorKind::UnexpectedReply => (Exit::Unreachable, "unexpected_reply"),
            ErrorKind::Status => (Exit::Unreachable, "status"),
            ErrorKind::Unauthorized => (Exit::Unreachable, "unauthorized"),
            ErrorKind::NotFound => (Exit::Failure, "not_found"),
            ErrorKind::TooLarge => (Exit::Failure, "too_large"),
            ErrorKind::Workflow => (workflow_exit(&error), "workflow"),
            ErrorKind::Rejected => (Exit::Rejected, "rejected"),
            ErrorKind::Execution => (Exit::Failure, "execution"),
            ErrorKind::Interrupted => (Exit::Interrupted, "interrupted"),
            ErrorKind::Removed => (Exit::Interrupted, "removed"),
            ErrorKind::Lost => (Exit::Unreachable, "lost"),
            ErrorKind::Io => (Exit::Failure, "io"),
            _ => (Exit::Failure, "other"),
        };
        let mut failure = Self::new(exit, code, error.message());
        failure.report.hint = error.hint().map(str::to_owned);
        failure.report.details = details(&error);
        match error.source() {
            Some(source) => failure.caused_by(source),
            None => failure,
        }
    }
}

impl From<workflow::Error> for Failure {
    fn from(error: workflow::Error) -> Self {
        let exit = exit_of(error.kind());
        Self::new(exit, "workflow", error.to_string())
    }
}

fn workflow_exit(error: &Error) -> Exit {
    let source = error.source().and_then(|source| source.downcast_ref::<workflow::Error>());
    source.map_or(Exit::Usage, |source| exit_of(source.kind()))
}

fn exit_of(kind: workflow::ErrorKind) -> Exit {
    match kind {
        workflow::ErrorKind::EditorFormat | workflow::ErrorKind::InvalidValue => Exit::Rejected,
        _ => Exit::Usage,
    }
}

/// The server's own report, where there is one.
fn details(error: &Error) -> Value {
    if let Some(rejection) = error.validation() {
        return serde_json::to_value(rejection).unwrap_or_default();
    }
    if let Some(report) = error.execution() {
        return json!({
            "node_id": report.node_id, "node_type": report.node_type, "exception_type": report.exception_type,
            "exception_message": report.exception_message, "traceback": report.traceback,
        });
    }
    Value::Null
}

/// A text of unknown origin, fit for a terminal.
pub(crate) fn one_line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}
