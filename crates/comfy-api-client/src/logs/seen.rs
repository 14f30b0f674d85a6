use std::collections::VecDeque;

use comfy_protocol::routes::frontend::LogEntry;

/// Twice as many pieces as a server keeps.
const MOST: usize = 600;

/// The last pieces of a log that were handed out. What a server has kept and what it sends overlap.
#[derive(Debug, Default)]
pub(super) struct Seen {
    entries: VecDeque<LogEntry>,
}

impl Seen {
    /// Those of some pieces that were not there before. Their times alone do not tell: servers write local time.
    pub(super) fn new_ones(&mut self, mut entries: Vec<LogEntry>) -> Vec<LogEntry> {
        // Pieces that are alike in one answer are several.
        entries.retain(|entry| !self.entries.contains(entry));
        self.entries.extend(entries.iter().cloned());
        self.entries.drain(..self.entries.len().saturating_sub(MOST));
        entries
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entries(texts: &[&str]) -> Vec<LogEntry> {
        let entries = texts.iter().map(|text| json!({"t": "2026-01-01T00:00:00.000001", "m": text}));
        serde_json::from_value(entries.collect()).unwrap()
    }

    #[test]
    fn pieces_come_once_and_those_that_are_alike_as_often_as_they_were_written() {
        let mut seen = Seen::default();
        assert_eq!(seen.new_ones(entries(&["a", "\n", "b", "\n"])).len(), 4);
        assert_eq!(seen.new_ones(entries(&["b", "\n", "c"])), entries(&["c"]));
        assert!(seen.new_ones(entries(&["a", "c"])).is_empty());
    }

    #[test]
    fn no_more_is_kept_than_a_server_can_repeat() {
        let mut seen = Seen::default();
        for number in 0..2 * MOST {
            seen.new_ones(entries(&[&number.to_string()]));
        }
        assert_eq!(seen.entries.len(), MOST);
    }
}
