mod plan;

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use uuid::Uuid;

use super::entry::{Entry, Header, Submit, VERSION};
use super::record::{Records, RowRecord};
use crate::outputs::NodeOutputs;
use crate::{Error, ErrorKind, Result};

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

#[derive(Debug, Default)]
struct Inner {
    file: Option<File>,
    header: Option<Header>,
    rows: HashMap<String, State>,
    ended: bool,
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

/// What is kept of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    Open(Box<Open>),
    Done,
    Failed(Box<str>),
}

/// A row in the middle.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Open {
    pub(super) submit: Submit,
    pub(super) accepted: bool,
    pub(super) outputs: Option<NodeOutputs>,
    /// Files that were about to be renamed.
    pub(super) saving: BTreeMap<usize, Intent>,
    /// Files that are there.
    pub(super) saved: BTreeMap<usize, (PathBuf, u64)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Intent {
    pub(super) path: PathBuf,
    pub(super) part: PathBuf,
    pub(super) bytes: u64,
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
        inner.file = Some(file);
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
        emptied.map_err(|error| Error::io(format!("cannot write the journal {}", path.display()), error))?;
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

impl Inner {
    /// Reads the journal, and gives back how much of it is whole.
    fn read(&mut self, file: &mut impl BufRead, path: &Path) -> Result<u64> {
        let shown = path.display();
        let io = |error| Error::io(format!("cannot read the journal {shown}"), error);
        let (mut whole, mut damaged) = (0, None);
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            if file.read_until(b'\n', &mut line).map_err(io)? == 0 {
                break;
            }
            // What follows shows that it was not the last one.
            if let Some(number) = damaged {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!("line {number} of the journal {shown} cannot be read"),
                )
                .with_hint("repair the line, or delete the journal to start anew"));
            }
            match serde_json::from_slice::<Entry>(&line) {
                Ok(entry) if line.ends_with(b"\n") => {
                    self.take(entry, number, path)?;
                    whole += line.len() as u64;
                }
                // The first line of any other file cannot be read either.
                Err(_) if number == 1 && line.ends_with(b"\n") => return Err(no_journal(path)),
                _ if number == 1 && !is_start_of_header(&line) => return Err(no_journal(path)),
                _ => damaged = Some(number),
            }
        }
        Ok(whole)
    }

    fn take(&mut self, entry: Entry, number: u64, path: &Path) -> Result<()> {
        match entry {
            Entry::Batch(header) if header.version > VERSION => {
                let message =
                    format!("the journal {} was written by a later version of this program", path.display());
                return Err(Error::new(ErrorKind::Conflict, message)
                    .with_hint("use that version, or take another journal"));
            }
            Entry::Batch(header) if number == 1 => self.header = Some(header),
            _ if number == 1 => return Err(no_journal(path)),
            entry => self.note(entry),
        }
        Ok(())
    }

    /// Takes note of what a line says.
    fn note(&mut self, entry: Entry) {
        let mut with = |row: &str, change: &mut dyn FnMut(&mut Open)| {
            if let Some(State::Open(open)) = self.rows.get_mut(row) {
                change(open);
            }
        };
        match entry {
            Entry::Submit(submit) => {
                self.ended = false;
                let (outputs, saving, saved) = (None, BTreeMap::new(), BTreeMap::new());
                let key = submit.row.clone();
                let open = Open { submit, accepted: false, outputs, saving, saved };
                self.rows.insert(key, State::Open(Box::new(open)));
            }
            Entry::Accepted { row, prompt_id } => with(&row, &mut |open| {
                open.accepted = true;
                open.submit.prompt_id.clone_from(&prompt_id);
            }),
            Entry::Ran { row, mut outputs, .. } => {
                with(&row, &mut |open| open.outputs = Some(std::mem::take(&mut outputs)));
            }
            Entry::Saving { row, place, path, part, bytes } => {
                let intent = Intent { path, part, bytes };
                with(&row, &mut |open| drop(open.saving.insert(place, intent.clone())));
            }
            Entry::Saved(saved) => with(&saved.row, &mut |open| {
                open.saving.remove(&saved.place);
                open.saved.insert(saved.place, (saved.path.clone(), saved.bytes));
            }),
            Entry::Done { row } => drop(self.rows.insert(row, State::Done)),
            Entry::Failed { row, message, .. } => {
                drop(self.rows.insert(row, State::Failed(message.into())));
            }
            Entry::Withdrawn { row } => drop(self.rows.remove(&row)),
            Entry::End => self.ended = true,
            Entry::Batch(_) | Entry::Unsaved { .. } | Entry::Unknown => {}
        }
    }

    /// Writes a line in one piece.
    fn write(&mut self, path: &Path, entry: &Entry) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let line = serde_json::to_vec(entry).map_err(io::Error::from).map(|mut line| {
            line.push(b'\n');
            line
        });
        line.and_then(|line| file.write_all(&line))
            .map_err(|error| Error::io(format!("cannot write the journal {}", path.display()), error))
    }
}

/// Whether a line that was torn can be the first one of a journal.
fn is_start_of_header(line: &[u8]) -> bool {
    let start = br#"{"type":"batch","#;
    let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
    start.starts_with(line) || line.starts_with(start)
}

fn no_journal(path: &Path) -> Error {
    Error::new(ErrorKind::Conflict, format!("{} is no journal of a batch", path.display()))
        .with_hint("choose another file; this one is left as it is")
}

#[cfg(test)]
mod tests;
