mod plan;

use std::fs::{File, TryLockError};
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use uuid::Uuid;

use super::entry::{Entry, Header, VERSION};
use super::record::{Records, RowRecord};
use crate::{Error, ErrorKind, Result};

mod inner;

use inner::{Inner, cannot_write};
pub(super) use inner::{Intent, Open, State};

/// What happened to the rows of a batch, in a file; see [`batch`](crate::batch). Clones are the same journal.
#[derive(Debug, Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    inner: Mutex<Inner>,
    /// Held while a name for a file is chosen and taken.
    naming: Mutex<()>,
}

/// Where a row is, according to a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowState {
    /// Nothing is known of it, or only what was taken back.
    New,
    /// It was submitted, and has not come to its end.
    Open,
    /// It is done.
    Done,
    /// It has failed.
    Failed,
}

impl Journal {
    /// Opens the journal at `path`, which is made with its folder if it does not exist, and reads what is in it.
    ///
    /// # Errors
    /// [`ErrorKind::Io`]; [`ErrorKind::Conflict`] when another process has it open, or when a line in it cannot be read that
    /// is not the last.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let io = |error| Error::io(format!("cannot open the journal {}", path.display()), error);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!("another process has the journal {} open", path.display()),
                )
                .with_hint("wait until it has ended, or take another journal"));
            }
            // Some file systems know no locks.
            Err(TryLockError::Error(error)) => tracing::debug!(%error, "the journal is not locked"),
        }
        let mut inner = Inner::default();
        let whole = inner.read(&mut BufReader::new(&file), path)?;
        if file.metadata().map_err(io)?.len() != whole {
            tracing::warn!(path = %path.display(), "the last line of the journal was torn and is taken away");
            file.set_len(whole).map_err(io)?;
        }
        file.seek(SeekFrom::Start(whole)).map_err(io)?;
        (inner.file, inner.whole) = (Some(file), whole);
        Ok(Self::of(path.to_owned(), inner))
    }

    /// A journal that is nowhere.
    pub(super) fn nowhere() -> Self {
        Self::of(PathBuf::new(), Inner { header: Some(header(Map::new(), Map::new())), ..Inner::default() })
    }

    fn of(path: PathBuf, inner: Inner) -> Self {
        Self { shared: Arc::new(Shared { path, inner: Mutex::new(inner), naming: Mutex::new(()) }) }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Whether no batch was begun in it.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.lock().header.is_none()
    }

    /// Whether every row of its batch has come to its end, good or bad.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.lock().ended
    }

    /// What was written down with [`begin`](Self::begin) and is not compared, such as numbers that were drawn.
    #[must_use]
    pub fn notes(&self) -> Map<String, Value> {
        self.lock().header.as_ref().map(|header| header.notes.clone()).unwrap_or_default()
    }

    /// Begins a batch, or goes on with it: `plan` says what it is, in any form, and must be the same again; of `notes` those
    /// count that were given first. A batch that is started with a journal in which none was begun has an empty plan.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when the journal has another plan, which says what differs; [`ErrorKind::Io`].
    pub fn begin(&self, plan: Map<String, Value>, notes: Map<String, Value>) -> Result<()> {
        let mut inner = self.lock();
        if let Some(header) = &inner.header {
            return plan::same(&self.shared.path, &header.plan, &plan);
        }
        let header = header(plan, notes);
        inner.write(&self.shared.path, &Entry::Batch(header.clone()))?;
        inner.header = Some(header);
        Ok(())
    }

    /// Begins a batch of which nothing is said.
    pub(super) fn begin_empty(&self) -> Result<()> {
        self.begin(Map::new(), Map::new())
    }

    /// Forgets everything, for another batch.
    ///
    /// # Errors
    /// [`ErrorKind::Io`].
    pub fn clear(&self) -> Result<()> {
        let mut inner = self.lock();
        let emptied = inner.file.as_mut().map_or(Ok(()), |file| {
            file.set_len(0)?;
            file.rewind()
        });
        let path = &self.shared.path;
        emptied.map_err(|error| cannot_write(path, error))?;
        *inner = Inner { file: inner.file.take(), ..Inner::default() };
        Ok(())
    }

    /// Where the row of this key is.
    #[must_use]
    pub fn state(&self, key: &str) -> RowState {
        match self.lock().rows.get(key) {
            None => RowState::New,
            Some(State::Open(_)) => RowState::Open,
            Some(State::Done) => RowState::Done,
            Some(State::Failed(_)) => RowState::Failed,
        }
    }

    /// How many rows are in this state; of those that are new, nothing is known.
    #[must_use]
    pub fn count(&self, state: RowState) -> usize {
        let is = |row: &&State| {
            matches!(
                (row, state),
                (State::Open(_), RowState::Open)
                    | (State::Done, RowState::Done)
                    | (State::Failed(_), RowState::Failed)
            )
        };
        self.lock().rows.values().filter(is).count()
    }

    /// All that is known of every row, in the order in which they were first submitted. The journal is read again for this.
    /// Paths of files are relative to the folder of the batch.
    ///
    /// # Errors
    /// [`ErrorKind::Io`].
    pub fn rows(&self) -> Result<Vec<RowRecord>> {
        // It is written in whole lines under this lock. Another handle would meet it on some platforms.
        let mut inner = self.lock();
        let io = |error| Error::io(format!("cannot read the journal {}", self.path().display()), error);
        let Some(file) = inner.file.as_mut() else { return Ok(Vec::new()) };
        file.rewind().map_err(io)?;
        let mut records = Records::default();
        let mut read = || {
            for line in BufReader::new(&*file).split(b'\n') {
                if let Ok(entry) = serde_json::from_slice(&line?) {
                    records.add(entry);
                }
            }
            Ok(())
        };
        let read = read();
        file.seek(SeekFrom::End(0)).map_err(io)?;
        read.map_err(io)?;
        Ok(records.into_rows())
    }

    /// What is kept of a row.
    pub(super) fn row(&self, key: &str) -> Option<State> {
        self.lock().rows.get(key).cloned()
    }

    /// What tells the partial files of this batch from others.
    pub(super) fn id(&self) -> String {
        self.lock().header.as_ref().map(|header| header.id.clone()).unwrap_or_default()
    }

    /// Writes a line, and takes note of what it says.
    pub(super) fn add(&self, entry: Entry) -> Result<()> {
        let mut inner = self.lock();
        inner.write(&self.shared.path, &entry)?;
        inner.note(entry);
        Ok(())
    }

    /// Keeps others from taking a name meanwhile.
    pub(super) fn naming(&self) -> MutexGuard<'_, ()> {
        self.shared.naming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.shared.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn header(plan: Map<String, Value>, notes: Map<String, Value>) -> Header {
    Header { version: VERSION, id: Uuid::new_v4().to_string(), plan, notes }
}

#[cfg(test)]
mod tests;
