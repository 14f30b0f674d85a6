use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use comfy_protocol::ExecutionError;
use comfy_workflow::convert::{Problem, ProblemKind, Severity};
use comfy_workflow::validate::{Rejection, Titles};

/// What went wrong, with what it concerns and what to do about it.
///
/// `Display` gives one level with the next step; [`source`](std::error::Error::source) has the cause. Cloning is cheap.
/// Secrets of the server's address never appear.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

/// A `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    url: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    operation: Option<String>,
    attempts: u32,
    elapsed: Option<Duration>,
    retry_after: Option<Duration>,
    prompt_id: Option<String>,
    may_go_on: bool,
    validation: Option<Box<Rejection>>,
    problems: Vec<Problem>,
    execution: Option<Box<ExecutionError>>,
    source: Option<Source>,
}

/// The kinds of [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The address of the server, a header, another setting or an argument is not valid.
    Config,
    /// No connection to the server: it is down, or the address is wrong.
    Connect,
    /// TLS failed: a certificate is not trusted, or one side does not speak TLS.
    Tls,
    /// An answer, or a job, took longer than the time limit.
    Timeout,
    /// The connection broke in the middle.
    Disconnected,
    /// The answer is not one of a ComfyUI server, or not of a form known here.
    UnexpectedReply,
    /// The server answered with an HTTP status that means failure; see [`Error::status`].
    Status,
    /// The thing that was asked for does not exist on the server.
    NotFound,
    /// The server does not have what is asked of it: it is too old, or was started without it.
    Unsupported,
    /// The thing that was to be made exists already, or is in a state that forbids the change; of a
    /// [`Journal`](crate::batch::Journal), that it is open elsewhere, is of another batch, or cannot be read.
    Conflict,
    /// The server asks for credentials, or refuses those given.
    Unauthorized,
    /// The body is larger than the server takes.
    TooLarge,
    /// A workflow file or a change to a workflow is not valid; the source is a [`comfy_workflow::Error`].
    Workflow,
    /// A workflow of the editor cannot be converted to what the server runs; see [`Error::problems`].
    Conversion,
    /// The server refused the workflow and ran nothing, see [`Error::validation`]; or it was not sent, because the server
    /// would certainly refuse it or stop over it.
    Rejected,
    /// The workflow ran and failed; see [`Error::execution`].
    Execution,
    /// The workflow was interrupted on the server.
    Interrupted,
    /// The prompt was removed from the queue before it ran; or, where the message says so, its record after it ran.
    Removed,
    /// The server restarted and knows nothing of the prompt.
    Lost,
    /// The prompt is done, but some of what it gave was missed; see the message for how to get the rest.
    Incomplete,
    /// A local file could not be read or written.
    Io,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            hint: None,
            url: None,
            status: None,
            code: None,
            operation: None,
            attempts: 1,
            elapsed: None,
            retry_after: None,
            prompt_id: None,
            may_go_on: false,
            validation: None,
            problems: Vec::new(),
            execution: None,
            source: None,
        }))
    }

    pub(crate) fn io(message: impl Into<String>, source: std::io::Error) -> Self {
        let hint = match source.kind() {
            std::io::ErrorKind::NotFound => Some("check the path"),
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Some("choose a folder that you may write to")
            }
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Some("free some space or choose another folder; the files are still on the server")
            }
            _ => None,
        };
        let error = Self::new(ErrorKind::Io, message).with_source(source);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    pub(crate) fn workflow(message: impl Into<String>, source: comfy_workflow::Error) -> Self {
        Self::new(ErrorKind::Workflow, message).with_source(source)
    }

    pub(crate) fn rejected(rejection: Rejection, titles: &Titles) -> Self {
        let report = rejection.report().titles(titles).to_string();
        let mut error = Self::new(ErrorKind::Rejected, format!("the server rejected the workflow\n{report}"));
        error.edit(|inner| inner.validation = Some(Box::new(rejection)));
        error.with_status(400)
    }

    /// The error for a conversion with errors; a document that is sent has no name.
    pub(crate) fn not_converted(name: &str, problems: Vec<Problem>) -> Self {
        let errors = || problems.iter().filter(|problem| problem.severity == Severity::Error);
        let lines: String = errors().map(|problem| format!("\n{problem}")).collect();
        let message = format!("{name} cannot be converted to the API format{lines}");
        let mut error = Self::new(ErrorKind::Conversion, message);
        if errors().any(|problem| problem.kind == ProblemKind::UnknownClass) {
            error = error
                .with_hint("install the custom node on the server, or take the node out of the workflow");
        }
        error.edit(|inner| inner.problems = problems);
        error
    }

    /// A workflow that is not sent, since the server would reject it with this report. `lines` say why.
    pub(crate) fn refused(rejection: Option<Rejection>, lines: &str) -> Self {
        let message = format!("the server would reject the workflow\n{lines}");
        let mut error = Self::new(ErrorKind::Rejected, message);
        error.edit(|inner| inner.validation = rejection.map(Box::new));
        error
    }

    pub(crate) fn failed(report: Box<ExecutionError>) -> Self {
        let text = crate::text::one_line(&report.exception_message, 400);
        let message = format!(
            "node {} ({}) failed: {}: {text}",
            crate::text::one_line(report.node_id.as_str(), 60),
            crate::text::one_line(&report.node_type, 60),
            crate::text::one_line(&report.exception_type, 60)
        );
        let mut error = Self::new(ErrorKind::Execution, message).with_prompt_id(&report.prompt_id);
        error.edit(|inner| inner.execution = Some(report));
        error
    }

    fn edit(&mut self, change: impl FnOnce(&mut Inner)) {
        // Errors are built before they are shared, so there is no other owner yet.
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            change(inner);
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.edit(|inner| inner.hint = Some(hint.into()));
        self
    }

    pub(crate) fn with_url(mut self, url: impl Into<String>) -> Self {
        self.edit(|inner| inner.url = Some(url.into()));
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.edit(|inner| inner.status = Some(status));
        self
    }

    pub(crate) fn with_code(mut self, code: Option<String>) -> Self {
        self.edit(|inner| inner.code = code);
        self
    }

    pub(crate) fn with_operation(mut self, operation: impl Into<String>) -> Self {
        self.edit(|inner| inner.operation = Some(operation.into()));
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.edit(|inner| {
            inner.attempts = attempts;
            inner.elapsed = Some(elapsed);
        });
        self
    }

    pub(crate) fn with_retry_after(mut self, pause: Option<Duration>) -> Self {
        self.edit(|inner| inner.retry_after = pause);
        self
    }

    pub(crate) fn with_prompt_id(mut self, id: &str) -> Self {
        self.edit(|inner| inner.prompt_id = Some(id.to_owned()));
        self
    }

    /// The prompt may still run on the server.
    pub(crate) fn about_a_prompt_that_may_go_on(mut self) -> Self {
        self.edit(|inner| inner.may_go_on = true);
        self
    }

    /// Whether the error is about a prompt that may still run on the server.
    pub(crate) fn may_go_on(&self) -> bool {
        self.0.may_go_on
    }

    pub(crate) fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.edit(|inner| inner.source = Some(source.into()));
        self
    }

    /// What kind of error this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What went wrong, without the next step.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The address that was asked, without credentials.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The server's own code for the failure, such as `ASSET_NOT_FOUND`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// What was asked of the server, such as `GET /queue`.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// How often the request was sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long all attempts took, with the pauses between them.
    #[must_use]
    pub fn elapsed(&self) -> Option<Duration> {
        self.0.elapsed
    }

    /// How long the server asks to wait before another attempt.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The prompt that the error is about.
    #[must_use]
    pub fn prompt_id(&self) -> Option<&str> {
        self.0.prompt_id.as_deref()
    }

    /// The server's report on a workflow that it refused.
    #[must_use]
    pub fn validation(&self) -> Option<&Rejection> {
        self.0.validation.as_deref()
    }

    /// What a conversion found wrong, errors and warnings; empty for errors of other kinds.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0.problems
    }

    /// The server's report on a workflow that failed while it ran.
    #[must_use]
    pub fn execution(&self) -> Option<&ExecutionError> {
        self.0.execution.as_deref()
    }

    /// Whether the same call may succeed a little later. Never so for a job that was given up and may still run on the
    /// server, since another submit would run it twice.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.kind() {
            _ if self.0.may_go_on => false,
            ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Disconnected => true,
            ErrorKind::Status => matches!(self.status(), Some(429 | 502..=504)),
            _ => false,
        }
    }
}

impl From<comfy_workflow::Error> for Error {
    fn from(error: comfy_workflow::Error) -> Self {
        Self::workflow(error.to_string(), error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if self.0.attempts > 1 {
            write!(f, " ({} attempts", self.0.attempts)?;
            match self.0.elapsed {
                Some(elapsed) => write!(f, " in {:.1} s)", elapsed.as_secs_f64())?,
                None => f.write_str(")")?,
            }
        }
        match &self.0.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.0.kind).field("message", &self.0.message);
        let parts = [
            ("hint", &self.0.hint),
            ("operation", &self.0.operation),
            ("url", &self.0.url),
            ("code", &self.0.code),
            ("prompt_id", &self.0.prompt_id),
        ];
        for (name, value) in parts {
            if let Some(value) = value {
                debug.field(name, value);
            }
        }
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
