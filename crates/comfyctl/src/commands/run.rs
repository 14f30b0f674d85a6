use std::io::Read;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use comfy_api_client::{Client, Event, Job, OutputFile, Outputs, SavedFile, Workflow};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::args::Run;
use crate::commands::assignment::{self, Assignment};
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::progress::JobBar;
use crate::settings::{Server, Settings};

/// Downloads that run at the same time.
const MOST_AT_ONCE: usize = 4;

/// What is known of a run so far, for the report that ends it however it ends.
#[derive(Default)]
struct Record {
    prompt_id: Option<String>,
    workflow: Option<Workflow>,
    saved: Vec<SavedFile>,
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
    let assignments = args.set.iter().map(|text| Assignment::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let mut workflow = read_workflow(&args.workflow).await?;
    for assignment in &assignments {
        assignment.check(&workflow)?;
    }
    check_folder(&args.output)?;
    let server = connect(settings).await?;
    let client = server.client();
    assignment::apply_all(&assignments, &mut workflow, client).await?;
    note(record, |record| record.workflow = Some(workflow.clone()));

    let bar = JobBar::new(printer, &workflow);
    let job = client.submit(&workflow).await?;
    let id = job.id();
    note(record, |record| record.prompt_id = Some(id.clone()));
    printer.json(&json!({"type": "submitted", "prompt_id": id}));
    if !job.node_errors().is_empty() {
        printer.warning(&format!("the server will not run every output\n{}", job.node_errors().report()));
    }
    let outputs = tokio::select! {
        outputs = follow(&job, &bar, printer) => outputs?,
        failure = stopped(&job, &bar, printer) => return Err(failure),
    };
    bar.message("downloading");
    save(&outputs, args, client, record).await?;
    bar.clear();
    print_outputs(printer, &outputs, record);
    Ok(())
}

/// The server of a command, which the embedded one outlives.
struct Connected {
    client: Client,
    #[cfg(feature = "sim")]
    _sim: Option<comfy_sim::Sim>,
}

impl Connected {
    fn client(&self) -> &Client {
        &self.client
    }
}

async fn connect(settings: &Settings) -> Result<Connected, Failure> {
    #[cfg(feature = "sim")]
    let (address, sim) = match &settings.server {
        Server::At(address) => (address.clone(), None),
        Server::Embedded => {
            let sim = comfy_sim::Sim::start().await.map_err(|error| {
                Failure::new(Exit::Unreachable, "embedded", "the embedded simulator cannot start")
                    .caused_by(&error)
            })?;
            (sim.url(), Some(sim))
        }
    };
    #[cfg(not(feature = "sim"))]
    let address = match &settings.server {
        Server::At(address) => address.clone(),
        Server::Embedded => {
            return Err(Failure::usage("embedded", "this build has no simulator")
                .with_hint("give the address of a server"));
        }
    };
    let mut builder = Client::builder(address).tracking(settings.tracking);
    if let Some(token) = &settings.token {
        builder = builder.token(token);
    }
    for (name, value) in &settings.headers {
        builder = builder.header(name, value);
    }
    Ok(Connected {
        client: builder.connect().await?,
        #[cfg(feature = "sim")]
        _sim: sim,
    })
}

async fn read_workflow(path: &Path) -> Result<Workflow, Failure> {
    let (bytes, shown) = if path == Path::new("-") {
        let read = tokio::task::spawn_blocking(|| {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        });
        (read.await.unwrap_or_else(|error| Err(std::io::Error::other(error))), "stdin".to_owned())
    } else {
        (tokio::fs::read(path).await, path.display().to_string())
    };
    let bytes = bytes.map_err(|error| {
        Failure::usage("io", format!("cannot read {shown}"))
            .caused_by(&error)
            .with_hint("check the path of the workflow file")
    })?;
    Workflow::from_slice(&bytes).map_err(|error| {
        let exit = Failure::from(error.clone()).exit;
        let failure = Failure::new(exit, "workflow", format!("{shown} is no workflow that can be run"))
            .caused_by(&error);
        failure.with_hint("a workflow file comes from the editor's `Export (API)`")
    })
}

/// Finds out before anything runs whether files can be saved.
fn check_folder(folder: &Path) -> Result<(), Failure> {
    let cannot = |error: std::io::Error| {
        Failure::usage("output_folder", format!("cannot write in the folder {}", folder.display()))
            .caused_by(&error)
            .with_hint("choose another folder with `-o DIR`")
    };
    std::fs::create_dir_all(folder).map_err(cannot)?;
    tempfile::Builder::new().prefix(".comfy-").tempfile_in(folder).map(drop).map_err(cannot)
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
            Event::Executing(node) => printer.json(&json!({"type": "executing", "node": node})),
            Event::Blocked(error) => printer.warning(&format!("node {} did not run: {}", error.node_id, one_line(&error.exception_message))),
            _ => {}
        }
    }
    Ok(job.outputs().await?)
}

/// Waits for Ctrl-C, cancels the job and waits until that is done; a second Ctrl-C does not wait.
async fn stopped(job: &Job, bar: &JobBar<'_>, printer: &Printer) -> Failure {
    crate::commands::stop_signal().await;
    bar.message("cancelling; Ctrl-C again leaves at once");
    let cancelled = async {
        if let Err(error) = job.cancel().await {
            printer.warning(&format!("cannot cancel: {error}"));
            return;
        }
        let _ = job.outputs().await;
    };
    tokio::select! {
        () = cancelled => Failure::new(Exit::Stopped, "stopped", "stopped; the job was cancelled"),
        () = crate::commands::stop_signal() => Failure::new(Exit::Stopped, "stopped", format!("stopped; prompt {} may still run", job.id())),
    }
}

/// Downloads the files, in their order, and remembers each.
async fn save(outputs: &Outputs, args: &Run, client: &Client, record: &Mutex<Record>) -> Result<(), Failure> {
    let files: Vec<OutputFile> = outputs.files().collect();
    let saved = futures_util::stream::iter(files).map(|output| async move {
        let download = client.download(&output.file).await?;
        let (path, bytes) = if args.force {
            download.save_over(&args.output).await?
        } else {
            download.save_in(&args.output).await?
        };
        Ok::<_, Failure>(SavedFile::new(output, path, bytes))
    });
    let mut saved = std::pin::pin!(saved.buffered(MOST_AT_ONCE));
    while let Some(file) = saved.try_next().await? {
        note(record, |record| record.saved.push(file));
    }
    Ok(())
}

fn print_outputs(printer: &Printer, outputs: &Outputs, record: &Mutex<Record>) {
    if printer.is_json() {
        return;
    }
    let mut nothing = true;
    note(record, |record| {
        for file in &record.saved {
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
    let limit = humantime::format_duration(limit);
    let failure = Failure::new(Exit::Timeout, "timeout", format!("the time limit of {limit} was reached"));
    let mut id = None;
    note(record, |record| id.clone_from(&record.prompt_id));
    match id {
        Some(id) => {
            failure.with_hint(format!("prompt {id} goes on on the server; allow more time with `--timeout`"))
        }
        None => failure.with_hint("allow more time with `--timeout`"),
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
                record.saved.iter().for_each(|file| printer.line(&file.path.display().to_string()))
            });
        }
        printer.error(&failure.report.message, failure.report.hint.as_deref(), &failure.causes);
    }
    note(record, |record| {
        let outputs: Vec<Value> =
            record.saved.iter().map(|file| describe(file, record.workflow.as_ref())).collect();
        printer.json(&json!({
            "type": "result",
            "status": failure.as_ref().map_or("success", |failure| failure.status),
            "prompt_id": record.prompt_id,
            "outputs": outputs,
            "error": failure.as_ref().map(|failure| &failure.report),
            "elapsed_ms": began.elapsed().as_millis(),
        }));
    });
    exit
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

fn note(record: &Mutex<Record>, change: impl FnOnce(&mut Record)) {
    change(&mut record.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
}
