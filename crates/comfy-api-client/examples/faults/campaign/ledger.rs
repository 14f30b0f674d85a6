//! The truth: which prompts reached a server, for which job, and how they ended there.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use comfy_sim::Records;

/// A prompt that was passed on to a server.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) id: String,
    pub(crate) server: usize,
    pub(crate) epoch: usize,
    /// When the server said that it took the prompt, if it did.
    pub(crate) taken_at: Option<Instant>,
    /// How it ended in the life of the server in which it was sent; `None` while that goes on.
    pub(crate) ending: Option<Ending>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Success,
    Error,
    Interrupted,
    /// There is no record: it was removed, or the server stopped before.
    Unrecorded,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    /// By job.
    sent: HashMap<u64, Vec<Sent>>,
    /// Jobs with prompts whose end is not known yet, by server.
    open: HashMap<usize, Vec<u64>>,
    /// By server and life: whether its history was kept for the next.
    kept: HashMap<(usize, usize), bool>,
}

impl Ledger {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A prompt is about to be passed on.
    pub(crate) fn send(&self, job: u64, id: &str, server: usize, epoch: usize) {
        let mut book = self.book();
        let sent = Sent { id: id.to_owned(), server, epoch, taken_at: None, ending: None };
        book.sent.entry(job).or_default().push(sent);
        book.open.entry(server).or_default().push(job);
    }

    /// The server said that it took the prompt that was passed on last.
    pub(crate) fn take(&self, job: u64, id: &str) {
        let mut book = self.book();
        let sent = book.sent.get_mut(&job).and_then(|sent| sent.iter_mut().rev().find(|sent| sent.id == id));
        if let Some(sent) = sent {
            sent.taken_at = Some(Instant::now());
        }
    }

    /// A life of a server is over: what its records say is the truth about what was sent to it.
    pub(crate) fn close_epoch(&self, server: usize, epoch: usize, records: &Records, kept: bool) {
        let mut book = self.book();
        book.kept.insert((server, epoch), kept);
        for job in book.open.remove(&server).unwrap_or_default() {
            let sent = book.sent.get_mut(&job).into_iter().flatten();
            for sent in sent.filter(|sent| sent.server == server && sent.ending.is_none()) {
                let record = records.record(&sent.id);
                sent.ending = Some(match record.as_ref().map(ending_of) {
                    Some(ending) => ending,
                    None => Ending::Unrecorded,
                });
            }
        }
    }

    /// What was sent for a job.
    pub(crate) fn of(&self, job: u64) -> Vec<Sent> {
        self.book().sent.get(&job).cloned().unwrap_or_default()
    }

    /// Whether a server forgot its history after one of its lives, up to another.
    pub(crate) fn forgot(&self, server: usize, from: usize, to: usize) -> bool {
        let book = self.book();
        (from..to).any(|epoch| book.kept.get(&(server, epoch)) == Some(&false))
    }
}

fn ending_of(record: &serde_json::Value) -> Ending {
    let messages = record["status"]["messages"].as_array();
    let interrupted = messages.into_iter().flatten().any(|message| message[0] == "execution_interrupted");
    match record["status"]["status_str"].as_str() {
        Some("success") => Ending::Success,
        _ if interrupted => Ending::Interrupted,
        _ => Ending::Error,
    }
}
