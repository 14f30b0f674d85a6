//! What is in a journal, and how it is read and written.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufRead, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::batch::entry::{Entry, Header, Submit, VERSION};
use crate::outputs::NodeOutputs;
use crate::{Error, ErrorKind, Result};

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) file: Option<File>,
    /// How much of the file is whole lines.
    pub(super) whole: u64,
    pub(super) header: Option<Header>,
    pub(super) rows: HashMap<String, State>,
    pub(super) ended: bool,
}

/// What is kept of a row.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::batch) enum State {
    Open(Box<Open>),
    Done,
    Failed(Box<str>),
}

/// A row in the middle.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::batch) struct Open {
    pub(in crate::batch) submit: Submit,
    pub(in crate::batch) accepted: bool,
    pub(in crate::batch) outputs: Option<NodeOutputs>,
    /// Files that were about to be renamed.
    pub(in crate::batch) saving: BTreeMap<usize, Intent>,
    /// Files that are there.
    pub(in crate::batch) saved: BTreeMap<usize, (PathBuf, u64)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::batch) struct Intent {
    pub(in crate::batch) path: PathBuf,
    pub(in crate::batch) part: PathBuf,
    pub(in crate::batch) bytes: u64,
}

impl Inner {
    /// Reads the journal, and gives back how much of it is whole.
    pub(super) fn read(&mut self, file: &mut impl BufRead, path: &Path) -> Result<u64> {
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
    pub(super) fn note(&mut self, entry: Entry) {
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

    /// Writes a line in one piece. What is left of one that could not be written, such as on a full disk, is taken away
    /// before the next, which would else stand in the same line.
    pub(super) fn write(&mut self, path: &Path, entry: &Entry) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut line = serde_json::to_vec(entry).map_err(|error| cannot_write(path, error.into()))?;
        line.push(b'\n');
        let written = write_whole(file, &mut self.whole, &line);
        written.map_err(|error| cannot_write(path, error))
    }
}

fn write_whole(file: &mut File, whole: &mut u64, line: &[u8]) -> io::Result<()> {
    if file.stream_position()? != *whole {
        file.set_len(*whole)?;
        file.seek(SeekFrom::Start(*whole))?;
    }
    file.write_all(line)?;
    *whole += line.len() as u64;
    Ok(())
}

pub(super) fn cannot_write(path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot write the journal {}", path.display()), error)
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
