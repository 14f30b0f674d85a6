use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::IntoFuture;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use comfy_api_client::workflow::SeedChange;
use comfy_api_client::workflow::convert::ProblemKind;
use comfy_api_client::{Client, Event, Job, OutputFile, Outputs, SavedFile, Workflow};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::args::Run;
use crate::commands::assignment::{self, Assignment};
use crate::commands::connect::{Connected, connect};
use crate::commands::seeds;
use crate::commands::stop::Stop;
use crate::commands::workflow_file;
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::progress::JobBar;
use crate::settings::Settings;

/// Downloads that run at the same time.
const MOST_AT_ONCE: usize = 4;

/// What is known of a run so far, for the report that ends it however it ends.
#[derive(Default)]
struct Record {
    prompt_id: Option<String>,
    workflow: Option<Workflow>,
    /// By their place among the outputs.
    saved: BTreeMap<usize, SavedFile>,
}

/// Submits a workflow, follows it and saves its files.
pub(crate) async fn run(settings: &Settings, printer: &Printer, args: Run) -> Exit {
    let began = Instant::now();
    let record = Mutex::new(Record::default());
    let work = work(settings, printer, &args, &record);
    let result = match settings.timeout {
        Some(limit) => {
            tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(timed_out(limit, &record)))
        }
        None => work.await,
    };
    report(printer, &record, result, began)
}

async fn work(
    settings: &Settings,
    printer: &Printer,
    args: &Run,
    record: &Mutex<Record>,
) -> Result<(), Failure> {
    let mut stop = Stop::listen();
    let (server, workflow, changes) = tokio::select! {
        prepared = prepare(settings, printer, args) => prepared?,
        () = stop.wait() => return Err(stopped("stopped before anything was submitted")),
    };
    note(record, |record| record.workflow = Some(workflow.clone()));
    seeds::tell(&changes, &workflow, args.seed, printer);

    let bar = JobBar::new(printer, &workflow);
    let mut submit = server.client().submit(&workflow).into_future();
    let (job, go_on) = tokio::select! {
        job = &mut submit => (job?, true),
        // Only a job that the server has answered for can be cancelled.
        () = stop.wait() => tokio::select! {
            job = submit => (job?, false),
            () = stop.wait() => return Err(stopped("stopped; the workflow may have been submitted")),
        },
    };
    let id = job.id();
    note(record, |record| record.prompt_id = Some(id.clone()));
    printer.json(&json!({"type": "submitted", "prompt_id": id}));
    for problem in job.cleaned() {
        printer.warning(&problem.to_string());
        workflow_file::print_problem(json!(problem), printer);
    }
    if !job.node_errors().is_empty() {
        bar.hide_while(|| {
            printer.warning(&format!("the server will not run every output\n{}", job.node_errors().report()));
        });
        for line in job.node_errors().report().lines() {
            workflow_file::print_problem(json!(line), printer);
        }
    }
    let outputs = tokio::select! {
        outputs = follow(&job, &bar, printer), if go_on => Some(outputs?),
        () = stop.wait(), if go_on => None,
        else => None,
    };
    let Some(outputs) = outputs else {
        return Err(cancel(&job, &mut stop, &bar, printer).await);
    };
    bar.message("downloading");
    tokio::select! {
        saved = save(&outputs, args, server.client(), record) => saved?,
        () = stop.wait() => return Err(stopped("stopped; the files that are missing are still on the server")),
    }
    bar.clear();
    print_outputs(printer, &outputs, record);
    Ok(())
}

/// Everything before the submit: the workflow with its changes, the folder for the files, the server.
async fn prepare(
    settings: &Settings,
    printer: &Printer,
    args: &Run,
) -> Result<(Connected, Workflow, Vec<SeedChange>), Failure> {
    let assignments = args.set.iter().map(|text| Assignment::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let opened = workflow_file::open(&args.workflow).await?;
    if let Some(workflow) = &opened.document.api {
        assignment::check_all(&assignments, workflow)?;
    }
    check_folder(&args.output)?;
    let server = connect(settings).await?;
    let mut conversion = server.client().convert(&opened.document).await?;
    // The check before the submit tells of them again.
    conversion.problems.retain(|problem| problem.kind != ProblemKind::InvalidValue);
    for problem in &conversion.problems {
        workflow_file::print_problem(workflow_file::problem(problem), printer);
    }
    workflow_file::check(&opened, &conversion, printer)?;
    let mut workflow = conversion.workflow;
    assignment::check_all(&assignments, &workflow)?;
    let changes = seeds::apply(args.seed, &mut workflow, server.client()).await?;
    assignment::apply_all(&assignments, &mut workflow, server.client()).await?;
    Ok((server, workflow, changes))
}

/// Finds out before anything runs whether files can be saved.
fn check_folder(folder: &Path) -> Result<(), Failure> {
    let cannot = |what: &str, error: &std::io::Error| {
        Failure::of_file("output_folder", &format!("cannot {what} the folder {}", folder.display()), error)
            .with_hint("choose another folder with `-o DIR`")
    };
    std::fs::create_dir_all(folder).map_err(|error| cannot("make", &error))?;
    let file = tempfile::Builder::new().prefix(".comfy-").tempfile_in(folder);
    file.map(drop).map_err(|error| cannot("write in", &error))
}

/// Waits for the end of the job, showing what happens.
async fn follow(job: &Job, bar: &JobBar<'_>, printer: &Printer) -> Result<Outputs, Failure> {
    let mut events = job.events();
    while let Some(event) = events.next().await {
        let event = event?;
        bar.show(&event);
        match &event {
            Event::Progress(progress) => printer.json(&json!({
                "type": "progress", "node": progress.node, "value": progress.value, "max": progress.max, "overall": progress.overall(),
            })),
            Event::NodeStarted(node) => printer.json(&json!({"type": "executing", "node": node})),
            Event::Blocked(error) => bar.hide_while(|| {
                printer.warning(&format!("node {} did not run: {}", error.node_id, one_line(&error.exception_message)));
            }),
            Event::Stalled(stall) => bar.hide_while(|| printer.warning(&stall.to_string())),
            _ => {}
        }
    }
    Ok(job.outputs().await?)
}

/// Cancels the job and waits for its end; another Ctrl-C does not wait.
async fn cancel(job: &Job, stop: &mut Stop, bar: &JobBar<'_>, printer: &Printer) -> Failure {
    // The terminal has written `^C` beside the bar, so that it cannot be drawn in its place any more.
    bar.clear();
    printer.note("cancelling; Ctrl-C again leaves at once");
    let cancelled = async {
        job.cancel().await?;
        Ok::<_, comfy_api_client::Error>(job.outputs().await.is_ok())
    };
    let id = job.id();
    tokio::select! {
        result = cancelled => match result {
            Ok(false) => stopped("stopped; the job was cancelled"),
            Ok(true) => stopped(format!("stopped, but prompt {id} was done already; its files are on the server")),
            Err(error) => stopped(format!("stopped, but prompt {id} may still run: {}", error.message())),
        },
        () = stop.wait() => stopped(format!("stopped, but prompt {id} may still run")),
    }
}

fn stopped(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Stopped, "stopped", message)
}

/// Downloads the files, and remembers each as soon as it is there. After a failure no further one is begun, and those
/// that have been come to their end.
async fn save(outputs: &Outputs, args: &Run, client: &Client, record: &Mutex<Record>) -> Result<(), Failure> {
    let failed = Cell::new(false);
    let save = async |(place, output): (usize, OutputFile)| {
        if failed.get() {
            return Ok(());
        }
        let download = client.download(&output.file).await?;
        let (path, bytes) = if args.force {
            download.save_over(&args.output).await?
        } else {
            download.save_in(&args.output).await?
        };
        note(record, |record| record.saved.insert(place, SavedFile::new(output, path, bytes)));
        Ok::<_, Failure>(())
    };
    let files: Vec<OutputFile> = outputs.files().collect();
    let saves = futures_util::stream::iter(files).enumerate().map(save);
    let mut saves = std::pin::pin!(saves.buffer_unordered(MOST_AT_ONCE));
    let mut result = Ok(());
    while let Some(saved) = saves.next().await {
        failed.set(failed.get() || saved.is_err());
        result = result.and(saved);
    }
    result?;
    let files = outputs.files().count();
    for (place, image) in (files..).zip(outputs.socket_images()) {
        let saved = image.save_in(&args.output).await?;
        note(record, |record| record.saved.insert(place, saved));
    }
    Ok(())
}

fn print_outputs(printer: &Printer, outputs: &Outputs, record: &Mutex<Record>) {
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

fn timed_out(limit: std::time::Duration, record: &Mutex<Record>) -> Failure {
    let failure = Failure::timed_out(limit);
    match note(record, |record| record.prompt_id.clone()) {
        Some(id) => failure
            .with_hint(format!("the server goes on with prompt {id}; allow more time with `--timeout`")),
        None => failure,
    }
}

/// Ends the command: one result in JSON, or an error on stderr.
fn report(printer: &Printer, record: &Mutex<Record>, result: Result<(), Failure>, began: Instant) -> Exit {
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
fn print_result(printer: &Printer, record: &Mutex<Record>, failure: Option<&Failure>, began: Instant) {
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

/// The result of a run whose command line was refused: a script reads it as that of any other.
pub(crate) fn print_refusal(message: &str) {
    let failure = Failure::usage("usage", message).with_hint("see `comfyctl run --help`");
    print_result(&Printer::for_json(), &Mutex::default(), Some(&failure), Instant::now());
}

fn describe(saved: &SavedFile, workflow: Option<&Workflow>) -> Value {
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

fn note<T>(record: &Mutex<Record>, change: impl FnOnce(&mut Record) -> T) -> T {
    change(&mut record.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}
