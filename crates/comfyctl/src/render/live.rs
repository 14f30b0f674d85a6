//! What is drawn on a terminal while something goes on: a line for each job or transfer.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use comfy_api_client::{Event, Workflow};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::estimate::{Estimate, rest};
use super::fitting::Parts;
use crate::failure::one_line;

/// The place on the terminal where lines live. What else is written goes above them.
#[derive(Debug)]
pub(crate) struct Live {
    lines: MultiProgress,
    /// The line for all jobs, which stays below theirs.
    total: Mutex<Option<ProgressBar>>,
}

impl Live {
    /// Draws on stderr, or nothing at all.
    pub(crate) fn new(drawn: bool) -> Self {
        let target = if drawn { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { lines: MultiProgress::with_draw_target(target), total: Mutex::default() }
    }

    /// Takes the lines away while something else is written.
    pub(crate) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        if self.lines.is_hidden() { write() } else { self.lines.suspend(write) }
    }

    /// A line for the only job there is, until it is dropped.
    pub(crate) fn single_job(&self, workflow: &Workflow) -> JobLine {
        self.job("", workflow)
    }

    /// A line for one job of several, told apart by its label, until it is dropped.
    pub(crate) fn job(&self, label: &str, workflow: &Workflow) -> JobLine {
        let names = workflow.nodes().map(|(id, node)| {
            let name = one_line(node.title().unwrap_or(&node.class_type)).chars().take(60).collect();
            (id.as_str().to_owned(), name)
        });
        let state = State {
            label: one_line(label),
            names: names.collect(),
            text: "submitting".to_owned(),
            ..State::default()
        };
        let state = Arc::new(Mutex::new(state));
        let shown = Arc::clone(&state);
        let bar = self.line(move |age, columns| {
            shown.lock().unwrap_or_else(PoisonError::into_inner).line(age, columns)
        });
        JobLine { bar, state }
    }

    /// A line for how many rows of a batch are done, below those of its jobs, until it is dropped.
    pub(crate) fn total(&self, rows: usize) -> TotalLine<'_> {
        let done = Arc::new(Mutex::new((0, 0)));
        let (shown, began) = (Arc::clone(&done), Instant::now());
        let bar = self.line(move |age, columns| {
            let (done, failed) = *shown.lock().unwrap_or_else(PoisonError::into_inner);
            total_line(done, failed, rows, began.elapsed(), age, columns)
        });
        *self.total.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        TotalLine { bar, done, live: self }
    }

    /// A line for a file that travels, until it is dropped.
    pub(crate) fn transfer(&self, name: &str) -> TransferLine {
        let bar = self.lines.add(ProgressBar::no_length());
        style(&bar, "{spinner} {bytes:>10}  {bytes_per_sec}  {wide_msg}");
        bar.set_message(one_line(name));
        TransferLine { bar }
    }

    /// A line that is made anew for each time that it is drawn, from its age and the columns of the terminal.
    fn line(&self, line: impl Fn(Duration, usize) -> String + Send + Sync + Clone + 'static) -> ProgressBar {
        let bar = ProgressBar::no_length();
        let total = self.total.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let bar = match total {
            Some(total) => self.lines.insert_before(&total, bar),
            None => self.lines.add(bar),
        };
        let write = move |state: &ProgressState, to: &mut dyn std::fmt::Write| {
            let columns = terminal_size::terminal_size_of(std::io::stderr());
            let columns = columns.map_or(80, |(width, _)| usize::from(width.0));
            let _ = to.write_str(&line(state.elapsed(), columns));
        };
        if let Ok(style) = ProgressStyle::with_template("{line}") {
            bar.set_style(style.with_key("line", write));
        }
        tick(&bar);
        bar
    }
}

fn style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    tick(bar);
}

fn tick(bar: &ProgressBar) {
    if !bar.is_hidden() {
        bar.enable_steady_tick(Duration::from_millis(120));
    }
}

/// What a job does.
#[derive(Debug)]
pub(crate) struct JobLine {
    bar: ProgressBar,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    label: String,
    names: HashMap<String, String>,
    text: String,
    steps: String,
    share: Option<f64>,
    estimate: Estimate,
}

impl JobLine {
    pub(crate) fn show(&self, event: &Event) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).show(event, Instant::now());
    }

    pub(crate) fn message(&self, text: impl Into<String>) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).say(text.into());
    }
}

impl Drop for JobLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl State {
    fn show(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Queued(queued) => {
                self.say(format!("waiting at position {} of {}", queued.position, queued.waiting));
            }
            Event::Started => {
                self.estimate.start(now);
                self.say("running".to_owned());
            }
            Event::NodeStarted(id) => {
                self.estimate.start_node(now);
                self.share.get_or_insert(0.0);
                self.say(self.name(id.as_str()));
            }
            Event::Progress(progress) => {
                self.estimate.progress(progress, now);
                self.share = Some(progress.overall());
                if let (Some(node), true) = (&progress.node, progress.max > 1.0) {
                    self.say(self.name(node.as_str()));
                    let _ = write!(self.steps, "{}/{}", progress.value, progress.max);
                }
            }
            Event::Gap => self.say("connection lost, asking the server".to_owned()),
            Event::Recovered => self.say("running".to_owned()),
            Event::Finished => self.say("done".to_owned()),
            _ => {}
        }
    }

    fn say(&mut self, text: String) {
        self.text = text;
        self.steps.clear();
    }

    fn name(&self, id: &str) -> String {
        self.names.get(id).cloned().unwrap_or_else(|| one_line(id))
    }

    fn line(&self, age: Duration, columns: usize) -> String {
        let now = Instant::now();
        let parts = Parts {
            age,
            label: &self.label,
            share: self.share,
            elapsed: self.estimate.elapsed(now),
            left: self.estimate.left(now),
            text: &self.text,
            steps: &self.steps,
        };
        parts.line(columns)
    }
}

/// How much of a batch is done.
#[derive(Debug)]
pub(crate) struct TotalLine<'a> {
    bar: ProgressBar,
    done: Arc<Mutex<(usize, usize)>>,
    live: &'a Live,
}

impl TotalLine<'_> {
    /// Tells how many rows have ended, and how many of them failed.
    pub(crate) fn done(&self, rows: usize, failed: usize) {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) = (rows, failed);
    }
}

impl Drop for TotalLine<'_> {
    fn drop(&mut self) {
        self.live.total.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.bar.finish_and_clear();
    }
}

fn total_line(
    done: usize,
    failed: usize,
    rows: usize,
    time: Duration,
    age: Duration,
    columns: usize,
) -> String {
    let mut text = format!("{done} of {rows} rows");
    if failed > 0 {
        let _ = write!(text, ", {failed} failed");
    }
    let parts = Parts {
        age,
        share: Some(done as f64 / rows.max(1) as f64),
        elapsed: Some(time),
        left: rest(done, rows, time).filter(|_| done < rows),
        text: &text,
        ..Parts::default()
    };
    parts.line(columns)
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
