use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use comfy_workflow::Workflow;
use comfy_workflow::template::Variant;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{Error, Event, Job, Outputs, Result, SavedFile};

type Making<'a> = Pin<Box<dyn Future<Output = Result<Row<'a>>> + Send + 'a>>;

/// One workflow of a batch.
pub struct Row<'a> {
    pub(super) key: String,
    pub(super) content: Content<'a>,
}

pub(super) enum Content<'a> {
    Ready(Box<Ready>),
    Later(Box<dyn FnOnce() -> Making<'a> + Send + 'a>),
}

pub(super) struct Ready {
    pub(super) workflow: Workflow,
    pub(super) label: String,
    pub(super) values: Map<String, Value>,
    pub(super) extra: Map<String, Value>,
}

impl<'a> Row<'a> {
    /// A workflow under a key that tells it from the other rows, in the same way every time the batch is run.
    pub fn new(key: impl Into<String>, workflow: Workflow) -> Self {
        let key = key.into();
        let (label, values, extra) = (key.clone(), Map::new(), Map::new());
        Self { key, content: Content::Ready(Box::new(Ready { workflow, label, values, extra })) }
    }

    /// A row that is made when its turn has come, and not at all if it is done already: what it gives stands under `key`.
    pub fn later<F>(key: impl Into<String>, make: impl FnOnce() -> F + Send + 'a) -> Self
    where
        F: Future<Output = Result<Self>> + Send + 'a,
    {
        Self { key: key.into(), content: Content::Later(Box::new(move || Box::pin(make()))) }
    }

    /// What to call it, for people; its key unless set.
    #[must_use]
    pub fn with_label(self, label: impl Into<String>) -> Self {
        self.edit(|ready| ready.label = label.into())
    }

    /// The values that make it different from the others. They go into the journal.
    #[must_use]
    pub fn with_values(self, values: Map<String, Value>) -> Self {
        self.edit(|ready| ready.values = values)
    }

    /// Anything else that is to be found in the journal.
    #[must_use]
    pub fn with_extra(self, extra: Map<String, Value>) -> Self {
        self.edit(|ready| ready.extra = extra)
    }

    /// Of a row that is made later, that is said when it is made.
    fn edit(mut self, change: impl FnOnce(&mut Ready)) -> Self {
        if let Content::Ready(ready) = &mut self.content {
            change(ready);
        }
        self
    }
}

impl From<Variant> for Row<'_> {
    fn from(variant: Variant) -> Self {
        Self::new(variant.index.to_string(), variant.workflow)
            .with_label(variant.label)
            .with_values(variant.values)
    }
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("key", &self.key).finish_non_exhaustive()
    }
}

/// What is known of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct RowInfo {
    pub(super) key: String,
    pub(super) index: usize,
    pub(super) label: String,
    pub(super) values: Map<String, Value>,
    pub(super) extra: Map<String, Value>,
    pub(super) workflow: Option<Arc<Workflow>>,
    pub(super) prompt_id: Option<String>,
}

impl RowInfo {
    /// A row of which nothing but its key is known.
    pub(super) fn of_key(key: &str, index: usize) -> Self {
        Self {
            key: key.to_owned(),
            index,
            label: key.to_owned(),
            values: Map::new(),
            extra: Map::new(),
            workflow: None,
            prompt_id: None,
        }
    }

    /// What tells it from the others.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its place in the batch, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// What to call it. Of a row that was done before and is made only when its turn has come, it is the key.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The values that make it different from the others.
    #[must_use]
    pub fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// What else is in the journal.
    #[must_use]
    pub fn extra(&self) -> &Map<String, Value> {
        &self.extra
    }

    /// The workflow, if it was made.
    #[must_use]
    pub fn workflow(&self) -> Option<&Workflow> {
        self.workflow.as_deref()
    }

    /// The prompt that it was submitted as, once that is known.
    #[must_use]
    pub fn prompt_id(&self) -> Option<&str> {
        self.prompt_id.as_deref()
    }

    pub(super) fn with_prompt(&self, prompt_id: &str) -> Arc<Self> {
        Arc::new(Self { prompt_id: Some(prompt_id.to_owned()), ..self.clone() })
    }

    /// What is known of a row that was made, under the key that it had before.
    pub(super) fn of(key: &str, index: usize, ready: Ready) -> Self {
        let Ready { workflow, label, values, extra } = ready;
        let (key, workflow) = (key.to_owned(), Some(Arc::new(workflow)));
        Self { key, index, label, values, extra, workflow, prompt_id: None }
    }
}

/// Something that happens in a [`Batch`](super::Batch), and to which row.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BatchEvent {
    /// The row.
    pub row: Arc<RowInfo>,
    /// What happens to it.
    pub event: RowEvent,
}

/// What happens to a row. Every row ends with one of [`Skipped`](Self::Skipped), [`Finished`](Self::Finished),
/// [`Failed`](Self::Failed), [`Cancelled`](Self::Cancelled) and [`Unsettled`](Self::Unsettled).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RowEvent {
    /// It was done before.
    Skipped,
    /// It is run again although it was submitted before.
    Again(Again),
    /// The server has its prompt.
    Submitted(Arc<Job>),
    /// The prompt that an earlier process submitted is followed.
    Followed(Arc<Job>),
    /// Something happens to its job.
    Job(Event),
    /// The server is not there; it is asked again until it has been away for too long.
    Waiting(Error),
    /// The prompt is done and gave this, which is saved now if there is a folder.
    Ran(Outputs),
    /// Bytes of a file have come.
    Downloading {
        /// The file's name on the server.
        name: String,
        /// How many have come.
        bytes: u64,
        /// How many there are, if that is known.
        size: Option<u64>,
    },
    /// A file is there.
    Saved(SavedFile),
    /// It is done: it has run, and its files are there.
    Finished(Outputs),
    /// It has failed. The others go on.
    Failed(Error),
    /// [`Batch::cancel`](super::Batch::cancel) has ended it. It is as if it had never been submitted.
    Cancelled,
    /// The batch ends before the row does: its prompt may still wait or run on the server, or its files are still there.
    Unsettled(Option<Error>),
}

impl RowEvent {
    /// Whether nothing more happens to the row.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(
            self,
            Self::Skipped | Self::Finished(_) | Self::Failed(_) | Self::Cancelled | Self::Unsettled(_)
        )
    }
}

/// Why a row is run again.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Again {
    /// It failed, for this reason.
    Failed(String),
    /// The server does not know the prompt: it never arrived, or the server has forgotten it since.
    Unknown {
        /// The prompt.
        prompt_id: String,
        /// The server that it was sent to.
        server: String,
        /// Whether the server had taken it.
        accepted: bool,
    },
    /// The prompt was interrupted, or taken out of the queue.
    Interrupted {
        /// The prompt.
        prompt_id: String,
    },
}

impl fmt::Display for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(reason) => write!(f, "it failed before: {reason}"),
            Self::Unknown { prompt_id, server, accepted: true } => {
                write!(f, "prompt {prompt_id}, which {server} had taken, is not known to the server any more")
            }
            Self::Unknown { prompt_id, .. } => write!(f, "prompt {prompt_id} has not reached the server"),
            Self::Interrupted { prompt_id } => write!(f, "prompt {prompt_id} was interrupted or removed"),
        }
    }
}

/// What tells a workflow from another.
pub(super) fn hash(workflow: &Workflow) -> String {
    let digest = Sha256::digest(workflow.to_value().to_string());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
