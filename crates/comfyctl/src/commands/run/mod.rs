//! `run`: a workflow in, files out.

pub(crate) mod job;
mod prepare;
pub(crate) mod record;
pub(crate) mod saving;

use std::future::IntoFuture;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::args::Run;
use crate::commands::run::job::{cancel, follow, stopped, tell_submitted};
use crate::commands::run::prepare::prepare;
use crate::commands::run::record::{Record, note, print_outputs, print_result, report};
use crate::commands::run::saving::Saving;
use crate::commands::seeds;
use crate::commands::stop::Stop;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::Settings;

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
    let saving = Saving::new(&args.save);
    let (server, workflow, changes) = tokio::select! {
        prepared = prepare(settings, printer, args, &saving) => prepared?,
        () = stop.wait() => return Err(stopped("stopped before anything was submitted")),
    };
    note(record, |record| record.workflow = Some(workflow.clone()));
    seeds::tell(&changes, &workflow, args.seed, printer);

    let line = printer.live().single_job(&workflow);
    let mut submit = server.client().submit(&workflow).into_future();
    let (job, go_on) = tokio::select! {
        job = &mut submit => (job?, true),
        // Only a job that the server has answered for can be cancelled.
        () = stop.wait() => tokio::select! {
            job = submit => (job?, false),
            () = stop.wait() => return Err(stopped("stopped; the workflow may have been submitted")),
        },
    };
    note(record, |record| record.prompt_id = Some(job.id()));
    tell_submitted(&job, printer);
    let outputs = tokio::select! {
        outputs = follow(&job, &line, printer), if go_on => Some(outputs?),
        () = stop.wait(), if go_on => None,
        else => None,
    };
    let Some(outputs) = outputs else {
        // The terminal has written `^C` beside the line, so that it cannot be drawn in its place any more.
        drop(line);
        return Err(cancel(&job, &mut stop, printer).await);
    };
    line.message("downloading");
    let save = saving.save(&outputs, server.client(), |place, file| {
        note(record, |record| record.saved.insert(place, file));
    });
    tokio::select! {
        saved = save => saved?,
        () = stop.wait() => return Err(stopped("stopped; the files that are missing are still on the server")),
    }
    drop(line);
    print_outputs(printer, &outputs, record);
    Ok(())
}

fn timed_out(limit: Duration, record: &Mutex<Record>) -> Failure {
    let failure = Failure::timed_out(limit);
    match note(record, |record| record.prompt_id.clone()) {
        Some(id) => failure
            .with_hint(format!("the server goes on with prompt {id}; allow more time with `--timeout`")),
        None => failure,
    }
}

/// The result of a run whose command line was refused: a script reads it as that of any other.
pub(crate) fn print_refusal(message: &str) {
    let failure = Failure::usage("usage", message).with_hint("see `comfyctl run --help`");
    print_result(&Printer::for_json(), &Mutex::default(), Some(&failure), Instant::now());
}
