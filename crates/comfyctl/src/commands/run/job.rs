//! A job that is followed to its end.

use std::future::IntoFuture;

use comfy_api_client::{Event, Job, Outputs, Submit};
use serde_json::{Value, json};

use crate::commands::stop::Stop;
use crate::commands::workflow_file;
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::render::job_line::JobLine;

/// Submits, and tells whether to go on: after a Ctrl-C the job is there to be cancelled, for only one that the server has
/// answered for can be.
pub(crate) async fn submitted(submit: Submit<'_>, stop: &mut Stop) -> Result<(Job, bool), Failure> {
    let mut submit = submit.into_future();
    tokio::select! {
        job = &mut submit => Ok((job?, true)),
        () = stop.wait() => tokio::select! {
            job = submit => Ok((job?, false)),
            () = stop.wait() => Err(stopped("stopped; the workflow may have been submitted")),
        },
    }
}

/// Tells of a job that the server has taken.
pub(crate) fn tell_submitted(job: &Job, printer: &Printer) {
    printer.json(&json!({"type": "submitted", "prompt_id": job.id()}));
    for problem in job.cleaned() {
        printer.warning(&problem.to_string());
        workflow_file::print_problem(json!(problem), printer);
    }
    if !job.node_errors().is_empty() {
        let report = job.node_errors().report();
        printer.warning(&format!("the server will not run every output\n{report}"));
        for line in report.lines() {
            workflow_file::print_problem(json!(line), printer);
        }
    }
}

/// Waits for the end of the job, showing what happens.
pub(crate) async fn follow(job: &Job, line: &JobLine<'_>, printer: &Printer) -> Result<Outputs, Failure> {
    let mut events = job.events();
    while let Some(event) = events.next().await {
        let event = event?;
        line.show(&event);
        if let Some(line) = json_of(&event).filter(|_| printer.is_json()) {
            printer.json(&line);
        }
        if let Some(text) = warning_of(&event) {
            printer.warning(&text);
        }
    }
    Ok(job.outputs().await?)
}

/// An event in JSON, if it is one that scripts are told of.
pub(crate) fn json_of(event: &Event) -> Option<Value> {
    match event {
        Event::Progress(progress) => Some(json!({
            "type": "progress", "node": progress.node, "value": progress.value, "max": progress.max, "overall": progress.overall(),
        })),
        Event::NodeStarted(node) => Some(json!({"type": "executing", "node": node})),
        _ => None,
    }
}

/// What is told as a warning of an event.
pub(crate) fn warning_of(event: &Event) -> Option<String> {
    match event {
        Event::Blocked(error) => Some(format!(
            "node {} did not run: {}",
            one_line(error.node_id.as_str()),
            one_line(&error.exception_message)
        )),
        Event::Stalled(stall) => Some(stall.to_string()),
        _ => None,
    }
}

/// Cancels the job and waits for its end; another Ctrl-C does not wait.
pub(crate) async fn cancel(job: &Job, stop: &mut Stop, printer: &Printer) -> Failure {
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

/// What was asked for.
pub(crate) fn stopped(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Stopped, "stopped", message)
}
