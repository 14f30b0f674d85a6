//! The assets of 0.30.0: files known by their content. The database is in memory and begins empty with every simulator.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json};

use crate::files::{Files, Folder};
use crate::options::{self, Options};
use crate::state::Lasting;
use crate::version::ServerVersion;

mod describe;
mod facts;
mod listing;
mod roots;
mod scan;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use describe::quoted;
pub(crate) use facts::{hash_of, normalised_hash};
pub(crate) use listing::{Cursor, Filter, Page, Sort};
pub(crate) use roots::{Found, Root};
pub(crate) use scan::{Phase, Scan, keep_house, start};
pub(crate) use store::{Change, ChangeError, Store, Wish};

/// The database and the scans that fill it.
#[derive(Debug)]
pub(crate) struct Assets {
    /// Whether scans hash what they find.
    hashing: bool,
    lasting: Arc<Lasting>,
    store: Mutex<Store>,
    pub(crate) scan: Scan,
}

impl Assets {
    /// `None` where the server has no assets.
    pub(crate) fn new(options: &Options, lasting: Arc<Lasting>) -> Option<Self> {
        let is_on = options.version >= ServerVersion::V0_30_0 && options.assets != options::Assets::Off;
        is_on.then(|| Self {
            hashing: options.assets == options::Assets::Hashed,
            lasting,
            store: Mutex::default(),
            scan: Scan::default(),
        })
    }

    /// Microseconds since the epoch.
    pub(crate) fn now(&self) -> i64 {
        i64::try_from(self.lasting.clock.now().as_micros()).unwrap_or(i64::MAX)
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the files that a node shows known, and writes their ids into what it shows.
    pub(crate) fn identify(&self, ui: &mut Map<String, Json>, files: &Files, prompt_id: &str) {
        for item in ui.values_mut().filter_map(Json::as_array_mut).flatten() {
            let Some((folder, path)) = shown_file(item, files) else { continue };
            let Some(found) = Found::in_folder(files, folder, &path) else { continue };
            let id = self.store().written(found, prompt_id, self.now());
            item["id"] = id.into();
        }
    }

    /// A prompt shows once more what a node has shown before.
    pub(crate) fn shown_again(&self, ui: &Map<String, Json>, prompt_id: &str) {
        for item in ui.values().filter_map(Json::as_array).flatten() {
            if let Some(id) = item.get("id").and_then(Json::as_str) {
                self.store().reported(id, prompt_id, self.now());
            }
        }
    }

    /// The file of this hash, under the name that clients gave it, and its media type.
    pub(crate) fn file_by_hash(&self, hash: &str) -> Option<(PathBuf, String, String)> {
        let hash = normalised_hash(hash)?;
        let store = self.store();
        let (path, reference) = store.file_by_hash(&hash)?;
        Some((path, reference.name.clone(), store.content(reference).mime_type.clone()))
    }

    /// The file of an asset, its name and its media type: `None` when there is no such asset, `Some(None)` when it has no
    /// file any more.
    pub(crate) fn file(&self, id: &str) -> Option<Option<(PathBuf, String, String)>> {
        let store = self.store();
        let reference = store.get(id)?;
        let path = store.file_of(reference);
        Some(path.map(|path| (path, reference.name.clone(), store.content(reference).mime_type.clone())))
    }
}

/// The file that an entry of a node's output names, when it is there.
fn shown_file(item: &Json, files: &Files) -> Option<(Folder, PathBuf)> {
    let text = |key: &str| item.get(key).and_then(Json::as_str);
    let folder = Folder::parse(text("type")?)?;
    let path = files.resolve_in(folder, text("subfolder").unwrap_or_default(), text("filename")?).ok()?;
    path.is_file().then_some((folder, path))
}
