//! The progress bar of a run.

use std::time::Duration;

use comfy_api_client::{Event, Workflow};
use indicatif::{ProgressBar, ProgressStyle};

use crate::printer::Printer;

/// Parts into which the bar divides a job.
const PARTS: u64 = 1000;

pub(crate) struct JobBar<'a> {
    bar: ProgressBar,
    workflow: &'a Workflow,
}

impl<'a> JobBar<'a> {
    pub(crate) fn new(printer: &Printer, workflow: &'a Workflow) -> Self {
        let bar = ProgressBar::with_draw_target(Some(PARTS), printer.progress_target());
        // Short enough to leave room for the name of the node on a narrow terminal.
        let template = "{spinner} {bar:16} {percent:>3} %  {elapsed}  {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message("waiting in the queue");
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar, workflow }
    }

    pub(crate) fn show(&self, event: &Event) {
        match event {
            Event::Started => self.bar.set_message("running"),
            Event::Queued(queued) => {
                self.bar.set_message(format!(
                    "waiting in the queue at position {} of {}",
                    queued.position, queued.waiting
                ));
            }
            Event::NodeStarted(id) => self.bar.set_message(self.name(id.as_str())),
            Event::Progress(progress) => {
                let part = (progress.overall() * PARTS as f64) as u64;
                self.bar.set_position(part);
                if let (Some(node), true) = (&progress.node, progress.max > 1.0) {
                    self.bar.set_message(format!(
                        "{} {}/{}",
                        self.name(node.as_str()),
                        progress.value,
                        progress.max
                    ));
                }
            }
            Event::Gap => self.bar.set_message("connection lost, asking the server"),
            _ => {}
        }
    }

    pub(crate) fn message(&self, text: impl Into<String>) {
        self.bar.set_message(text.into());
    }

    /// Takes the bar away while something else is written.
    pub(crate) fn hide_while(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn name(&self, id: &str) -> String {
        let node = self.workflow.node(id);
        let name = node.map_or(id, |node| node.title().unwrap_or(&node.class_type));
        name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(40).collect()
    }
}

impl Drop for JobBar<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}
