//! A prompt of the server as people and scripts see it, whatever route told of it.

use comfy_api_client::protocol::routes::history::{Ending, HistoryEntry, HistoryStatus};
use comfy_api_client::protocol::routes::jobs::JobRecord;
use comfy_api_client::protocol::routes::queue::QueueItem;
use comfy_api_client::protocol::{ExecutionError, FileRef, NodeOutput};
use comfy_api_client::workflow::NodeId;
use indexmap::IndexMap;
use serde_json::{Number, Value, json};

use crate::commands::prompt_id;
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::render::table::Table;
use crate::render::time::{lasting, moment};

/// What is known of a prompt.
#[derive(Debug)]
pub(crate) struct Prompt<'a> {
    pub(crate) id: &'a str,
    /// `waiting`, `running`, `success`, `error` or `interrupted`; of a job, the server's own word.
    pub(crate) status: &'a str,
    /// From 0 for what runs; none when it has ended.
    pub(crate) position: Option<usize>,
    number: Option<&'a Number>,
    client_id: Option<&'a str>,
    create_time: Option<u64>,
    start_time: Option<u64>,
    end_time: Option<u64>,
    cached_nodes: Option<usize>,
    /// What it runs, in the API format; `null` where that is not known.
    body: &'a Value,
    /// The output nodes that are wanted.
    targets: &'a [String],
    outputs: Option<&'a IndexMap<NodeId, Option<NodeOutput>>>,
    error: Option<Box<ExecutionError>>,
    /// The node at which it was interrupted, and its class.
    interrupted_at: Option<(NodeId, String)>,
}

impl<'a> Prompt<'a> {
    /// One of the queue, at a position.
    pub(crate) fn queued(item: &'a QueueItem, position: usize) -> Self {
        let status = if position == 0 { "running" } else { "waiting" };
        Self { position: Some(position), ..Self::of(item, status) }
    }

    /// One of the history.
    pub(crate) fn ended(entry: &'a HistoryEntry) -> Self {
        let (status, error, interrupted_at) = match entry.ending() {
            Ending::Success => ("success", None, None),
            Ending::Interrupted(report) => ("interrupted", None, Some((report.node_id, report.node_type))),
            Ending::Error(error) => ("error", error, None),
            _ => ("ended", None, None),
        };
        let told = entry.status.as_ref();
        Self {
            start_time: told.and_then(HistoryStatus::execution_start_time),
            end_time: told.and_then(HistoryStatus::execution_end_time),
            cached_nodes: told.map(|status| status.cached_nodes().len()),
            outputs: Some(&entry.outputs),
            error,
            interrupted_at,
            ..Self::of(&entry.prompt, status)
        }
    }

    /// One that the jobs routes tell of.
    pub(crate) fn job(job: &'a JobRecord) -> Self {
        let of_workflow = |key: &str| job.workflow.as_ref().and_then(|workflow| workflow.get(key));
        Self {
            id: &job.id,
            status: job.status.as_str(),
            position: None,
            number: job.priority.as_ref(),
            client_id: of_workflow("extra_data").and_then(|extra| extra.get("client_id")?.as_str()),
            create_time: job.create_time,
            start_time: job.execution_start_time,
            end_time: job.execution_end_time,
            cached_nodes: job.execution_status.as_ref().map(|status| status.cached_nodes().len()),
            body: of_workflow("prompt").unwrap_or(&Value::Null),
            targets: &[],
            outputs: job.outputs.as_ref(),
            error: job.execution_error.clone().map(Box::new),
            interrupted_at: None,
        }
    }

    fn of(item: &'a QueueItem, status: &'a str) -> Self {
        Self {
            id: item.prompt_id(),
            status,
            position: None,
            number: item.0.as_ref(),
            client_id: item.client_id(),
            create_time: item.create_time(),
            start_time: None,
            end_time: None,
            cached_nodes: None,
            body: &item.2,
            targets: &item.4,
            outputs: None,
            error: None,
            interrupted_at: None,
        }
    }

    fn class(&self, id: &str) -> Option<&'a str> {
        self.body.get(id)?.get("class_type")?.as_str()
    }

    fn title(&self, id: &str) -> Option<&'a str> {
        self.body.get(id)?.get("_meta")?.get("title")?.as_str()
    }

    pub(crate) fn nodes(&self) -> usize {
        self.body.as_object().map_or(0, |nodes| nodes.len())
    }

    /// In JSON; with `whole`, all that may be long too.
    pub(crate) fn json(&self, whole: bool) -> Value {
        let mut line = json!({
            "type": "prompt",
            "prompt_id": self.id,
            "status": self.status,
            "position": self.position,
            "number": self.number,
            "client_id": self.client_id,
            "create_time": self.create_time,
            "execution_start_time": self.start_time,
            "execution_end_time": self.end_time,
            "elapsed_ms": self.elapsed(),
            "nodes": self.nodes(),
            "cached_nodes": self.cached_nodes,
            "targets": self.targets().map(|id| self.node_json(id)).collect::<Vec<_>>(),
            "outputs": self.files().map(|(id, file)| self.file_json(id, &file)).collect::<Vec<_>>(),
            "texts": self.texts().map(|(id, text)| json!({"node": id, "text": text})).collect::<Vec<_>>(),
            "interrupted_at": self.interrupted_at.as_ref().map(|(id, _)| id),
            "error": Value::Null,
        });
        if let Some(error) = &self.error {
            let mut report = self.node_json(error.node_id.as_str());
            report["class_type"] = json!(error.node_type);
            report["exception_type"] = json!(error.exception_type);
            report["exception_message"] = json!(error.exception_message);
            if whole {
                report["traceback"] = json!(error.traceback);
            }
            line["error"] = report;
        }
        line
    }

    fn node_json(&self, id: &str) -> Value {
        json!({"node": id, "class_type": self.class(id), "title": self.title(id)})
    }

    fn file_json(&self, id: &NodeId, file: &FileRef) -> Value {
        let mut line = self.node_json(id.as_str());
        line["kind"] = json!(file.kind());
        line["filename"] = json!(file.filename);
        line["subfolder"] = json!(file.subfolder);
        line["type"] = json!(file.folder);
        line
    }

    /// What it runs, in the API format.
    pub(crate) fn print_workflow(&self, printer: &Printer) -> Result<(), Failure> {
        if self.body.is_null() {
            let id = one_line(self.id);
            let message = format!("the server does not tell what job {id} runs");
            return Err(Failure::new(Exit::Failure, "no_workflow", message)
                .with_hint(format!("`comfyctl history show {id} --workflow` asks for it in another way")));
        }
        if printer.is_json() {
            printer.json(&json!({"type": "workflow", "prompt_id": self.id, "workflow": self.body}));
        } else {
            printer.document(self.body);
        }
        Ok(())
    }

    /// All that is known, for people.
    pub(crate) fn print(&self, printer: &Printer) {
        let time = |time: Option<u64>| time.map(|time| moment(time, false)).unwrap_or_default();
        let mut table = Table::new(["WHAT", "VALUE"]);
        let mut row = |what: &str, value: &str| {
            if !value.is_empty() {
                table.row([what, value]);
            }
        };
        row("prompt", self.id);
        row("status", self.status);
        row("position", &self.position.map(|position| position.to_string()).unwrap_or_default());
        row("submitted", &time(self.create_time));
        row("started", &time(self.start_time));
        row("ended", &time(self.end_time));
        row("took", &self.elapsed().map(lasting).unwrap_or_default());
        if self.nodes() > 0 {
            let cached = self.cached_nodes.filter(|cached| *cached > 0);
            let cached = cached.map(|cached| format!(", {cached} of them from cache")).unwrap_or_default();
            row("nodes", &format!("{}{cached}", self.nodes()));
        }
        row("client", self.client_id());
        if let Some(error) = &self.error {
            row("failed at", &self.place(error.node_id.as_str(), &error.node_type));
            row("error", &one_line(&format!("{}: {}", error.exception_type, error.exception_message)));
        }
        if let Some((id, class)) = &self.interrupted_at {
            row("stopped at", &self.place(id.as_str(), class));
        }
        printer.table(&table);
        if self.files().next().is_none() && self.texts().next().is_none() {
            return;
        }
        let mut table = Table::new(["NODE", "NAME", "OUTPUT"]);
        for (id, file) in self.files() {
            table.row([id.as_str(), &self.name(id.as_str()), &name_of(&file)]);
        }
        for (id, text) in self.texts() {
            table.row([id.as_str(), &self.name(id.as_str()), &format!("text: {}", one_line(text))]);
        }
        printer.line("");
        printer.table(&table);
    }

    /// A node with its class and, where it has one of its own, its title.
    fn place(&self, id: &str, class: &str) -> String {
        match self.title(id).filter(|title| *title != class) {
            Some(title) => format!("node {id} ({class}) \"{title}\""),
            None => format!("node {id} ({class})"),
        }
    }

    /// The title of a node, or its class, or its id.
    fn name(&self, id: &str) -> String {
        self.title(id).or(self.class(id)).unwrap_or(id).to_owned()
    }

    /// The output nodes that are wanted, in the order of the workflow.
    fn targets(&self) -> impl Iterator<Item = &str> {
        let nodes = self.body.as_object().into_iter().flat_map(|nodes| nodes.keys());
        nodes.map(String::as_str).filter(|id| self.targets.iter().any(|target| target == id))
    }

    /// What it makes: the names of the output nodes, with how many there are of each.
    pub(crate) fn makes(&self) -> String {
        let mut names: IndexMap<String, usize> = IndexMap::new();
        for id in self.targets() {
            *names.entry(self.name(id)).or_default() += 1;
        }
        let names = names.into_iter().map(|(name, times)| match times {
            1 => name,
            _ => format!("{name} ×{times}"),
        });
        names.collect::<Vec<_>>().join(", ")
    }

    fn files(&self) -> impl Iterator<Item = (&NodeId, FileRef)> {
        self.given().flat_map(|(id, output)| output.files().map(move |(_, file)| (id, file)))
    }

    fn texts(&self) -> impl Iterator<Item = (&NodeId, &str)> {
        self.given().flat_map(|(id, output)| output.texts().map(move |(_, text)| (id, text)))
    }

    fn given(&self) -> impl Iterator<Item = (&NodeId, &NodeOutput)> {
        let outputs = self.outputs.into_iter().flatten();
        outputs.filter_map(|(id, output)| Some((id, output.as_ref()?)))
    }

    fn elapsed(&self) -> Option<u64> {
        Some(self.end_time?.saturating_sub(self.start_time?))
    }

    /// Cells for tables of several: the id, when it ran or was submitted, how long it ran.
    pub(crate) fn cells(&self, printer: &Printer) -> (&str, String, String) {
        let short = printer.width().is_some();
        let time = self.start_time.or(self.create_time);
        (
            if short { prompt_id::short(self.id) } else { self.id },
            time.map(|time| moment(time, short)).unwrap_or_default(),
            self.elapsed().map(lasting).unwrap_or_default(),
        )
    }

    pub(crate) fn client_id(&self) -> &str {
        self.client_id.unwrap_or_default()
    }

    /// What it came to in few words: why it failed, or its files.
    pub(crate) fn came_to(&self) -> String {
        if let Some(error) = &self.error {
            let node = format!("node {} ({})", error.node_id, error.node_type);
            return one_line(&format!("{node}: {}: {}", error.exception_type, error.exception_message));
        }
        if let Some((id, class)) = &self.interrupted_at {
            return format!("at node {id} ({class})");
        }
        let mut files = self.files();
        let Some((_, first)) = files.next() else {
            return self
                .texts()
                .next()
                .map(|(_, text)| format!("text: {}", one_line(text)))
                .unwrap_or_default();
        };
        match files.count() {
            0 => name_of(&first),
            more => format!("{} and {more} more", name_of(&first)),
        }
    }
}

/// A file as `download` takes it: what it needs no word for is left out.
pub(crate) fn name_of(file: &FileRef) -> String {
    // Inputs leave another folder out than downloads do.
    let name = FileRef { folder: "input".into(), ..file.clone() }.input_value();
    if file.folder == "output" { name } else { format!("{name} [{}]", file.folder) }
}
