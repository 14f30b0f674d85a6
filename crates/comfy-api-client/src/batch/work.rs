//! One row, from where it is to its end.

mod arrival;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::entry::{Entry, Submit};
use super::journal::{Open, State};
use super::row::{Again, Content, hash};
use super::shared::{Shared, Slot, ends_the_batch, is_interruption, stop};
use super::{BatchEvent, Row, RowEvent, RowInfo};
use crate::outputs::Gains;
use crate::{Error, ErrorKind, Job, Outputs, Result};

/// How often a row is submitted again that the server has lost: one over which servers end would end them for ever.
const MOST_LOSSES: usize = 2;

/// What is to be done next for a row.
enum Next {
    Submit,
    /// Asks for a prompt that was submitted; in this process, when its submit ended with this error.
    Ask(Box<Open>, Option<Error>),
    Follow(Arc<Job>),
    Save(Box<Open>, Outputs),
    End(RowEvent),
    /// The batch ends, or this row was cancelled in the middle.
    Stop(Option<Error>),
}

/// Works on a row. Gives back an error that ends the batch.
pub(super) async fn run<'a>(
    shared: Arc<Shared<'a>>,
    row: Row<'a>,
    index: usize,
    slot: Slot,
) -> Option<Error> {
    let key = row.key.clone();
    let mut stopped = shared.stopped.clone();
    let made = tokio::select! {
        made = make(row, index) => Some(made),
        () = stop(&mut stopped) => None,
    };
    let mut work = Work {
        shared,
        row: Arc::new(RowInfo::of_key(&key, index)),
        slot: Some(slot),
        losses: 0,
        began: Instant::now(),
    };
    let next = match made {
        Some(Ok(info)) => {
            work.row = Arc::new(info);
            work.first()
        }
        Some(Err(error)) => work.failure(error),
        None => Next::Stop(None),
    };
    work.finish(next).await
}

/// Makes a row whose turn has come.
async fn make(mut row: Row<'_>, index: usize) -> Result<RowInfo> {
    let key = row.key.clone();
    loop {
        match row.content {
            Content::Ready(ready) => return Ok(RowInfo::of(&key, index, *ready)),
            Content::Later(make) => row = make().await?,
        }
    }
}

struct Work<'a> {
    shared: Arc<Shared<'a>>,
    row: Arc<RowInfo>,
    slot: Option<Slot>,
    losses: usize,
    began: Instant,
}

impl Work<'_> {
    fn tell(&self, event: RowEvent) {
        // Nobody may read any more.
        let _ = self.shared.told.send(BatchEvent { row: Arc::clone(&self.row), event });
    }

    fn add(&self, entry: Entry) -> Result<()> {
        self.shared.journal.add(entry)
    }

    fn key(&self) -> String {
        self.row.key.clone()
    }

    fn is_stopped(&self) -> bool {
        *self.shared.stopped.borrow()
    }

    async fn finish(&mut self, mut next: Next) -> Option<Error> {
        loop {
            let done = match next {
                Next::End(event) => {
                    self.tell(event);
                    return None;
                }
                Next::Stop(error) => {
                    self.tell(RowEvent::Unsettled(error.clone()));
                    return error;
                }
                Next::Submit => self.submit().await,
                Next::Ask(open, error) => self.ask(open, error).await,
                Next::Follow(job) => self.follow(job).await,
                Next::Save(open, outputs) => self.save(*open, outputs).await,
            };
            next = done.unwrap_or_else(|error| self.failure(error));
        }
    }

    /// Where the row is according to the journal.
    fn first(&mut self) -> Next {
        match self.shared.journal.row(&self.row.key) {
            Some(State::Open(open)) => {
                let now = self.row.workflow().map(hash);
                if now.is_some_and(|now| now != open.submit.hash) {
                    let label = crate::text::one_line(&self.row.label, 100);
                    let message = format!("row {label} is another workflow than the one that was submitted");
                    let error = Error::new(ErrorKind::Conflict, message)
                        .with_hint("run the batch as it was, or start anew with another journal");
                    return Next::Stop(Some(error));
                }
                self.row = self.row.with_prompt(&open.submit.prompt_id);
                match &open.outputs {
                    Some(nodes) => {
                        let gains = Gains { nodes: nodes.clone(), ..Gains::default() };
                        let outputs = self.outputs(gains, &open.submit.prompt_id);
                        Next::Save(open, outputs)
                    }
                    None => Next::Ask(open, None),
                }
            }
            Some(State::Failed(reason)) => {
                self.tell(RowEvent::Again(Again::Failed(reason.into())));
                Next::Submit
            }
            Some(State::Done) | None => Next::Submit,
        }
    }

    fn outputs(&self, gains: Gains, prompt_id: &str) -> Outputs {
        Outputs::new(self.shared.client.clone(), prompt_id.to_owned(), Arc::new(gains))
    }

    fn withdrawn(&self) -> Result<Next> {
        self.add(Entry::Withdrawn { row: self.key() })?;
        Ok(Next::End(RowEvent::Cancelled))
    }

    fn again(&self, reason: Again) -> Result<Next> {
        self.add(Entry::Withdrawn { row: self.key() })?;
        self.tell(RowEvent::Again(reason));
        Ok(Next::Submit)
    }

    /// Follows a job to its end.
    async fn follow(&mut self, job: Arc<Job>) -> Result<Next> {
        let mut stopped = self.shared.stopped.clone();
        let followed = async {
            let mut events = job.events();
            while let Some(event) = events.next().await {
                self.tell(RowEvent::Job(event?));
            }
            job.outputs().await
        };
        let outcome = tokio::select! {
            outcome = followed => outcome,
            () = stop(&mut stopped) => return self.cancel(&job).await,
        };
        let gone = |error: &Error| error.kind() == ErrorKind::Lost;
        match outcome {
            Ok(outputs) => {
                let elapsed = self.began.elapsed();
                let open = Open::new(self.submitted(&job));
                self.ran(Box::new(open), outputs, Some(elapsed))
            }
            Err(error) if gone(&error) && self.losses < MOST_LOSSES => {
                self.losses += 1;
                let (prompt_id, server) = (job.id(), self.shared.client.url());
                self.again(Again::Unknown { prompt_id, server, accepted: true })
            }
            // The time limit of a job, which goes on at the server.
            Err(error)
                if error.kind() == ErrorKind::Timeout
                    && self.shared.client.http().settings().job_timeout.is_some() =>
            {
                let _ = job.cancel().await;
                self.add_failure(&error)?;
                Ok(Next::End(RowEvent::Failed(error)))
            }
            Err(error) => Err(error),
        }
    }

    fn submitted(&self, job: &Job) -> Submit {
        Submit {
            row: self.key(),
            prompt_id: job.id(),
            hash: String::new(),
            server: String::new(),
            label: String::new(),
            values: serde_json::Map::new(),
            extra: serde_json::Map::new(),
        }
    }

    /// Cancels a job, and waits for its end.
    async fn cancel(&mut self, job: &Job) -> Result<Next> {
        let cancelled = async {
            job.cancel().await?;
            job.outputs().await
        };
        match cancelled.await {
            // It was done already.
            Ok(outputs) => {
                self.ran(Box::new(Open::new(self.submitted(job))), outputs, None)?;
                Ok(Next::Stop(None))
            }
            Err(error) if is_interruption(&error) => self.withdrawn(),
            // It may still run.
            Err(error) if ends_the_batch(&error) => Ok(Next::End(RowEvent::Unsettled(Some(error)))),
            Err(error) => Err(error),
        }
    }

    /// The prompt is done.
    fn ran(&mut self, open: Box<Open>, outputs: Outputs, elapsed: Option<Duration>) -> Result<Next> {
        let nodes = outputs.nodes().map(|(id, output)| (id.clone(), output.clone())).collect();
        let elapsed_ms = elapsed.and_then(|elapsed| u64::try_from(elapsed.as_millis()).ok());
        self.add(Entry::Ran { row: self.key(), outputs: nodes, elapsed_ms })?;
        self.slot = None;
        self.tell(RowEvent::Ran(outputs.clone()));
        Ok(Next::Save(open, outputs))
    }

    /// Saves the files, if there is a folder.
    async fn save(&mut self, open: Open, outputs: Outputs) -> Result<Next> {
        self.slot = None;
        if let Some(saver) = &self.shared.saver {
            let mut stopped = self.shared.stopped.clone();
            let tell = |event| self.tell(event);
            let saved = tokio::select! {
                saved = saver.save(&self.row, &outputs, &open, &tell) => saved,
                () = stop(&mut stopped) => return Ok(Next::Stop(None)),
            };
            match saved {
                Err(error) if error.kind() == ErrorKind::Io && !ends_the_batch(&error) => {
                    self.add(Entry::Unsaved { row: self.key(), message: error.message().to_owned() })?;
                    return Ok(Next::End(RowEvent::Failed(error)));
                }
                saved => saved?,
            }
        }
        self.add(Entry::Done { row: self.key() })?;
        Ok(Next::End(RowEvent::Finished(outputs)))
    }

    /// What an error means: the end of the row, or of the batch.
    fn failure(&self, error: Error) -> Next {
        if ends_the_batch(&error) {
            return Next::Stop(Some(error));
        }
        match self.add_failure(&error) {
            Ok(()) => Next::End(RowEvent::Failed(error)),
            Err(error) => Next::Stop(Some(error)),
        }
    }

    fn add_failure(&self, error: &Error) -> Result<()> {
        let kind = format!("{:?}", error.kind());
        self.add(Entry::Failed { row: self.key(), kind, message: error.message().to_owned() })
    }
}

impl Open {
    /// A row of which nothing is saved.
    fn new(submit: Submit) -> Self {
        Self { submit, accepted: false, outputs: None, saving: BTreeMap::new(), saved: BTreeMap::new() }
    }
}
