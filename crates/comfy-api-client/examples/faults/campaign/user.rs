//! A user of the client: submits, follows, cancels, and does what errors say.

use std::time::{Duration, Instant};

use comfy_api_client::{Cancellation, Client, Error, ErrorKind, Event, Job, Outputs};
use tokio::time::sleep;

use super::server::Server;
use super::work::{Moment, Work};

/// How often a user tries something again that is said to be worth it.
const MOST_ATTEMPTS: usize = 200;
const PAUSE: Duration = Duration::from_millis(30);

/// What a user was told about a job, in this order.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) work: Work,
    /// The life of the server in which it began.
    pub(crate) epoch: usize,
    pub(crate) claims: Vec<Claim>,
    /// Whether the job was to be cancelled, whatever came of it.
    pub(crate) cancelled: bool,
    /// Whether it did not end in time.
    pub(crate) hung: bool,
    /// What was wrong at first sight.
    pub(crate) wrongs: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) prompt_id: Option<String>,
    pub(crate) what: Told,
    /// When the question was asked that gave it.
    pub(crate) asked_at: Instant,
    /// The life of the server that went on when it was told.
    pub(crate) epoch: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Told {
    /// The submit failed, and another may do better: nothing was taken.
    NotTaken,
    /// The submit failed, and the prompt may have been taken.
    MayBeTaken,
    /// The workflow was refused.
    Refused,
    /// The server does not know the prompt.
    Unknown,
    /// The job was given up, and may go on.
    GivenUp,
    /// Cancelling took the prompt out of the queue.
    TakenOut,
    Finished,
    Failed,
    Interrupted,
    Removed,
    Lost,
}

impl Told {
    /// Whether this is the end of a story.
    pub(crate) fn is_end(self) -> bool {
        !matches!(self, Self::NotTaken | Self::MayBeTaken | Self::GivenUp | Self::TakenOut)
    }
}

/// A user's view of one server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User<'a> {
    pub(crate) client: &'a Client,
    pub(crate) server: &'a Server,
}

impl Story {
    pub(crate) fn new(work: Work) -> Self {
        Self { work, epoch: 0, claims: Vec::new(), cancelled: false, hung: false, wrongs: Vec::new() }
    }

    fn wrong(&mut self, what: impl Into<String>) {
        self.wrongs.push(what.into());
    }
}

impl User<'_> {
    /// Lives through a job.
    pub(crate) async fn run(&self, story: &mut Story) {
        story.epoch = self.server.epoch();
        let workflow = match story.work.workflow() {
            Ok(workflow) => workflow,
            Err(error) => return story.wrong(format!("its workflow is none: {error}")),
        };
        for _ in 0..MOST_ATTEMPTS {
            let asked_at = Instant::now();
            let mut submit = self.client.submit(&workflow);
            if let Some(limit) = story.work.limit {
                submit = submit.timeout(limit);
            }
            match submit.await {
                Ok(job) => return self.follow(story, job).await,
                Err(error) if error.kind() == ErrorKind::Rejected => {
                    return self.note(story, error.prompt_id(), Told::Refused, asked_at);
                }
                Err(error) if error.is_retryable() => {
                    self.note(story, error.prompt_id(), Told::NotTaken, asked_at);
                    sleep(PAUSE).await;
                }
                Err(error) => {
                    self.note(story, error.prompt_id(), Told::MayBeTaken, asked_at);
                    let Some(id) = error.prompt_id() else {
                        return story.wrong(format!("a submit failed without an id: {error:?}"));
                    };
                    if let Some(job) = self.adopt(story, id).await {
                        self.follow(story, job).await;
                    }
                    return;
                }
            }
        }
        story.wrong("it was never submitted");
    }

    fn note(&self, story: &mut Story, prompt_id: Option<&str>, what: Told, asked_at: Instant) {
        let prompt_id = prompt_id.map(str::to_owned);
        story.claims.push(Claim { prompt_id, what, asked_at, epoch: self.server.epoch() });
    }

    /// Asks for a prompt that may be there.
    async fn adopt(&self, story: &mut Story, id: &str) -> Option<Job> {
        for _ in 0..MOST_ATTEMPTS {
            let asked_at = Instant::now();
            match self.client.job(id).await {
                Ok(job) => return Some(job),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    self.note(story, Some(id), Told::Unknown, asked_at);
                    return None;
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
        story.wrong(format!("nothing could be learned of prompt {id}"));
        None
    }

    /// Follows a job to its end, again and again where it is given up.
    async fn follow(&self, story: &mut Story, mut job: Job) {
        for _ in 0..MOST_ATTEMPTS {
            let asked_at = Instant::now();
            let id = job.id();
            let work = story.work.clone();
            let end = self.end(&work, &job, &mut story.wrongs);
            let (end, taken_out) = tokio::join!(end, self.cancel(&work, &job));
            story.cancelled |= work.cancel.is_some();
            if taken_out {
                self.note(story, Some(&id), Told::TakenOut, asked_at);
            }
            let error = match end {
                Ok(outputs) => {
                    self.note(story, Some(&id), Told::Finished, asked_at);
                    if let Some(complaint) = story.work.complaint(&outputs) {
                        story.wrong(complaint);
                    } else if story.work.downloads {
                        self.download(story, &outputs).await;
                    }
                    return;
                }
                Err(error) => error,
            };
            if error.prompt_id() != Some(&id) {
                story.wrong(format!("an error is not about prompt {id}: {error:?}"));
            }
            let told = match error.kind() {
                ErrorKind::Execution => Told::Failed,
                ErrorKind::Interrupted => Told::Interrupted,
                ErrorKind::Removed => Told::Removed,
                ErrorKind::Lost => Told::Lost,
                ErrorKind::Timeout
                | ErrorKind::Connect
                | ErrorKind::Disconnected
                | ErrorKind::UnexpectedReply
                | ErrorKind::Status => Told::GivenUp,
                _ => return story.wrong(format!("it ended with {error:?}")),
            };
            self.note(story, Some(&id), told, asked_at);
            if error.is_retryable() {
                story.wrong(format!("an end is said to be worth another submit: {error:?}"));
            }
            if told.is_end() {
                return;
            }
            match self.adopt(story, &id).await {
                Some(again) => job = again,
                None => return,
            }
        }
        story.wrong("it never ended");
    }

    /// Waits for the end, in the way of this job. However it is asked for, it is the same.
    async fn end(&self, work: &Work, job: &Job, wrongs: &mut Vec<String>) -> Result<Outputs, Error> {
        if !work.reads_events {
            return job.outputs().await;
        }
        let mut events = job.events();
        let (mut ends, mut after_end, mut failure) = (0, 0, None);
        while let Some(event) = events.next().await {
            after_end += usize::from(ends > 0);
            match event {
                Ok(Event::Finished) => ends += 1,
                Ok(_) => {}
                Err(error) => {
                    ends += 1;
                    failure = Some(error.kind());
                }
            }
        }
        let outcome = job.outputs().await;
        if ends != 1 || after_end != 0 || outcome.as_ref().err().map(Error::kind) != failure {
            let end = outcome.as_ref().err();
            wrongs.push(format!("{ends} ends, {after_end} events after it, {failure:?}, then {end:?}"));
        }
        outcome
    }

    /// Cancels a job at its moment. Returns whether that took it out of the queue.
    async fn cancel(&self, work: &Work, job: &Job) -> bool {
        match work.cancel {
            None => return false,
            Some(Moment::AtOnce) => {}
            Some(Moment::After(pause)) => sleep(pause).await,
            Some(Moment::Started) => {
                let mut events = job.events();
                while let Some(Ok(event)) = events.next().await {
                    if matches!(event, Event::Started | Event::NodeStarted(_)) {
                        break;
                    }
                }
            }
        }
        for _ in 0..MOST_ATTEMPTS {
            match job.cancel().await {
                Ok(cancellation) => return cancellation == Cancellation::Removed,
                Err(_) => sleep(PAUSE).await,
            }
        }
        false
    }

    /// Looks at the files of a job.
    async fn download(&self, story: &mut Story, outputs: &Outputs) {
        for file in outputs.files() {
            for attempt in 0.. {
                let bytes = match self.client.download(&file.file).await {
                    Ok(download) => download.bytes().await,
                    Err(error) => Err(error),
                };
                match bytes {
                    Ok(bytes) if story.work.is_picture(&bytes) => break,
                    Ok(bytes) => {
                        return story.wrong(format!("{} bytes of {file:?} are not its own", bytes.len()));
                    }
                    // Temporary files go when a server starts.
                    Err(error) if error.kind() == ErrorKind::NotFound => {
                        let has_restarted = self.server.epoch() != story.epoch || self.server.is_away();
                        if file.file.folder != "temp" || !has_restarted {
                            story.wrong(format!("a file is gone: {error:?}"));
                        }
                        return;
                    }
                    Err(error) if attempt > MOST_ATTEMPTS => {
                        return story.wrong(format!("a file cannot be had: {error:?}"));
                    }
                    Err(_) => sleep(PAUSE).await,
                }
            }
        }
    }
}
