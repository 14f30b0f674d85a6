//! What a run came to, and how it is told.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use comfy_api_client::protocol::OutputKind;
use comfy_api_client::workflow::schema::Schemas;
use comfy_api_client::{OutputFile, Outputs, SavedFile, SocketImage, Workflow};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::render::picture::Graphics;

/// Most pictures that are shown of a run; of more only the paths are printed.
const MOST_PICTURES: usize = 8;

/// What is known of a run so far, for the report that ends it however it ends.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) prompt_id: Option<String>,
    pub(crate) workflow: Option<Workflow>,
    /// By their place among the outputs.
    pub(crate) saved: BTreeMap<usize, SavedFile>,
    /// Outputs that are on the server and not here, by their place too.
    pub(crate) unsaved: BTreeMap<usize, OutputFile>,
    /// What was made of the outputs to look at.
    pub(crate) written: Vec<PathBuf>,
}

impl Record {
    /// Takes the outputs in, of which none is saved yet.
    pub(crate) fn made(&mut self, outputs: &Outputs) {
        let files = outputs.files().chain(outputs.socket_images().map(SocketImage::output));
        self.unsaved = files.enumerate().collect();
    }

    pub(crate) fn save(&mut self, place: usize, file: SavedFile) {
        self.unsaved.remove(&place);
        self.saved.insert(place, file);
    }

    /// All outputs in JSON, in their order.
    pub(crate) fn describe(&self) -> Vec<Value> {
        let workflow = self.workflow.as_ref();
        let saved = self.saved.iter().map(|(place, file)| (place, describe(file, workflow)));
        let unsaved = self.unsaved.iter().map(|(place, output)| (place, described(output, None, workflow)));
        saved.chain(unsaved).collect::<BTreeMap<_, _>>().into_values().collect()
    }
}

/// How the outputs of a run are told.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Telling {
    /// Whether files were downloaded.
    pub(crate) downloads: bool,
    /// Whether the server is still there when the command has ended.
    pub(crate) server_stays: bool,
    /// How pictures are shown, if they are.
    pub(crate) pictures: Option<Graphics>,
}

/// Prints the paths of the files; texts are told, and what was left on the server.
pub(crate) fn print_outputs(printer: &Printer, outputs: &Outputs, record: &Mutex<Record>, telling: Telling) {
    if printer.is_json() {
        return;
    }
    for (node, _, text) in outputs.texts() {
        printer.note(&format!("node {node}: {}", one_line(text)));
    }
    let (saved, unsaved) = note(record, |record| {
        for (place, file) in record.saved.values().enumerate() {
            printer.line(&file.path.display().to_string());
            if let Some(graphics) =
                telling.pictures.filter(|_| place < MOST_PICTURES && file.output.kind() == OutputKind::Image)
            {
                printer.live().picture(&file.path, graphics);
            }
        }
        (record.saved.len(), record.unsaved.len())
    });
    let fetch = |how: &str| match telling.server_stays {
        true => format!(": `comfyctl fetch {}{how}`", outputs.prompt_id()),
        false if how.is_empty() => String::new(),
        false => format!(": run it with `{}`", how.trim()),
    };
    match (saved, unsaved) {
        (0, 0) if outputs.texts().next().is_none() => {
            printer.note("the workflow has run and gave no files");
        }
        (_, 0) => {}
        (_, files) if !telling.downloads => {
            printer.note(&format!("{} on the server{}", counted(files, "file"), fetch("")));
        }
        (saved, previews) => {
            let nothing_else = if saved == 0 { ", and nothing else was made" } else { "" };
            let previews = counted(previews, "preview");
            let fetch = fetch(" --with-previews");
            printer.note(&format!("{previews} left on the server{nothing_else}{fetch}"));
        }
    }
}

/// Tells which nodes did not run since the server had their results, and how to run them anyway.
pub(crate) fn tell_cached(printer: &Printer, outputs: &Outputs, workflow: &Workflow) {
    let is_known = |id: &&comfy_api_client::workflow::NodeId| workflow.node(id.as_str()).is_some();
    let cached: Vec<_> = outputs.cached().iter().filter(is_known).collect();
    let of = workflow.nodes().count();
    if cached.is_empty() {
        return;
    }
    printer.json(&json!({"type": "cached", "nodes": cached, "of": of}));
    if printer.is_json() {
        return;
    }
    let text = format!("{} of {of} nodes from cache", cached.len());
    if !outputs.is_all_cached() {
        printer.note(&text);
        return;
    }
    let change = if workflow.noise_seeds(&Schemas::new()).is_empty() {
        "change an input with `--set`"
    } else {
        "add `--seed random`"
    };
    printer.note(&format!(
        "{text}: nothing ran, and the files are those of an earlier run\n\
         hint: to run it anew {change}, or empty the cache with `comfyctl free --memory`"
    ));
}

/// Ends the command: one result in JSON, or an error on stderr.
pub(crate) fn report(
    printer: &Printer,
    record: &Mutex<Record>,
    result: Result<(), Failure>,
    began: Instant,
) -> Exit {
    let failure = result.err();
    let exit = failure.as_ref().map_or(Exit::Success, |failure| failure.exit);
    if let Some(failure) = &failure {
        if !printer.is_json() {
            // What was saved before the failure is there, and its paths are data.
            note(record, |record| {
                record.saved.values().for_each(|file| printer.line(&file.path.display().to_string()))
            });
        }
        match exit {
            // What was asked for is no error.
            Exit::Stopped => printer.note(&failure.report.message),
            _ => printer.error(failure),
        }
    }
    print_result(printer, record, failure.as_ref(), began);
    exit
}

/// The last line in JSON.
pub(crate) fn print_result(
    printer: &Printer,
    record: &Mutex<Record>,
    failure: Option<&Failure>,
    began: Instant,
) {
    note(record, |record| {
        let mut line = json!({
            "type": "result",
            "status": failure.map_or("success", |failure| failure.status),
            "prompt_id": record.prompt_id,
            "outputs": record.describe(),
            "error": failure.map(|failure| &failure.report),
            "elapsed_ms": began.elapsed().as_millis(),
        });
        if !record.written.is_empty() {
            line["written"] = record.written.iter().map(|path| path.display().to_string()).collect();
        }
        printer.json(&line);
    });
}

/// A saved file in JSON.
pub(crate) fn describe(saved: &SavedFile, workflow: Option<&Workflow>) -> Value {
    described(&saved.output, Some(saved), workflow)
}

/// A file in JSON, saved or not.
pub(crate) fn described(
    output: &OutputFile,
    saved: Option<&SavedFile>,
    workflow: Option<&Workflow>,
) -> Value {
    let node = workflow.and_then(|workflow| workflow.node(output.node.as_str()));
    json!({
        "node": output.node,
        "class_type": node.map(|node| &node.class_type),
        "title": node.and_then(|node| node.title()),
        "kind": output.kind(),
        "filename": output.file.filename,
        "subfolder": output.file.subfolder,
        "type": output.file.folder,
        "path": saved.map(|saved| saved.path.display().to_string()),
        "bytes": saved.map(|saved| saved.bytes),
    })
}

/// `1 file`, `2 files`.
fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Reads or changes the record.
pub(crate) fn note<T>(record: &Mutex<Record>, change: impl FnOnce(&mut Record) -> T) -> T {
    change(&mut record.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}
