//! Paths that come from outside.

use std::fs;
use std::path::{Path, PathBuf};

use super::FilesError;

/// The parts of a path, as the system that this runs on would part it.
pub(super) fn parts(text: &str) -> Result<impl Iterator<Item = &str>, FilesError> {
    // On Windows a backslash parts too, and "C:" or "name:stream" lead elsewhere. On other systems both are plain
    // characters, as they are for the server.
    if text.contains('\0') || (cfg!(windows) && text.contains(':')) {
        return Err(FilesError::BadName);
    }
    let separators: &[char] = if cfg!(windows) { &['/', '\\'] } else { &['/'] };
    Ok(text.split(separators).filter(|part| !part.is_empty() && *part != "."))
}

pub(super) fn is_absolute(text: &str) -> bool {
    text.starts_with('/') || (cfg!(windows) && text.starts_with('\\'))
}

/// `relative` in `root`, with its ".." worked out by text alone. A path may leave the folder only to come back:
/// `../input/a.png` is in `input`.
pub(crate) fn inside(root: &Path, root_name: &str, relative: &str) -> Result<PathBuf, FilesError> {
    if is_absolute(relative) {
        return Err(FilesError::Outside);
    }
    let mut kept = vec![root_name];
    for part in parts(relative)? {
        if part != ".." {
            kept.push(part);
        } else if kept.pop().is_none() {
            return Err(FilesError::Outside);
        }
    }
    match kept.split_first() {
        // Part by part: joining nothing would add a slash.
        Some((first, rest)) if *first == root_name => {
            Ok(rest.iter().fold(root.to_owned(), |path, part| path.join(part)))
        }
        _ => Err(FilesError::Outside),
    }
}

/// Refuses a path whose existing part leads out of `root` through a symbolic link.
pub(crate) fn refuse_links_outside(root: &Path, path: &Path) -> Result<(), FilesError> {
    let root = fs::canonicalize(root).map_err(FilesError::io(root))?;
    // What exists last decides: below it there is nothing that could be a link. A link that leads nowhere exists
    // as itself, and cannot be followed.
    let existing = path.ancestors().find(|part| part.symlink_metadata().is_ok()).unwrap_or(path);
    match fs::canonicalize(existing) {
        Ok(real) if real.starts_with(&root) => Ok(()),
        _ => Err(FilesError::Outside),
    }
}
