//! The numbers that were given out last, so that a folder need not be listed for every file that is saved in it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// More folders than these, and more stems in one of them, are not remembered.
const MOST: usize = 1_000;

/// What was given out last in each folder. A clone is the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters(Arc<Mutex<HashMap<PathBuf, Given>>>);

#[derive(Debug, Default)]
struct Given {
    /// The name that was given out last, for whatever stem.
    newest: String,
    /// The highest number of each stem.
    numbers: HashMap<String, u64>,
}

impl Counters {
    /// The highest number of a stem in a folder, if that is known without looking: as long as the folder was last changed
    /// when the file was made whose name was given out last. Whatever others do to the folder changes it later, and then
    /// everything about it is forgotten. A file system that does not tell when files were made is listed every time.
    pub(super) fn known(&self, directory: &Path, stem: &str) -> Option<u64> {
        let mut folders = self.lock();
        let given = folders.get_mut(directory)?;
        let made = fs::symlink_metadata(directory.join(&given.newest)).and_then(|file| file.created());
        let changed = fs::metadata(directory).and_then(|folder| folder.modified());
        match (made, changed) {
            (Ok(made), Ok(changed)) if made == changed => given.numbers.get(stem).copied(),
            _ => {
                folders.remove(directory);
                None
            }
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
        match given.numbers.get_mut(stem) {
            Some(highest) => *highest = number,
            None => _ = given.numbers.insert(stem.to_owned(), number),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Given>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
