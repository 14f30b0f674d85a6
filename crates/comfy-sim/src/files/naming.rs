//! Names of saved pictures and of uploads.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use super::counters::Counters;
use super::{FilesError, Folder, path};

/// Where the pictures of one node go.
#[derive(Debug)]
pub(crate) struct SaveTarget {
    /// Exists.
    pub(crate) directory: PathBuf,
    /// The directory as clients name it, relative to its folder.
    pub(crate) subfolder: String,
    pub(crate) folder: Folder,
    stem: String,
    next: u64,
    counters: Counters,
}

impl SaveTarget {
    /// The name of the next picture; each call counts on. `position` is the picture's place in its batch.
    pub(crate) fn next_name(&mut self, position: usize) -> String {
        self.next_file(position, "_.png")
    }

    /// The name of the next file, with what follows its number.
    pub(crate) fn next_file(&mut self, position: usize, ending: &str) -> String {
        let stem = self.stem.replace(BATCH_NUMBER, &position.to_string());
        let number = self.next;
        self.next += 1;
        let name = format!("{stem}_{number:05}{ending}");
        if !self.stem.contains(BATCH_NUMBER) {
            self.counters.give(&self.directory, &self.stem, &name, number);
        }
        name
    }
}

impl Drop for SaveTarget {
    fn drop(&mut self) {
        self.counters.written(&self.directory);
    }
}

/// Stands for a picture's place in its batch.
const BATCH_NUMBER: &str = "%batch_num%";

pub(super) fn save_target(
    root: &Path,
    counters: &Counters,
    folder: Folder,
    prefix: &str,
    width: usize,
    height: usize,
) -> Result<SaveTarget, FilesError> {
    let prefix = fill_in(prefix, width, height);
    let outside = |directory: PathBuf| FilesError::SaveOutside {
        directory: directory.display().to_string(),
        root: root.display().to_string(),
    };
    // ".." takes away the part before it. At the start there is none: there it leads outside, except as the last
    // part, which is the name and not a folder.
    let mut parts: Vec<&str> = Vec::new();
    for part in path::parts(&prefix)? {
        if part == ".." && parts.last().is_some_and(|last| *last != "..") {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    let stem = parts.pop().unwrap_or(".");
    if path::is_absolute(&prefix) {
        return Err(outside(Path::new("/").join(parts.iter().collect::<PathBuf>())));
    }
    let subfolder = parts.join("/");
    let Ok(directory) = path::inside(root, folder.as_str(), &subfolder) else {
        let mut left = root.to_owned();
        for part in &parts {
            if *part == ".." {
                left = left.parent().map(Path::to_owned).unwrap_or(left)
            } else {
                left.push(part)
            }
        }
        return Err(outside(left));
    };
    let given = match counters.known(&directory, stem) {
        Some(given) => given,
        None => {
            fs::create_dir_all(root).map_err(FilesError::io(root))?;
            path::refuse_links_outside(root, &directory).map_err(|_| outside(directory.clone()))?;
            fs::create_dir_all(&directory).map_err(FilesError::io(&directory))?;
            highest(&directory, stem)
        }
    };
    let next = given + 1;
    Ok(SaveTarget { directory, subfolder, folder, stem: stem.to_owned(), next, counters: counters.clone() })
}

/// The highest number that a file of this stem has. A stem with `%batch_num%` is looked for as it is written, so
/// that its numbers start again with every prompt: the server has the same flaw.
fn highest(directory: &Path, stem: &str) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| {
            let rest = name.strip_prefix(stem)?.strip_prefix('_')?;
            rest.split(['_', '.']).next()?.parse::<u64>().ok()
        })
        .filter(|number| *number < u64::MAX)
        .max()
        .unwrap_or(0)
}

fn fill_in(prefix: &str, width: usize, height: usize) -> Cow<'_, str> {
    if !prefix.contains('%') {
        return Cow::Borrowed(prefix);
    }
    let now = chrono::Local::now();
    let filled = prefix.replace("%width%", &width.to_string()).replace("%height%", &height.to_string());
    let dates = [
        ("%year%", "%Y"),
        ("%month%", "%m"),
        ("%day%", "%d"),
        ("%hour%", "%H"),
        ("%minute%", "%M"),
        ("%second%", "%S"),
    ];
    Cow::Owned(dates.into_iter().fold(filled, |text, (placeholder, format)| {
        text.replace(placeholder, &now.format(format).to_string())
    }))
}

/// A name parted before its extension; dots at the start of the last part do not begin one.
pub(super) fn split_extension(name: &str) -> (&str, &str) {
    let start = name.rfind('/').map_or(0, |slash| slash + 1);
    let last = &name[start..];
    let dots = last.len() - last.trim_start_matches('.').len();
    match last[dots..].rfind('.') {
        Some(dot) => name.split_at(start + dots + dot),
        None => (name, ""),
    }
}
