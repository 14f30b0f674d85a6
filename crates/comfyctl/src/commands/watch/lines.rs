//! What happens on servers, a line for each change.

use comfy_api_client::protocol::routes::history::Ending;
use comfy_api_client::{EndedJob, ServerChange, ServerView, WatchedJob, WatchedProgress};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::names::{clean, counted, ending, files_of, time_taken, title};
use super::servers::{News, What};
use crate::commands::run::job::stopped;
use crate::commands::run::record;
use crate::commands::stop::Stop;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::Target;

/// Names of files on a line.
const MOST_NAMES: usize = 5;

/// Prints until it is stopped or nobody reads any more.
pub(super) async fn print(
    printer: &Printer,
    targets: &[Target],
    mut news: mpsc::Receiver<News>,
    stop: &mut Stop,
) -> Result<(), Failure> {
    let mut lines: Vec<Lines> = targets
        .iter()
        .map(|target| Lines {
            printer,
            name: &target.name,
            is_one_of_several: targets.len() > 1,
            url: String::new(),
            is_lost: false,
            last: None,
        })
        .collect();
    loop {
        let news = tokio::select! {
            news = news.recv() => news,
            () = stop.wait() => return Err(stopped("stopped")),
        };
        let Some(News { server, what }) = news else { return Ok(()) };
        if let Some(lines) = lines.get_mut(server) {
            lines.tell(what)?;
        }
        if printer.reader_gone() {
            return Ok(());
        }
    }
}

struct Lines<'a> {
    printer: &'a Printer,
    name: &'a str,
    is_one_of_several: bool,
    url: String,
    is_lost: bool,
    /// The progress that was told last.
    last: Option<Value>,
}

impl Lines<'_> {
    fn tell(&mut self, what: What) -> Result<(), Failure> {
        match what {
            What::Connected(client) => self.url = client.url(),
            // A mistake of the user does not mend itself.
            What::Refused(failure) if failure.exit == Exit::Usage => return Err(failure),
            What::Refused(failure) => self.lose(&failure),
            What::Message(message) => {
                // The log was asked for on behalf of the steps in it; `logs -f` shows it.
                let value = serde_json::to_value(&*message).unwrap_or_default();
                if value["type"] != "logs" {
                    self.json("event", json!({"message": value}));
                }
            }
            What::Changed(change, view) => self.change(change, &view),
        }
        Ok(())
    }

    fn change(&mut self, change: ServerChange, view: &ServerView) {
        match change {
            ServerChange::Reached => self.reached(view),
            ServerChange::Lost(error) => self.lose(&error.into()),
            ServerChange::Queued(id) => {
                let Some(job) = view.job(&id) else { return };
                let position =
                    view.waiting.iter().position(|it| it.prompt_id == id).map_or(0, |place| place + 1);
                let waiting = view.waiting.len();
                self.json(
                    "queued",
                    json!({"prompt_id": id, "job": described(job), "position": position, "waiting": waiting}),
                );
                let place = match position {
                    0 => String::new(),
                    position => format!(", position {position} of {waiting}"),
                };
                self.line("queued", &id, &format!("{}{place}", summary(job)));
            }
            ServerChange::Started(id) => {
                let Some(job) = view.job(&id) else { return };
                self.json("started", json!({"prompt_id": id}));
                self.line("started", &id, &summary(job));
            }
            ServerChange::Progress(id) => {
                let Some(running) = view.running(&id) else { return };
                let progress = progress(&running.job, &running.progress);
                if progress.is_some() && progress != self.last {
                    self.json("progress", progress.clone().unwrap_or_default());
                    self.last = progress;
                }
            }
            ServerChange::Ended(job) => self.ended(&job),
            ServerChange::Gone(id) => {
                self.json("gone", json!({"prompt_id": id}));
                self.line("gone", &id, "left the queue without a record");
            }
            _ => {}
        }
    }

    fn reached(&mut self, view: &ServerView) {
        self.is_lost = false;
        let version = view.stats.as_ref().map(|stats| clean(&stats.system.comfyui_version));
        let running: Vec<Value> = view.running.iter().map(|running| described(&running.job)).collect();
        let waiting: Vec<Value> = view.waiting.iter().map(|job| described(job)).collect();
        self.json(
            "reached",
            json!({"url": self.url, "version": version, "running": running, "waiting": waiting}),
        );
        let version = version.map(|version| format!("ComfyUI {version} at ")).unwrap_or_default();
        let counts = format!("{} running, {} waiting", running.len(), waiting.len());
        self.line("reached", "", &format!("{version}{}: {counts}", self.url));
        for running in &view.running {
            self.line("runs", &running.job.prompt_id, &summary(&running.job));
        }
        for (job, position) in view.waiting.iter().zip(1..) {
            self.line(
                "waits",
                &job.prompt_id,
                &format!("{}, position {position} of {}", summary(job), view.waiting.len()),
            );
        }
    }

    /// It is told once that a server is away, however often it is tried.
    fn lose(&mut self, failure: &Failure) {
        if !std::mem::replace(&mut self.is_lost, true) {
            self.json("lost", json!({"error": failure.report}));
            self.line("lost", "", &clean(&failure.report.message));
        }
    }

    fn ended(&self, job: &EndedJob) {
        let id = &job.job.prompt_id;
        let (word, reason) = ending(job);
        let status = match &job.ending {
            Ending::Success => "success",
            Ending::Interrupted(_) => "interrupted",
            _ => "error",
        };
        let outputs: Vec<Value> =
            job.files().map(|output| record::described(&output, None, Some(&job.job.workflow))).collect();
        let took = job.milliseconds();
        self.json("ended", json!({"prompt_id": id, "status": status, "outputs": outputs, "error": reason, "elapsed_ms": took}));
        let took = took.map(|took| format!(" in {}", time_taken(std::time::Duration::from_millis(took))));
        let what = match reason {
            Some(reason) => format!("{}: {reason}", title(&job.job)),
            None => format!(
                "{}{}: {}",
                title(&job.job),
                took.unwrap_or_default(),
                files_of(job.files(), MOST_NAMES)
            ),
        };
        self.line(word, id, &what);
    }

    fn json(&self, kind: &str, fields: Value) {
        if !self.printer.is_json() {
            return;
        }
        let mut line = Map::new();
        line.insert("type".to_owned(), kind.into());
        line.insert("server".to_owned(), self.name.into());
        if let Value::Object(fields) = fields {
            line.extend(fields);
        }
        self.printer.json(&line);
    }

    fn line(&self, word: &str, id: &str, text: &str) {
        if self.printer.is_json() {
            return;
        }
        let time = chrono::Local::now().format("%H:%M:%S");
        let server = if self.is_one_of_several { format!("{}  ", clean(self.name)) } else { String::new() };
        let id = if id.is_empty() { String::new() } else { format!("{}  ", clean(id)) };
        self.printer.line(&format!("{time}  {server}{word:<11}  {id}{text}"));
    }
}

fn summary(job: &WatchedJob) -> String {
    format!("{} ({})", title(job), counted(job.workflow.len(), "node"))
}

fn described(job: &WatchedJob) -> Value {
    json!({
        "prompt_id": job.prompt_id,
        "title": title(job),
        "nodes": job.workflow.len(),
        "client_id": job.extra_data.get("client_id"),
    })
}

/// The progress of a job, as far as the server tells of it.
pub(super) fn progress(job: &WatchedJob, progress: &WatchedProgress) -> Option<Value> {
    let node = progress.node.as_ref().and_then(|id| Some((id, progress.nodes.get(id)?)));
    match (node, &progress.log) {
        (Some((id, node)), _) => Some(json!({
            "prompt_id": job.prompt_id, "node": id, "value": node.value, "max": node.max,
            "overall": progress.overall(&job.workflow), "source": "server",
        })),
        (None, Some(steps)) => Some(json!({
            "prompt_id": job.prompt_id, "node": null, "value": steps.value, "max": steps.max, "overall": null, "source": "log",
        })),
        (None, None) => None,
    }
}
