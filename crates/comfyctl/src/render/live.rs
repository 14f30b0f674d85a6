//! What is drawn on a terminal while something goes on: a line for each job or transfer.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use comfy_api_client::Workflow;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::block::{self, Block};
use super::estimate::rest;
use super::fitting::Parts;
use super::job_line::JobLine;
use super::picture::{Graphics, Picture};
use super::screen::{self, Screen};
use crate::render::transfer::Transfers;

/// The place on the terminal where lines live. What else is written goes above them.
#[derive(Debug)]
pub(crate) struct Live {
    lines: MultiProgress,
    /// The line for all jobs, which stays below theirs.
    total: Mutex<Option<ProgressBar>>,
    /// What is being made, above all lines.
    preview: Mutex<Option<Block>>,
}

impl Live {
    /// Draws on stderr, or nothing at all.
    pub(crate) fn new(drawn: bool) -> Self {
        let target = if drawn {
            // Older systems want to be asked for it.
            #[cfg(windows)]
            let _ = crossterm::ansi_support::supports_ansi();
            ProgressDrawTarget::term_like(Box::new(Screen::default()))
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            lines: MultiProgress::with_draw_target(target),
            total: Mutex::default(),
            preview: Mutex::default(),
        }
    }

    /// Whether anything is drawn.
    pub(crate) fn is_drawn(&self) -> bool {
        !self.lines.is_hidden()
    }

    /// Takes the lines away while something else is written.
    pub(crate) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        if !self.is_drawn() {
            return write();
        }
        self.lines.suspend(|| {
            let mut preview = self.preview.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(block) = &mut *preview {
                block.erase();
            }
            // What the terminal wrote itself for a Ctrl-C goes.
            block::clear_row();
            let written = write();
            if let Some(block) = &mut *preview {
                block.draw();
            }
            written
        })
    }

    /// Shows a picture of what is being made above the lines, in the place of the last one.
    pub(super) fn preview(&self, picture: Picture, graphics: Graphics) {
        if !self.is_drawn() {
            return;
        }
        self.lines.suspend(|| {
            let mut preview = self.preview.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *preview {
                Some(block) => {
                    block.replace(picture);
                    block.draw();
                }
                None => preview.insert(Block::new(picture, graphics)).draw(),
            }
        });
    }

    /// Takes that picture away.
    pub(super) fn take_preview(&self) {
        let block = self.preview.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut block) = block {
            self.lines.suspend(|| block.erase());
        }
    }

    /// Shows the picture of a file, to stay on the terminal.
    pub(crate) fn picture(&self, path: &Path, graphics: Graphics) {
        if self.is_drawn() {
            self.suspend(|| block::print(path, graphics));
        }
    }

    /// A line for the only job there is, until it is dropped.
    pub(crate) fn single_job(&self, workflow: &Workflow) -> JobLine<'_> {
        self.job("", workflow)
    }

    /// A line for one job of several, told apart by its label, until it is dropped.
    pub(crate) fn job(&self, label: &str, workflow: &Workflow) -> JobLine<'_> {
        JobLine::new(self, label, workflow)
    }

    /// A line for how many rows of a batch are done, below those of its jobs, until it is dropped.
    pub(crate) fn total(&self, rows: usize) -> TotalLine<'_> {
        let done = Arc::new(Mutex::new(Done::default()));
        let (shown, began) = (Arc::clone(&done), Instant::now());
        let bar = self.line(move |age, columns| {
            let done = *shown.lock().unwrap_or_else(PoisonError::into_inner);
            total_line(done, rows, began.elapsed(), age, columns)
        });
        *self.total.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        TotalLine { bar, done, live: self }
    }

    /// Lines for files that travel, and if there are several one that counts them.
    pub(crate) fn transfers(&self, files: usize) -> Transfers {
        Transfers::new(&self.lines, files)
    }

    /// A line that is made anew for each time that it is drawn, from its age and the columns of the terminal.
    pub(super) fn line(
        &self,
        line: impl Fn(Duration, usize) -> String + Send + Sync + Clone + 'static,
    ) -> ProgressBar {
        let bar = ProgressBar::no_length();
        let total = self.total.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let bar = match total {
            Some(total) => self.lines.insert_before(&total, bar),
            None => self.lines.add(bar),
        };
        let write = move |state: &ProgressState, to: &mut dyn std::fmt::Write| {
            let columns = screen::size().map_or(80, |(columns, _)| usize::from(columns));
            let _ = to.write_str(&line(state.elapsed(), columns));
        };
        if let Ok(style) = ProgressStyle::with_template("{line}") {
            bar.set_style(style.with_key("line", write));
        }
        tick(&bar);
        bar
    }
}

fn tick(bar: &ProgressBar) {
    if !bar.is_hidden() {
        bar.enable_steady_tick(Duration::from_millis(120));
    }
}

/// Rows that have ended.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Done {
    pub(crate) rows: usize,
    /// How many of them failed.
    pub(crate) failed: usize,
    /// How many of them were done before, and took no time.
    pub(crate) skipped: usize,
}

/// How much of a batch is done.
#[derive(Debug)]
pub(crate) struct TotalLine<'a> {
    bar: ProgressBar,
    done: Arc<Mutex<Done>>,
    live: &'a Live,
}

impl TotalLine<'_> {
    pub(crate) fn done(&self, done: Done) {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) = done;
    }
}

impl Drop for TotalLine<'_> {
    fn drop(&mut self) {
        self.live.total.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.bar.finish_and_clear();
    }
}

fn total_line(done: Done, rows: usize, time: Duration, age: Duration, columns: usize) -> String {
    let Done { rows: done, failed, skipped } = done;
    let mut text = format!("{done} of {rows} rows");
    if failed > 0 {
        let _ = write!(text, ", {failed} failed");
    }
    let parts = Parts {
        age,
        share: Some(done as f64 / rows.max(1) as f64),
        elapsed: Some(time),
        left: rest(done.saturating_sub(skipped), rows.saturating_sub(skipped), time).filter(|_| done < rows),
        text: &text,
        ..Parts::default()
    };
    parts.line(columns)
}

impl Live {
    /// A line for a text that changes, until it is dropped.
    pub(crate) fn text(&self) -> TextLine {
        let bar = self.lines.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
            bar.set_style(style);
        }
        TextLine { bar }
    }
}

/// A text that changes.
#[derive(Debug)]
pub(crate) struct TextLine {
    bar: ProgressBar,
}

impl TextLine {
    /// Shows a text with nothing in it that acts on a terminal.
    pub(crate) fn show(&self, text: &str) {
        self.bar.set_message(text.to_owned());
        self.bar.tick();
    }
}

impl Drop for TextLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_for_all_counts_rows_and_failures_and_tells_the_time_left() {
        let seconds = Duration::from_secs;
        let line = |rows, failed, skipped| {
            total_line(Done { rows, failed, skipped }, 24, seconds(60), seconds(0), 80)
        };
        insta::assert_snapshot!([line(0, 0, 0), line(12, 1, 0), line(12, 1, 8), line(24, 1, 0)].join("\n"), @"
        ⠋ ░░░░░░░░░░░░░░░░   0 %  1:00  0 of 24 rows
        ⠋ ████████░░░░░░░░  50 %  1:00  1:00 left  12 of 24 rows, 1 failed
        ⠋ ████████░░░░░░░░  50 %  1:00  3:00 left  12 of 24 rows, 1 failed
        ⠋ ████████████████ 100 %  1:00  24 of 24 rows, 1 failed
        ");
    }
}
