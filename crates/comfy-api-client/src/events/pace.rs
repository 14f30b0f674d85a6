//! When to ask the server about a job.

use std::time::Duration;

use tokio::time::Instant;

/// First pause between two questions about a job that no socket speaks of; doubles up to [`SLOWEST_POLL`].
pub(super) const FASTEST_POLL: Duration = Duration::from_millis(50);
const SLOWEST_POLL: Duration = Duration::from_secs(1);
/// Longest pause between two questions about a job that waits quietly while its socket is well.
const SLOWEST_CHECK: Duration = Duration::from_secs(10);
/// How often in a row the server must know nothing of a job before it is gone.
const MISSING_AT_MOST: u32 = 2;
/// The same where messages that tell of its end may still be on their way.
const MISSING_WHILE_HEARD: u32 = 5;

/// What is known of the questions about a job, and when the next one is due.
#[derive(Debug)]
pub(super) struct Pace {
    /// After how long without a message the server is asked.
    silence: Duration,
    /// After how long without a sign of life the job counts as stalled; doubles with every report.
    stall_after: Duration,
    next_stall: Duration,
    /// Whether there is a connection that hears of the job.
    heard: bool,
    /// Whether somebody wants to know the job's position in the queue.
    pub(super) watched: bool,
    /// When to ask, and the pause after that.
    due: Instant,
    pause: Duration,
    /// The last sign of life.
    alive_at: Instant,
    /// How often in a row the server knew nothing of the job.
    missing: u32,
    /// Since when no question about the job was answered.
    unanswered_since: Option<Instant>,
    /// Since when the server fails on the job's record.
    broken_since: Option<Instant>,
}

impl Pace {
    pub(super) fn new(heard: bool, silence: Duration, stall_after: Duration) -> Self {
        let pause = if heard { silence } else { FASTEST_POLL };
        let now = Instant::now();
        Self {
            silence,
            stall_after,
            next_stall: stall_after,
            heard,
            watched: false,
            due: now + pause,
            pause,
            alive_at: now,
            missing: 0,
            unanswered_since: None,
            broken_since: None,
        }
    }

    /// When the next question is due.
    pub(super) fn due(&self) -> Instant {
        self.due.min(self.alive_at + self.next_stall)
    }

    /// A message told of the job.
    pub(super) fn hear(&mut self) {
        self.be_told();
        self.live();
        if self.heard {
            self.pause = self.silence;
            self.due = self.alive_at + self.silence;
        }
    }

    /// The connection is gone. Returns whether there was one.
    pub(super) fn lose_connection(&mut self) -> bool {
        let heard = std::mem::take(&mut self.heard);
        if heard {
            self.ask_now();
        }
        heard
    }

    /// The job does something.
    pub(super) fn live(&mut self) {
        self.alive_at = Instant::now();
        self.next_stall = self.stall_after;
    }

    /// For how long there was no sign of life, where that is to be reported.
    pub(super) fn stall(&mut self) -> Option<Duration> {
        let quiet_for = self.alive_at.elapsed();
        if quiet_for < self.next_stall {
            return None;
        }
        // The next report may be long overdue when nobody could ask meanwhile.
        while self.next_stall <= quiet_for {
            self.next_stall = self.next_stall.saturating_mul(2);
        }
        Some(quiet_for)
    }

    /// Something was learned of the job, be it that there is nothing to learn.
    pub(super) fn be_told(&mut self) {
        self.missing = 0;
        self.unanswered_since = None;
        self.broken_since = None;
    }

    /// The server knows nothing of the job. Returns whether that was so often enough in a row; `surely` where no
    /// message can tell of its end any more.
    pub(super) fn miss(&mut self, surely: bool) -> bool {
        let missing = self.missing;
        self.be_told();
        self.missing = missing + 1;
        self.due = Instant::now() + FASTEST_POLL * (1 << missing.min(MISSING_WHILE_HEARD));
        let at_most = if self.heard && !surely { MISSING_WHILE_HEARD } else { MISSING_AT_MOST };
        self.missing >= at_most
    }

    /// A question was not answered. Returns for how long none was.
    pub(super) fn go_unanswered(&mut self) -> Duration {
        self.ask_later(false);
        self.broken_since = None;
        let now = Instant::now();
        now.duration_since(*self.unanswered_since.get_or_insert(now))
    }

    /// The server failed on the job's record. Returns for how long it has.
    pub(super) fn be_broken(&mut self) -> Duration {
        self.ask_later(false);
        let now = Instant::now();
        now.duration_since(*self.broken_since.get_or_insert(now))
    }

    pub(super) fn ask_now(&mut self) {
        self.pause = if self.heard { self.silence } else { FASTEST_POLL };
        self.due = Instant::now();
    }

    /// The next question is due after a pause, each longer than the one before.
    pub(super) fn ask_later(&mut self, waiting: bool) {
        let slowest = if self.heard && !(waiting && self.watched) { SLOWEST_CHECK } else { SLOWEST_POLL };
        self.pause = self.pause.min(slowest);
        self.due = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(slowest);
    }
}
