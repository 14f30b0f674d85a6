//! `jobs`: what waits, runs and has ended, in one list.

use comfy_api_client::protocol::routes::SortOrder;
use comfy_api_client::protocol::routes::jobs::{JobRecord, JobSort, JobStatus};
use comfy_api_client::{Client, Error, ErrorKind};
use serde_json::{Value, json};

use crate::args::{Jobs, JobsCommand, JobsList, ShowPrompt, SortMode, StatusMode};
use crate::commands::cancel;
use crate::commands::history::USUAL_LIMIT;
use crate::commands::prompt::{Prompt, name_of};
use crate::commands::prompt_id;
use crate::commands::request::request;
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::render::table::Table;
use crate::settings::Settings;

/// Lists jobs, shows one, or cancels some.
pub(crate) async fn jobs(settings: &Settings, printer: &Printer, args: Jobs) -> Exit {
    let Jobs { list: given, command } = args;
    match command {
        Some(JobsCommand::Cancel(args)) => cancel::cancel(settings, printer, args).await,
        Some(JobsCommand::Show(args)) => {
            request(settings, printer, async |client: &Client| show(client, printer, &args).await).await
        }
        command => {
            let own = match command {
                Some(JobsCommand::Ls(own)) => own,
                _ => JobsList::default(),
            };
            let args = JobsList {
                status: [given.status, own.status].concat(),
                limit: own.limit.or(given.limit),
                offset: own.offset.or(given.offset),
                sort: own.sort.or(given.sort),
            };
            request(settings, printer, async |client: &Client| list(client, printer, &args).await).await
        }
    }
}

async fn list(client: &Client, printer: &Printer, args: &JobsList) -> Result<(), Failure> {
    let limit = args.limit.unwrap_or(USUAL_LIMIT);
    let (sort, order) = match args.sort.unwrap_or(SortMode::Newest) {
        SortMode::Newest => (JobSort::CreatedAt, SortOrder::Descending),
        SortMode::Oldest => (JobSort::CreatedAt, SortOrder::Ascending),
        SortMode::Longest => (JobSort::ExecutionDuration, SortOrder::Descending),
        SortMode::Shortest => (JobSort::ExecutionDuration, SortOrder::Ascending),
    };
    let mut question = client.jobs().status(args.status.iter().map(|status| status_of(*status)));
    question = question.sort_by(sort).sort_order(order).offset(args.offset.unwrap_or_default());
    if limit > 0 {
        question = question.limit(limit);
    }
    let page = question.await.map_err(failure)?;
    if page.jobs.is_empty() {
        printer.note(match page.pagination.total {
            0 if args.status.is_empty() => "there are no jobs",
            0 => "there are no such jobs",
            _ => "there are no more jobs",
        });
    }
    if printer.is_json() {
        for mut job in page.jobs.iter().cloned() {
            // The values of a failed node can be very long.
            if let Some(error) = &mut job.execution_error {
                error.current_inputs = Value::Null;
                error.current_outputs = Value::Null;
            }
            printer.json(&json(&job));
        }
    } else {
        let mut table = Table::new(["JOB", "STATUS", "WHEN", "TOOK", "RESULT"]);
        for job in &page.jobs {
            let prompt = Prompt::job(job);
            let (id, when, took) = prompt.cells(printer);
            table.row([id, prompt.status, &when, &took, &came_to(job, &prompt)]);
        }
        printer.table(&table);
    }
    if page.pagination.has_more && !page.jobs.is_empty() {
        let (first, last) = (page.pagination.offset + 1, page.pagination.offset + page.jobs.len() as u64);
        let total = page.pagination.total;
        printer.note(&format!(
            "these are {first} to {last} of {total}; `--offset {last}` goes on, `--limit 0` lists all"
        ));
    }
    Ok(())
}

fn status_of(status: StatusMode) -> JobStatus {
    match status {
        StatusMode::Pending => JobStatus::Pending,
        StatusMode::InProgress => JobStatus::InProgress,
        StatusMode::Completed => JobStatus::Completed,
        StatusMode::Failed => JobStatus::Failed,
        StatusMode::Cancelled => JobStatus::Cancelled,
    }
}

/// What a job of a list came to: there is one output to show for all of them.
fn came_to(job: &JobRecord, prompt: &Prompt) -> String {
    let Some(preview) = job.preview_output.as_ref().filter(|_| job.execution_error.is_none()) else {
        return prompt.came_to();
    };
    match (&preview.file, &preview.content) {
        (Some(file), _) => match job.outputs_count {
            Some(count) if count > 1 => format!("{} and {} more", name_of(file), count - 1),
            _ => name_of(file),
        },
        (None, Some(text)) => format!("text: {}", one_line(text)),
        (None, None) => String::new(),
    }
}

fn json(job: &JobRecord) -> Value {
    let mut line = json!({"type": "job"});
    if let (Some(line), Ok(Value::Object(job))) = (line.as_object_mut(), serde_json::to_value(job)) {
        // A field of theirs must not take the place of ours.
        line.extend(job.into_iter().filter(|(key, _)| key != "type"));
    }
    line
}

async fn show(client: &Client, printer: &Printer, args: &ShowPrompt) -> Result<(), Failure> {
    let id = prompt_id::find(client, &args.id).await?;
    let job = client.job_record(&id).await.map_err(failure)?;
    let job = job.ok_or_else(|| prompt_id::unknown(&[id]))?;
    if args.workflow {
        return Prompt::job(&job).print_workflow(printer);
    }
    if printer.is_json() {
        printer.json(&json(&job));
    } else {
        Prompt::job(&job).print(printer);
    }
    Ok(())
}

/// What to use where there are no jobs.
fn failure(error: Error) -> Failure {
    let is_too_old = error.kind() == ErrorKind::Unsupported;
    let has_no_such_status = error.status() == Some(400);
    let failure = Failure::from(error);
    match (is_too_old, has_no_such_status) {
        (true, _) => failure.with_hint("`comfyctl history` and `comfyctl queue` work with every server"),
        (_, true) => failure
            .into_usage()
            .or_hint("servers before 0.30.0 do not know `cancelled`; interrupted jobs are `failed` there"),
        _ => failure,
    }
}
