//! The one way to stdout and stderr.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::{AutoStream, ColorChoice};
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::failure::Failure;
use crate::render::live::Live;
use crate::render::table::Table;
use crate::settings::Settings;

/// Data goes to stdout, everything else to stderr. A reader that has gone away is no failure.
#[derive(Debug)]
pub(crate) struct Printer {
    json: bool,
    quiet: bool,
    verbose: bool,
    live: Live,
    /// Whether what goes to stderr is coloured.
    color: ColorChoice,
    /// Whether what goes to stdout is.
    colored_data: bool,
    /// Whether nobody reads what goes to stdout any more.
    reader_gone: AtomicBool,
}

impl Printer {
    pub(crate) fn new(settings: &Settings) -> Self {
        let color = if settings.color_on_stderr() { ColorChoice::Always } else { ColorChoice::Never };
        let verbose = settings.verbose > 0;
        let colored_data = settings.color_on_stdout();
        Self {
            json: settings.json,
            quiet: settings.quiet,
            verbose,
            live: Live::new(settings.progress),
            color,
            colored_data,
            reader_gone: AtomicBool::new(false),
        }
    }

    /// For JSON lines and nothing else, when the settings are not known.
    pub(crate) fn for_json() -> Self {
        Self {
            json: true,
            quiet: true,
            verbose: false,
            live: Live::new(false),
            color: ColorChoice::Never,
            colored_data: false,
            reader_gone: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A line of data.
    pub(crate) fn line(&self, text: &str) {
        self.live.suspend(|| {
            let mut stdout = std::io::stdout().lock();
            if writeln!(stdout, "{text}").and_then(|()| stdout.flush()).is_err() {
                self.reader_gone.store(true, Ordering::Relaxed);
            }
        });
    }

    /// Whether the last line of data found no reader: a command that would never end by itself ends then.
    pub(crate) fn reader_gone(&self) -> bool {
        self.reader_gone.load(Ordering::Relaxed)
    }

    /// A table of data: clipped to the terminal, whole in a file or pipe.
    pub(crate) fn table<const N: usize>(&self, table: &Table<N>) {
        for (place, line) in table.lines(self.width()).iter().enumerate() {
            match place {
                0 => self.head(line),
                _ => self.line(line),
            }
        }
    }

    /// The head of a table.
    pub(crate) fn head(&self, line: &str) {
        if self.colored_data { self.line(&line.bold().to_string()) } else { self.line(line) }
    }

    /// Data as it is, with nothing added.
    pub(crate) fn bytes(&self, bytes: &[u8]) {
        self.live.suspend(|| {
            let mut stdout = std::io::stdout().lock();
            let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
        });
    }

    /// Columns of the terminal that stdout is, if it is one.
    pub(crate) fn width(&self) -> Option<usize> {
        let columns = || terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
        std::io::stdout().is_terminal().then(columns)
    }

    /// A line of data in JSON, in the `--json` mode.
    pub(crate) fn json(&self, value: &impl Serialize) {
        if self.json
            && let Ok(text) = serde_json::to_string(value)
        {
            self.line(&harmless(text));
        }
    }

    /// A document of JSON as data, for people to read.
    pub(crate) fn document(&self, value: &serde_json::Value) {
        self.line(&harmless(serde_json::to_string_pretty(value).unwrap_or_default()));
    }

    /// Something worth knowing that is no error.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.to_stderr(text);
        }
    }

    pub(crate) fn warning(&self, text: &str) {
        if !self.quiet {
            self.to_stderr(&format!("{}: {}", "warning".yellow().bold(), indented(text)));
        }
    }

    /// An error and the next step; with `-v` its causes too.
    pub(crate) fn error(&self, failure: &Failure) {
        let report = &failure.report;
        let mut text = format!("{}: {}", "error".red().bold(), indented(&report.message));
        if self.verbose {
            for cause in &failure.causes {
                text.push_str(&format!("\n  caused by: {cause}"));
            }
        }
        if let Some(hint) = &report.hint {
            text.push_str(&format!("\n{}: {hint}", "hint".cyan().bold()));
        }
        self.to_stderr(&text);
    }

    /// Where lines are drawn while something goes on: on stderr if it is a terminal, else nowhere.
    pub(crate) fn live(&self) -> &Live {
        &self.live
    }

    fn to_stderr(&self, text: &str) {
        self.live.suspend(|| {
            let _ = writeln!(AutoStream::new(std::io::stderr(), self.color), "{text}");
        });
    }
}

/// A text whose further lines belong to the first.
fn indented(text: &str) -> String {
    text.replace('\n', "\n  ")
}

/// JSON in which characters that act on a terminal, or reorder what it shows, are written as `\u009b`. JSON itself only
/// demands that of the first 32.
fn harmless(json: String) -> String {
    let acts = |c: char| match c {
        '\n' => false,
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => true,
        c => c.is_control(),
    };
    if !json.contains(acts) {
        return json;
    }
    // They stand in strings only.
    let mut text = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        match acts(c) {
            true => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_means_the_same_and_has_nothing_in_it_that_acts_on_a_terminal() {
        let value = serde_json::json!({"a\u{9b}31m": "b\u{202e}c\u{7f}\u{1b}[2J é 漢\u{200d} \n"});
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let text = harmless(text);
            assert!(text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{text:?}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        }
        assert_eq!(harmless("\"é\"".into()), "\"é\"");
    }
}
