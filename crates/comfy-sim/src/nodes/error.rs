//! Failures of nodes, in the words of the server's exceptions.

use std::io;
use std::path::Path;

/// A failure, in the terms of the server's `execution_error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeError {
    /// Name of the Python exception, with its module unless built in.
    pub(crate) exception_type: String,
    /// Its text, without the newline that the server adds.
    pub(crate) message: String,
    pub(crate) reach: Reach,
    /// What the server adds to the text.
    pub(crate) tips: Option<&'static str>,
}

/// How much a failure ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The prompt, with an error.
    #[default]
    Prompt,
    /// The prompt, which was interrupted.
    Interrupt,
    /// The worker, for ever: what is no ordinary exception is caught by nobody on the server.
    Worker,
    /// The simulator is being stopped.
    Simulator,
}

impl NodeError {
    pub(crate) fn new(exception_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            exception_type: exception_type.into(),
            message: message.into(),
            reach: Reach::Prompt,
            tips: None,
        }
    }

    /// The prompt was interrupted.
    pub(crate) fn interrupted() -> Self {
        Self { reach: Reach::Interrupt, ..Self::new("InterruptProcessingException", "") }
    }

    /// The simulator stops.
    pub(crate) fn stopping() -> Self {
        Self { reach: Reach::Simulator, ..Self::new("SystemExit", "") }
    }

    /// Something that the server does not catch.
    pub(crate) fn ends_the_worker(exception_type: &str) -> Self {
        Self { reach: Reach::Worker, ..Self::new(exception_type, "") }
    }

    pub(crate) fn type_error(message: impl Into<String>) -> Self {
        Self::new("TypeError", message)
    }

    pub(crate) fn value_error(message: impl Into<String>) -> Self {
        Self::new("ValueError", message)
    }

    pub(crate) fn index_error(message: impl Into<String>) -> Self {
        Self::new("IndexError", message)
    }

    pub(crate) fn attribute_error(message: impl Into<String>) -> Self {
        Self::new("AttributeError", message)
    }

    pub(crate) fn runtime_error(message: impl Into<String>) -> Self {
        Self::new("RuntimeError", message)
    }

    /// A value that needs more memory than the simulator gives out.
    pub(crate) fn out_of_memory(bytes: u128) -> Self {
        Self::runtime_error(format!(
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate {bytes} bytes. \
             Error code 12 (Cannot allocate memory)"
        ))
    }

    /// The device has no memory left, as torch and the server say it.
    pub(crate) fn out_of_device_memory(text: &str) -> Self {
        let tips = "This error means you ran out of memory on your GPU.\n\nTIPS: If the workflow worked before you might have \
                    accidentally set the batch_size to a large number.";
        Self { tips: Some(tips), ..Self::new("torch.OutOfMemoryError", text) }
    }

    /// The text as it is reported.
    pub(crate) fn reported(&self) -> String {
        format!("{}\n{}", self.message, self.tips.unwrap_or_default())
    }

    /// A failure of the file system.
    pub(crate) fn io(error: &io::Error, path: &Path) -> Self {
        let exception_type = match error.kind() {
            io::ErrorKind::NotFound => "FileNotFoundError",
            io::ErrorKind::PermissionDenied => "PermissionError",
            io::ErrorKind::IsADirectory => "IsADirectoryError",
            io::ErrorKind::NotADirectory => "NotADirectoryError",
            io::ErrorKind::InvalidInput => return Self::value_error(error.to_string()),
            _ => "OSError",
        };
        let text = error.to_string();
        let message = match error.raw_os_error() {
            Some(number) => {
                let text = text.strip_suffix(&format!(" (os error {number})")).unwrap_or(&text);
                format!("[Errno {number}] {text}: '{}'", path.display())
            }
            None => text,
        };
        Self::new(exception_type, message)
    }
}
