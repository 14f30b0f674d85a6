use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use comfy_protocol::{ExecutionError, Message, NodeOutput};
use comfy_workflow::NodeId;

/// Something that happened to a job.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// The job waits in the queue; told again whenever its position has changed. A reader that is slow gets the last.
    Queued(Queued),
    /// The job has left the queue and runs.
    Started,
    /// The nodes whose results were still known from earlier runs.
    Cached(Vec<NodeId>),
    /// A node begins. One that asks for its inputs lazily can begin twice.
    NodeStarted(NodeId),
    /// A node is done.
    NodeFinished(NodeId),
    /// How far the job is.
    Progress(Progress),
    /// A picture of what is being made.
    Preview(Preview),
    /// A text that a node shows while it runs.
    Text(NodeId, String),
    /// A node has outputs.
    Executed(NodeId, NodeOutput),
    /// A picture that a node gave over the socket, as `SaveImageWebsocket` does. It is among the
    /// [outputs](crate::Outputs::socket_images) too.
    SocketImage(SocketImage),
    /// A node was kept from running, while the job goes on.
    Blocked(Box<ExecutionError>),
    /// There was no sign of life for a time, while the job is still there; told again whenever that time has doubled.
    Stalled(Stall),
    /// Messages may have been missed: the connection broke, or said what cannot be read. The job goes on. Servers send
    /// the messages of a job to the connection that it was submitted over, so of a job whose connection broke come no
    /// nodes, progress, previews or texts any more; its end and its outputs do.
    Gap,
    /// After a gap: the server has told where the job is. It is asked until the end.
    Recovered,
    /// A message of a kind not known here that names the job.
    Other(Message),
    /// The job is done, and its outputs are there. Always the last event; a job that fails ends with an error instead.
    Finished,
}

/// Where a job waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Queued {
    /// Its place among the prompts of all clients that wait: 1 is the next to run.
    pub position: usize,
    /// How many prompts wait.
    pub waiting: usize,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// The node that reports, if one does.
    pub node: Option<NodeId>,
    /// Steps of that node that are done.
    pub value: f64,
    /// Steps of that node in all.
    pub max: f64,
    /// Nodes of the workflow that are done or known from earlier runs.
    pub nodes_done: usize,
    /// Nodes of the workflow.
    pub nodes_total: usize,
    overall: f64,
}

impl Progress {
    pub(crate) fn new(nodes_total: usize) -> Self {
        Self { nodes_total, ..Self::default() }
    }

    pub(crate) fn set_overall(&mut self, overall: f64) {
        self.overall = overall.clamp(0.0, 1.0);
    }

    /// The share of the job that is done, 0.0 to 1.0, counting every node alike.
    ///
    /// Nodes that turn out not to be needed keep it below 1.0 until the job is done.
    #[must_use]
    pub fn overall(&self) -> f64 {
        self.overall
    }
}

/// A picture that the server sent while a job runs.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Preview {
    /// The node that made it, if the server says so.
    pub node: Option<NodeId>,
    /// `image/jpeg` or `image/png`.
    pub content_type: String,
    pub(super) bytes: Bytes,
}

impl Preview {
    /// The bytes of the picture's file.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preview")
            .field("node", &self.node)
            .field("content_type", &self.content_type)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// A picture that a node gave over the socket instead of as a file.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct SocketImage {
    /// The node that gave it.
    pub node: NodeId,
    /// Its place among the pictures of that node, from 0.
    pub index: usize,
    /// `image/png` or `image/jpeg`.
    pub content_type: String,
    pub(super) bytes: Bytes,
    /// The name that it was given for being saved.
    pub(super) name: Option<String>,
}

impl SocketImage {
    /// Gives the picture another name, under which it is saved; see [`Download::named`](crate::Download::named).
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The name under which it is saved unless it was given another one: its node and its place, `9_00001_.png`.
    #[must_use]
    pub fn filename(&self) -> String {
        let extension = if self.content_type == "image/jpeg" { "jpg" } else { "png" };
        format!("{}_{:05}_.{extension}", self.node, self.index + 1)
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The bytes of the picture's file.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl fmt::Debug for SocketImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketImage")
            .field("node", &self.node)
            .field("index", &self.index)
            .field("content_type", &self.content_type)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// A job of which there was no sign of life for a time.
///
/// A server whose worker has died goes on answering, and says for ever that the job runs or waits. A node that takes
/// long without a word looks the same. `Display` says what is known and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stall {
    /// For how long there was none.
    pub quiet_for: Duration,
    /// Where the server says that the job is.
    pub place: Place,
    /// The node that began last, if one did.
    pub node: Option<NodeId>,
}

/// Where a job is that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// It waits.
    Waiting {
        /// Where.
        queued: Queued,
        /// The prompts that run meanwhile.
        running: Vec<String>,
    },
    /// It runs.
    Running,
}

impl Place {
    /// Whether a job has got on since it was at another place: others that come behind it are no sign of life.
    pub(super) fn is_ahead_of(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Waiting { queued, running }, Self::Waiting { queued: before, running: ran }) => {
                queued.position < before.position || running != ran
            }
            (Self::Running, Self::Waiting { .. }) => true,
            (_, Self::Running) => false,
        }
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.quiet_for.as_secs_f64().round();
        write!(f, "no sign of life for {seconds} s; the server answers and says that the prompt ")?;
        match (&self.place, &self.node) {
            (Place::Running, Some(node)) => {
                let node = crate::text::one_line(node.as_str(), 60);
                write!(
                    f,
                    "runs, last at node {node}: the node may take long, or the server's worker has died"
                )?;
            }
            (Place::Running, None) => {
                f.write_str("runs, but none of its nodes has begun: the server's worker may have died")?;
            }
            (Place::Waiting { queued, running }, _) => {
                write!(f, "waits at position {} of {}", queued.position, queued.waiting)?;
                match running.first() {
                    Some(id) => write!(
                        f,
                        " behind prompt {}, which may take long or have stopped the server's worker",
                        crate::text::one_line(id, 60)
                    )?,
                    None => f.write_str(" while nothing runs: the server's worker may have died")?,
                }
            }
        }
        f.write_str("; look at the server's log, and restart it if it is dead")
    }
}
