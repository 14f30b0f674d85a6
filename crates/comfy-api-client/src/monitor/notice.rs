//! What answers and messages tell.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use comfy_protocol::routes::frontend::Logs;
use comfy_protocol::routes::history::History;
use comfy_protocol::routes::queue::{Queue, QueueItem};
use comfy_protocol::{Frame, Message, NodeState};
use serde::Deserialize;
use tokio::time::Instant;

use super::ask::Answer;
use super::{EndedJob, LogSteps, Monitor, Reach, RunningJob, ServerChange, WatchedJob, WatchedProgress};
use crate::{ConnectionStatus, Error, ErrorKind, ServerEvent};

/// Records that are kept, and that are asked for at first.
const KEPT: usize = 16;
/// Records that are asked for when some job has ended, and most of them.
const FEW_RECORDS: u64 = 4;
const MOST_RECORDS: u64 = 1024;
/// Ids of jobs that have ended that are kept; of older ones the time of the last tells.
const MOST_KNOWN: usize = 4096;
/// How often a record is looked for of a job that has left the queue.
const LOOKS: u32 = 2;

/// The records of jobs that have ended: which are known, and which are looked for.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// How many to ask for.
    wanted: Option<u64>,
    /// Whether any were read so far.
    begun: bool,
    known: HashSet<String>,
    /// When the last one ended that is known, by the server's clock.
    last: u64,
    /// Jobs that have left the queue, and how often a record of them was looked for.
    left: HashMap<String, (Arc<WatchedJob>, u32)>,
}

impl Ended {
    /// How many records to ask for. Where the server does not tell of changes, jobs may have come and gone unnoticed.
    pub(super) fn wanted(&self, is_told: bool) -> Option<u64> {
        match self.begun {
            true => self.wanted.or((!is_told).then_some(FEW_RECORDS)),
            false => Some(KEPT as u64),
        }
    }

    /// They are being asked for. What is wanted from now on is wanted anew.
    pub(super) fn asked(&mut self) {
        self.wanted = None;
    }

    fn want(&mut self) {
        self.wanted = self.wanted.max(Some(FEW_RECORDS));
    }

    fn leave(&mut self, job: &Arc<WatchedJob>) {
        self.want();
        self.left.insert(job.prompt_id.clone(), (Arc::clone(job), 0));
    }

    /// The records that are news, the oldest first.
    fn news(&mut self, records: History, asked: u64) -> Vec<Arc<EndedJob>> {
        let count = records.len() as u64;
        let first_time = !std::mem::replace(&mut self.begun, true);
        let (mut news, mut met) = (Vec::new(), false);
        for (id, record) in records.into_iter().rev() {
            if self.known.contains(&id) {
                met = true;
                break;
            }
            let ended = EndedJob::new(record);
            // Records that were known may have been removed; older ones are no news for that.
            if ended.ended_at.is_some_and(|at| at < self.last) {
                met = true;
                break;
            }
            news.push(Arc::new(ended));
        }
        let may_be_more = !met && !first_time && count >= asked && asked < MOST_RECORDS;
        if may_be_more {
            self.wanted = Some(asked * 8);
            return Vec::new();
        }
        news.reverse();
        if self.known.len() > MOST_KNOWN {
            self.known.clear();
        }
        for ended in &news {
            self.known.insert(ended.job.prompt_id.clone());
            self.last = self.last.max(ended.ended_at.unwrap_or_default());
            self.left.remove(&ended.job.prompt_id);
        }
        news
    }

    /// The jobs that are gone without a record.
    fn gone(&mut self) -> Vec<Arc<WatchedJob>> {
        self.left.values_mut().for_each(|(_, looks)| *looks += 1);
        let gone: Vec<_> =
            self.left.extract_if(|_, (_, looks)| *looks >= LOOKS).map(|(_, (job, _))| job).collect();
        if !self.left.is_empty() {
            self.want();
        }
        gone
    }
}

fn is_away(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Disconnected | ErrorKind::Tls)
}

impl Monitor {
    /// Takes in what the server answered.
    pub(super) fn take_in(&mut self, answer: Answer) {
        let failure = match (&answer.queue, &answer.stats) {
            (Some(Err(error)), _) => Some(error.clone()),
            // Servers may keep their memory to themselves.
            (None, Some(Err(error))) if is_away(error) => Some(error.clone()),
            _ => None,
        };
        if let Some(error) = failure {
            self.pace.failed();
            return self.lose(error);
        }
        self.pace.answered(answer.question, answer.took, self.is_told());
        let is_back = !matches!(self.view.reach, Reach::Answers);
        self.view.reach = Reach::Answers;
        if let Some(Ok(stats)) = answer.stats {
            self.view.stats = Some(stats);
            self.tell(ServerChange::State);
        }
        if let Some(Ok(queue)) = answer.queue {
            self.take_in_queue(queue, is_back);
        }
        if let (Some(records), Some(asked)) = (answer.records, answer.question.records) {
            let first_time = !self.ended.begun;
            // There are servers that cannot tell what has ended, as long as one record is broken.
            let news = records.map(|records| self.ended.news(records, asked)).unwrap_or_default();
            for ended in news {
                self.view.ended.push_front(Arc::clone(&ended));
                self.view.ended.truncate(KEPT);
                if !first_time {
                    self.tell(ServerChange::Ended(ended));
                }
            }
            for job in self.ended.gone() {
                self.tell(ServerChange::Gone(job.prompt_id.clone()));
            }
        }
        if self.ended.wanted.is_some() {
            self.pace.hear_of_change();
        }
        if is_back {
            self.changes.push_front(ServerChange::Reached);
        }
    }

    fn lose(&mut self, error: Error) {
        self.ended.want();
        let since = match &self.view.reach {
            Reach::Silent { since, .. } => *since,
            _ => {
                self.tell(ServerChange::Lost(error.clone()));
                Instant::now()
            }
        };
        self.view.reach = Reach::Silent { error, since };
    }

    fn take_in_queue(&mut self, queue: Queue, is_back: bool) {
        let mut before: HashMap<String, Arc<WatchedJob>> = HashMap::new();
        let mut ran: HashMap<String, RunningJob> = HashMap::new();
        for running in self.view.running.drain(..) {
            before.insert(running.job.prompt_id.clone(), Arc::clone(&running.job));
            ran.insert(running.job.prompt_id.clone(), running);
        }
        let order: Vec<Arc<WatchedJob>> = self.view.waiting.drain(..).collect();
        for job in &order {
            before.insert(job.prompt_id.clone(), Arc::clone(job));
        }
        let mut changes = Vec::new();
        let mut known =
            |item: QueueItem, changes: &mut Vec<ServerChange>| match before.remove(item.prompt_id()) {
                Some(job) => job,
                None => {
                    changes.push(ServerChange::Queued(item.prompt_id().to_owned()));
                    Arc::new(WatchedJob::new(item))
                }
            };
        for item in queue.queue_running {
            let job = known(item, &mut changes);
            let running = ran.remove(&job.prompt_id).unwrap_or_else(|| {
                changes.push(ServerChange::Started(job.prompt_id.clone()));
                if self.early.as_ref().is_some_and(|(id, _)| *id == job.prompt_id) {
                    changes.push(ServerChange::Progress(job.prompt_id.clone()));
                }
                // It was told of before the queue was asked for.
                let progress = self.early.take().filter(|(id, _)| *id == job.prompt_id);
                let progress = progress.map(|(_, progress)| progress).unwrap_or_default();
                RunningJob { job, since: Instant::now(), start_seen: !is_back, progress }
            });
            self.view.running.push(running);
        }
        let mut pending = queue.queue_pending;
        let number =
            |item: &QueueItem| item.0.as_ref().and_then(serde_json::Number::as_f64).unwrap_or(f64::INFINITY);
        pending.sort_by(|a, b| number(a).total_cmp(&number(b)).then_with(|| a.1.cmp(&b.1)));
        self.view.waiting = pending.into_iter().map(|item| known(item, &mut changes)).collect();
        if !is_back && self.view.waiting != order {
            changes.push(ServerChange::Queue);
        }
        for job in before.values() {
            self.ended.leave(job);
        }
        // What was there already is no change.
        if !is_back {
            self.changes.extend(changes);
        }
    }

    /// Takes in what the server said by itself.
    pub(super) fn hear(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::Connection(status) => {
                if matches!(status, ConnectionStatus::Connected) {
                    self.subscribe_logs();
                }
                self.view.socket = status;
                self.pace.hear_of_change();
                self.tell(ServerChange::State);
            }
            ServerEvent::Message(message) => {
                self.hear_message(&message);
                self.tell(ServerChange::Message(message));
            }
            ServerEvent::Frame(Frame::Text { node, text }) => {
                // It does not say of which prompt it is.
                let running =
                    self.view.running.iter_mut().find(|it| it.job.workflow.node(node.as_str()).is_some());
                if let Some(running) = running {
                    running.progress.text = Some((node, text));
                    let id = running.job.prompt_id.clone();
                    self.tell(ServerChange::Progress(id));
                }
            }
            ServerEvent::Frame(_) => {}
            ServerEvent::Unreadable(_) | ServerEvent::Skipped(_) => {
                self.ended.want();
                self.pace.hear_of_change();
            }
        }
    }

    fn hear_message(&mut self, message: &Message) {
        match message {
            Message::Status(status) => {
                let remaining = status.status.exec_info.queue_remaining;
                if self.remaining.replace(remaining).is_some_and(|before| remaining < before) {
                    self.ended.want();
                }
                self.pace.hear_of_change();
            }
            Message::ProgressState(state) => self.progress(&state.prompt_id, |progress| {
                let runs = state.nodes.iter().rev().find(|(_, node)| node.state == NodeState::Running);
                if let Some((id, _)) = runs {
                    progress.node = Some(id.clone());
                }
                progress.nodes.clone_from(&state.nodes);
            }),
            Message::Executing(executing) => match (&executing.prompt_id, &executing.node) {
                (Some(id), Some(node)) => self.progress(id, |progress| progress.node = Some(node.clone())),
                _ => self.pace.hear_of_change(),
            },
            Message::ExecutionStart(start) => self.progress(&start.prompt_id, |_| {}),
            Message::Other { kind, data } if kind == "logs" => {
                let Ok(logs) = Logs::deserialize(data) else { return };
                let steps = logs.entries.iter().rev().find_map(|entry| LogSteps::read(&entry.message));
                // It does not say of which prompt it is.
                if let ([running], Some(steps)) = (&mut self.view.running[..], steps) {
                    running.progress.log = Some(steps);
                    let id = running.job.prompt_id.clone();
                    self.tell(ServerChange::Progress(id));
                }
            }
            _ => {}
        }
    }

    /// Something was told of a job that runs.
    fn progress(&mut self, prompt_id: &str, change: impl FnOnce(&mut WatchedProgress)) {
        match self.view.running_mut(prompt_id) {
            Some(running) => {
                change(&mut running.progress);
                self.tell(ServerChange::Progress(prompt_id.to_owned()));
            }
            // It began after the queue was last asked for.
            None => {
                let mut progress = match self.early.take() {
                    Some((id, progress)) if id == prompt_id => progress,
                    _ => WatchedProgress::default(),
                };
                change(&mut progress);
                self.early = Some((prompt_id.to_owned(), progress));
                self.pace.hear_of_change();
            }
        }
    }

    /// Has the server send its log, in which there are the steps of samplers. Servers that keep it to themselves are
    /// watched without.
    fn subscribe_logs(&self) {
        let client = self.client.clone();
        if let Some(id) = client.client_id() {
            tokio::spawn(async move {
                if let Err(error) = client.subscribe_logs(&id, true).await {
                    tracing::debug!(%error, "the server sends no log");
                }
            });
        }
    }
}
