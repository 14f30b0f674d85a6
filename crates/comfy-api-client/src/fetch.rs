use std::sync::Arc;

use crate::events::{Place, Queued, record};
use crate::outputs::Gains;
use crate::{Client, Error, Outputs, Result};

/// Where a prompt is, as the server tells it; see [`Client::fetch`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum JobState<Outputs = crate::Outputs> {
    /// It waits in the queue.
    Waiting(Queued),
    /// It runs.
    Running,
    /// It is done.
    Finished(Outputs),
    /// It failed or was interrupted: what awaiting its job gives.
    Failed(Error),
    /// The server does not know it: it was never submitted, or was removed from the queue or the history, or the server
    /// was started again since.
    Unknown,
}

impl<Outputs> JobState<Outputs> {
    /// The outputs, if the prompt is done.
    #[must_use]
    pub fn outputs(&self) -> Option<&Outputs> {
        match self {
            Self::Finished(outputs) => Some(outputs),
            _ => None,
        }
    }

    /// The same with something else in place of the outputs.
    #[must_use]
    pub fn map<Other>(self, change: impl FnOnce(Outputs) -> Other) -> JobState<Other> {
        match self {
            Self::Waiting(queued) => JobState::Waiting(queued),
            Self::Running => JobState::Running,
            Self::Finished(outputs) => JobState::Finished(change(outputs)),
            Self::Failed(error) => JobState::Failed(error),
            Self::Unknown => JobState::Unknown,
        }
    }

    /// Whether the prompt neither waits nor runs.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        !matches!(self, Self::Waiting(_) | Self::Running)
    }
}

impl Client {
    /// Asks where a prompt is, and for its outputs when it is done. Works for prompts of anybody.
    ///
    /// Pictures that were sent over a socket, as `SaveImageWebsocket` does, are not among the outputs.
    ///
    /// # Errors
    /// Those of the connection. A prompt that failed is no error here but a [`JobState::Failed`].
    pub async fn fetch(&self, prompt_id: &str) -> Result<JobState> {
        // The queue first: a prompt that is not there any more has its record already, since both change in one step.
        match record::places(self.http()).await?.of(prompt_id) {
            Some(Place::Waiting { queued, .. }) => return Ok(JobState::Waiting(queued)),
            Some(Place::Running) => return Ok(JobState::Running),
            None => {}
        }
        let Some(record) = record::of(self.http(), prompt_id).await? else {
            return Ok(JobState::Unknown);
        };
        let cached = record.cached();
        Ok(match record::gains(prompt_id, record) {
            Ok(nodes) => {
                let gains = Arc::new(Gains { nodes, cached, ..Gains::default() });
                JobState::Finished(Outputs::new(self.clone(), prompt_id.to_owned(), gains))
            }
            Err(error) => JobState::Failed(error),
        })
    }
}
