//! `status`: where a prompt is.

use comfy_api_client::{Client, JobState};
use serde_json::json;

use crate::args::Status;
use crate::commands::prompt;
use crate::commands::request::request;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::Settings;

/// Tells where a prompt is.
pub(crate) async fn status(settings: &Settings, printer: &Printer, args: Status) -> Exit {
    request(settings, printer, async |client: &Client| {
        let id = args.id.trim();
        print(printer, id, prompt::state(client, id).await?);
        Ok(())
    })
    .await
}

fn print(printer: &Printer, id: &str, state: JobState) {
    let mut line = json!({"type": "status", "prompt_id": id});
    let text = match state {
        JobState::Waiting(queued) => {
            line["status"] = "waiting".into();
            line["position"] = queued.position.into();
            line["waiting"] = queued.waiting.into();
            format!("waiting at position {} of {}", queued.position, queued.waiting)
        }
        JobState::Running => {
            line["status"] = "running".into();
            "running".to_owned()
        }
        JobState::Finished(outputs) => {
            let files = outputs.files().count();
            line["status"] = "success".into();
            line["files"] = files.into();
            match files {
                0 => "success, no files".to_owned(),
                1 => "success, 1 file".to_owned(),
                files => format!("success, {files} files"),
            }
        }
        JobState::Failed(error) => {
            let failure = Failure::from(error);
            line["status"] = failure.status.into();
            line["error"] = json!(failure.report);
            format!("{}: {}", failure.status, failure.report.message)
        }
        // Made a failure before.
        _ => return,
    };
    if printer.is_json() {
        printer.json(&line);
    } else {
        printer.line(&crate::failure::one_line(&text));
    }
}
