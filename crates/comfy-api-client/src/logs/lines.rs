use comfy_protocol::routes::frontend::LogEntry;

/// Longest line, in bytes; what is longer is given in several.
const LONGEST: usize = 64 << 10;

/// A line of a server's log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// When it was begun: ISO text without time zone, by the server's clock.
    pub time: String,
    /// Its text, without its end; since 0.30.0 with colour sequences of terminals.
    pub text: String,
}

/// Makes lines of the pieces in which a server gives its log, as a terminal shows them: what was written over, such as the
/// progress of a sampler, comes with its last state only.
#[derive(Debug, Default)]
pub struct LogLines {
    /// When the line was begun that is not at its end; empty where there is none.
    time: String,
    text: String,
    /// Whether the cursor stands at the start of the line.
    returned: bool,
    /// Whether the line was written over.
    rewritten: bool,
}

impl LogLines {
    /// No lines yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a piece, and gives the lines that are at their end with it.
    pub fn push(&mut self, entry: &LogEntry) -> Vec<LogLine> {
        let mut lines = Vec::new();
        // What others write while a bar is drawn comes behind it in the same line of the terminal.
        if self.rewritten && !entry.message.is_empty() && !entry.message.starts_with(['\r', '\n']) {
            lines.extend(self.finish());
        }
        for c in entry.message.chars() {
            match c {
                '\n' => lines.push(self.end(&entry.time)),
                '\r' => self.returned = true,
                c => {
                    if self.returned {
                        self.returned = false;
                        self.rewritten = true;
                        self.text.clear();
                        self.time.clear();
                    }
                    if self.text.is_empty() {
                        self.time.clone_from(&entry.time);
                    }
                    self.text.push(c);
                    if self.text.len() >= LONGEST {
                        lines.push(self.end(&entry.time));
                    }
                }
            }
        }
        lines
    }

    /// What stands in the line that is not at its end, such as the progress of a sampler.
    #[must_use]
    pub fn unfinished(&self) -> Option<LogLine> {
        (!self.text.is_empty()).then(|| LogLine { time: self.time.clone(), text: self.text.clone() })
    }

    /// Ends the line that is not at its end, if there is one.
    pub fn finish(&mut self) -> Option<LogLine> {
        if self.text.is_empty() {
            return None;
        }
        Some(self.end(""))
    }

    /// The line, which was begun now if there is nothing in it.
    fn end(&mut self, now: &str) -> LogLine {
        let Self { time, text, .. } = std::mem::take(self);
        LogLine { time: if text.is_empty() { now.to_owned() } else { time }, text }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(lines: &mut LogLines, pieces: &[&str]) -> Vec<String> {
        let entry = |(place, text)| {
            serde_json::from_value::<LogEntry>(json!({"t": format!("{place}"), "m": text})).unwrap()
        };
        let lines = pieces.iter().enumerate().map(entry).flat_map(|entry| lines.push(&entry));
        lines.map(|line| format!("{} {}", line.time, line.text)).collect()
    }

    #[test]
    fn pieces_are_put_together_and_have_the_time_of_the_first() {
        let mut log = LogLines::new();
        assert_eq!(lines(&mut log, &["a", "b\n", "\n", "c\r\nd"]), ["0 ab", "2 ", "3 c"]);
        assert_eq!(log.unfinished().unwrap().text, "d");
        let last = log.finish().unwrap();
        assert_eq!((last.time.as_str(), last.text.as_str()), ("3", "d"));
        assert_eq!((log.unfinished(), log.finish()), (None, None));
    }

    #[test]
    fn a_bar_that_is_drawn_again_and_again_is_one_line() {
        let mut log = LogLines::new();
        let bar = ["\r  0%|", "\r 50%|##", "\r100%|####", "\n", "got prompt\n"];
        assert_eq!(lines(&mut log, &bar), ["2 100%|####", "4 got prompt"]);
    }

    #[test]
    fn what_is_written_while_a_bar_is_drawn_is_a_line_of_its_own() {
        let mut log = LogLines::new();
        assert_eq!(
            lines(&mut log, &["\r 50%|##", "got prompt\n", "\r100%|####\n"]),
            ["0  50%|##", "1 got prompt", "2 100%|####"]
        );
    }

    #[test]
    fn a_line_without_end_is_given_in_parts() {
        let mut log = LogLines::new();
        let long = "é".repeat(LONGEST);
        let lengths: Vec<usize> = lines(&mut log, &[&long]).iter().map(String::len).collect();
        assert_eq!(lengths, [LONGEST + 2, LONGEST + 2]);
    }
}
