//! What many runs came to, to look at: a contact sheet, and a page.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::failure::Failure;

/// One run of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// What to call it, such as `seed=3 cfg=8`.
    pub(crate) label: String,
    /// What was set for it, in the order in which it was asked for. What differs among the rows are the axes.
    pub(crate) values: Vec<(String, Value)>,
    pub(crate) files: Vec<RowFile>,
    /// In API format.
    pub(crate) workflow: Value,
    /// In the editor's format, where it is known.
    pub(crate) editor: Option<Value>,
    pub(crate) prompt_id: Option<String>,
    /// Why it failed.
    pub(crate) error: Option<String>,
    pub(crate) texts: Vec<String>,
    pub(crate) elapsed: Option<Duration>,
}

/// A file of a run, as it was saved.
#[derive(Debug, Clone)]
pub(crate) struct RowFile {
    pub(crate) path: PathBuf,
    /// `image`, `video`, `audio` and so on.
    pub(crate) kind: &'static str,
    pub(crate) node: String,
    pub(crate) title: Option<String>,
}

/// Whether a contact sheet can have this name: to be asked before anything runs.
pub(crate) fn check_grid(_path: &Path) -> Result<(), Failure> {
    Ok(())
}

/// Writes a labelled contact sheet. The axes are the values that differ.
pub(crate) fn write_grid(_path: &Path, _rows: &[Row]) -> Result<(), Failure> {
    Err(Failure::usage("grid", "not there yet"))
}

/// Writes a page with everything in it.
pub(crate) fn write_gallery(_path: &Path, _title: &str, _rows: &[Row]) -> Result<(), Failure> {
    Err(Failure::usage("gallery", "not there yet"))
}
