//! How a batch ends: what it came to, and pictures to look at.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Instant;

use comfy_api_client::batch::{RowEnd, RowRecord};
use comfy_api_client::{Outputs, SavedFile, Workflow};
use serde_json::{Value, json};

use super::rows::{Made, Rows};
use super::tally::Tally;
use crate::args::Run;
use crate::commands::batch::base_label;
use crate::commands::run::record::describe;
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::render::gallery::{Row, RowFile, write_gallery, write_grid};

/// Writes the contact sheet and the page, of all rows that the journal knows.
pub(super) fn look(args: &Run, rows: &Rows<'_>, tally: &RefCell<Tally>) -> Result<(), Failure> {
    if args.batch.grid.is_none() && args.batch.gallery.is_none() {
        return Ok(());
    }
    let Some(journal) = tally.borrow().journal.clone() else { return Ok(()) };
    let mut records = journal.rows()?;
    records.sort_by_key(|record| record.key.parse::<usize>().unwrap_or(usize::MAX));
    let mut seen = Vec::new();
    for record in records {
        let made = record.key.parse().ok().and_then(|index| rows.make(index).transpose()).transpose()?;
        seen.extend(made.map(|made| row(args, record, made)));
    }
    tally.borrow_mut().written = write(args, &seen)?;
    Ok(())
}

/// Writes a contact sheet and a page of one run.
pub(crate) fn look_at_one(
    args: &Run,
    outputs: &Outputs,
    saved: &[SavedFile],
    workflow: &Workflow,
) -> Result<Vec<PathBuf>, Failure> {
    let row = Row {
        label: base_label(&args.given.workflow),
        values: Vec::new(),
        files: saved.iter().map(|file| row_file(file, workflow)).collect(),
        workflow: workflow.to_value(),
        editor: workflow.editor_document(),
        prompt_id: Some(outputs.prompt_id().to_owned()),
        error: None,
        texts: outputs.texts().map(|(_, _, text)| text.to_owned()).collect(),
        elapsed: None,
    };
    write(args, &[row])
}

/// Writes what was asked for to look at, and tells where that is.
fn write(args: &Run, rows: &[Row]) -> Result<Vec<PathBuf>, Failure> {
    let mut written = Vec::new();
    if let Some(path) = &args.batch.grid {
        write_grid(path, rows)?;
        written.push(path.clone());
    }
    if let Some(path) = &args.batch.gallery {
        write_gallery(path, &base_label(&args.given.workflow), rows)?;
        written.push(path.clone());
    }
    Ok(written)
}

/// Tells what there is to look at.
pub(crate) fn tell_written(printer: &Printer, written: &[PathBuf]) {
    for path in written {
        printer.note(&format!("wrote {}", one_line(&path.display().to_string())));
    }
}

fn row(args: &Run, record: RowRecord, made: Made) -> Row {
    let error = match record.end {
        RowEnd::Done => None,
        RowEnd::Failed(reason) => Some(reason),
        _ => Some("it was not run to its end".to_owned()),
    };
    let folder = &args.save.output;
    let files = record.files.iter().map(|file| {
        let path = folder.join(&file.path);
        row_file(&SavedFile::new(file.output.clone(), path, file.bytes), &made.workflow)
    });
    Row {
        label: made.label,
        values: made.values.into_iter().collect(),
        files: files.collect(),
        workflow: made.workflow.to_value(),
        editor: made.workflow.editor_document(),
        prompt_id: Some(record.prompt_id),
        error,
        texts: record.texts.into_iter().map(|(_, text)| text).collect(),
        elapsed: record.elapsed,
    }
}

/// A saved file, to be looked at.
fn row_file(file: &SavedFile, workflow: &Workflow) -> RowFile {
    use comfy_api_client::protocol::OutputKind;
    let node = file.output.node.as_str();
    RowFile {
        path: file.path.clone(),
        kind: match file.output.kind() {
            OutputKind::Image => "image",
            OutputKind::Video => "video",
            OutputKind::Audio => "audio",
            OutputKind::Model3d => "model3d",
            OutputKind::Text => "text",
            _ => "file",
        },
        node: node.to_owned(),
        title: workflow.node(node).map(|node| node.title().unwrap_or(&node.class_type).to_owned()),
    }
}

/// Ends the command: what was done and what was not, one result in JSON, and an exit code.
pub(super) fn report(
    printer: &Printer,
    args: &Run,
    tally: &Tally,
    result: Result<(), Failure>,
    began: Instant,
) -> Exit {
    let is_watch = args.batch.watch_dir.is_some();
    let mut failure = result.err();
    // A folder is watched until that is stopped.
    if is_watch && failure.as_ref().is_some_and(|failure| failure.exit == Exit::Stopped) {
        failure = None;
    }
    let rows = if is_watch { None } else { failed_rows(tally) };
    let resumable = !is_watch && tally.can_be_resumed();
    tell_counts(printer, tally);
    let failure = match (failure, rows) {
        (None, rows) => rows,
        (Some(failure), rows) => {
            // What has ended the batch comes last.
            if let Some(rows) = rows {
                printer.warning(&rows.report.message);
            }
            Some(match resumable && failure.exit != Exit::Usage {
                true => failure.with_another_hint("`--resume` goes on where it ended"),
                false => failure,
            })
        }
    };
    if let Some(failure) = &failure {
        match failure.exit {
            // What was asked for is no error.
            Exit::Stopped => {
                let hint = failure.report.hint.as_deref().map(|hint| format!("; {hint}"));
                printer.note(&format!("{}{}", failure.report.message, hint.unwrap_or_default()));
            }
            _ => printer.error(failure),
        }
    }
    if printer.is_json() {
        printer.json(&json!({
            "type": "result",
            "status": failure.as_ref().map_or("success", |failure| failure.status),
            "prompt_id": null,
            "rows": {
                "total": tally.total, "done": tally.done, "failed": tally.failed.len(),
                "skipped": tally.skipped, "left": tally.left(),
            },
            "outputs": outputs(args, tally),
            "journal": tally.journal.as_ref().map(|journal| journal.path().display().to_string()),
            "written": tally.written.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
            "error": failure.as_ref().map(|failure| &failure.report),
            "elapsed_ms": began.elapsed().as_millis(),
        }));
    }
    failure.map_or(Exit::Success, |failure| failure.exit)
}

/// The rows that have failed, as one failure.
fn failed_rows(tally: &Tally) -> Option<Failure> {
    if tally.failed.is_empty() {
        return None;
    }
    let (of, rows) = match tally.total {
        Some(total) => (format!(" of {total}"), plural(total, "row")),
        None => (String::new(), plural(tally.failed.len(), "row")),
    };
    let lines: String =
        tally.failed.iter().map(|failed| format!("\n{}: {}", failed.label, failed.reason)).collect();
    let message = format!("{}{of} {rows} failed{lines}", tally.failed.len());
    let mut failure = Failure::new(tally.exit(), "rows", message);
    failure.report.details =
        tally.failed.iter().map(|failed| json!({"label": failed.label, "message": failed.reason})).collect();
    Some(failure.with_hint("`--resume` runs them again"))
}

/// Tells how many rows came to which end, and where the journal is.
fn tell_counts(printer: &Printer, tally: &Tally) {
    let Some(journal) = &tally.journal else { return };
    let mut counts = Vec::new();
    let mut count = |number: usize, what: &str| {
        if number > 0 {
            counts.push(format!("{number} {what}"));
        }
    };
    count(tally.done, "done");
    count(tally.failed.len(), "failed");
    count(tally.skipped, "done before");
    count(tally.left(), "left");
    if counts.is_empty() {
        counts.push("nothing was run".to_owned());
    }
    tell_written(printer, &tally.written);
    let path = one_line(&journal.path().display().to_string());
    printer.note(&format!("{}; journal: {path}", counts.join(", ")));
}

fn plural(number: usize, what: &str) -> String {
    if number == 1 { what.to_owned() } else { format!("{what}s") }
}

/// The files of all rows, in JSON.
fn outputs(args: &Run, tally: &Tally) -> Vec<Value> {
    let Some(journal) = &tally.journal else { return Vec::new() };
    let mut records = journal.rows().unwrap_or_default();
    records.sort_by_key(|record| record.key.parse::<usize>().unwrap_or(usize::MAX));
    let saved = records.into_iter().flat_map(|record| {
        let (row, label) = (record.key.parse::<usize>().ok(), record.label);
        record.files.into_iter().map(move |file| {
            let path = args.save.output.join(&file.path);
            let file = SavedFile::new(file.output, path, file.bytes);
            let mut value = describe(&file, tally.workflow.as_ref());
            if let Value::Object(fields) = &mut value {
                fields.shift_insert(0, "row".into(), json!(row));
                fields.shift_insert(1, "label".into(), label.clone().into());
            }
            value
        })
    });
    saved.chain(tally.unsaved.iter().cloned()).collect()
}
