//! One job, whoever submitted it, until its end.

use std::time::Instant;

use comfy_api_client::{Client, Event, Job, Monitor, Outputs, Reach, ServerChange, Workflow};
use serde_json::{Value, json};

use super::lines::{output_in_json, progress};
use super::names::{clean, node_title};
use crate::commands::connect::connect;
use crate::commands::run::job::{follow, stopped};
use crate::commands::stop::Stop;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::render::live::JobLine;
use crate::settings::Settings;

/// Follows the job, and ends as it ended.
pub(super) async fn watch(settings: &Settings, printer: &Printer, id: &str) -> Exit {
    let began = Instant::now();
    let mut stop = Stop::listen();
    let work = async {
        tokio::select! {
            outputs = followed(settings, printer, id) => outputs,
            () = stop.wait() => Err(stopped("stopped; the job goes on")),
        }
    };
    let result = match settings.timeout {
        Some(limit) => tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
            Err(Failure::timed_out(limit)
                .with_hint(format!("the server goes on with prompt {}; allow more time with `--timeout`", clean(id))))
        }),
        None => work.await,
    };
    let (failure, outputs) = match result {
        Ok(outputs) => (None, outputs),
        Err(failure) => (Some(failure), Vec::new()),
    };
    match &failure {
        // What was asked for is no error.
        Some(failure) if failure.exit == Exit::Stopped => printer.note(&failure.report.message),
        Some(failure) => printer.error(failure),
        None => {}
    }
    printer.json(&json!({
        "type": "result",
        "status": failure.as_ref().map_or("success", |failure| failure.status),
        "prompt_id": id,
        "outputs": outputs,
        "error": failure.as_ref().map(|failure| &failure.report),
        "elapsed_ms": began.elapsed().as_millis(),
    }));
    failure.map_or(Exit::Success, |failure| failure.exit)
}

/// Follows the job to its end, and gives its files in JSON.
async fn followed(settings: &Settings, printer: &Printer, id: &str) -> Result<Vec<Value>, Failure> {
    let server = connect(settings).await?;
    let client = server.client();
    // It has the workflow, which names the nodes, and the steps that are in the log.
    let mut monitor = client.monitor();
    let workflow = workflow_of(&mut monitor, client, id).await;
    let job = client.job(id).await?;
    let line = printer.live().single_job(&workflow);
    let is_told = !printer.is_json() && !settings.progress;
    let outputs = tokio::select! {
        outputs = async {
            if is_told { told(&job, &workflow, printer).await } else { follow(&job, &line, printer).await }
        } => outputs?,
        // It never ends.
        () = tell_steps(&mut monitor, &line, printer, id) => job.outputs().await?,
    };
    drop(line);
    if !printer.is_json() {
        tell_outputs(printer, &outputs);
    }
    let files = outputs.files().map(|output| {
        output_in_json(workflow.node(output.node.as_str()), output.node.as_str(), output.kind(), &output.file)
    });
    Ok(files.collect())
}

/// The workflow of a job, as far as the server still has it.
async fn workflow_of(monitor: &mut Monitor, client: &Client, id: &str) -> Workflow {
    while matches!(monitor.view().reach, Reach::Unknown) {
        monitor.next().await;
    }
    if let Some(job) = monitor.view().job(id) {
        return job.workflow.clone();
    }
    if let Some(ended) = monitor.view().ended(id) {
        return ended.job.workflow.clone();
    }
    let record = client.history(id).await.ok().flatten();
    record.and_then(|record| Workflow::from_value(record.prompt.2).ok()).unwrap_or_default()
}

/// Shows the steps of samplers, of which the server tells nobody but in its log.
async fn tell_steps(monitor: &mut Monitor, line: &JobLine, printer: &Printer, id: &str) {
    let mut last = None;
    loop {
        let change = monitor.next().await;
        if !matches!(&change, ServerChange::Progress(of) if of == id) {
            continue;
        }
        let Some(running) = monitor.view().running(id).filter(|running| running.progress.nodes.is_empty()) else {
            continue;
        };
        let Some(steps) = &running.progress.log else { continue };
        if last.as_ref() != Some(steps) {
            let rate = steps.rate.as_ref().map(|rate| format!(", {}", clean(rate))).unwrap_or_default();
            line.message(format!("running, step {} of {}{rate}", steps.value, steps.max));
            if let Some(Value::Object(fields)) = progress(&running.job, &running.progress) {
                let mut value = serde_json::Map::from_iter([("type".to_owned(), Value::from("progress"))]);
                value.extend(fields);
                printer.json(&value);
            }
            last = Some(steps.clone());
        }
    }
}

/// Waits for the end of the job; what happens is data.
async fn told(job: &Job, workflow: &Workflow, printer: &Printer) -> Result<Outputs, Failure> {
    let name = |id: &comfy_api_client::workflow::NodeId| node_title(id, workflow.node(id.as_str()));
    let mut events = job.events();
    while let Some(event) = events.next().await {
        match event? {
            Event::Queued(queued) => {
                printer.line(&format!("queued       position {} of {}", queued.position, queued.waiting));
            }
            Event::Started => printer.line("started"),
            Event::Cached(nodes) if !nodes.is_empty() => {
                printer.line(&format!("cached       {} of {} nodes", nodes.len(), workflow.len().max(nodes.len())));
            }
            Event::NodeStarted(node) => printer.line(&format!("node         {}", name(&node))),
            Event::Blocked(error) => printer.warning(&format!(
                "{} did not run: {}",
                name(&error.node_id),
                clean(&error.exception_message)
            )),
            Event::Stalled(stall) => printer.warning(&stall.to_string()),
            _ => {}
        }
    }
    Ok(job.outputs().await?)
}

/// What the job gave, which stays on the server.
fn tell_outputs(printer: &Printer, outputs: &Outputs) {
    for output in outputs.files() {
        let file = &output.file;
        let separator = if file.subfolder.is_empty() { "" } else { "/" };
        printer.line(&format!("file         {}", clean(&format!("{}{separator}{} [{}]", file.subfolder, file.filename, file.folder))));
    }
    for (node, _, text) in outputs.texts() {
        printer.line(&format!("text         {}: {}", clean(node.as_str()), clean(text)));
    }
    printer.line("done");
}
