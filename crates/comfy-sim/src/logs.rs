//! The server's log, as the frontend shows it: the last pieces of text that were written, and who wants to hear of new ones.

use std::collections::VecDeque;

use indexmap::IndexSet;
use serde_json::{Value as Json, json};

/// Most pieces that are kept.
const LIMIT: usize = 300;

/// Longest piece that is kept, in bytes. What prompts hold gets into the log.
const LONGEST: usize = 64 << 10;

/// Most clients that can listen; more are none.
const MOST_LISTENERS: usize = 1000;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Info,
    Warning,
    Error,
}

/// A piece of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    /// When it was written: ISO text without time zone.
    time: String,
    text: String,
}

/// The log of one simulator.
#[derive(Debug)]
pub(crate) struct Logs {
    pieces: VecDeque<Piece>,
    listeners: IndexSet<String>,
    /// Whether lines have a level and colours, as since 0.30.0.
    colours: bool,
}

impl Logs {
    pub(crate) fn new(colours: bool) -> Self {
        Self { pieces: VecDeque::new(), listeners: IndexSet::new(), colours }
    }

    /// Adds a line of the server, and gives back the data of the message about it.
    pub(crate) fn line(&mut self, level: Level, text: &str) -> Json {
        let mark = match level {
            _ if !self.colours => "",
            Level::Info => "\u{1b}[32m[INFO]\u{1b}[0m ",
            Level::Warning => "\u{1b}[1m\u{1b}[33m[WARNING]\u{1b}[0m ",
            Level::Error => "\u{1b}[1m\u{1b}[31m[ERROR]\u{1b}[0m ",
        };
        self.push(&[&format!("{mark}{}\n", clipped(text))])
    }

    /// Adds pieces as they are, and gives back the data of the message about them.
    pub(crate) fn push(&mut self, texts: &[&str]) -> Json {
        let time = chrono::Local::now().format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
        let pieces = texts.iter().map(|text| Piece { time: time.clone(), text: clipped(text).to_owned() });
        let pieces: Vec<_> = pieces.collect();
        let entries = entries(&pieces);
        for piece in pieces {
            // A bar of progress is drawn over what it was.
            if piece.text.starts_with('\r')
                && self.pieces.back().is_some_and(|last| last.text.starts_with('\r'))
            {
                self.pieces.pop_back();
            }
            self.pieces.push_back(piece);
        }
        self.pieces.drain(..self.pieces.len().saturating_sub(LIMIT));
        json!({"entries": entries, "size": null})
    }

    /// A text in green, where there are colours.
    pub(crate) fn green(&self, text: String) -> String {
        if self.colours { format!("\u{1b}[32m{text}\u{1b}[0m") } else { text }
    }

    /// All that is kept, as one text with the times.
    pub(crate) fn text(&self) -> String {
        self.pieces.iter().map(|piece| format!("{} - {}", piece.time, piece.text)).collect()
    }

    /// All that is kept, piece by piece.
    pub(crate) fn raw(&self) -> Json {
        json!({"entries": entries(&self.pieces), "size": {"cols": 80, "rows": 24}})
    }

    /// A client wants to hear of new lines, or no more.
    pub(crate) fn subscribe(&mut self, client: &str, wanted: bool) {
        if !wanted {
            self.listeners.shift_remove(client);
        } else if self.listeners.len() < MOST_LISTENERS {
            self.listeners.insert(client.to_owned());
        }
    }

    /// Those who listen and are still there.
    pub(crate) fn listeners(&mut self, is_there: impl Fn(&str) -> bool) -> &IndexSet<String> {
        self.listeners.retain(|client| is_there(client));
        &self.listeners
    }
}

fn entries<'a>(pieces: impl IntoIterator<Item = &'a Piece>) -> Vec<Json> {
    pieces.into_iter().map(|piece| json!({"t": piece.time, "m": piece.text})).collect()
}

fn clipped(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_colours_where_the_version_has_them() {
        let (mut plain, mut coloured) = (Logs::new(false), Logs::new(true));
        let told = plain.line(Level::Info, "got prompt");
        assert_eq!(told["entries"][0]["m"], "got prompt\n");
        assert_eq!(told["size"], Json::Null);
        coloured.line(Level::Info, &coloured.green("x".into()));
        coloured.line(Level::Warning, "y");
        let raw = coloured.raw();
        assert_eq!(raw["entries"][0]["m"], "\u{1b}[32m[INFO]\u{1b}[0m \u{1b}[32mx\u{1b}[0m\n");
        assert_eq!(raw["entries"][1]["m"], "\u{1b}[1m\u{1b}[33m[WARNING]\u{1b}[0m y\n");
        let time = raw["entries"][0]["t"].as_str().expect("a time");
        assert_eq!(time.len(), "2026-11-23T09:56:26.045393".len(), "{time}");
        assert!(coloured.text().starts_with(&format!("{time} - \u{1b}[32m")));
    }

    #[test]
    fn only_the_newest_pieces_are_kept_and_long_ones_are_cut() {
        let mut logs = Logs::new(false);
        for number in 0..LIMIT {
            logs.push(&[&number.to_string(), "\n"]);
        }
        logs.push(&["é".repeat(LONGEST).as_str()]);
        let raw = logs.raw();
        let entries = raw["entries"].as_array().expect("entries");
        assert_eq!(entries.len(), LIMIT);
        assert_eq!(entries[LIMIT - 3]["m"], "299");
        assert_eq!(entries[LIMIT - 1]["m"].as_str().map(str::len), Some(LONGEST));
    }

    #[test]
    fn clients_that_have_gone_listen_no_more() {
        let mut logs = Logs::new(false);
        for client in ["a", "b", "c"] {
            logs.subscribe(client, true);
        }
        logs.subscribe("a", false);
        assert_eq!(logs.listeners(|client| client == "c").iter().collect::<Vec<_>>(), ["c"]);
        assert_eq!(logs.listeners(|_| true).len(), 1);
    }
}
