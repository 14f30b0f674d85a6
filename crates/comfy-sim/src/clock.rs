//! Time and chance, which tests may want to be the same every time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::faults::mixed;

/// What time it is for a simulator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Clock {
    /// What the machine says.
    #[default]
    System,
    /// A clock of its own, which begins at this time and stands still. Only what takes time on purpose moves it on: delays
    /// and sleeps of nodes, which then do not wait at all, and [`Sim::advance`](crate::Sim::advance). So a test has the
    /// same timestamps every time, and no pauses. To interrupt a node there has to be time for it: that needs the other
    /// clock.
    Virtual(SystemTime),
}

/// The clock that runs, and the source of ids.
#[derive(Debug)]
pub(crate) struct Ticking {
    /// Microseconds since the epoch, where time is virtual.
    now: Option<AtomicU64>,
    seed: Option<u64>,
    ids: AtomicU64,
}

impl Ticking {
    pub(crate) fn new(clock: Clock, seed: Option<u64>) -> Self {
        let now = match clock {
            Clock::System => None,
            Clock::Virtual(start) => Some(AtomicU64::new(micros(since_epoch(start)))),
        };
        Self { now, seed, ids: AtomicU64::new(0) }
    }

    /// Time since the epoch.
    pub(crate) fn now(&self) -> Duration {
        match &self.now {
            None => since_epoch(SystemTime::now()),
            Some(now) => Duration::from_micros(now.load(Ordering::Acquire)),
        }
    }

    /// Moves a virtual clock on. Says whether it is one.
    pub(crate) fn advance(&self, time: Duration) -> bool {
        let Some(now) = &self.now else { return false };
        now.fetch_add(micros(time), Ordering::AcqRel);
        true
    }

    /// A new id: by chance, or the next one of the seed.
    pub(crate) fn id(&self) -> Uuid {
        let Some(seed) = self.seed else { return Uuid::new_v4() };
        let count = self.ids.fetch_add(1, Ordering::Relaxed);
        let high = mixed(seed.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let low = mixed(high.wrapping_add(seed));
        let bytes = ((u128::from(high) << 64) | u128::from(low)).to_be_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_clock_stands_still_until_it_is_moved() {
        let clock = Ticking::new(Clock::Virtual(UNIX_EPOCH + Duration::from_secs(5)), None);
        assert_eq!(clock.now(), Duration::from_secs(5));
        assert!(clock.advance(Duration::from_millis(1500)));
        assert_eq!(clock.now(), Duration::from_millis(6500));
        assert!(!Ticking::new(Clock::System, None).advance(Duration::from_secs(1)));
    }

    #[test]
    fn a_seed_gives_the_same_ids_and_all_of_them_differ() {
        let ids = |seed| {
            let clock = Ticking::new(Clock::System, Some(seed));
            (0..100).map(|_| clock.id()).collect::<Vec<_>>()
        };
        assert_eq!(ids(1), ids(1));
        assert!(ids(1).iter().all(|id| !ids(2).contains(id) && id.get_version_num() == 4));
    }
}
