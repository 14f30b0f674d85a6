//! What is shown of a server: texts that are fit for the terminal, and numbers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use comfy_api_client::protocol::NodeState;
use comfy_api_client::protocol::routes::history::Ending;
use comfy_api_client::protocol::routes::system::SystemStats;
use comfy_api_client::workflow::NodeId;
use comfy_api_client::{ConnectionStatus, EndedJob, Reach, RunningJob, ServerView, WatchedProgress};
use tokio::time::Instant;

use crate::commands::watch::names::{clean, ending, files_of, node_title, time_taken, title};
use crate::render::picture::Picture;

/// Names of files on a line.
const MOST_NAMES: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Panel {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) version: String,
    pub(super) state: State,
    pub(super) meters: Vec<Meter>,
    /// What runs and then what waits.
    pub(super) jobs: Vec<Job>,
    pub(super) progress: Progress,
    pub(super) ended: Vec<Ended>,
}

#[derive(Debug, Default, PartialEq)]
pub(super) enum State {
    #[default]
    Connecting,
    /// The server tells of changes by itself.
    Live,
    /// It answers.
    Asking,
    Down {
        reason: String,
        seconds: u64,
    },
}

/// A share of memory.
#[derive(Debug, PartialEq)]
pub(super) struct Meter {
    pub(super) label: String,
    pub(super) used: u64,
    pub(super) total: u64,
}

#[derive(Debug, PartialEq)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) nodes: usize,
    pub(super) place: Place,
}

#[derive(Debug, PartialEq)]
pub(super) enum Place {
    /// It runs; perhaps for longer than it was watched.
    Running { seconds: u64, at_least: bool },
    /// It waits at this position.
    Waiting(usize),
}

/// How far the job is that runs.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) overall: Option<f64>,
    pub(super) nodes_done: usize,
    pub(super) nodes: Vec<Node>,
    /// Steps in the server's log: done, in all, and what else it says.
    pub(super) steps: Option<(u64, u64, String)>,
    /// What a node shows.
    pub(super) text: Option<String>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Node {
    pub(super) title: String,
    pub(super) runs: bool,
    pub(super) share: f64,
    /// `12/20`, where it has steps.
    pub(super) steps: String,
}

#[derive(Debug)]
pub(super) struct Ended {
    pub(super) word: &'static str,
    pub(super) title: String,
    pub(super) took: String,
    /// Files, or why there are none.
    pub(super) detail: String,
    pub(super) picture: Option<Arc<Picture>>,
}

impl Panel {
    pub(super) fn new(name: &str, url: &str, state: State) -> Self {
        Self { name: clean(name), url: clean(url), state, ..Self::default() }
    }

    /// What is known of a server.
    pub(super) fn of(
        name: &str,
        url: &str,
        view: &ServerView,
        pictures: &HashMap<String, Arc<Picture>>,
    ) -> Self {
        let state = match (&view.reach, &view.socket) {
            (Reach::Silent { error, since }, _) => {
                State::Down { reason: clean(error.message()), seconds: since.elapsed().as_secs() }
            }
            (Reach::Answers, ConnectionStatus::Connected) => State::Live,
            (Reach::Answers, _) => State::Asking,
            _ => State::Connecting,
        };
        let mut panel = Self::new(name, url, state);
        if let Some(stats) = &view.stats {
            panel.version = clean(&stats.system.comfyui_version);
            panel.meters = meters(stats);
        }
        let now = Instant::now();
        panel.jobs.extend(view.running.iter().map(|running| Job {
            id: clean(&running.job.prompt_id),
            title: title(&running.job),
            nodes: running.job.workflow.len(),
            place: Place::Running { seconds: (now - running.since).as_secs(), at_least: !running.start_seen },
        }));
        panel.jobs.extend(view.waiting.iter().zip(1..).map(|(job, position)| Job {
            id: clean(&job.prompt_id),
            title: title(job),
            nodes: job.workflow.len(),
            place: Place::Waiting(position),
        }));
        if let Some(running) = view.running.first() {
            panel.progress = progress(running);
        }
        panel.ended = view.ended.iter().map(|job| ended(job, pictures)).collect();
        panel
    }
}

fn meters(stats: &SystemStats) -> Vec<Meter> {
    let meter =
        |label: String, free: u64, total: u64| Meter { label, used: total.saturating_sub(free), total };
    let mut meters = vec![meter("RAM".to_owned(), stats.system.ram_free, stats.system.ram_total)];
    // A processor has no memory of its own.
    for device in stats.devices.iter().filter(|device| device.kind != "cpu") {
        let number = device.index.filter(|_| stats.devices.len() > 1);
        let label = number.map_or("VRAM".to_owned(), |number| format!("VRAM {number}"));
        meters.push(meter(label, device.vram_free, device.vram_total));
    }
    meters.retain(|meter| meter.total > 0);
    meters
}

fn progress(running: &RunningJob) -> Progress {
    let progress = &running.progress;
    let workflow = &running.job.workflow;
    let name = |id: &NodeId| node_title(id, workflow.node(id.as_str()));
    let mut nodes: Vec<Node> = Vec::new();
    for (id, node) in progress.nodes.iter().filter(|(id, _)| workflow.node(id.as_str()).is_some()) {
        let number = |number: &serde_json::Number| clean(&number.to_string());
        let has_steps = node.max.as_f64().is_some_and(|max| max > 1.0);
        nodes.push(Node {
            title: name(id),
            runs: node.state != NodeState::Finished,
            share: WatchedProgress::share(node),
            steps: if has_steps {
                format!("{}/{}", number(&node.value), number(&node.max))
            } else {
                String::new()
            },
        });
    }
    let steps = progress.log.as_ref().map(|steps| {
        let known = [&steps.label, &steps.rate].into_iter().flatten().map(|text| clean(text));
        (steps.value, steps.max, known.collect::<Vec<_>>().join(", "))
    });
    Progress {
        overall: progress.overall(workflow),
        nodes_done: progress.nodes_done(workflow),
        nodes,
        steps,
        text: progress.text.as_ref().map(|(id, text)| format!("{}: {}", name(id), clean(text))),
    }
}

fn ended(job: &EndedJob, pictures: &HashMap<String, Arc<Picture>>) -> Ended {
    let (word, reason) = ending(job);
    Ended {
        word,
        title: title(&job.job),
        took: job.milliseconds().map(|took| time_taken(Duration::from_millis(took))).unwrap_or_default(),
        detail: reason.unwrap_or_else(|| files_of(job.files(), MOST_NAMES)),
        picture: pictures.get(&job.job.prompt_id).filter(|_| matches!(job.ending, Ending::Success)).cloned(),
    }
}
