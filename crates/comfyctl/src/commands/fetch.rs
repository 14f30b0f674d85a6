//! `fetch`: the files of a prompt that was submitted before.

use std::sync::Mutex;
use std::time::Instant;

use comfy_api_client::JobState;

use crate::args::Fetch;
use crate::commands::connect::connect;
use crate::commands::run::job::stopped;
use crate::commands::run::record::{Record, Telling, note, print_outputs, report};
use crate::commands::run::saving::Saving;
use crate::commands::stop::Stop;
use crate::commands::{known_prompt, prompt_id, request};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::Settings;

/// Downloads the files of a prompt.
pub(crate) async fn fetch(settings: &Settings, printer: &Printer, args: Fetch) -> Exit {
    let began = Instant::now();
    let record = Mutex::new(Record::default());
    let result = request::within(settings.timeout, async {
        let mut stop = Stop::listen();
        tokio::select! {
            done = work(settings, printer, &args, &record) => done,
            () = stop.wait() => Err(stopped("stopped; the files that are missing are still on the server")),
        }
    });
    let result = result.await;
    report(printer, &record, result, began)
}

async fn work(
    settings: &Settings,
    printer: &Printer,
    args: &Fetch,
    record: &Mutex<Record>,
) -> Result<(), Failure> {
    let saving = Saving::new(&args.save);
    note(record, |record| record.prompt_id = Some(args.id.clone()));
    let server = connect(settings).await?;
    let client = server.client();
    let id = &prompt_id::find(client, &args.id).await?;
    note(record, |record| record.prompt_id = Some(id.clone()));
    let outputs = match known_prompt::state(client, id).await? {
        JobState::Finished(outputs) => outputs,
        JobState::Failed(error) => return Err(error.into()),
        JobState::Waiting(queued) => {
            return Err(unfinished(
                id,
                &format!("waits at position {} of {}", queued.position, queued.waiting),
            ));
        }
        _ => return Err(unfinished(id, "still runs")),
    };
    let workflow = known_prompt::workflow(client, id).await?.unwrap_or_default();
    saving.check_name(&workflow)?;
    note(record, |record| {
        record.made(&outputs);
        record.workflow = Some(workflow.clone());
    });
    if saving.downloads() {
        saving.check()?;
        let line = printer.live().single_job(&workflow);
        let saved = |place, file| note(record, |record| record.save(place, file));
        saving.save(&outputs, &workflow, client, &line, saved).await?;
    }
    let telling = Telling { downloads: saving.downloads(), server_stays: true, pictures: None };
    print_outputs(printer, &outputs, record, telling);
    Ok(())
}

fn unfinished(id: &str, what: &str) -> Failure {
    Failure::new(Exit::Failure, "not_ended", format!("prompt {id} {what}"))
        .with_hint(format!("wait for its end with `comfyctl wait {id}`"))
}
