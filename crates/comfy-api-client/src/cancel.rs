use comfy_protocol::route;
use comfy_protocol::routes::history::Ending;
use comfy_protocol::routes::jobs::Cancelled;
use serde_json::json;

use crate::events::{Place, record};
use crate::{Client, Result};

/// What cancelling did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cancellation {
    /// The prompt waited, and was taken out of the queue. Nothing of it ran.
    Removed,
    /// The prompt runs and was told to stop. It does so at its next node or step; when there is none any more, it ends as
    /// if nothing had happened.
    Interrupted,
    /// There was nothing to cancel: the prompt has ended, or the server does not know it.
    Nothing,
}

impl Client {
    /// Takes a prompt out of the queue, or interrupts it when it runs, and says which. Works for prompts of anybody, on
    /// servers of every version; other prompts are not touched.
    ///
    /// The answer does not wait for the end of a prompt that runs.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn cancel(&self, prompt_id: &str) -> Result<Cancellation> {
        let before = record::places(self.http()).await?.of(prompt_id);
        if before.is_none() {
            return Ok(Cancellation::Nothing);
        }
        // That the job is gone may be noticed before the answers here have come that say why.
        let _removal = self.hub().begin_removal(prompt_id);
        let cancelled = self.cancel_by_route(prompt_id).await?;
        if cancelled.is_none() {
            // In this order: a prompt that leaves the queue in between runs, and is met by the second.
            self.remove_from_queue([prompt_id]).await?;
            self.interrupt(prompt_id).await?;
        }
        // One that waited may have begun to run in between.
        let after = record::places(self.http()).await?.of(prompt_id);
        let result = match after {
            Some(Place::Running) => Cancellation::Interrupted,
            Some(Place::Waiting { .. }) => Cancellation::Nothing,
            None => match record::of(self.http(), prompt_id).await?.map(|record| record.ending()) {
                Some(Ending::Interrupted(_)) => Cancellation::Interrupted,
                // It came to its end before it could be stopped.
                Some(_) => Cancellation::Nothing,
                // A server that was started again in between knows nothing of one that had run.
                None if matches!(before, Some(Place::Waiting { .. }))
                    && !self.hub().has_started(prompt_id) =>
                {
                    Cancellation::Removed
                }
                None if cancelled == Some(false) => Cancellation::Nothing,
                None => Cancellation::Interrupted,
            },
        };
        if result == Cancellation::Removed {
            self.hub().remove(prompt_id);
        }
        Ok(result)
    }

    /// Cancels several prompts, one after the other, and says of each what that did, in the order in which they were
    /// given. Those that wait go first, so that none of them begins to run because another one was stopped.
    ///
    /// # Errors
    /// As [`cancel`](Self::cancel); some are cancelled then.
    pub async fn cancel_all<Id: AsRef<str>>(
        &self,
        prompt_ids: impl IntoIterator<Item = Id>,
    ) -> Result<Vec<Cancellation>> {
        let ids: Vec<Id> = prompt_ids.into_iter().collect();
        let places = record::places(self.http()).await?;
        let runs = |place: &usize| matches!(places.of(ids[*place].as_ref()), Some(Place::Running));
        let (running, others): (Vec<usize>, Vec<usize>) = (0..ids.len()).partition(runs);
        let mut results = vec![Cancellation::Nothing; ids.len()];
        for place in others.into_iter().chain(running) {
            results[place] = self.cancel(ids[place].as_ref()).await?;
        }
        Ok(results)
    }

    /// Cancels several prompts at once, and tells whether at least one of them was cancelled (since 0.30.0).
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) on older servers, for which there is [`cancel_all`](Self::cancel_all);
    /// [`ErrorKind::Status`](crate::ErrorKind::Status) when an id is no UUID in lower case, and then none is cancelled; or those of the connection.
    pub async fn cancel_jobs<Id: AsRef<str>>(
        &self,
        prompt_ids: impl IntoIterator<Item = Id>,
    ) -> Result<bool> {
        let ids: Vec<String> = prompt_ids.into_iter().map(|id| id.as_ref().to_owned()).collect();
        let call = self.http().call(route::CANCEL_JOBS, &[]).json(&json!({ "job_ids": ids })).repeatable();
        let removals: Vec<_> = ids.iter().filter_map(|id| self.hub().begin_removal(id)).collect();
        if removals.is_empty() {
            return Ok(call.read::<Cancelled>().await?.cancelled);
        }
        // Of jobs that are followed here it has to be known why they are gone.
        let before = record::places(self.http()).await?;
        let answer: Cancelled = call.read().await?;
        let after = record::places(self.http()).await?;
        for id in &ids {
            let waited = matches!(before.of(id), Some(Place::Waiting { .. }));
            if waited && after.of(id).is_none() && self.history(id).await?.is_none() {
                self.hub().remove(id);
            }
        }
        Ok(answer.cancelled)
    }

    /// Cancels by the route that servers since 0.30.0 have, which cannot hit another prompt. Returns whether there was
    /// something to cancel; `None` where there is no such route.
    async fn cancel_by_route(&self, prompt_id: &str) -> Result<Option<bool>> {
        match self.http().call(route::CANCEL_JOB, &[prompt_id]).repeatable().read::<Cancelled>().await {
            Ok(answer) => Ok(Some(answer.cancelled)),
            // Servers that have the route know every id: those that they do not know are not cancelled.
            Err(error) if matches!(error.status(), Some(404 | 405)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
