//! What a running node can do besides computing: report progress, send messages, wait.

use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Number, Value as Json};

use super::NodeError;

/// A picture of an unfinished result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Preview {
    pub(crate) format: PreviewFormat,
    /// The bytes of the picture's file.
    pub(crate) bytes: Bytes,
}

/// How a [`Preview`] is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PreviewFormat {
    Jpeg,
    Png,
}

impl PreviewFormat {
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// Who hears what a node sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The client of the running prompt; everyone when it has none.
    Owner,
    Everyone,
}

/// Whether an interrupt ends a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sleep {
    /// An interrupt ends it: the node fails with [`NodeError::interrupted`].
    Light,
    /// Only the end of the simulator ends it.
    Deep,
}

/// The prompt that a node runs in, as the node sees it.
pub(crate) trait Stage: Debug + Send + Sync {
    /// Reports that `value` of `max` steps are done. Looks for an interrupt first, as every report on the server does.
    fn progress(&self, value: Number, max: Number, preview: Option<&Preview>) -> Result<(), NodeError>;

    /// The same, but tells it in `progress_state` only, as nodes of the newer kind do.
    fn progress_state(&self, value: Number, max: Number) -> Result<(), NodeError>;

    /// Fails when the prompt was interrupted.
    fn check_interrupt(&self) -> Result<(), NodeError>;

    /// Waits.
    fn sleep(&self, time: Duration, sleep: Sleep) -> Result<(), NodeError>;

    /// Sends a text about the node (binary event 3).
    fn send_text(&self, text: &str, audience: Audience);

    /// Sends a message of the node's own.
    fn send_message(&self, kind: &str, data: Json, audience: Audience);

    /// Sends a binary message: its event number and what follows it.
    fn send_frame(&self, event: u32, payload: &[u8], audience: Audience);

    /// Writes a line into the server's log, word by word as `print` does.
    fn log(&self, words: &[&str]);

    /// Writes a text into the server's log as it is.
    fn write(&self, text: &str);
}

/// A stage without an audience, for nodes that are run outside of a prompt.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct EmptyStage;

#[cfg(test)]
impl Stage for EmptyStage {
    fn progress(&self, _: Number, _: Number, _: Option<&Preview>) -> Result<(), NodeError> {
        Ok(())
    }

    fn progress_state(&self, _: Number, _: Number) -> Result<(), NodeError> {
        Ok(())
    }

    fn check_interrupt(&self) -> Result<(), NodeError> {
        Ok(())
    }

    fn sleep(&self, _: Duration, _: Sleep) -> Result<(), NodeError> {
        Ok(())
    }

    fn send_text(&self, _: &str, _: Audience) {}

    fn send_message(&self, _: &str, _: Json, _: Audience) {}

    fn send_frame(&self, _: u32, _: &[u8], _: Audience) {}

    fn log(&self, _: &[&str]) {}

    fn write(&self, _: &str) {}
}
