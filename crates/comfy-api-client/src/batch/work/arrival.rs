//! Prompts on their way to the server, which may be away or may have them already.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Next, Work};
use crate::batch::RowEvent;
use crate::batch::entry::{Entry, Submit};
use crate::batch::journal::Open;
use crate::batch::row::{Again, hash};
use crate::batch::shared::{ends_the_batch, is_interruption, stop};
use crate::{Error, ErrorKind, JobState, Result};

/// Pauses before the questions for a prompt whose submit was not answered: it may still be on its way.
const ARRIVAL_PAUSES: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(200), Duration::from_millis(600)];

impl Work<'_> {
    /// Submits the workflow, for as long as the server is away.
    pub(super) async fn submit(&mut self) -> Result<Next> {
        let shared = Arc::clone(&self.shared);
        let Some(workflow) = self.row.workflow.clone() else { return Ok(Next::Stop(None)) };
        let submit = Submit {
            row: self.key(),
            prompt_id: Uuid::new_v4().to_string(),
            hash: hash(&workflow),
            server: shared.client.url(),
            label: self.row.label.clone(),
            values: self.row.values.clone(),
            extra: self.row.extra.clone(),
        };
        if self.is_stopped() {
            return Ok(Next::Stop(None));
        }
        self.row = self.row.with_prompt(&submit.prompt_id);
        self.add(Entry::Submit(submit.clone()))?;
        let sending = || {
            let sending = shared.client.submit(&*workflow);
            let sending = match &shared.options {
                Some(options) => options(sending),
                None => sending,
            };
            sending.prompt_id(&submit.prompt_id).into_future()
        };
        let sent = self.patiently(sending).await;
        let job = match sent {
            Ok(Some(job)) => job,
            // It was given up between two attempts: nothing has arrived.
            Ok(None) => return self.withdrawn(),
            Err(error) if error.may_go_on() => {
                let open = Open::new(submit);
                return Ok(Next::Ask(Box::new(open), Some(error)));
            }
            Err(error) if error.is_retryable() || ends_the_batch(&error) => {
                self.add(Entry::Withdrawn { row: self.key() })?;
                return Ok(Next::Stop(Some(error)));
            }
            Err(error) => return Err(error),
        };
        self.row = self.row.with_prompt(&job.id());
        self.began = Instant::now();
        self.add(Entry::Accepted { row: self.key(), prompt_id: job.id() })?;
        let job = Arc::new(job);
        self.tell(RowEvent::Submitted(Arc::clone(&job)));
        Ok(Next::Follow(job))
    }

    /// Asks the server for a prompt that it may have.
    pub(super) async fn ask(&mut self, open: Box<Open>, error: Option<Error>) -> Result<Next> {
        let shared = Arc::clone(&self.shared);
        let prompt_id = open.submit.prompt_id.clone();
        let (client, id) = (&shared.client, prompt_id.as_str());
        let pauses = if open.accepted { &ARRIVAL_PAUSES[..1] } else { &ARRIVAL_PAUSES };
        for pause in pauses {
            tokio::time::sleep(*pause).await;
            let found = self.patiently(|| client.fetch(id)).await?;
            let Some(found) = found else { return Ok(Next::Stop(None)) };
            match found {
                JobState::Waiting(_) | JobState::Running => {
                    match self.patiently(|| client.job(id)).await {
                        Ok(Some(job)) => {
                            let job = Arc::new(job);
                            self.tell(RowEvent::Followed(Arc::clone(&job)));
                            return Ok(Next::Follow(job));
                        }
                        Ok(None) => return Ok(Next::Stop(None)),
                        // It has gone in between.
                        Err(error) if error.kind() == ErrorKind::NotFound => {}
                        Err(error) => return Err(error),
                    }
                }
                JobState::Finished(outputs) => return self.ran(open, outputs, None),
                JobState::Failed(error) => {
                    if !is_interruption(&error) {
                        return Err(error);
                    }
                    return self.again(Again::Interrupted { prompt_id: id.to_owned() });
                }
                JobState::Unknown => {}
            }
        }
        match error {
            // A request that stands still somewhere may arrive yet. Whoever runs the batch again comes later.
            Some(error) => Ok(Next::Stop(Some(error))),
            None => {
                let (server, accepted) = (open.submit.server, open.accepted);
                self.again(Again::Unknown { prompt_id, server, accepted })
            }
        }
    }

    /// Asks again and again while the server is away, until it has been so for as long as jobs wait for it. `None` when the
    /// batch is cancelled meanwhile.
    async fn patiently<T, F>(&self, ask: impl Fn() -> F) -> Result<Option<T>>
    where
        F: Future<Output = Result<T>>,
    {
        let limit = self.shared.client.http().settings().give_up_after;
        let mut stopped = self.shared.stopped.clone();
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(Duration::from_secs(5))
            .without_max_times()
            .with_jitter()
            .build();
        let (began, mut told) = (Instant::now(), false);
        loop {
            let error = match ask().await {
                Err(error) if error.is_retryable() && began.elapsed() < limit => error,
                result => return result.map(Some),
            };
            let pause = pauses.next().unwrap_or(limit).min(limit.saturating_sub(began.elapsed()));
            if !std::mem::replace(&mut told, true) {
                self.tell(RowEvent::Waiting(error));
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop(&mut stopped) => return Ok(None),
            }
        }
    }
}
