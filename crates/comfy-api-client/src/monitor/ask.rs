use std::time::Duration;

use comfy_protocol::route;
use comfy_protocol::routes::history::History;
use comfy_protocol::routes::queue::Queue;
use comfy_protocol::routes::system::SystemStats;
use tokio::time::{Instant, timeout};

use crate::{Client, Error, ErrorKind, Result};

/// How often the queue is asked for while the server tells of changes, and while it does not.
const QUEUE_PACE: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(1)];
const STATS_PACE: Duration = Duration::from_secs(2);
/// Messages about changes come in groups.
const GROUPED: Duration = Duration::from_millis(30);
/// How many times longer than an answer took the next question waits: queues with large workflows are large.
const PAUSE_PER_ANSWER: u32 = 5;
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Pauses between questions that come to nothing.
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(10);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// When what is asked.
#[derive(Debug)]
pub(super) struct Pace {
    queue: Instant,
    stats: Instant,
    /// Before which nothing is asked.
    not_before: Instant,
    retry: Duration,
    /// How long the last answer took.
    took: Duration,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    pub(super) queue: bool,
    pub(super) stats: bool,
    /// How many records at most.
    pub(super) records: Option<u64>,
}

/// What the server said to it.
pub(super) struct Answer {
    pub(super) question: Question,
    pub(super) took: Duration,
    pub(super) queue: Option<Result<Queue>>,
    pub(super) stats: Option<Result<SystemStats>>,
    pub(super) records: Option<Result<History>>,
}

impl Pace {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self { queue: now, stats: now, not_before: now, retry: FIRST_RETRY, took: Duration::ZERO }
    }

    /// When there is something to ask.
    pub(super) fn due(&self) -> Instant {
        self.queue.min(self.stats).max(self.not_before)
    }

    /// The queue has changed, or may have.
    pub(super) fn hear_of_change(&mut self) {
        self.queue = self.queue.min(Instant::now() + GROUPED);
    }

    /// What is to be asked now, if anything is.
    pub(super) fn question(&mut self, now: Instant, records: Option<u64>) -> Option<Question> {
        if now < self.due() {
            return None;
        }
        let (queue, stats) = (now >= self.queue, now >= self.stats);
        if queue {
            // What is said while the question is under way may be news to the answer.
            self.queue = now + LONGEST_PAUSE;
        }
        Some(Question { queue, stats, records: records.filter(|_| queue) })
    }

    /// The server has answered.
    pub(super) fn answered(&mut self, question: Question, took: Duration, is_told: bool) {
        let now = Instant::now();
        self.retry = FIRST_RETRY;
        // One that took long may have met a server that was busy for a moment.
        let usual = std::mem::replace(&mut self.took, took).min(took);
        self.not_before = now + (usual * PAUSE_PER_ANSWER).min(LONGEST_PAUSE);
        if question.queue {
            self.queue = self.queue.min(now + QUEUE_PACE[usize::from(!is_told)]);
        }
        if question.stats {
            self.stats = now + STATS_PACE;
        }
    }

    /// The server has not answered.
    pub(super) fn failed(&mut self) {
        let now = Instant::now();
        self.not_before = now + self.retry;
        self.retry = (self.retry * 2).min(LAST_RETRY);
        (self.queue, self.stats) = (now, now);
    }
}

/// Asks the server, once.
pub(super) async fn ask(client: Client, question: Question) -> Answer {
    let began = Instant::now();
    let http = client.http();
    let mut answer = Answer { question, took: Duration::ZERO, queue: None, stats: None, records: None };
    if question.queue {
        answer.queue = Some(within(http.call(route::QUEUE, &[]).once().read()).await);
    }
    // A server that does not say what it does is not asked more.
    if !matches!(answer.queue, Some(Err(_))) {
        // After the queue: a prompt that is not there any more has its record already.
        if let Some(most) = question.records {
            let call = http.call(route::HISTORY, &[]).query("max_items", most.to_string());
            answer.records = Some(within(call.once().read()).await);
        }
        if question.stats {
            answer.stats = Some(within(http.call(route::SYSTEM_STATS, &[]).once().read()).await);
        }
    }
    answer.took = began.elapsed();
    answer
}

async fn within<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(PATIENCE, work).await.unwrap_or_else(|_| {
        let message = format!("it did not answer within {} s", PATIENCE.as_secs());
        Err(Error::new(ErrorKind::Timeout, message))
    })
}
