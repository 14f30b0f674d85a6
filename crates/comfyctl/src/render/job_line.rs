//! What a job does, in a line.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use comfy_api_client::{Event, Preview, Workflow};
use indicatif::{BinaryBytes, ProgressBar};

use super::estimate::Estimate;
use super::fitting::Parts;
use super::live::Live;
use super::picture::{Graphics, Picture};
use crate::failure::one_line;

/// Least time between two previews that are drawn.
const PAUSE: Duration = Duration::from_millis(100);

/// What a job does, until it is dropped.
#[derive(Debug)]
pub(crate) struct JobLine<'a> {
    live: &'a Live,
    bar: ProgressBar,
    state: Arc<Mutex<State>>,
    previews: Option<Mutex<Previews>>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    label: String,
    names: HashMap<String, String>,
    text: String,
    steps: String,
    share: Option<f64>,
    estimate: Estimate,
}

/// The previews of the job, of which not all are drawn.
#[derive(Debug)]
struct Previews {
    graphics: Graphics,
    drawn: Option<Instant>,
    /// The last one, if it came too soon.
    waiting: Option<Preview>,
}

impl<'a> JobLine<'a> {
    pub(super) fn new(live: &'a Live, label: &str, workflow: &Workflow) -> Self {
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
        let bar = live.line(move |age, columns| {
            shown.lock().unwrap_or_else(PoisonError::into_inner).line(age, columns)
        });
        Self { live, bar, state, previews: None }
    }

    /// Shows what is being made above the line, too.
    pub(crate) fn with_pictures(mut self, graphics: Option<Graphics>) -> Self {
        self.previews = graphics
            .filter(|_| self.live.is_drawn())
            .map(|graphics| Mutex::new(Previews { graphics, drawn: None, waiting: None }));
        self
    }

    pub(crate) fn show(&self, event: &Event) {
        let now = Instant::now();
        self.state.lock().unwrap_or_else(PoisonError::into_inner).show(event, now);
        if let Some(previews) = &self.previews {
            previews.lock().unwrap_or_else(PoisonError::into_inner).show(event, now, self.live);
        }
    }

    /// Says from now on how much of the job's files has travelled.
    pub(crate) fn downloading(&self) -> Downloading {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).download();
        Downloading { state: Arc::clone(&self.state), files: Arc::default() }
    }

    pub(crate) fn message(&self, text: impl Into<String>) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).say(text.into());
    }
}

impl Drop for JobLine<'_> {
    fn drop(&mut self) {
        if self.previews.is_some() {
            self.live.take_preview();
        }
        self.bar.finish_and_clear();
    }
}

/// Files that travel at the same time.
#[derive(Debug)]
pub(crate) struct Downloading {
    state: Arc<Mutex<State>>,
    files: Arc<Mutex<Vec<Travelled>>>,
}

/// The bytes of a file that are through, and how many there are if that is known.
type Travelled = (u64, Option<u64>);

impl Downloading {
    /// To be told of the bytes of another file.
    pub(crate) fn reporter(&self) -> impl FnMut(u64, Option<u64>) + Send + 'static {
        let (state, files) = (Arc::clone(&self.state), Arc::clone(&self.files));
        let mut place = None;
        move |bytes, size| {
            let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
            let place = *place.get_or_insert_with(|| {
                files.push((0, None));
                files.len() - 1
            });
            files[place] = (bytes, size);
            let through = files.iter().fold(0_u64, |sum, (bytes, _)| sum.saturating_add(*bytes));
            let all = files.iter().try_fold(0_u64, |sum, (_, size)| sum.checked_add((*size)?));
            state.lock().unwrap_or_else(PoisonError::into_inner).travel(through, all);
        }
    }
}

impl Previews {
    fn show(&mut self, event: &Event, now: Instant, live: &Live) {
        match event {
            Event::Preview(preview) => self.waiting = Some(preview.clone()),
            // What is saved is shown by itself.
            Event::Finished => return live.take_preview(),
            _ => {}
        }
        if self.drawn.is_some_and(|drawn| now.saturating_duration_since(drawn) < PAUSE) {
            return;
        }
        if let Some(picture) = self.waiting.take().and_then(|preview| Picture::decode(preview.bytes())) {
            live.preview(picture, self.graphics);
            self.drawn = Some(Instant::now());
        }
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

    fn download(&mut self) {
        self.say("downloading".to_owned());
        self.estimate.forget();
    }

    fn travel(&mut self, bytes: u64, all: Option<u64>) {
        self.steps = match all {
            Some(all) => format!("{} of {}", BinaryBytes(bytes), BinaryBytes(all)),
            None => BinaryBytes(bytes).to_string(),
        };
        self.share = all.map(|all| bytes as f64 / all.max(1) as f64);
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
