//! What happens to the rows, told as it happens.

use std::cell::RefCell;
use std::collections::HashMap;

use comfy_api_client::batch::{BatchEvent, RowEvent, RowInfo};
use comfy_api_client::protocol::OutputKind;
use comfy_api_client::{Error, Job, Outputs, SavedFile, SocketImage};
use serde_json::{Map, Value, json};

use super::rows::Rows;
use super::tally::{Failed, Tally};
use crate::args::Run;
use crate::commands::run::graphics;
use crate::commands::run::job::{json_of, warning_of};
use crate::commands::run::record::{describe, described};
use crate::commands::run::saving::Saving;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::render::job_line::{Downloading, JobLine};
use crate::render::live::{Done, TotalLine};
use crate::render::picture::Graphics;

pub(super) struct Teller<'a> {
    printer: &'a Printer,
    saving: &'a Saving,
    tally: &'a RefCell<Tally>,
    rows: Option<&'a Rows<'a>>,
    pictures: Option<Graphics>,
    lines: HashMap<usize, JobLine<'a>>,
    /// Files of rows that have not ended, in JSON.
    saved: HashMap<usize, Vec<Value>>,
    downloading: HashMap<usize, Downloading>,
    /// Of files that come down.
    reporters: HashMap<(usize, String), Reporter>,
    total: Option<TotalLine<'a>>,
}

type Reporter = Box<dyn FnMut(u64, Option<u64>) + Send>;

impl<'a> Teller<'a> {
    pub(super) fn new(
        printer: &'a Printer,
        args: &Run,
        saving: &'a Saving,
        tally: &'a RefCell<Tally>,
        rows: Option<&'a Rows<'a>>,
    ) -> Self {
        Self {
            printer,
            saving,
            tally,
            rows,
            pictures: args.show.map(graphics),
            lines: HashMap::new(),
            saved: HashMap::new(),
            downloading: HashMap::new(),
            reporters: HashMap::new(),
            total: rows.map(|rows| printer.live().total(rows.len())),
        }
    }

    /// Takes away what is drawn, and tells whether there are rows under way.
    pub(super) fn clear(&mut self) -> bool {
        let is_busy = !self.lines.is_empty();
        self.lines.clear();
        self.total = None;
        is_busy
    }

    pub(super) fn tell(&mut self, event: &BatchEvent) {
        let (row, printer) = (&*event.row, self.printer);
        match &event.event {
            RowEvent::Skipped => {
                self.tally.borrow_mut().skipped += 1;
                if printer.is_json() {
                    self.end(row, "skipped", Vec::new(), None);
                }
            }
            RowEvent::Again(reason) => {
                let reason = one_line(&reason.to_string());
                printer.note(&format!("{}: {reason}; it is run again", label(row)));
                self.json(row, "again", json!({"reason": reason}));
            }
            RowEvent::Submitted(job) => self.submitted(row, job, false),
            RowEvent::Followed(job) => {
                printer.note(&format!(
                    "{}: prompt {} is on the server and is followed",
                    label(row),
                    job.id()
                ));
                self.submitted(row, job, true);
            }
            RowEvent::Job(event) => {
                if let Some(line) = self.lines.get(&row.index()) {
                    line.show(event);
                }
                if let Some(text) = warning_of(event) {
                    printer.warning(&format!("{}: {text}", label(row)));
                }
                if let Some(value) = json_of(event).filter(|_| printer.is_json()) {
                    printer.json(&with_row(row, value));
                }
            }
            RowEvent::Waiting(error) => {
                printer.warning(&format!("{}; waiting for the server", error.message()));
                self.message(row, "the server is away");
            }
            RowEvent::Ran(_) => {
                if let Some(line) = self.lines.get(&row.index()) {
                    self.downloading.insert(row.index(), line.downloading());
                }
            }
            RowEvent::Downloading { name, bytes, size } => {
                if let Some(downloading) = self.downloading.get(&row.index()) {
                    let reporter = self.reporters.entry((row.index(), name.clone()));
                    reporter.or_insert_with(|| Box::new(downloading.reporter()))(*bytes, *size);
                }
            }
            RowEvent::Saved(file) => self.saved(row, file),
            RowEvent::Finished(outputs) => self.finished(row, outputs),
            RowEvent::Failed(error) => self.failed(row, error),
            RowEvent::Cancelled => self.end(row, "interrupted", Vec::new(), None),
            RowEvent::Unsettled(error) => {
                let failure = error.clone().map(Failure::from);
                let status = failure.as_ref().map_or("interrupted", |failure| failure.status);
                self.end(row, status, Vec::new(), failure.as_ref());
            }
            _ => {}
        }
        if let Some(total) = &self.total {
            let tally = self.tally.borrow();
            let (rows, failed) = (tally.ended(), tally.failed.len());
            total.done(Done { rows, failed, skipped: tally.skipped });
        }
    }

    fn submitted(&mut self, row: &RowInfo, job: &Job, is_known: bool) {
        if let Some(workflow) = row.workflow() {
            let line = self.printer.live().job(row.label(), workflow).with_pictures(self.pictures);
            self.lines.insert(row.index(), line);
        }
        self.json(row, if is_known { "followed" } else { "submitted" }, json!({"prompt_id": job.id()}));
        for problem in job.cleaned() {
            self.printer.warning(&format!("{}: {problem}", label(row)));
        }
        if !job.node_errors().is_empty() {
            let report = job.node_errors().report();
            self.printer.warning(&format!("{}: the server will not run every output\n{report}", label(row)));
        }
    }

    fn message(&self, row: &RowInfo, text: impl Into<String>) {
        if let Some(line) = self.lines.get(&row.index()) {
            line.message(text);
        }
    }

    fn saved(&mut self, row: &RowInfo, file: &SavedFile) {
        // Those of a sweep can be very many.
        if self.rows.is_none() {
            self.tally.borrow().add_ours(&file.path);
        }
        if self.printer.is_json() {
            self.saved.entry(row.index()).or_default().push(describe(file, row.workflow()));
            return;
        }
        self.printer.line(&file.path.display().to_string());
        if let Some(graphics) = self.pictures.filter(|_| file.output.kind() == OutputKind::Image) {
            self.printer.live().picture(&file.path, graphics);
        }
    }

    fn finished(&mut self, row: &RowInfo, outputs: &Outputs) {
        self.tally.borrow_mut().done += 1;
        let mut files = self.saved.remove(&row.index()).unwrap_or_default();
        if self.printer.is_json() {
            let all = outputs.files().chain(outputs.socket_images().map(SocketImage::output));
            let unsaved = all.filter(|output| !self.saving.wants(output));
            let unsaved: Vec<Value> =
                unsaved.map(|output| described(&output, None, row.workflow())).collect();
            let tagged = unsaved.iter().map(|output| with_row(row, output.clone()));
            self.tally.borrow_mut().unsaved.extend(tagged);
            files.extend(unsaved);
        }
        for (node, _, text) in outputs.texts() {
            self.printer.note(&format!("{}: node {node}: {}", label(row), one_line(text)));
        }
        self.end(row, "success", files, None);
    }

    fn failed(&mut self, row: &RowInfo, error: &Error) {
        let failure = Failure::from(error.clone());
        let files = self.saved.remove(&row.index()).unwrap_or_default();
        self.end(row, failure.status, files, Some(&failure));
        // Of a folder that is watched there is no end at which it could be told.
        if self.rows.is_none() {
            let mut failure = Failure::from(error.clone());
            failure.report.message = format!("{}: {}", label(row), failure.report.message);
            self.printer.error(&failure);
        }
        self.tally.borrow_mut().failed.push(Failed {
            label: label(row),
            reason: failure.report.message.clone(),
            exit: failure.exit,
        });
    }

    fn json(&self, row: &RowInfo, kind: &str, fields: Value) {
        if self.printer.is_json() {
            let mut value = json!({"type": kind});
            if let (Value::Object(value), Value::Object(fields)) = (&mut value, fields) {
                value.extend(fields);
            }
            self.printer.json(&with_row(row, value));
        }
    }

    /// The line that ends a row.
    fn end(&mut self, row: &RowInfo, status: &str, outputs: Vec<Value>, failure: Option<&Failure>) {
        self.lines.remove(&row.index());
        self.downloading.remove(&row.index());
        self.reporters.retain(|(index, _), _| *index != row.index());
        if !self.printer.is_json() {
            return;
        }
        let mut line = with_row(row, json!({"type": "row"}));
        // Of one that was skipped nothing was made.
        let made = match (row.workflow(), self.rows) {
            (None, Some(rows)) => rows.make(row.index()).ok().flatten(),
            _ => None,
        };
        if let Value::Object(fields) = &mut line {
            if let Some(made) = made {
                fields.insert("label".into(), made.label.into());
                fields.insert("values".into(), made.values.into());
            }
            fields.insert("seeds".into(), row.extra().get("seeds").cloned().unwrap_or_else(|| json!({})));
            fields.insert("status".into(), status.into());
            fields.insert("prompt_id".into(), json!(row.prompt_id()));
            fields.insert("outputs".into(), outputs.into());
            fields.insert("error".into(), json!(failure.map(|failure| &failure.report)));
        }
        self.printer.json(&line);
    }
}

/// What to call a row in a sentence.
fn label(row: &RowInfo) -> String {
    one_line(row.label())
}

/// A line of JSON that says which row it is about.
pub(super) fn with_row(row: &RowInfo, value: Value) -> Value {
    let Value::Object(mut fields) = value else { return value };
    let kind = fields.shift_remove("type");
    let mut line = Map::new();
    line.extend(kind.map(|kind| ("type".to_owned(), kind)));
    line.insert("row".into(), row.index().into());
    line.insert("label".into(), row.label().into());
    line.insert("values".into(), row.values().clone().into());
    line.extend(fields);
    line.into()
}
