//! `cancel` and `interrupt`: stopping what waits or runs.

use comfy_api_client::protocol::routes::queue::QueueItem;
use comfy_api_client::{Cancellation, Client, ErrorKind};
use serde_json::json;

use crate::args::{Cancel, Interrupt};
use crate::commands::prompt_id;
use crate::commands::request::{long, request};
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::settings::Settings;

/// Cancels prompts, and says of each what that did.
pub(crate) async fn cancel(settings: &Settings, printer: &Printer, args: Cancel) -> Exit {
    let work = async |client: &Client| cancel_all(client, printer, &args).await;
    match args.wait {
        true => long(settings, printer, "stopped waiting; the prompts are being cancelled", work).await,
        false => request(settings, printer, work).await,
    }
}

async fn cancel_all(client: &Client, printer: &Printer, args: &Cancel) -> Result<(), Failure> {
    let given = &args.ids.ids;
    let found = prompt_id::find_all(client, given).await?;
    let known: Vec<&String> = found.iter().flatten().collect();
    let mut results = client.cancel_all(&known).await?.into_iter();
    let mut unknown = Vec::new();
    for (id, given) in found.iter().zip(given) {
        let result = match id {
            Some(id) => match results.next() {
                Some(Cancellation::Removed) => "removed",
                Some(Cancellation::Interrupted) => "interrupted",
                _ if client.history(id).await?.is_some() => "ended",
                _ => "unknown",
            },
            None => "unknown",
        };
        let id = id.as_ref().unwrap_or(given);
        if result == "interrupted" && args.wait {
            wait_for(client, id).await?;
        }
        printer.json(&json!({"type": "cancelled", "prompt_id": id, "result": result}));
        let happened = match result {
            "removed" => "removed from the queue",
            "interrupted" if args.wait => "interrupted",
            "interrupted" => "told to stop, which it does at its next node or step",
            "ended" => "it had ended already",
            _ => {
                unknown.push(id.clone());
                continue;
            }
        };
        printer.note(&format!("prompt {}: {happened}", one_line(id)));
    }
    if unknown.is_empty() { Ok(()) } else { Err(prompt_id::unknown(&unknown)) }
}

/// Waits for the end of a prompt, whatever it is.
async fn wait_for(client: &Client, id: &str) -> Result<(), Failure> {
    let ended = async { client.job(id).await?.outputs().await.map(drop) };
    match ended.await {
        Err(error)
            if matches!(error.kind(), ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Disconnected) =>
        {
            Err(error.into())
        }
        _ => Ok(()),
    }
}

/// Stops what runs.
pub(crate) async fn interrupt(settings: &Settings, printer: &Printer, args: Interrupt) -> Exit {
    request(settings, printer, async |client: &Client| {
        let given = match &args.id {
            Some(given) => Some(prompt_id::find(client, given).await?),
            None => None,
        };
        let queue = client.queue().await?;
        let is_meant = |item: &&QueueItem| given.as_ref().is_none_or(|id| item.prompt_id() == id);
        let running: Vec<&str> =
            queue.queue_running.iter().filter(is_meant).map(QueueItem::prompt_id).collect();
        for id in &running {
            // By its id, so that the next prompt is not hit where this one ends in between.
            client.interrupt(id).await?;
            printer.json(&json!({"type": "interrupted", "prompt_id": id}));
            printer.note(&format!(
                "prompt {}: told to stop, which it does at its next node or step",
                one_line(id)
            ));
        }
        match given {
            _ if !running.is_empty() => Ok(()),
            None => {
                printer.note("nothing runs");
                Ok(())
            }
            Some(id) => does_not_run(client, printer, &queue.queue_pending, id).await,
        }
    })
    .await
}

async fn does_not_run(
    client: &Client,
    printer: &Printer,
    waiting: &[QueueItem],
    id: String,
) -> Result<(), Failure> {
    let shown = one_line(&id);
    if waiting.iter().any(|item| item.prompt_id() == id) {
        let message = format!("prompt {shown} waits in the queue, and does not run yet");
        return Err(Failure::new(Exit::Failure, "not_running", message)
            .with_hint(format!("`comfyctl cancel {shown}` takes it out of the queue")));
    }
    if client.history(&id).await?.is_none() {
        return Err(prompt_id::unknown(&[id]));
    }
    printer.note(&format!("prompt {shown}: it had ended already"));
    Ok(())
}
