//! `run`: a workflow in, files out.

pub(crate) mod job;
pub(crate) mod naming;
pub(crate) mod prepare;
pub(crate) mod record;
pub(crate) mod saving;

use std::sync::Mutex;
use std::time::Instant;

use crate::args::{Run, ShowMode};
use crate::commands::batch;
use crate::commands::request::within;
use crate::commands::run::job::{cancel, follow, stopped, submitted, tell_submitted};
use crate::commands::run::prepare::prepare;
use crate::commands::run::record::{Record, Telling, note, print_outputs, print_result, report, tell_cached};
use crate::commands::run::saving::Saving;
use crate::commands::seeds;
use crate::commands::stop::Stop;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::render::gallery;
use crate::render::picture::Graphics;
use crate::settings::Settings;

/// Submits a workflow, follows it and saves its files.
pub(crate) async fn run(settings: &Settings, printer: &Printer, args: Run) -> Exit {
    if args.batch.is_many() {
        return batch::run(settings, printer, &args).await;
    }
    let began = Instant::now();
    let record = Mutex::new(Record::default());
    let work = work(settings, printer, &args, &record);
    let result = within(settings.timeout, work).await.map_err(|failure| goes_on(failure, &record));
    report(printer, &record, result, began)
}

async fn work(
    settings: &Settings,
    printer: &Printer,
    args: &Run,
    record: &Mutex<Record>,
) -> Result<(), Failure> {
    let mut stop = Stop::listen();
    let saving = Saving::new(&args.save);
    let check = || {
        saving.check()?;
        args.batch.grid.as_deref().map_or(Ok(()), gallery::check_grid)
    };
    let (server, workflow, changes) = tokio::select! {
        prepared = prepare(settings, printer, &args.given, check) => prepared?,
        () = stop.wait() => return Err(stopped("stopped before anything was submitted")),
    };
    saving.check_name(&workflow)?;
    note(record, |record| record.workflow = Some(workflow.clone()));
    seeds::tell(&changes, &workflow, args.given.seed, printer);

    let pictures = args.show.map(graphics);
    let line = printer.live().single_job(&workflow).with_pictures(pictures);
    let mut submit = server.client().submit(&workflow).front(args.given.front);
    if pictures.is_some() && printer.live().is_drawn() {
        submit = submit.preview_method("auto");
    }
    let (job, go_on) = submitted(submit, &mut stop).await?;
    note(record, |record| record.prompt_id = Some(job.id()));
    tell_submitted(&job, printer);
    let outputs = tokio::select! {
        outputs = follow(&job, &line, printer), if go_on => Some(outputs?),
        () = stop.wait(), if go_on => None,
        else => None,
    };
    let Some(outputs) = outputs else {
        // With the `^C` that the terminal has written beside it.
        drop(line);
        return Err(cancel(&job, &mut stop, printer).await);
    };
    note(record, |record| record.made(&outputs));
    tell_cached(printer, &outputs, &workflow);
    if saving.downloads() {
        let save = saving.save(&outputs, &workflow, server.client(), &line, |place, file| {
            note(record, |record| record.save(place, file));
        });
        tokio::select! {
            saved = save => saved?,
            () = stop.wait() => return Err(stopped("stopped; the files that are missing are still on the server")),
        }
    }
    drop(line);
    let server_stays = server.stays();
    let telling = Telling { downloads: saving.downloads(), server_stays, pictures };
    print_outputs(printer, &outputs, record, telling);
    let saved: Vec<_> = note(record, |record| record.saved.values().cloned().collect());
    let written = batch::end::look_at_one(args, &outputs, &saved, &workflow)?;
    batch::end::tell_written(printer, &written);
    note(record, |record| record.written = written);
    Ok(())
}

/// How pictures are drawn.
pub(crate) fn graphics(mode: ShowMode) -> Graphics {
    match mode {
        ShowMode::Auto => Graphics::detect(),
        ShowMode::Kitty => Graphics::Kitty,
        ShowMode::Iterm2 => Graphics::Iterm2,
        ShowMode::Sixel => Graphics::Sixel,
        ShowMode::Blocks => Graphics::Blocks,
    }
}

/// Tells what the server goes on with when the time is over.
fn goes_on(failure: Failure, record: &Mutex<Record>) -> Failure {
    match note(record, |record| record.prompt_id.clone()) {
        Some(id) if failure.exit == Exit::Timeout => failure
            .with_hint(format!("the server goes on with prompt {id}; allow more time with `--timeout`")),
        _ => failure,
    }
}

/// The result of a run whose command line was refused: a script reads it as that of any other.
pub(crate) fn print_refusal(message: &str) {
    let failure = Failure::usage("usage", message).with_hint("see `comfyctl run --help`");
    print_result(&Printer::for_json(), &Mutex::default(), Some(&failure), Instant::now());
}
