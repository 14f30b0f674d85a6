//! What the fault layer does to which request and message: decided by the seed, the lane and how many came before.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Numbers that follow from a seed (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The numbers for one thing of a campaign; the same for the same parts.
    pub(crate) fn of(parts: &[u64]) -> Self {
        let mut random = Self(0);
        for part in parts {
            random.0 = random.next().wrapping_add(*part);
        }
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, and without, `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// Whether a thing of so many in a thousand happens.
    pub(crate) fn happens(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of some things, by their weights.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[(u64, T)], otherwise: T) -> T {
        let mut left = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            if left < *weight {
                return *choice;
            }
            left -= weight;
        }
        otherwise
    }

    /// A pause as networks make them: mostly short, seldom long.
    pub(crate) fn delay(&mut self) -> Duration {
        let longest = self.pick(&[(6, 10), (3, 50), (1, 200)], 10);
        Duration::from_millis(1 + self.below(longest))
    }
}

/// What happens to an HTTP request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// It is passed on, and its answer back.
    Pass,
    /// The same, after a pause.
    Delay,
    /// The connection is reset instead.
    Cut,
    /// The connection is closed in order instead.
    Close,
    /// Nothing more passes, while both sides stay open. The request never arrives.
    Silence,
    /// The same, but the request arrives when its sender has long given up.
    Late,
    /// A proxy answers 502, 503 or 503 with `Retry-After`, and does not pass the request on.
    Refuse,
    /// The request is passed on, and the connection reset instead of the answer.
    DropAnswer,
    /// The request is passed on, and nothing more passes.
    SilenceAnswer,
    /// The request is passed on, and a proxy answers 502 or 504 in place of the server.
    ReplaceAnswer,
    /// The connection is reset in the middle of the answer.
    CutAnswer,
    /// Nothing more passes from the middle of the answer on.
    StopAnswer,
    /// The answer comes in pieces.
    DribbleAnswer,
}

impl Fate {
    pub(crate) fn of_request(random: &mut Random, faults_per_mille: u64) -> Self {
        if !random.happens(faults_per_mille) {
            return Self::Pass;
        }
        let choices = [
            (20, Self::Delay),
            (12, Self::Cut),
            (6, Self::Close),
            (3, Self::Silence),
            (3, Self::Late),
            (18, Self::Refuse),
            (14, Self::DropAnswer),
            (3, Self::SilenceAnswer),
            (6, Self::ReplaceAnswer),
            (8, Self::CutAnswer),
            (2, Self::StopAnswer),
            (5, Self::DribbleAnswer),
        ];
        random.pick(&choices, Self::Pass)
    }
}

/// What happens to a message of the server on a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Treatment {
    Pass,
    /// It comes after a pause.
    Delay,
    /// The connection is reset before it.
    Cut,
    /// The connection is reset in the middle of it.
    CutInside,
    /// The socket is closed in order before it.
    Close,
    /// Nothing more passes, while both sides stay open.
    Silence,
    /// It comes twice.
    Twice,
    /// Only its first half comes, as a message of its own.
    Halve,
    /// A text that is no JSON comes before it.
    AddNoJson,
    /// A message of an unknown type comes before it.
    AddUnknown,
    /// A binary frame that ends too early comes before it.
    AddShortFrame,
    /// A binary frame of an unknown kind comes before it.
    AddUnknownFrame,
    /// Bytes that are no WebSocket come before it.
    AddNoise,
}

impl Treatment {
    pub(crate) fn of_message(random: &mut Random, faults_per_mille: u64) -> Self {
        if !random.happens(faults_per_mille) {
            return Self::Pass;
        }
        let choices = [
            (10, Self::Delay),
            (12, Self::Cut),
            (8, Self::CutInside),
            (5, Self::Close),
            (8, Self::Silence),
            (10, Self::Twice),
            (10, Self::Halve),
            (7, Self::AddNoJson),
            (7, Self::AddUnknown),
            (7, Self::AddShortFrame),
            (7, Self::AddUnknownFrame),
            (4, Self::AddNoise),
        ];
        random.pick(&choices, Self::Pass)
    }
}

/// How often each fault was injected.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    requests: [AtomicU64; 13],
    messages: [AtomicU64; 13],
    pub(crate) restarts: AtomicU64,
    pub(crate) restarts_with_history: AtomicU64,
}

impl Counts {
    pub(crate) fn request(&self, fate: Fate) {
        self.requests[fate as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn message(&self, treatment: Treatment) {
        self.messages[treatment as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// By name; what passed without a fault is not among them.
    pub(crate) fn table(&self) -> BTreeMap<String, u64> {
        const FATES: [Fate; 12] = [
            Fate::Delay,
            Fate::Cut,
            Fate::Close,
            Fate::Silence,
            Fate::Late,
            Fate::Refuse,
            Fate::DropAnswer,
            Fate::SilenceAnswer,
            Fate::ReplaceAnswer,
            Fate::CutAnswer,
            Fate::StopAnswer,
            Fate::DribbleAnswer,
        ];
        const TREATMENTS: [Treatment; 12] = [
            Treatment::Delay,
            Treatment::Cut,
            Treatment::CutInside,
            Treatment::Close,
            Treatment::Silence,
            Treatment::Twice,
            Treatment::Halve,
            Treatment::AddNoJson,
            Treatment::AddUnknown,
            Treatment::AddShortFrame,
            Treatment::AddUnknownFrame,
            Treatment::AddNoise,
        ];
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut table = BTreeMap::new();
        for fate in FATES {
            table.insert(format!("request {fate:?}"), read(&self.requests[fate as usize]));
        }
        for treatment in TREATMENTS {
            table.insert(format!("message {treatment:?}"), read(&self.messages[treatment as usize]));
        }
        table.insert("restart without history".into(), read(&self.restarts));
        table.insert("restart with history".into(), read(&self.restarts_with_history));
        table
    }
}
