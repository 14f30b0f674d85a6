//! What a batch came to so far.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use comfy_api_client::Workflow;
use comfy_api_client::batch::Journal;

use crate::exit::Exit;

/// What is known of a batch, for the report that ends it however it ends.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// How many rows there are, where that is known.
    pub(super) total: Option<usize>,
    /// Rows that were done before.
    pub(super) skipped: usize,
    pub(super) done: usize,
    pub(super) failed: Vec<Failed>,
    pub(super) journal: Option<Journal>,
    /// The workflow of which all rows are made, for the names of its nodes.
    pub(super) workflow: Option<Workflow>,
    /// Outputs that are on the server and not here, in JSON.
    pub(super) unsaved: Vec<serde_json::Value>,
    /// Files that were saved while a folder is watched: should they be in it, they are no new pictures.
    pub(super) ours: Ours,
    /// What was written at the end: the contact sheet, the page.
    pub(super) written: Vec<PathBuf>,
}

/// Files that are the command's own.
pub(super) type Ours = Arc<Mutex<HashSet<PathBuf>>>;

/// A row that has failed.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) label: String,
    pub(super) reason: String,
    pub(super) exit: Exit,
}

impl Tally {
    pub(super) fn begin(&mut self, total: usize, journal: &Journal, workflow: &Workflow) {
        self.total = Some(total);
        self.journal = Some(journal.clone());
        self.workflow = Some(workflow.clone());
    }

    /// Takes note of a file that was saved.
    pub(super) fn add_ours(&self, path: &Path) {
        if let Ok(path) = path.canonicalize() {
            self.ours.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
        }
    }

    /// Rows that have come to an end.
    pub(super) fn ended(&self) -> usize {
        self.skipped + self.done + self.failed.len()
    }

    /// Rows that have not.
    pub(super) fn left(&self) -> usize {
        self.total.map_or(0, |total| total.saturating_sub(self.ended()))
    }

    /// Whether there is something to go on with.
    pub(super) fn can_be_resumed(&self) -> bool {
        self.journal.is_some() && (self.left() > 0 || !self.failed.is_empty())
    }

    /// The exit code of the rows: that of all of them if they have failed alike, else that of a run that has failed.
    pub(super) fn exit(&self) -> Exit {
        match self.failed.first() {
            None => Exit::Success,
            Some(first) => {
                let alike = self.failed.iter().all(|failed| failed.exit == first.exit);
                let nothing_ran = self.done == 0 && self.skipped == 0;
                if alike && nothing_ran { first.exit } else { Exit::Failure }
            }
        }
    }
}
