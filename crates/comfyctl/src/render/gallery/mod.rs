//! What many runs came to, to look at: a contact sheet, and a page.

mod axes;
mod page;
mod sheet;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::commands::output_file;
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
pub(crate) fn check_grid(path: &Path) -> Result<(), Failure> {
    sheet::format_of(path).map(drop)
}

/// Writes a labelled contact sheet. The axes are the values that differ.
pub(crate) fn write_grid(path: &Path, rows: &[Row]) -> Result<(), Failure> {
    let sheet = sheet::encoded(rows, sheet::format_of(path)?)?;
    make_folder(path);
    output_file::write(path, &sheet)
        .map_err(|failure| failure.with_hint("choose another file with `--grid FILE`"))
}

/// Writes a page with everything in it.
pub(crate) fn write_gallery(path: &Path, title: &str, rows: &[Row]) -> Result<(), Failure> {
    make_folder(path);
    output_file::write_with(path, |out| page::write(out, path, title, rows))
        .map_err(|failure| failure.with_hint("choose another file with `--gallery FILE`"))
}

/// What ran for hours is not lost for want of a folder. If it cannot be made, the file says why.
fn make_folder(path: &Path) {
    if let Some(folder) = path.parent() {
        let _ = std::fs::create_dir_all(folder);
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;

    pub(super) fn row(values: &[(&str, Value)]) -> Row {
        Row {
            label: "a run".into(),
            values: values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            files: Vec::new(),
            workflow: Value::Null,
            editor: None,
            prompt_id: None,
            error: None,
            texts: Vec::new(),
            elapsed: None,
        }
    }

    #[test]
    fn the_folder_of_a_sheet_or_page_is_made() {
        let folder = tempfile::tempdir().unwrap();
        write_grid(&folder.path().join("a/b/grid.png"), &[row(&[])]).unwrap();
        write_gallery(&folder.path().join("c/index.html"), "title", &[row(&[])]).unwrap();
        assert!(folder.path().join("a/b/grid.png").is_file() && folder.path().join("c/index.html").is_file());
        let failure = write_grid(&folder.path().join("c/index.html/grid.png"), &[]).unwrap_err();
        assert_eq!(failure.report.hint.as_deref(), Some("choose another file with `--grid FILE`"));
    }

    pub(super) fn file(folder: &Path, name: &str, kind: &'static str, content: &[u8]) -> RowFile {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        RowFile { path, kind, node: "9".into(), title: None }
    }

    pub(super) fn picture(folder: &Path, name: &str, (width, height): (u32, u32), color: [u8; 3]) -> RowFile {
        let file = file(folder, name, "image", b"");
        RgbImage::from_pixel(width, height, Rgb(color)).save(&file.path).unwrap();
        file
    }
}
