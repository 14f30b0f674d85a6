//! How long something that runs will take yet.

use std::time::{Duration, Instant};

use comfy_api_client::Progress;

/// Fewest steps of a node that tell how long the others take, and the least time that they took.
const LEAST_STEPS: f64 = 2.0;
const LEAST_TIME: Duration = Duration::from_secs(1);
/// The same for the nodes of a job, which are less alike than steps are.
const LEAST_SHARE: f64 = 0.25;
const LEAST_TIME_OF_NODES: Duration = Duration::from_secs(5);

/// The end of a job, as far as its progress lets one tell.
///
/// Nodes take very different times, so the steps of the node that runs count where it has some: they are nearly all of
/// the time of most jobs. Else it goes by the share that is done.
#[derive(Debug, Default)]
pub(super) struct Estimate {
    began: Option<Instant>,
    /// What was done at the beginning, by earlier runs.
    base: f64,
    overall: f64,
    node: Option<Node>,
    /// Nodes that began.
    nodes: u32,
    end: Option<Instant>,
}

#[derive(Debug)]
struct Node {
    began: Instant,
    /// When its first step was told, and which that was.
    first: Option<(Instant, f64)>,
}

impl Estimate {
    pub(super) fn start(&mut self, now: Instant) {
        self.began.get_or_insert(now);
    }

    pub(super) fn start_node(&mut self, now: Instant) {
        self.start(now);
        self.nodes += 1;
        self.node = Some(Node { began: now, first: None });
    }

    pub(super) fn progress(&mut self, progress: &Progress, now: Instant) {
        let overall = progress.overall();
        let has_moved = overall > self.overall;
        self.overall = overall;
        if self.node.is_none() {
            self.base = overall;
        }
        let by_steps = self.by_steps(progress, now);
        let has_steps = progress.max > 1.0;
        let by_share = || self.by_share(now).filter(|_| has_moved && !has_steps);
        if let Some(left) = by_steps.or_else(by_share) {
            self.end = now.checked_add(left);
        }
    }

    /// The job is done, and what comes now is another matter.
    pub(super) fn forget(&mut self) {
        self.end = None;
    }

    /// For how long the job runs.
    pub(super) fn elapsed(&self, now: Instant) -> Option<Duration> {
        Some(now.saturating_duration_since(self.began?))
    }

    /// The time that is left; `None` when there is too little to go by, or when an earlier guess was wrong.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        self.end?.checked_duration_since(now)
    }

    /// The rest of the node that runs, and for each of the others what those before took.
    fn by_steps(&mut self, progress: &Progress, now: Instant) -> Option<Duration> {
        let node = self.node.as_mut().filter(|_| progress.max > 1.0 && progress.value > 0.0)?;
        let (since, first) = *node.first.get_or_insert((now, progress.value));
        let (steps, time) = (progress.value - first, now.saturating_duration_since(since));
        if steps < LEAST_STEPS || time < LEAST_TIME {
            return None;
        }
        let rest = time.as_secs_f64() / steps * (progress.max - progress.value).max(0.0);
        let before = node.began.saturating_duration_since(self.began?);
        let nodes_before = self.nodes.saturating_sub(1).max(1);
        let others = progress.nodes_total.saturating_sub(progress.nodes_done + 1);
        let others = before.as_secs_f64() / f64::from(nodes_before) * others as f64;
        Duration::try_from_secs_f64(rest + others).ok()
    }

    fn by_share(&self, now: Instant) -> Option<Duration> {
        let done = self.overall - self.base;
        let time = self.elapsed(now)?;
        if done < LEAST_SHARE || time < LEAST_TIME_OF_NODES {
            return None;
        }
        Duration::try_from_secs_f64(time.as_secs_f64() * (1.0 - self.overall) / done).ok()
    }
}

/// What is left of `all` things of which `done` took this time.
pub(super) fn rest(done: usize, all: usize, time: Duration) -> Option<Duration> {
    if done == 0 || time < LEAST_TIME {
        return None;
    }
    Duration::try_from_secs_f64(time.as_secs_f64() / done as f64 * all.saturating_sub(done) as f64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reports of a sampler, the third of four nodes, of which one was cached.
    fn sampling(step: f64) -> Progress {
        let mut progress = Progress::default();
        (progress.value, progress.max) = (step, 20.0);
        (progress.nodes_done, progress.nodes_total) = (2, 4);
        progress
    }

    #[test]
    fn nothing_is_said_before_there_is_something_to_go_by() {
        let (mut estimate, now) = (Estimate::default(), Instant::now());
        assert_eq!((estimate.elapsed(now), estimate.left(now)), (None, None));
        estimate.start(now);
        estimate.start_node(now);
        estimate.progress(&sampling(1.0), now);
        estimate.progress(&sampling(2.0), now + Duration::from_secs(1));
        assert_eq!(estimate.left(now), None);
    }

    #[test]
    fn the_steps_of_a_node_tell_what_is_left_of_it() {
        let (mut estimate, began) = (Estimate::default(), Instant::now());
        let at = |seconds| began + Duration::from_secs(seconds);
        estimate.start_node(at(0));
        estimate.start_node(at(4));
        // The first step comes late, as it does when a model is loaded.
        for (step, second) in [(1.0, 30), (2.0, 31), (3.0, 32)] {
            estimate.progress(&sampling(step), at(second));
        }
        // Seventeen steps, and one node after this that takes as long as the one before.
        assert_eq!(estimate.left(at(32)), Some(Duration::from_secs(17 + 4)));
        assert_eq!(estimate.left(at(33)), Some(Duration::from_secs(16 + 4)));
        assert_eq!(estimate.left(at(60)), None, "a guess that was wrong is not kept");
        assert_eq!(estimate.elapsed(at(33)), Some(Duration::from_secs(33)));
    }

    #[test]
    fn rows_that_are_done_tell_of_the_others() {
        let time = Duration::from_secs(30);
        assert_eq!(rest(0, 24, time), None);
        assert_eq!(rest(3, 24, time), Some(Duration::from_secs(210)));
        assert_eq!(rest(24, 24, time), Some(Duration::ZERO));
        assert_eq!(rest(3, 24, Duration::from_millis(3)), None);
    }
}
