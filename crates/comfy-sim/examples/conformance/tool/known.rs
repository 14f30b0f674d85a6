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

const SET: &str = "the order comes from a Python set of texts, which is another in every process";
const SENT: &str = "the recorded body is not the one that was sent: the recorder changed it afterwards";
const ADDRESS: &str = "the recorded text is the address of an object of the real server";
const FILE_SYSTEM: &str = "the order of files in a folder is that of the file system";
const OTHER_NODE: &str = "recorded on 0.3.64 with an older ProbeText, which no number could be linked to";
const OUTSIDE: &str =
    "the simulator reads nothing outside its folders, which the real server then fails to read";
const MILLISECONDS: &str = "the order is that of times of about a millisecond";

pub(crate) const KNOWN: [Known; 9] = [
    Known { name: "intermediate_output", what: "POST /prompt: 200, recorded 400", reason: SENT },
    Known { name: "intermediate_output", what: "socket A: +", reason: SENT },
    Known { name: "jobs", what: "sort_by=execution_duration", reason: MILLISECONDS },
    Known { name: "link_any_output_to_image", what: "\"0\":{\"got\"", reason: SET },
    Known { name: "load_image_traversal", what: "Invalid image file", reason: OUTSIDE },
    Known { name: "logs", what: "Prompt executed in", reason: "the time that a prompt took" },
    Known { name: "nan_in_history", what: "", reason: OTHER_NODE },
    Known { name: "seed_u64", what: "Noise_RandomNoise object at", reason: ADDRESS },
    Known { name: "userdata", what: "GET ", reason: FILE_SYSTEM },
];

impl Known {
    /// The reason for this difference.
    pub(crate) fn of(outcome: &Outcome, difference: &str) -> Option<&'static Self> {
        KNOWN.iter().find(|known| known.name == outcome.name && difference.contains(known.what))
    }
}
