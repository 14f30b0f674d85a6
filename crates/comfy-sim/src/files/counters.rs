//! The numbers that were given out last, so that a folder need not be listed for every file that is saved in it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// More folders than these, and more stems in one of them, are not remembered.
const MOST: usize = 1_000;

/// What was given out last in each folder. A clone is the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters(Arc<Mutex<HashMap<PathBuf, Given>>>);

#[derive(Debug, Default)]
struct Given {
    /// The name that was given out last, for whatever stem.
    newest: String,
    /// The folder as it was when the file of that name had been written.
    mark: Option<Mark>,
    /// The highest number of each stem.
    numbers: HashMap<String, u64>,
}

/// What tells that a path still leads to the same folder, and that nobody has added or removed a file.
#[derive(Debug, PartialEq)]
struct Mark {
    modified: SystemTime,
    #[cfg(unix)]
    inode: (u64, u64),
}

impl Mark {
    fn of(directory: &Path) -> Option<Self> {
        let data = fs::metadata(directory).ok()?;
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt as _;
            (data.dev(), data.ino())
        };
        Some(Self {
            modified: data.modified().ok()?,
            #[cfg(unix)]
            inode,
        })
    }
}

impl Counters {
    /// The highest number of a stem in a folder, if that is known without looking: as long as the folder was not changed
    /// since our last file was written. What others do to the folder changes it, and then everything about it is forgotten.
    ///
    /// A number is also a promise that the folder is there and was found to be no way out.
    pub(super) fn known(&self, directory: &Path, stem: &str) -> Option<u64> {
        let mark = Mark::of(directory);
        let mut folders = self.lock();
        let given = folders.get(directory)?;
        if mark.is_none() || given.mark != mark {
            folders.remove(directory);
            return None;
        }
        given.numbers.get(stem).copied()
    }

    /// The files whose names were given out have been written, or have failed to be.
    pub(super) fn written(&self, directory: &Path) {
        let mut folders = self.lock();
        let Some(given) = folders.get_mut(directory) else { return };
        if fs::symlink_metadata(directory.join(&given.newest)).is_ok() {
            given.mark = Mark::of(directory);
        } else {
            folders.remove(directory);
        }
    }

    /// A name was given out.
    pub(super) fn give(&self, directory: &Path, stem: &str, name: &str, number: u64) {
        let mut folders = self.lock();
        if folders.len() >= MOST {
            folders.clear();
        }
        let given = folders.entry(directory.to_owned()).or_default();
        if given.numbers.len() >= MOST {
            given.numbers.clear();
        }
        name.clone_into(&mut given.newest);
        given.mark = None;
        match given.numbers.get_mut(stem) {
            Some(highest) => *highest = number,
            None => _ = given.numbers.insert(stem.to_owned(), number),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Given>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
