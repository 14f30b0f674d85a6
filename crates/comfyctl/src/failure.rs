//! Why a command did not do what was asked, in the terms of the contract.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use comfy_api_client::workflow;
use comfy_api_client::workflow::json::JsonError;
use comfy_api_client::workflow::validate::{ErrorType, Rejection};
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
            Exit::Failure | Exit::Different => "error",
        };
        let report = Box::new(Report { code, message: message.into(), hint: None, details: Value::Null });
        Self { exit, status, report, causes: Vec::new() }
    }

    pub(crate) fn usage(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, code, message)
    }

    /// The time that `--timeout` allows is over.
    pub(crate) fn timed_out(limit: Duration) -> Self {
        let limit = humantime::format_duration(limit);
        Self::new(Exit::Timeout, "timeout", format!("the time limit of {limit} was reached"))
            .with_hint("allow more time with `--timeout`")
    }

    /// What a file or folder of the user did not allow, before anything ran.
    pub(crate) fn of_file(code: &'static str, message: &str, error: &io::Error) -> Self {
        Self::usage(code, format!("{message}: {}", reason(error))).caused_by(error)
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.report.hint = Some(hint.into());
        self
    }

    /// Adds a hint where there is none.
    pub(crate) fn or_hint(mut self, hint: &str) -> Self {
        self.report.hint.get_or_insert_with(|| hint.to_owned());
        self
    }

    /// Adds a hint to the one that is there.
    pub(crate) fn with_another_hint(self, another: &str) -> Self {
        let hint = match &self.report.hint {
            Some(hint) => format!("{hint}; {another}"),
            None => another.to_owned(),
        };
        self.with_hint(hint)
    }

    /// Keeps the chain of causes, which `-v` shows.
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
            ErrorKind::Conflict => (Exit::Failure, "conflict"),
            ErrorKind::Unsupported => (Exit::Failure, "unsupported"),
            ErrorKind::Workflow => (workflow_exit(&error), "workflow"),
            ErrorKind::Conversion => (Exit::Rejected, "conversion"),
            ErrorKind::Rejected => (Exit::Rejected, "rejected"),
            ErrorKind::Execution => (Exit::Failure, "execution"),
            ErrorKind::Interrupted => (Exit::Interrupted, "interrupted"),
            ErrorKind::Removed => (Exit::Interrupted, "removed"),
            ErrorKind::Lost => (Exit::Unreachable, "lost"),
            ErrorKind::Io => (Exit::Failure, "io"),
            _ => (Exit::Failure, "other"),
        };
        let mut message = error.message().to_owned();
        if let Some(reason) = telling_reason(&error) {
            message.push_str(&reason);
        }
        let mut failure = Self::new(exit, code, message);
        failure.report.hint = hint(&error);
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

/// What the cause of an error of the library adds to its message, where that is more than detail.
fn telling_reason(error: &Error) -> Option<String> {
    let source = error.source()?;
    match error.kind() {
        ErrorKind::Io => source.downcast_ref().map(|cause| format!(": {}", reason(cause))),
        ErrorKind::UnexpectedReply if source.is::<Error>() => {
            error.status().map(|status| format!(" (status {status})"))
        }
        ErrorKind::UnexpectedReply => {
            source.downcast_ref::<JsonError>().map(|cause| format!(": {}", one_line(&cause.to_string())))
        }
        _ => None,
    }
}

/// The next step, in the terms of the command.
fn hint(error: &Error) -> Option<String> {
    if let Some(rejection) = error.validation() {
        return rejection_hint(rejection);
    }
    if error.execution().is_some() {
        return Some("the traceback is in the server's log, and in the result of `--json`".into());
    }
    if error.kind() == ErrorKind::Unauthorized {
        return Some("give what the server asks for with `--token` or `--header`".into());
    }
    error.hint().map(|hint| hint.replace("`Tracking::Polling`", "`--tracking poll`"))
}

fn rejection_hint(rejection: &Rejection) -> Option<String> {
    if rejection.error.kind == ErrorType::MissingNodeType {
        return Some("install the custom node on the server, or take the node out of the workflow".into());
    }
    let problems = rejection.node_errors.iter();
    let mut problems = problems.flat_map(|(id, node)| node.errors.iter().map(move |error| (id, error)));
    // The words of every node that loads a file from the server's input folder.
    let no_file = problems.find_map(|(id, error)| {
        let says_so = error.details.contains("Invalid") && error.details.contains("file:");
        (error.kind == ErrorType::CustomValidationFailed && says_so).then_some((id, error.input_name()?))
    });
    match no_file {
        Some((id, input)) => {
            let selector = one_line(&format!("{id}.{input}"));
            Some(format!("upload the file with `--set {selector}=@FILE`"))
        }
        None if rejection.node_errors.is_empty() => None,
        None => Some("change inputs with `--set NODE.INPUT=VALUE`, or correct the workflow".into()),
    }
}

/// Why the system refused something, in plain words.
pub(crate) fn reason(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    let words = match error.kind() {
        Kind::NotFound => "no such file or folder",
        Kind::PermissionDenied => "permission denied",
        Kind::IsADirectory => "it is a folder, not a file",
        Kind::NotADirectory => "a part of the path is a file, not a folder",
        Kind::AlreadyExists => "a file of that name is in the way",
        Kind::StorageFull => "the disk is full",
        Kind::QuotaExceeded => "your share of the disk is used up",
        Kind::ReadOnlyFilesystem => "the disk is read-only",
        Kind::AddrInUse => "another program uses it",
        // The system's own words, without its number for them.
        _ => return one_line(error.to_string().split(" (os error").next().unwrap_or_default()),
    };
    words.to_owned()
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
