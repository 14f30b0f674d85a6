use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use comfy_protocol::routes::history::{Ending, HistoryEntry, HistoryStatus};
use comfy_protocol::routes::queue::QueueItem;
use comfy_protocol::routes::system::SystemStats;
use comfy_protocol::{NodeOutput, NodeProgress, NodeState};
use comfy_workflow::{NodeId, Workflow};
use indexmap::IndexMap;
use serde_json::{Map, Number, Value};
use tokio::time::Instant;

use super::steps::LogSteps;
use crate::{ConnectionStatus, Error, OutputFile};

/// What is known of a server; see [`Monitor`](crate::Monitor).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ServerView {
    /// Whether it answers.
    pub reach: Reach,
    /// State of the WebSocket. Without one the server is asked more often, and there is no progress.
    pub socket: ConnectionStatus,
    /// Versions, memory and devices.
    pub stats: Option<SystemStats>,
    /// What runs: at most one on stock servers.
    pub running: Vec<RunningJob>,
    /// What waits, the next to run first.
    pub waiting: Vec<Arc<WatchedJob>>,
    /// What has ended last, the newest first: a few.
    pub ended: VecDeque<Arc<EndedJob>>,
}

/// Whether a server answers.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Reach {
    /// It was not asked yet.
    #[default]
    Unknown,
    /// It answers.
    Answers,
    /// It does not, and is asked again.
    Silent {
        /// Why the last question came to nothing.
        error: Error,
        /// Since when it does not answer.
        since: Instant,
    },
}

/// A job of anybody, as it was submitted.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct WatchedJob {
    /// The prompt's id.
    pub prompt_id: String,
    /// The prompt's number in the queue's order.
    pub number: Option<Number>,
    /// The workflow. Empty where the server has one that cannot be read.
    pub workflow: Workflow,
    /// What was sent with it, such as the editor's document.
    pub extra_data: Map<String, Value>,
    /// The output nodes that run.
    pub outputs: Vec<NodeId>,
}

impl WatchedJob {
    pub(super) fn new(item: QueueItem) -> Self {
        Self {
            prompt_id: item.1,
            number: item.0,
            workflow: Workflow::from_value(item.2).unwrap_or_default(),
            extra_data: item.3,
            outputs: item.4.into_iter().map(NodeId::from).collect(),
        }
    }
}

/// A job that runs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RunningJob {
    /// The job.
    pub job: Arc<WatchedJob>,
    /// Since when it runs, or since when it was seen to.
    pub since: Instant,
    /// Whether its start was seen; else it runs for longer.
    pub start_seen: bool,
    /// How far it is, as far as the server tells.
    pub progress: WatchedProgress,
}

/// How far a job is, as far as the server tells.
///
/// Servers tell of nodes only to whoever submitted the job, and of jobs that nobody in particular submitted (without a
/// client id) to everybody. Steps of samplers are in the server's log, whoever submitted the job.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct WatchedProgress {
    /// The nodes that were touched so far; empty where the server does not tell.
    pub nodes: IndexMap<NodeId, NodeProgress>,
    /// The node that began last.
    pub node: Option<NodeId>,
    /// The last bar of progress in the server's log, which does not say of which node it is.
    pub log: Option<LogSteps>,
    /// The text that a node showed last, as nodes do that ask services on the network.
    pub text: Option<(NodeId, String)>,
}

impl WatchedProgress {
    /// Nodes of the workflow that are done, where the server tells of nodes.
    #[must_use]
    pub fn nodes_done(&self, workflow: &Workflow) -> usize {
        let finished = self
            .nodes
            .iter()
            .filter(|(id, node)| node.state == NodeState::Finished && workflow.node(id.as_str()).is_some());
        finished.count() + self.settled(workflow).len()
    }

    /// The nodes that the server did not tell of, but that others need which it told of: their results were known from
    /// earlier runs.
    fn settled<'a>(&self, workflow: &'a Workflow) -> HashSet<&'a str> {
        let mut sources: HashMap<&str, Vec<&'a str>> = HashMap::new();
        for (id, _, link) in workflow.links() {
            sources.entry(id.as_str()).or_default().push(link.node);
        }
        let mut settled = HashSet::new();
        let mut next: Vec<&str> = self.nodes.keys().map(NodeId::as_str).collect();
        while let Some(id) = next.pop() {
            for source in sources.remove(id).unwrap_or_default() {
                if !self.nodes.contains_key(source) && workflow.node(source).is_some() {
                    settled.insert(source);
                }
                next.push(source);
            }
        }
        settled
    }

    /// The share of a node that is done, 0.0 to 1.0.
    #[must_use]
    pub fn share(node: &NodeProgress) -> f64 {
        match (node.value.as_f64(), node.max.as_f64()) {
            _ if node.state == NodeState::Finished => 1.0,
            (Some(value), Some(max)) if max > 0.0 => (value / max).clamp(0.0, 1.0),
            _ => 0.0,
        }
    }

    /// The share of a job's nodes that is done, 0.0 to 1.0; `None` where the server does not tell of nodes.
    #[must_use]
    pub fn overall(&self, workflow: &Workflow) -> Option<f64> {
        if self.nodes.is_empty() || workflow.is_empty() {
            return None;
        }
        // Nodes that the server made while running are parts of others.
        let own = self.nodes.iter().filter(|(id, _)| workflow.node(id.as_str()).is_some());
        let done: f64 = own.map(|(_, node)| Self::share(node)).sum();
        let settled = self.settled(workflow).len() as f64;
        Some(((done + settled) / workflow.len() as f64).clamp(0.0, 1.0))
    }
}

/// A job that has ended, by the server's record.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EndedJob {
    /// The job.
    pub job: Arc<WatchedJob>,
    /// How it ended.
    pub ending: Ending,
    /// What its nodes gave.
    pub outputs: IndexMap<NodeId, NodeOutput>,
    /// When it began to run, in milliseconds since the epoch by the server's clock.
    pub started_at: Option<u64>,
    /// When it ended, likewise.
    pub ended_at: Option<u64>,
}

impl EndedJob {
    pub(super) fn new(record: HistoryEntry) -> Self {
        let ending = record.ending();
        let status = record.status.as_ref();
        Self {
            ending,
            started_at: status.and_then(HistoryStatus::execution_start_time),
            ended_at: status.and_then(HistoryStatus::execution_end_time),
            outputs: record.outputs.into_iter().filter_map(|(id, output)| Some((id, output?))).collect(),
            job: Arc::new(WatchedJob::new(record.prompt)),
        }
    }

    /// For how many milliseconds it ran, where the record says so.
    #[must_use]
    pub fn milliseconds(&self) -> Option<u64> {
        self.ended_at?.checked_sub(self.started_at?)
    }

    /// The files that it gave, temporary ones such as previews among them.
    pub fn files(&self) -> impl Iterator<Item = OutputFile> {
        self.outputs.iter().flat_map(|(node, output)| {
            output.files().map(|(key, file)| OutputFile { node: node.clone(), key: key.to_owned(), file })
        })
    }
}

impl ServerView {
    /// A job that runs or waits.
    #[must_use]
    pub fn job(&self, prompt_id: &str) -> Option<&Arc<WatchedJob>> {
        let running = self.running.iter().map(|running| &running.job);
        running.chain(&self.waiting).find(|job| job.prompt_id == prompt_id)
    }

    /// A job that runs.
    #[must_use]
    pub fn running(&self, prompt_id: &str) -> Option<&RunningJob> {
        self.running.iter().find(|running| running.job.prompt_id == prompt_id)
    }

    /// A job that has ended lately.
    #[must_use]
    pub fn ended(&self, prompt_id: &str) -> Option<&Arc<EndedJob>> {
        self.ended.iter().find(|ended| ended.job.prompt_id == prompt_id)
    }

    pub(super) fn running_mut(&mut self, prompt_id: &str) -> Option<&mut RunningJob> {
        self.running.iter_mut().find(|running| running.job.prompt_id == prompt_id)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nodes_that_others_need_are_done_before_them_though_nobody_told() {
        let link = |id: &str| json!({"in": [id, 0]});
        let workflow = Workflow::from_value(json!({
            "1": {"class_type": "A", "inputs": {}}, "2": {"class_type": "B", "inputs": link("1")},
            "3": {"class_type": "C", "inputs": link("2")}, "4": {"class_type": "D", "inputs": link("3")},
        }))
        .unwrap();
        let mut progress = WatchedProgress::default();
        assert_eq!((progress.overall(&workflow), progress.nodes_done(&workflow)), (None, 0));
        let node = json!({"value": 5, "max": 10, "state": "running", "node_id": "3", "prompt_id": "p"});
        progress.nodes.insert("3".into(), serde_json::from_value(node).unwrap());
        assert_eq!((progress.overall(&workflow), progress.nodes_done(&workflow)), (Some(0.625), 2));
    }
}
