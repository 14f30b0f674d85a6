use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::{Error, ErrorKind, Result};

/// How often and with which pauses a request is repeated that got no answer, or the answer that the server is busy.
///
/// Only requests are repeated that change nothing when they arrive twice; submits and uploads are not among them. Jobs
/// are followed with pauses of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How often a request is sent at most; 3 unless set.
    pub attempts: u32,
    /// The first pause, which doubles from one attempt to the next; 100 ms unless set.
    pub first_pause: Duration,
    /// The longest pause; 5 s unless set.
    pub longest_pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 3, first_pause: Duration::from_millis(100), longest_pause: Duration::from_secs(5) }
    }
}

impl RetryPolicy {
    /// Every request is sent once.
    #[must_use]
    pub fn never() -> Self {
        Self { attempts: 1, ..Self::default() }
    }

    /// Every request is sent at most so often.
    #[must_use]
    pub fn at_most(attempts: u32) -> Self {
        Self { attempts: attempts.max(1), ..Self::default() }
    }

    /// The first pause and the longest one.
    #[must_use]
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.first_pause = first;
        self.longest_pause = longest.max(first);
        self
    }
}

/// The attempts of one request.
pub(crate) struct Attempts {
    pauses: Option<ExponentialBackoff>,
    longest_pause: Duration,
    made: u32,
    began: Instant,
}

impl Attempts {
    /// At most as many as the policy allows, or one.
    pub(crate) fn new(policy: RetryPolicy, repeatable: bool) -> Self {
        let pauses = repeatable.then(|| {
            ExponentialBuilder::default()
                .with_min_delay(policy.first_pause)
                .with_max_delay(policy.longest_pause)
                .with_max_times(policy.attempts.saturating_sub(1) as usize)
                .with_jitter()
                .build()
        });
        Self { pauses, longest_pause: policy.longest_pause, made: 0, began: Instant::now() }
    }

    /// Waits until the next attempt; or gives the error back when that was the last one, or another one would do no
    /// better.
    pub(super) async fn pause_after(&mut self, error: Error) -> Result<()> {
        let worth = is_worth_another(&error);
        self.pause_if(worth, error).await
    }

    /// The same where the caller knows whether another attempt may do better.
    pub(crate) async fn pause_if(&mut self, worth: bool, error: Error) -> Result<()> {
        self.made += 1;
        let pause = self.pauses.as_mut().filter(|_| worth).and_then(Iterator::next);
        let Some(pause) = pause else {
            return Err(error.with_attempts(self.made, self.began.elapsed()));
        };
        // Jitter is added to the longest pause too.
        let pause = error.retry_after().map_or(pause, |wish| wish.max(pause)).min(self.longest_pause);
        tracing::debug!(attempt = self.made, ?pause, %error, "trying again");
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// Whether another attempt may do better. A request that took all its time would take it again.
pub(crate) fn is_worth_another(error: &Error) -> bool {
    error.is_retryable() && error.kind() != ErrorKind::Timeout
}
