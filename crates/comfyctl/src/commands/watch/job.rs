//! One job, whoever submitted it, until its end.

use std::sync::Mutex;
use std::time::Instant;

use comfy_api_client::workflow::NodeId;
use comfy_api_client::{Client, Event, Job, Monitor, Outputs, Reach, ServerChange, Workflow};
use serde_json::{Map, Value, json};

use super::lines::progress;
use super::names::{clean, files_of, node_title};
use crate::commands::connect::connect;
use crate::commands::request::within;
use crate::commands::run::job::{follow, stopped};
use crate::commands::run::record::{Record, note, report};
use crate::commands::stop::Stop;
use crate::commands::{known_prompt, prompt_id};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::render::job_line::JobLine;
use crate::settings::Settings;

/// Follows the job, and ends as it ended.
pub(super) async fn watch(settings: &Settings, printer: &Printer, id: &str) -> Exit {
    let began = Instant::now();
    let record = Mutex::new(Record { prompt_id: Some(id.to_owned()), ..Record::default() });
    let mut stop = Stop::listen();
    let work = async {
        tokio::select! {
            result = followed(settings, printer, id, &record) => result,
            () = stop.wait() => Err(stopped("stopped watching; the job goes on")),
        }
    };
    let result = match within(settings.timeout, work).await {
        Err(failure) if failure.exit == Exit::Timeout => {
            Err(failure.with_hint("the server goes on; allow more time with `--timeout`"))
        }
        result => result,
    };
    report(printer, &record, result, began)
}

async fn followed(
    settings: &Settings,
    printer: &Printer,
    id: &str,
    record: &Mutex<Record>,
) -> Result<(), Failure> {
    let server = connect(settings).await?;
    let client = server.client();
    let id = &prompt_id::find(client, id).await?;
    note(record, |record| record.prompt_id = Some(id.clone()));
    // It has the workflow, which names the nodes, and the steps that are in the log.
    let mut monitor = client.monitor();
    let workflow = workflow_of(&mut monitor, client, id).await?;
    let job = client.job(id).await?;
    let place = if monitor.view().running(id).is_some() {
        "running"
    } else if monitor.view().job(id).is_some() {
        "waiting"
    } else {
        "ended"
    };
    printer.json(&json!({"type": "watching", "prompt_id": id, "place": place, "nodes": workflow.len()}));
    let line = printer.live().single_job(&workflow);
    let is_drawn = settings.progress || printer.is_json();
    let outputs = tokio::select! {
        outputs = async {
            if is_drawn { follow(&job, &line, printer).await } else { told(&job, &workflow, printer).await }
        } => outputs?,
        // It never ends.
        () = tell_steps(&mut monitor, &line, printer, id) => job.outputs().await?,
    };
    drop(line);
    if !printer.is_json() {
        tell_outputs(printer, &outputs);
    }
    note(record, |record| {
        record.made(&outputs);
        record.workflow = Some(workflow);
    });
    Ok(())
}

/// The workflow of a job, as far as the server still has it.
async fn workflow_of(monitor: &mut Monitor, client: &Client, id: &str) -> Result<Workflow, Failure> {
    while matches!(monitor.view().reach, Reach::Unknown) {
        monitor.next().await;
    }
    if let Some(job) = monitor.view().job(id) {
        return Ok(job.workflow.clone());
    }
    Ok(known_prompt::workflow(client, id).await?.unwrap_or_default())
}

/// Shows the steps of samplers, of which the server tells nobody but in its log.
async fn tell_steps(monitor: &mut Monitor, line: &JobLine<'_>, printer: &Printer, id: &str) {
    let mut last = None;
    loop {
        let change = monitor.next().await;
        if !matches!(&change, ServerChange::Progress(of) if of == id) {
            continue;
        }
        let running = monitor.view().running(id).filter(|running| running.progress.nodes.is_empty());
        let Some((running, steps)) = running.and_then(|it| Some((it, it.progress.log.as_ref()?))) else {
            continue;
        };
        if last.as_ref() != Some(steps) {
            let rate = steps.rate.as_ref().map(|rate| format!(", {}", clean(rate))).unwrap_or_default();
            line.message(format!("running, step {} of {}{rate}", steps.value, steps.max));
            if let Some(Value::Object(fields)) = progress(&running.job, &running.progress) {
                let mut value = Map::from_iter([("type".to_owned(), Value::from("progress"))]);
                value.extend(fields);
                printer.json(&value);
            }
            last = Some(steps.clone());
        }
    }
}

/// Waits for the end of the job; what happens is data.
async fn told(job: &Job, workflow: &Workflow, printer: &Printer) -> Result<Outputs, Failure> {
    let name = |id: &NodeId| node_title(id, workflow.node(id.as_str()));
    let mut events = job.events();
    while let Some(event) = events.next().await {
        match event? {
            Event::Queued(queued) => {
                printer.line(&format!("queued       position {} of {}", queued.position, queued.waiting));
            }
            Event::Started => printer.line("started"),
            Event::Cached(nodes) if !nodes.is_empty() => {
                let of = workflow.len().max(nodes.len());
                printer.line(&format!("cached       {} of {of} nodes", nodes.len()));
            }
            Event::NodeStarted(node) => printer.line(&format!("node         {}", name(&node))),
            Event::Blocked(error) => {
                let (node, message) = (name(&error.node_id), clean(&error.exception_message));
                printer.warning(&format!("{node} did not run: {message}"));
            }
            Event::Stalled(stall) => printer.warning(&stall.to_string()),
            _ => {}
        }
    }
    Ok(job.outputs().await?)
}

/// What the job gave, which stays on the server.
fn tell_outputs(printer: &Printer, outputs: &Outputs) {
    for (node, _, text) in outputs.texts() {
        printer.line(&format!("text         {}: {}", clean(node.as_str()), clean(text)));
    }
    printer.line(&format!("done         {}", files_of(outputs.files(), usize::MAX)));
    if outputs.files().next().is_some() {
        printer
            .note(&format!("the files are on the server: `comfyctl fetch {}`", clean(outputs.prompt_id())));
    }
}
