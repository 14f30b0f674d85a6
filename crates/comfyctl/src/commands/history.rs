//! `history`: what has run.

use comfy_api_client::Client;
use serde_json::json;

use crate::args::{History, HistoryCommand, HistoryList, ShowPrompt};
use crate::commands::prompt::Prompt;
use crate::commands::request::{fail, request};
use crate::commands::{prompt_id, queue};
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::render::table::Table;
use crate::settings::Settings;

/// Records and jobs that are listed unless told otherwise.
pub(crate) const USUAL_LIMIT: u64 = 20;

/// Lists the history, shows a prompt of it, or removes records.
pub(crate) async fn history(settings: &Settings, printer: &Printer, args: History) -> Exit {
    let lists = matches!(args.command, None | Some(HistoryCommand::Ls(_)));
    if args.list.limit.is_some() && !lists {
        let failure = Failure::usage("usage", "`--limit` is for the list alone")
            .with_hint("leave it out, or list with `comfyctl history --limit N`");
        return fail(printer, &failure);
    }
    request(settings, printer, async |client: &Client| match &args.command {
        None => list(client, printer, args.list).await,
        Some(HistoryCommand::Ls(list_args)) => {
            list(client, printer, HistoryList { limit: list_args.limit.or(args.list.limit) }).await
        }
        Some(HistoryCommand::Show(show_args)) => show(client, printer, show_args).await,
        Some(HistoryCommand::Rm(ids)) => remove(client, printer, &ids.ids).await,
        Some(HistoryCommand::Clear) => clear(client, printer).await,
    })
    .await
}

async fn list(client: &Client, printer: &Printer, args: HistoryList) -> Result<(), Failure> {
    let limit = args.limit.unwrap_or(USUAL_LIMIT);
    let records = match limit {
        0 => client.histories().await?,
        // One more tells whether there are more.
        limit => client.histories().max_items(limit.saturating_add(1)).await?,
    };
    let wanted = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    // The oldest comes first.
    let prompts: Vec<Prompt> = records.values().rev().take(wanted).map(Prompt::ended).collect();
    if prompts.is_empty() {
        printer.note("the history is empty");
    }
    if printer.is_json() {
        prompts.iter().for_each(|prompt| printer.json(&prompt.json(false)));
    } else {
        printer.table(&table(&prompts, printer));
    }
    if records.len() > prompts.len() {
        let newest =
            if limit == 1 { "this is the newest".into() } else { format!("these are the newest {limit}") };
        printer.note(&format!("{newest}; `--limit 0` lists all"));
    }
    Ok(())
}

/// Prompts with what they came to.
pub(crate) fn table(prompts: &[Prompt], printer: &Printer) -> Table<5> {
    let mut table = Table::new(["PROMPT", "STATUS", "WHEN", "TOOK", "RESULT"]);
    for prompt in prompts {
        let (id, when, took) = prompt.cells(printer);
        table.row([id, prompt.status, &when, &took, &prompt.came_to()]);
    }
    table
}

async fn show(client: &Client, printer: &Printer, args: &ShowPrompt) -> Result<(), Failure> {
    let id = prompt_id::find(client, &args.id).await?;
    let (record, queue);
    let prompt = match client.history(&id).await? {
        Some(found) => {
            record = found;
            Prompt::ended(&record)
        }
        None => {
            queue = client.queue().await?;
            let found = queue::prompts(&queue).into_iter().find(|prompt| prompt.id == id);
            found.ok_or_else(|| prompt_id::unknown(std::slice::from_ref(&id)))?
        }
    };
    if args.workflow {
        return prompt.print_workflow(printer);
    }
    if printer.is_json() {
        printer.json(&prompt.json(true));
    } else {
        prompt.print(printer);
    }
    Ok(())
}

async fn remove(client: &Client, printer: &Printer, given: &[String]) -> Result<(), Failure> {
    let found = prompt_id::find_all(client, given).await?;
    let mut there = Vec::new();
    for id in found.iter().flatten() {
        if client.history(id).await?.is_some() {
            there.push(id);
        }
    }
    client.remove_history(there.iter().copied()).await?;
    let mut failure = None;
    for (id, given) in found.iter().zip(given) {
        let id = id.as_ref().unwrap_or(given);
        let shown = one_line(id);
        let removed = there.contains(&id);
        let result = if removed { "removed" } else { "unknown" };
        printer.json(&json!({"type": "removed", "prompt_id": id, "result": result}));
        if removed {
            printer.note(&format!("prompt {shown}: its record is removed, its files stay"));
            continue;
        }
        let failed = Failure::new(Exit::Failure, "not_found", format!("no prompt `{shown}` in the history"))
            .with_hint("`comfyctl history` lists what has run; `comfyctl queue rm ID` is for what waits");
        if let Some(earlier) = failure.replace(failed) {
            printer.error(&earlier);
        }
    }
    failure.map_or(Ok(()), Err)
}

async fn clear(client: &Client, printer: &Printer) -> Result<(), Failure> {
    let records = client.history_count().await?;
    client.clear_history().await?;
    printer.json(&json!({"type": "cleared", "removed": records}));
    printer.note(&match records {
        0 => "the history was empty".to_owned(),
        1 => "1 record was removed; its files stay".to_owned(),
        several => format!("{several} records were removed; their files stay"),
    });
    Ok(())
}
