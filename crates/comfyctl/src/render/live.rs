//! What is drawn on a terminal while something goes on: a line for each job or transfer.

use std::collections::HashMap;
use std::time::Duration;

use comfy_api_client::{Event, Workflow};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::one_line;

/// Parts into which the bar divides a job.
const PARTS: u64 = 1000;

/// The place on the terminal where lines live. What else is written goes above them.
#[derive(Debug)]
pub(crate) struct Live {
    lines: MultiProgress,
}

impl Live {
    /// Draws on stderr, or nothing at all.
    pub(crate) fn new(drawn: bool) -> Self {
        let target = if drawn { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { lines: MultiProgress::with_draw_target(target) }
    }

    /// Takes the lines away while something else is written.
    pub(crate) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        if self.lines.is_hidden() { write() } else { self.lines.suspend(write) }
    }

    /// A line for a job, until it is dropped.
    pub(crate) fn job(&self, workflow: &Workflow) -> JobLine {
        let bar = self.lines.add(ProgressBar::new(PARTS));
        // Short enough to leave room for the name of the node on a narrow terminal.
        style(&bar, "{spinner} {bar:16} {percent:>3} %  {elapsed}  {wide_msg}");
        bar.set_message("waiting in the queue");
        let names = workflow.nodes().map(|(id, node)| {
            let name = one_line(node.title().unwrap_or(&node.class_type)).chars().take(40).collect();
            (id.as_str().to_owned(), name)
        });
        JobLine { bar, names: names.collect() }
    }

    /// A line for a file that travels, until it is dropped.
    pub(crate) fn transfer(&self, name: &str) -> TransferLine {
        let bar = self.lines.add(ProgressBar::no_length());
        style(&bar, "{spinner} {bytes:>10}  {bytes_per_sec}  {wide_msg}");
        bar.set_message(one_line(name));
        TransferLine { bar }
    }
}

fn style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    if !bar.is_hidden() {
        bar.enable_steady_tick(Duration::from_millis(120));
    }
}

/// What a job does.
#[derive(Debug)]
pub(crate) struct JobLine {
    bar: ProgressBar,
    names: HashMap<String, String>,
}

impl JobLine {
    pub(crate) fn show(&self, event: &Event) {
        match event {
            Event::Started => self.bar.set_message("running"),
            Event::Queued(queued) => {
                self.message(format!(
                    "waiting in the queue at position {} of {}",
                    queued.position, queued.waiting
                ));
            }
            Event::NodeStarted(id) => self.message(self.name(id.as_str())),
            Event::Progress(progress) => {
                self.bar.set_position((progress.overall() * PARTS as f64) as u64);
                if let (Some(node), true) = (&progress.node, progress.max > 1.0) {
                    let name = self.name(node.as_str());
                    self.message(format!("{name} {}/{}", progress.value, progress.max));
                }
            }
            Event::Gap => self.message("connection lost, asking the server"),
            _ => {}
        }
    }

    pub(crate) fn message(&self, text: impl Into<String>) {
        self.bar.set_message(text.into());
    }

    fn name(&self, id: &str) -> String {
        self.names.get(id).cloned().unwrap_or_else(|| one_line(id))
    }
}

impl Drop for JobLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// How much of a file has travelled.
#[derive(Debug)]
pub(crate) struct TransferLine {
    bar: ProgressBar,
}

impl TransferLine {
    /// To be told of bytes that are through, and of how many there are if that is known.
    pub(crate) fn reporter(&self) -> impl FnMut(u64, Option<u64>) + Send + 'static {
        let bar = self.bar.clone();
        move |bytes, size| {
            if let Some(size) = size.filter(|size| bar.length() != Some(*size)) {
                bar.set_length(size);
                style(
                    &bar,
                    "{spinner} {bar:16} {percent:>3} %  {bytes:>10} of {total_bytes}  {bytes_per_sec}  {eta}  {wide_msg}",
                );
            }
            bar.set_position(bytes);
        }
    }
}

impl Drop for TransferLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
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
