//! Faults on demand: which are set, and whom they strike.
//!
//! The routes, the sockets and the executor ask at the places where something can go wrong. Without a fault the question
//! costs one look at a flag.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value as Json};
use tokio_util::sync::CancellationToken;

use crate::nodes::NodeError;

mod others;
mod spec;

pub use spec::{Fault, FaultError, Kept};

/// The number of a fault that was set, with which it can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct FaultId(pub(crate) u64);

/// What stands for a NaN in values of JSON, until they are written.
const NAN: &str = "\u{fdd0}NaN";

/// More faults than these at a time are refused.
pub(crate) const MOST_FAULTS: usize = 1_000;

/// The faults of one simulator. They outlive its restarts.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    any: AtomicBool,
    set: Mutex<Set>,
}

#[derive(Debug, Default)]
struct Set {
    last_id: u64,
    active: Vec<Active>,
    /// Prompts of other people that have not begun, by id.
    others: HashSet<String>,
}

/// A fault as the control route shows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Active {
    id: FaultId,
    #[serde(flatten)]
    fault: Fault,
    /// How often it could have struck.
    #[serde(skip)]
    seen: u64,
    struck: u64,
    #[serde(skip)]
    taken_back: CancellationToken,
}

/// What happens to a node that is about to run.
#[derive(Debug, Default)]
pub(crate) struct Struck {
    /// It takes longer by this.
    pub(crate) delay: Duration,
    /// Then it fails; the reach of the error may be the whole worker.
    pub(crate) error: Option<NodeError>,
    /// Then the server restarts.
    pub(crate) restart: Option<Restart>,
}

/// How a server restarts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Restart {
    pub(crate) history: Kept,
    /// How long nothing listens.
    pub(crate) down: Duration,
}

/// What happens to a socket.
#[derive(Debug, Clone)]
pub(crate) enum SocketFault {
    Cut,
    /// Until the token is cancelled.
    Silent(CancellationToken),
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestFault {
    pub(crate) status: u16,
    /// Whether the request is handled all the same.
    pub(crate) handled: bool,
}

impl Faults {
    /// Whether as many are set as clients may set.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().active.len() >= MOST_FAULTS
    }

    /// Adds a fault.
    pub(crate) fn add(&self, fault: Fault) -> FaultId {
        let mut set = self.lock();
        set.last_id += 1;
        let id = FaultId(set.last_id);
        set.active.push(Active { id, fault, seen: 0, struck: 0, taken_back: CancellationToken::new() });
        self.any.store(true, Ordering::Release);
        id
    }

    /// Takes a fault back. Says whether there was one.
    pub(crate) fn remove(&self, id: FaultId) -> bool {
        let mut set = self.lock();
        let Some(at) = set.active.iter().position(|active| active.id == id) else { return false };
        set.active.remove(at).taken_back.cancel();
        true
    }

    pub(crate) fn clear(&self) {
        let mut set = self.lock();
        set.active.drain(..).for_each(|active| active.taken_back.cancel());
        self.any.store(!set.others.is_empty(), Ordering::Release);
    }

    pub(crate) fn list(&self) -> Vec<Active> {
        self.lock().active.clone()
    }

    /// A node is about to run.
    pub(crate) fn at_node(&self, prompt_id: &str, class_type: &str) -> Struck {
        let mut struck = Struck::default();
        if !self.any() {
            return struck;
        }
        let mut set = self.lock();
        if let Some(delay) = set.delay_of_others(prompt_id) {
            struck.delay = delay;
            return struck;
        }
        for active in &mut set.active {
            let (at, times, class) = match &active.fault {
                Fault::NodeError { at, times, class, .. }
                | Fault::OutOfMemory { at, times, class }
                | Fault::SlowNode { at, times, class, .. } => (*at, *times, class),
                Fault::DeadWorker { at, class } => (*at, 1, class),
                Fault::Restart { at: Some(at), .. } => (*at, 1, &None),
                _ => continue,
            };
            if class.as_ref().is_some_and(|class| class != class_type) || !active.strikes(at, times) {
                continue;
            }
            match &active.fault {
                Fault::NodeError { exception, message, .. } => {
                    struck.error.get_or_insert_with(|| NodeError::new(exception, message));
                }
                Fault::OutOfMemory { .. } => {
                    struck.error.get_or_insert_with(|| {
                        NodeError::out_of_device_memory(
                            "Allocation on device 0 would exceed allowed memory. (out of memory)",
                        )
                    });
                }
                Fault::SlowNode { seconds, .. } => struck.delay += duration(*seconds),
                Fault::DeadWorker { .. } => struck.error = Some(NodeError::ends_the_worker("SystemExit")),
                Fault::Restart { history, down, .. } => {
                    struck.restart = Some(Restart { history: *history, down: duration(*down) });
                }
                _ => {}
            }
        }
        struck
    }

    /// A node shows something: puts a NaN into it where one is wanted.
    pub(crate) fn spoil_output(&self, class_type: &str, ui: &mut Map<String, Json>) {
        if !self.any() {
            return;
        }
        for active in &mut self.lock().active {
            if let Fault::NanInHistory { at, times, class } = &active.fault
                && class.as_ref().is_none_or(|class| class == class_type)
            {
                let (at, times) = (*at, *times);
                if active.strikes(at, times) {
                    ui.insert("nan".into(), Json::Array(vec![NAN.into()]));
                }
            }
        }
    }

    /// A socket has been sent so many messages in all.
    pub(crate) fn at_message(&self, sent: u64) -> Option<SocketFault> {
        if !self.any() {
            return None;
        }
        for active in &mut self.lock().active {
            let (Fault::SocketCut { after, times } | Fault::SocketSilent { after, times }) = &active.fault
            else {
                continue;
            };
            if sent >= *after && (*times == 0 || active.struck < *times) {
                active.struck += 1;
                return Some(match active.fault {
                    Fault::SocketCut { .. } => SocketFault::Cut,
                    _ => SocketFault::Silent(active.taken_back.clone()),
                });
            }
        }
        None
    }

    /// A request has come. `path` is without `/api`.
    pub(crate) fn at_request(&self, path: &str) -> Option<RequestFault> {
        if !self.any() {
            return None;
        }
        for active in &mut self.lock().active {
            let Fault::HttpError { status, share, seed, path: only, handled, times } = &active.fault else {
                continue;
            };
            if only.as_ref().is_some_and(|only| !is_below(path, only))
                || (*times > 0 && active.struck >= *times)
            {
                continue;
            }
            active.seen += 1;
            if fraction(*seed, active.seen) < *share {
                active.struck += 1;
                return Some(RequestFault { status: *status, handled: *handled });
            }
        }
        None
    }

    fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Set> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Active {
    /// One more chance: whether it is taken.
    fn strikes(&mut self, at: u64, times: u64) -> bool {
        self.seen += 1;
        let strikes = self.seen.is_multiple_of(at.max(1)) && (times == 0 || self.struck < times);
        self.struck += u64::from(strikes);
        strikes
    }
}

fn is_below(path: &str, root: &str) -> bool {
    let root = root.trim_end_matches('/');
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// A number from 0 to 1 that looks like chance and is the same every time.
fn fraction(seed: u64, count: u64) -> f64 {
    (mixed(seed.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15))) >> 11) as f64 / (1_u64 << 53) as f64
}

/// The finishing step of SplitMix64.
pub(crate) fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(texts: &[&str]) -> Faults {
        let faults = Faults::default();
        for text in texts {
            faults.add(text.parse().unwrap());
        }
        faults
    }

    #[test]
    fn a_fault_strikes_every_nth_node_of_its_class_as_often_as_it_may() {
        let faults = faults(&["node-error:at=2,times=2,class=A"]);
        let mut struck = |class: &str| u8::from(faults.at_node("p", class).error.is_some());
        let nodes = ["A", "B", "A", "A", "A", "A", "A"].map(&mut struck);
        assert_eq!(nodes, [0, 0, 1, 0, 1, 0, 0]);
    }

    #[test]
    fn the_same_seed_chooses_the_same_requests_in_the_share_that_was_asked_for() {
        let chosen = |text: &str| {
            let faults = faults(&[text]);
            (0..4000).map(|_| faults.at_request("/history").is_some()).collect::<Vec<_>>()
        };
        let first = chosen("http-error:share=0.25,seed=1");
        let count = first.iter().filter(|chosen| **chosen).count();
        assert!((900..1100).contains(&count), "{count}");
        assert_eq!(first, chosen("http-error:share=0.25,seed=1"));
        assert_ne!(first, chosen("http-error:share=0.25,seed=2"));
        assert!(chosen("http-error:path=/his").iter().all(|chosen| !chosen));
    }

    #[test]
    fn a_fault_that_was_taken_back_strikes_no_more() {
        let faults = faults(&["socket-silent:times=0"]);
        let Some(SocketFault::Silent(end)) = faults.at_message(1) else { panic!("no fault") };
        let id = faults.list()[0].id;
        assert!(faults.remove(id) && !faults.remove(id));
        assert!(end.is_cancelled());
        assert!(faults.at_message(1).is_none());
    }
}
