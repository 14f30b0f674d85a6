use std::collections::HashMap;
use std::time::Duration;

use comfy_workflow::NodeId;
use serde_json::{Map, Value};

use super::entry::Entry;
use crate::{OutputFile, SavedFile};

/// All that a journal knows of a row.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RowRecord {
    /// Its key.
    pub key: String,
    /// What it is called.
    pub label: String,
    /// The values that make it different from the others.
    pub values: Map<String, Value>,
    /// What else was written down with it.
    pub extra: Map<String, Value>,
    /// The last prompt that it was submitted as.
    pub prompt_id: String,
    /// The files that were saved, in the order of the outputs.
    pub files: Vec<SavedFile>,
    /// The texts that nodes gave.
    pub texts: Vec<(NodeId, String)>,
    /// How long the prompt waited and ran, where that was seen.
    pub elapsed: Option<Duration>,
    /// How it ended.
    pub end: RowEnd,
}

/// How a row ended, according to a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowEnd {
    /// It has not.
    Open,
    /// It is done.
    Done,
    /// It has failed, for this reason.
    Failed(String),
    /// It was cancelled, or the server has forgotten it.
    Withdrawn,
}

/// The rows of a journal while it is read.
#[derive(Default)]
pub(super) struct Records {
    rows: Vec<(RowRecord, Vec<(usize, SavedFile)>)>,
    places: HashMap<String, usize>,
}

impl Records {
    pub(super) fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Submit(submit) => {
                let record = RowRecord {
                    key: submit.row.clone(),
                    label: submit.label,
                    values: submit.values,
                    extra: submit.extra,
                    prompt_id: submit.prompt_id,
                    files: Vec::new(),
                    texts: Vec::new(),
                    elapsed: None,
                    end: RowEnd::Open,
                };
                let place = *self.places.entry(submit.row).or_insert(self.rows.len());
                match self.rows.get_mut(place) {
                    Some(row) => *row = (record, Vec::new()),
                    None => self.rows.push((record, Vec::new())),
                }
            }
            Entry::Accepted { row, prompt_id } => {
                self.edit(&row, |record, _| record.prompt_id = prompt_id);
            }
            Entry::Ran { row, outputs, elapsed_ms } => self.edit(&row, |record, _| {
                record.elapsed = elapsed_ms.map(Duration::from_millis);
                let texts = outputs
                    .iter()
                    .flat_map(|(node, output)| output.texts().map(|(_, text)| (node.clone(), text.into())));
                record.texts = texts.collect();
            }),
            Entry::Saved(saved) => self.edit(&saved.row, |_, files| {
                let output = OutputFile { node: saved.node, key: saved.key, file: saved.file };
                files.push((saved.place, SavedFile::new(output, saved.path, saved.bytes)));
            }),
            Entry::Done { row } => self.edit(&row, |record, _| record.end = RowEnd::Done),
            Entry::Failed { row, message, .. } | Entry::Unsaved { row, message } => {
                self.edit(&row, |record, _| record.end = RowEnd::Failed(message));
            }
            Entry::Withdrawn { row } => self.edit(&row, |record, _| record.end = RowEnd::Withdrawn),
            Entry::Batch(_) | Entry::Saving { .. } | Entry::End | Entry::Unknown => {}
        }
    }

    fn edit(&mut self, row: &str, change: impl FnOnce(&mut RowRecord, &mut Vec<(usize, SavedFile)>)) {
        if let Some((record, files)) = self.places.get(row).and_then(|place| self.rows.get_mut(*place)) {
            change(record, files);
        }
    }

    pub(super) fn into_rows(self) -> Vec<RowRecord> {
        let rows = self.rows.into_iter().map(|(mut record, mut files)| {
            files.sort_by_key(|(place, _)| *place);
            record.files = files.into_iter().map(|(_, file): (usize, SavedFile)| file).collect();
            record
        });
        rows.collect()
    }
}
