//! The one way to stdout and stderr.

use std::io::Write;

use anstream::{AutoStream, ColorChoice};
use indicatif::ProgressDrawTarget;
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::failure::Failure;
use crate::settings::Settings;

/// Data goes to stdout, everything else to stderr. A reader that has gone away is no failure.
#[derive(Debug)]
pub(crate) struct Printer {
    json: bool,
    quiet: bool,
    verbose: bool,
    progress: bool,
    color: ColorChoice,
}

impl Printer {
    pub(crate) fn new(settings: &Settings) -> Self {
        let color = if settings.color_on_stderr() { ColorChoice::Always } else { ColorChoice::Never };
        let verbose = settings.verbose > 0;
        Self { json: settings.json, quiet: settings.quiet, verbose, progress: settings.progress, color }
    }

    /// For JSON lines and nothing else, when the settings are not known.
    pub(crate) fn for_json() -> Self {
        Self { json: true, quiet: true, verbose: false, progress: false, color: ColorChoice::Never }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A line of data.
    pub(crate) fn line(&self, text: &str) {
        let mut stdout = std::io::stdout().lock();
        let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    }

    /// A line of data in JSON, in the `--json` mode.
    pub(crate) fn json(&self, value: &impl Serialize) {
        if self.json
            && let Ok(text) = serde_json::to_string(value)
        {
            self.line(&text);
        }
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

    /// Where progress is drawn: stderr if it is a terminal, else nowhere.
    pub(crate) fn progress_target(&self) -> ProgressDrawTarget {
        if self.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
    }

    fn to_stderr(&self, text: &str) {
        let _ = writeln!(AutoStream::new(std::io::stderr(), self.color), "{text}");
    }
}

/// A text whose further lines belong to the first.
fn indented(text: &str) -> String {
    text.replace('\n', "\n  ")
}
