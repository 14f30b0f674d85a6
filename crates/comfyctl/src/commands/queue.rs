//! `queue`: what runs and waits.

use std::collections::HashSet;

use comfy_api_client::Client;
use comfy_api_client::protocol::routes::queue::{Queue as Listing, QueueItem};
use serde_json::json;

use crate::args::{Queue, QueueCommand};
use crate::commands::prompt::Prompt;
use crate::commands::prompt_id;
use crate::commands::request::request;
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::render::table::Table;
use crate::settings::Settings;

/// Columns of a terminal from which on there is room for clients.
const WIDE: usize = 80;

/// Lists the queue, or takes prompts out of it.
pub(crate) async fn queue(settings: &Settings, printer: &Printer, args: Queue) -> Exit {
    request(settings, printer, async |client: &Client| match &args.command {
        None | Some(QueueCommand::Ls) => {
            list(printer, &client.queue().await?);
            Ok(())
        }
        Some(QueueCommand::Clear) => clear(client, printer).await,
        Some(QueueCommand::Rm(ids)) => remove(client, printer, &ids.ids).await,
    })
    .await
}

/// What runs, at position 0, and what waits.
pub(crate) fn prompts(queue: &Listing) -> Vec<Prompt<'_>> {
    let running = queue.queue_running.iter().map(|item| Prompt::queued(item, 0));
    let waiting = queue.pending_in_order().into_iter().zip(1..);
    running.chain(waiting.map(|(item, position)| Prompt::queued(item, position))).collect()
}

fn list(printer: &Printer, queue: &Listing) {
    let prompts = prompts(queue);
    if prompts.is_empty() {
        printer.note("the queue is empty");
    }
    if printer.is_json() {
        prompts.iter().for_each(|prompt| printer.json(&prompt.json(false)));
        return;
    }
    let shows_clients = printer.width().is_none_or(|width| width >= WIDE);
    let mut table = Table::new(["POS", "STATUS", "PROMPT", "SUBMITTED", "NODES", "CLIENT", "MAKES"]);
    for prompt in &prompts {
        let (id, submitted, _) = prompt.cells(printer);
        table.row([
            &prompt.position.unwrap_or_default().to_string(),
            prompt.status,
            id,
            &submitted,
            &prompt.nodes().to_string(),
            match printer.width() {
                None => prompt.client_id(),
                Some(_) if shows_clients => prompt_id::short(prompt.client_id()),
                Some(_) => "",
            },
            &prompt.makes(),
        ]);
    }
    printer.table(&table);
}

fn ids(items: &[QueueItem]) -> HashSet<&str> {
    items.iter().map(QueueItem::prompt_id).collect()
}

async fn clear(client: &Client, printer: &Printer) -> Result<(), Failure> {
    let before = client.queue().await?;
    client.clear_queue().await?;
    let after = client.queue().await?;
    // What has begun to run in between was not removed.
    let (waited, running) = (ids(&before.queue_pending), ids(&after.queue_running));
    let removed = waited.difference(&running).count();
    printer.json(&json!({"type": "cleared", "removed": removed}));
    let runs = if running.is_empty() { "" } else { "; what runs goes on" };
    printer.note(&match removed {
        0 => format!("nothing waited in the queue{runs}"),
        1 => format!("1 prompt was removed from the queue{runs}"),
        several => format!("{several} prompts were removed from the queue{runs}"),
    });
    Ok(())
}

async fn remove(client: &Client, printer: &Printer, given: &[String]) -> Result<(), Failure> {
    let found = prompt_id::find_all(client, given).await?;
    let before = client.queue().await?;
    client.remove_from_queue(found.iter().flatten().cloned()).await?;
    let after = client.queue().await?;
    let (waited, waits, runs) =
        (ids(&before.queue_pending), ids(&after.queue_pending), ids(&after.queue_running));
    let mut failure = None;
    for (id, given) in found.into_iter().zip(given) {
        let id = id.unwrap_or_else(|| given.clone());
        let shown = one_line(&id);
        let result = match id.as_str() {
            id if runs.contains(id) => "running",
            id if waits.contains(id) => "waiting",
            id if waited.contains(id) => "removed",
            id if client.history(id).await?.is_some() => "ended",
            _ => "unknown",
        };
        printer.json(&json!({"type": "removed", "prompt_id": id, "result": result}));
        let no = |message: String| Failure::new(Exit::Failure, "not_waiting", message);
        let failed = match result {
            "removed" => {
                printer.note(&format!("prompt {shown}: removed from the queue"));
                continue;
            }
            "running" => no(format!("prompt {shown} runs, and does not wait in the queue"))
                .with_hint(format!("`comfyctl cancel {shown}` stops it")),
            "waiting" => no(format!("the server did not remove prompt {shown}")),
            "ended" => no(format!("prompt {shown} has ended, and does not wait in the queue"))
                .with_hint(format!("`comfyctl history rm {shown}` removes its record")),
            _ => prompt_id::unknown(&[id]),
        };
        // Each is told of; the last one ends the command.
        if let Some(earlier) = failure.replace(failed) {
            printer.error(&earlier);
        }
    }
    failure.map_or(Ok(()), Err)
}
