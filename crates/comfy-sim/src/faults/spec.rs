//! Faults as users write them: in Rust, in JSON, and in words for the command line.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// Something that goes wrong in a simulator on purpose.
///
/// It is written the same way everywhere: as text (`node-error:at=2,class=KSampler`) for `--fault` of the command and for
/// [`str::parse`], and as JSON (`{"fault": "node-error", "at": 2, "class": "KSampler"}`) for the route
/// `/simulator/faults`. Everything but the name can be left out. The functions here make those that are wanted most.
///
/// Faults of nodes have in common: `at`, they strike the n-th node that is run, counted from 1 and from when the fault was
/// set (1 without it); `class`, only nodes of this class count; `times`, how often they strike, each time `at` nodes after
/// the last (once without it, 0 for ever). Nodes whose results are known are not run and do not count.
///
/// ```
/// use comfy_sim::Fault;
///
/// let fault: Fault = "http-error:status=502,share=0.25,path=/history".parse()?;
/// assert_eq!(fault.to_string(), "http-error:status=502,share=0.25,path=/history");
/// assert_eq!(Fault::node_error(2).to_string(), "node-error:at=2");
/// # Ok::<(), comfy_sim::FaultError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// A node raises an exception.
    #[non_exhaustive]
    NodeError {
        /// Which node: the n-th.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        at: u64,
        /// How often.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        times: u64,
        /// Only nodes of this class.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
        /// Type of the exception, in Python's words.
        #[serde(default = "runtime_error", skip_serializing_if = "is_runtime_error")]
        exception: String,
        /// Text of the exception.
        #[serde(default = "on_demand", skip_serializing_if = "is_on_demand")]
        message: String,
    },
    /// A node finds the GPU's memory used up.
    #[non_exhaustive]
    OutOfMemory {
        /// Which node: the n-th.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        at: u64,
        /// How often.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        times: u64,
        /// Only nodes of this class.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
    },
    /// A node takes longer. An interrupt ends the wait.
    #[non_exhaustive]
    SlowNode {
        /// Which node: the n-th.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        at: u64,
        /// How often.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        times: u64,
        /// Only nodes of this class.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
        /// How much longer; 10 without it.
        #[serde(default = "ten_seconds")]
        seconds: f64,
    },
    /// The worker ends in the middle of a node: the prompt runs for ever, the queue fills up, and everything else works.
    #[non_exhaustive]
    DeadWorker {
        /// Which node: the n-th.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        at: u64,
        /// Only nodes of this class.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
    },
    /// The output of a node that shows something has a bare `NaN`, which is no JSON, in its messages and in the history.
    /// Only nodes that show something count.
    #[non_exhaustive]
    NanInHistory {
        /// Which node: the n-th.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        at: u64,
        /// How often.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        times: u64,
        /// Only nodes of this class.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
    },
    /// A WebSocket breaks, without a goodbye, when it has been sent so many messages.
    #[non_exhaustive]
    SocketCut {
        /// Messages until then, the greeting among them; 0 cuts it when it has opened.
        #[serde(default)]
        after: u64,
        /// How many sockets; 0 for all.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        times: u64,
    },
    /// A WebSocket is sent nothing more, and stays open: neither messages nor answers to pings. It ends when the fault is
    /// taken back.
    #[non_exhaustive]
    SocketSilent {
        /// Messages until then, the greeting among them.
        #[serde(default)]
        after: u64,
        /// How many sockets; 0 for all.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        times: u64,
    },
    /// A share of all requests is answered with an error. The same numbers give the same requests: it is decided from the
    /// seed and the number of the request.
    #[non_exhaustive]
    HttpError {
        /// 500 without it: with the text of a server that stumbles. 502, 503 and 504 come with the page of a proxy.
        #[serde(default = "internal_error", skip_serializing_if = "is_internal_error")]
        status: u16,
        /// Of 1; all without it.
        #[serde(default = "all", skip_serializing_if = "is_all")]
        share: f64,
        /// Chooses other requests.
        #[serde(default, skip_serializing_if = "is_zero")]
        seed: u64,
        /// Only requests to this path or below it, without `/api`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<String>,
        /// Whether the server does what it was asked before the answer is lost.
        #[serde(default, skip_serializing_if = "is_false")]
        handled: bool,
        /// How many requests; for ever without it.
        #[serde(default, skip_serializing_if = "is_zero")]
        times: u64,
    },
    /// The server dies and is started again on the same port: connections break, the queue is lost.
    #[non_exhaustive]
    Restart {
        /// While the n-th node runs; at once without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<u64>,
        /// Whether it still has its history, as servers have that keep it in a database. ComfyUI loses it.
        #[serde(default, skip_serializing_if = "is_lost")]
        history: Kept,
        /// How long nothing listens on the port.
        #[serde(default, skip_serializing_if = "is_none_at_all")]
        down: f64,
    },
    /// Other people have filled the queue.
    #[non_exhaustive]
    QueueFull {
        /// How many prompts of theirs; 10 without it, at most 10,000.
        #[serde(default = "ten", skip_serializing_if = "is_ten")]
        jobs: u64,
        /// How long each takes; 1 without it.
        #[serde(default = "one_second", skip_serializing_if = "is_one_second")]
        seconds: f64,
    },
}

/// What becomes of the history in a restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kept {
    /// It is gone.
    #[default]
    Lost,
    /// It is still there.
    Kept,
}

/// The longest time that a fault may take: a year.
const LONGEST: f64 = 366.0 * 86_400.0;

/// The most prompts of others.
const MOST_JOBS: u64 = 10_000;

impl Fault {
    /// The n-th node that is run, counted from 1, raises a `RuntimeError`.
    #[must_use]
    pub fn node_error(at: u64) -> Self {
        Self::NodeError { at, times: 1, class: None, exception: runtime_error(), message: on_demand() }
    }

    /// The n-th node that is run, counted from 1, runs out of memory.
    #[must_use]
    pub fn out_of_memory(at: u64) -> Self {
        Self::OutOfMemory { at, times: 1, class: None }
    }

    /// The n-th node that is run, counted from 1, takes this much longer.
    #[must_use]
    pub fn slow_node(at: u64, time: Duration) -> Self {
        Self::SlowNode { at, times: 1, class: None, seconds: time.as_secs_f64().min(LONGEST) }
    }

    /// The worker ends in the n-th node that is run, counted from 1.
    #[must_use]
    pub fn dead_worker(at: u64) -> Self {
        Self::DeadWorker { at, class: None }
    }

    /// The n-th node that shows something, counted from 1, shows a `NaN` too.
    #[must_use]
    pub fn nan_in_history(at: u64) -> Self {
        Self::NanInHistory { at, times: 1, class: None }
    }

    /// The next socket that has been sent so many messages breaks.
    #[must_use]
    pub fn socket_cut(after: u64) -> Self {
        Self::SocketCut { after, times: 1 }
    }

    /// The next socket that has been sent so many messages falls silent.
    #[must_use]
    pub fn socket_silent(after: u64) -> Self {
        Self::SocketSilent { after, times: 1 }
    }

    /// A share of all requests, of 1, is answered with this status.
    #[must_use]
    pub fn http_error(status: u16, share: f64) -> Self {
        Self::HttpError { status, share, seed: 0, path: None, handled: false, times: 0 }
    }

    /// The server restarts at once.
    #[must_use]
    pub fn restart(history: Kept) -> Self {
        Self::Restart { at: None, history, down: 0.0 }
    }

    /// Other people have so many prompts in the queue, of which each takes this long.
    #[must_use]
    pub fn queue_full(jobs: u64, each: Duration) -> Self {
        Self::QueueFull { jobs: jobs.min(MOST_JOBS), seconds: each.as_secs_f64().min(LONGEST) }
    }

    /// Reads a fault in JSON: the text of one, or an object with its name under `fault`.
    ///
    /// # Errors
    /// There is no such fault, it has no such setting, or the setting has no such value.
    pub fn from_json(json: Json) -> Result<Self, FaultError> {
        let fault = match json {
            Json::String(text) => return text.parse(),
            json => serde_json::from_value::<Self>(json).map_err(|error| FaultError(error.to_string()))?,
        };
        fault.checked()
    }

    fn checked(self) -> Result<Self, FaultError> {
        let time = |seconds: f64| (0.0..=LONGEST).contains(&seconds);
        let problem = match &self {
            Self::NodeError { at: 0, .. }
            | Self::OutOfMemory { at: 0, .. }
            | Self::SlowNode { at: 0, .. }
            | Self::DeadWorker { at: 0, .. }
            | Self::NanInHistory { at: 0, .. }
            | Self::Restart { at: Some(0), .. } => "nodes are counted from 1",
            Self::SlowNode { seconds, .. } | Self::QueueFull { seconds, .. } if !time(*seconds) => {
                "seconds is to be between 0 and a year"
            }
            Self::Restart { down, .. } if !time(*down) => "down is to be between 0 and a year, in seconds",
            Self::HttpError { status, .. } if !(400..600).contains(status) => {
                "the status of an error is between 400 and 599"
            }
            Self::HttpError { share, .. } if !(0.0..=1.0).contains(share) => "share is to be between 0 and 1",
            Self::QueueFull { jobs, .. } if *jobs > MOST_JOBS => "jobs is at most 10000",
            _ => return Ok(self),
        };
        Err(FaultError(problem.to_owned()))
    }
}

/// A text or a JSON value describes no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no fault: {0}; write it as NAME or NAME:SETTING=VALUE,…, such as node-error:at=2")]
pub struct FaultError(String);

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, settings) = text.split_once(':').unwrap_or((text, ""));
        let mut fields = Map::new();
        for setting in split(settings) {
            let (key, value) = setting
                .split_once('=')
                .ok_or_else(|| FaultError(format!("`{}` has no value", clipped(setting))))?;
            // Texts that look like numbers are asked for nowhere but in messages and names of classes.
            let literal = matches!(key, "message" | "exception" | "class" | "path" | "history");
            let value = match serde_json::from_str::<Json>(value) {
                Ok(json @ (Json::Number(_) | Json::Bool(_))) if !literal => json,
                _ => Json::from(value),
            };
            fields.insert(key.to_owned(), value);
        }
        fields.insert("fault".into(), name.trim().into());
        Self::from_json(Json::Object(fields))
    }
}

/// The settings. A comma that no name follows belongs to the value before it.
fn split(settings: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in settings.match_indices(',') {
        let next = &settings[at + 1..];
        let name = next.split('=').next().unwrap_or_default();
        if next.contains('=') && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()) {
            parts.push(&settings[start..at]);
            start = at + 1;
        }
    }
    if !settings.is_empty() {
        parts.push(&settings[start..]);
    }
    parts
}

fn clipped(text: &str) -> String {
    text.chars().take(40).collect()
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(Json::Object(fields)) = serde_json::to_value(self) else { return Err(fmt::Error) };
        let mut separator = ':';
        for (key, value) in &fields {
            match value {
                Json::String(name) if key == "fault" => f.write_str(name)?,
                Json::String(text) => write!(f, "{separator}{key}={text}")?,
                other => write!(f, "{separator}{key}={other}")?,
            }
            if key != "fault" {
                separator = ',';
            }
        }
        Ok(())
    }
}

fn one() -> u64 {
    1
}

fn is_one(number: &u64) -> bool {
    *number == 1
}

fn ten() -> u64 {
    10
}

fn is_ten(number: &u64) -> bool {
    *number == 10
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn one_second() -> f64 {
    1.0
}

fn is_one_second(seconds: &f64) -> bool {
    (*seconds - 1.0).abs() < f64::EPSILON
}

fn ten_seconds() -> f64 {
    10.0
}

fn is_none_at_all(seconds: &f64) -> bool {
    *seconds <= 0.0
}

fn all() -> f64 {
    1.0
}

fn is_all(share: &f64) -> bool {
    *share >= 1.0
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_lost(history: &Kept) -> bool {
    *history == Kept::Lost
}

fn internal_error() -> u16 {
    500
}

fn is_internal_error(status: &u16) -> bool {
    *status == 500
}

fn runtime_error() -> String {
    "RuntimeError".to_owned()
}

fn is_runtime_error(exception: &str) -> bool {
    exception == "RuntimeError"
}

fn on_demand() -> String {
    "a fault on demand".to_owned()
}

fn is_on_demand(message: &str) -> bool {
    message == "a fault on demand"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fault_is_the_same_in_text_and_in_json() {
        let texts = [
            "node-error",
            "node-error:at=3,times=0,class=KSampler,exception=ValueError,message=no, not = today",
            "out-of-memory:at=2",
            "slow-node:seconds=0.5",
            "dead-worker",
            "nan-in-history:class=SaveImage",
            "socket-cut:after=4,times=0",
            "socket-silent:after=0",
            "http-error:status=502,share=0.25,seed=7,path=/history,handled=true,times=3",
            "restart:at=2,history=kept,down=1.5",
            "queue-full:jobs=3,seconds=2.0",
        ];
        for text in texts {
            let fault: Fault = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(fault.to_string(), text);
            let json = serde_json::to_value(&fault).unwrap();
            assert_eq!(Fault::from_json(json), Ok(fault));
        }
        let json = json!({"fault": "node-error", "at": 3, "class": "7"});
        assert_eq!(Fault::from_json(json), "node-error:at=3,class=7".parse());
    }

    #[test]
    fn what_is_no_fault_says_why() {
        let why = |text: &str| text.parse::<Fault>().unwrap_err().to_string();
        assert!(why("nonsense").contains("unknown variant `nonsense`, expected one of `node-error`"));
        assert!(why("node-error:at=0").contains("nodes are counted from 1"));
        assert!(why("node-error:att=1").contains("unknown field `att`"), "{}", why("node-error:att=1"));
        assert!(why("node-error:at").contains("`at` has no value"));
        assert!(why("http-error:share=2").contains("between 0 and 1"));
        assert!(why("http-error:status=200").contains("between 400 and 599"));
        assert!(why("slow-node:seconds=1e300").contains("a year"));
        assert!(Fault::from_json(json!([])).is_err());
    }
}
