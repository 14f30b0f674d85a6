//! A prompt that was submitted before.

use comfy_api_client::{Client, JobState, Workflow};

use crate::exit::Exit;
use crate::failure::{Failure, one_line};

/// Where a prompt is; that the server does not know it is a failure.
pub(crate) async fn state(client: &Client, id: &str) -> Result<JobState, Failure> {
    match client.fetch(id).await? {
        JobState::Unknown => {
            let id = one_line(id);
            Err(Failure::new(Exit::Failure, "not_found", format!("the server knows no prompt {id}"))
                .with_hint("it was removed, or the server was started again since"))
        }
        state => Ok(state),
    }
}

/// The workflow of a prompt that has ended, as far as the server still has it.
pub(crate) async fn workflow(client: &Client, id: &str) -> Result<Option<Workflow>, Failure> {
    let record = client.history(id).await?;
    Ok(record.and_then(|record| Workflow::from_value(record.prompt.2).ok()))
}
