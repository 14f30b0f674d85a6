//! What a run came to, and how it is told.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use comfy_api_client::{Outputs, SavedFile, Workflow};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;

/// What is known of a run so far, for the report that ends it however it ends.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) prompt_id: Option<String>,
    pub(crate) workflow: Option<Workflow>,
    /// By their place among the outputs.
    pub(crate) saved: BTreeMap<usize, SavedFile>,
}

/// Prints the paths of the files; texts are told.
pub(crate) fn print_outputs(printer: &Printer, outputs: &Outputs, record: &Mutex<Record>) {
    if printer.is_json() {
        return;
    }
    let mut nothing = true;
    note(record, |record| {
        for file in record.saved.values() {
            nothing = false;
            printer.line(&file.path.display().to_string());
        }
    });
    for (node, _, text) in outputs.texts() {
        nothing = false;
        printer.note(&format!("node {node}: {}", one_line(text)));
    }
    if nothing {
        printer.note("the workflow has run and gave no files");
    }
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
        let outputs: Vec<Value> =
            record.saved.values().map(|file| describe(file, record.workflow.as_ref())).collect();
        printer.json(&json!({
            "type": "result",
            "status": failure.map_or("success", |failure| failure.status),
            "prompt_id": record.prompt_id,
            "outputs": outputs,
            "error": failure.map(|failure| &failure.report),
            "elapsed_ms": began.elapsed().as_millis(),
        }));
    });
}

/// A saved file in JSON.
pub(crate) fn describe(saved: &SavedFile, workflow: Option<&Workflow>) -> Value {
    let output = &saved.output;
    let node = workflow.and_then(|workflow| workflow.node(output.node.as_str()));
    json!({
        "node": output.node,
        "class_type": node.map(|node| &node.class_type),
        "title": node.and_then(|node| node.title()),
        "kind": output.kind(),
        "filename": output.file.filename,
        "subfolder": output.file.subfolder,
        "type": output.file.folder,
        "path": saved.path.display().to_string(),
        "bytes": saved.bytes,
    })
}

/// Reads or changes the record.
pub(crate) fn note<T>(record: &Mutex<Record>, change: impl FnOnce(&mut Record) -> T) -> T {
    change(&mut record.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}
