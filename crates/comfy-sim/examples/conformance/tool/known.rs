//! Differences that are known not to be the simulator's.

use super::outcome::Outcome;

/// A difference that has a reason.
#[derive(Debug)]
pub(crate) struct Known {
    /// The scenario or case.
    pub(crate) name: &'static str,
    /// What the line of the difference has in it.
    what: &'static str,
    pub(crate) reason: &'static str,
}

pub(crate) const KNOWN: [Known; 2] = [
    Known {
        name: "http_edges",
        what: "403, recorded",
        reason: "the recorded `Origin` names the port of the recorded server, which a server on another port refuses",
    },
    Known {
        name: "http_edges",
        what: "socket W",
        reason: "the recorded `Origin` names the port of the recorded server, so the socket is refused",
    },
];

impl Known {
    /// The reason for this difference.
    pub(crate) fn of(outcome: &Outcome, difference: &str) -> Option<&'static Self> {
        KNOWN.iter().find(|known| known.name == outcome.name && difference.contains(known.what))
    }
}
