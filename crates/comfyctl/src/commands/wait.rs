//! `wait`: until prompts have ended that were submitted elsewhere.

use std::sync::Mutex;
use std::time::Instant;

use comfy_api_client::{Client, ErrorKind, Workflow};
use futures_util::future::join_all;

use crate::args::Wait;
use crate::commands::connect::connect;
use crate::commands::run::job::{follow, stopped};
use crate::commands::run::record::{Record, note, report};
use crate::commands::stop::Stop;
use crate::commands::{known_prompt, prompt_id, request};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::Settings;

/// Follows prompts to their ends.
pub(crate) async fn wait(settings: &Settings, printer: &Printer, args: Wait) -> Exit {
    let began = Instant::now();
    let ids = args.ids;
    let work = async {
        let mut stop = Stop::listen();
        tokio::select! {
            exits = all(settings, printer, &ids, began) => exits,
            () = stop.wait() => {
                let message = match ids.as_slice() {
                    [id] => format!("stopped waiting; prompt {id} goes on"),
                    _ => "stopped waiting; the prompts go on".to_owned(),
                };
                Err(stopped(message))
            }
        }
    };
    match request::within(settings.timeout, work).await {
        Ok(exits) => exits.into_iter().find(|exit| *exit != Exit::Success).unwrap_or(Exit::Success),
        Err(failure) if failure.exit == Exit::Timeout => {
            request::fail(printer, &failure.with_hint("the server goes on; allow more time with `--timeout`"))
        }
        Err(failure) => request::fail(printer, &failure),
    }
}

/// Tells of each as soon as it has ended.
async fn all(
    settings: &Settings,
    printer: &Printer,
    ids: &[String],
    began: Instant,
) -> Result<Vec<Exit>, Failure> {
    let server = connect(settings).await?;
    let client = server.client();
    let found = prompt_id::find_all(client, ids).await?;
    Ok(join_all(ids.iter().zip(found).map(async |(given, found)| {
        let id = &found.unwrap_or_else(|| given.clone());
        let record = Mutex::new(Record { prompt_id: Some(id.clone()), ..Record::default() });
        let label = if ids.len() > 1 { id.get(..8).unwrap_or(id) } else { "" };
        let mut result = ended(client, printer, id, label, &record).await;
        if let (Err(failure), false) = (&mut result, label.is_empty()) {
            failure.report.message = format!("{label}: {}", failure.report.message);
        }
        report(printer, &record, result, began)
    }))
    .await)
}

async fn ended(
    client: &Client,
    printer: &Printer,
    id: &str,
    label: &str,
    record: &Mutex<Record>,
) -> Result<(), Failure> {
    let line = printer.live().job(label, &Workflow::default());
    line.message("asking the server");
    let job = client.job(id).await.map_err(|error| match error.kind() {
        ErrorKind::NotFound => prompt_id::unknown(&[id.to_owned()]),
        _ => error.into(),
    })?;
    let outputs = follow(&job, &line, printer).await?;
    let workflow = if printer.is_json() { known_prompt::workflow(client, id).await? } else { None };
    note(record, |record| {
        record.made(&outputs);
        record.workflow = workflow;
    });
    Ok(())
}
