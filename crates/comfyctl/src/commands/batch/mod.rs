//! `run` with many rows: a sweep, a table, or the pictures of a folder.

pub(crate) mod end;
mod journal;
mod pictures;
mod plan;
mod rows;
mod tally;
mod tell;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use comfy_api_client::Workflow;
use comfy_api_client::batch::{Batch, BatchBuilder, Journal};

use self::plan::Plan;
use self::rows::Rows;
use self::tally::Tally;
use self::tell::Teller;
use crate::args::{Run, Seeds};
use crate::commands::assignment::schemas_of;
use crate::commands::connect::connect;
use crate::commands::request::within;
use crate::commands::run::job::stopped;
use crate::commands::run::naming;
use crate::commands::run::prepare::{Base, Opened};
use crate::commands::run::saving::Saving;
use crate::commands::stop::Stop;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::render::gallery;
use crate::settings::Settings;

/// Runs the workflow with every row.
pub(crate) async fn run(settings: &Settings, printer: &Printer, args: &Run) -> Exit {
    let began = Instant::now();
    let tally = RefCell::new(Tally::default());
    let work = work(settings, printer, args, &tally);
    let result = within(settings.timeout, work).await.map_err(|failure| match failure.exit {
        Exit::Timeout => failure.with_hint("the server goes on with what was submitted"),
        _ => failure,
    });
    end::report(printer, args, &tally.into_inner(), result, began)
}

async fn work(
    settings: &Settings,
    printer: &Printer,
    args: &Run,
    tally: &RefCell<Tally>,
) -> Result<(), Failure> {
    let mut stop = Stop::listen();
    match &args.batch.watch_dir {
        Some(folder) => pictures::run(settings, printer, args, folder, tally, &mut stop).await,
        None => sweep(settings, printer, args, tally, &mut stop).await,
    }
}

/// Runs the rows of sweeps and tables.
async fn sweep(
    settings: &Settings,
    printer: &Printer,
    args: &Run,
    tally: &RefCell<Tally>,
    stop: &mut Stop,
) -> Result<(), Failure> {
    let saving = Saving::new(&args.save);
    let begun = async {
        let sweep = plan::sweep(&args.batch, &args.given.workflow)?;
        let opened = Opened::read(&args.given, false).await?;
        saving.check()?;
        args.batch.grid.as_deref().map_or(Ok(()), gallery::check_grid)?;
        let path = journal::path(args, "comfy-batch.jsonl");
        let found = journal::look(&path, &args.batch)?;
        let plan = Plan::new(args, &opened, &sweep.fingerprint, found.as_ref())?;
        let server = connect(settings).await?;
        let client = server.client();
        let (base, _) =
            opened.into_base(client, printer, plan.seed_of_base(args.given.seed), plan.options()).await?;
        Ok::<_, Failure>((sweep, base, plan, found, path, server))
    };
    let (sweep, base, plan, found, path, server) = tokio::select! {
        begun = begun => begun?,
        () = stop.wait() => return Err(stopped("stopped before anything was submitted")),
    };
    let schemas = match (&base, args.given.seed) {
        (Base::Workflow(workflow), Seeds::Keep | Seeds::Number(_)) => {
            Arc::new(schemas_of(sweep.sweep.keys(), workflow, server.client()).await?)
        }
        // All of them were asked for already, or are needed to know seeds.
        _ => server.client().schemas().await?,
    };
    let rows = Rows::new(sweep.sweep, &base, args, &plan, &schemas)?;
    saving.check_name(base_workflow(&base))?;
    let journal = journal::begin(found, &path, plan, args)?;
    tally.borrow_mut().begin(rows.len(), &journal, base_workflow(&base));

    let builder = server.client().batch((0..rows.len()).map(|index| rows.row(index)));
    let batch = built(builder, args, &saving, &journal);
    let teller = Teller::new(printer, args, &saving, tally, Some(&rows));
    follow(batch.start(), teller, stop, printer).await?;
    end::look(args, &rows, tally)
}

/// What to call a workflow: its file without the extension.
fn base_label(path: &std::path::Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    if stem == "-" { "stdin".to_owned() } else { stem.trim_end_matches(".template").to_owned() }
}

/// The workflow of a base, for names of its nodes.
fn base_workflow(base: &Base) -> &Workflow {
    match base {
        Base::Workflow(workflow) => workflow,
        Base::Template(template) => template.workflow(),
    }
}

/// A batch as the command line wants it.
fn built<'a>(
    builder: BatchBuilder<'a>,
    args: &'a Run,
    saving: &'a Saving,
    journal: &Journal,
) -> BatchBuilder<'a> {
    let builder = builder.at_once(args.batch.jobs).journal(journal).overwrite(args.save.force);
    let front = args.given.front;
    let builder = builder.submit_with(move |submit| submit.front(front));
    if !saving.downloads() {
        return builder;
    }
    let builder = builder.save_in(&args.save.output).only_files(|output| saving.wants(output));
    builder.name_files(|row, index, output| {
        let run = naming::Run {
            prompt_id: row.prompt_id().unwrap_or_default(),
            workflow: row.workflow()?,
            row: Some(naming::Row { index: row.index(), label: row.label() }),
        };
        Some(args.save.name.as_ref()?.name(output, index + 1, &run))
    })
}

/// Reads the events of a batch to their end. Ctrl-C cancels what is under way, and another one leaves.
async fn follow(
    mut batch: Batch<'_>,
    mut teller: Teller<'_>,
    stop: &mut Stop,
    printer: &Printer,
) -> Result<(), Failure> {
    let (mut cancelled, mut result) = (false, Ok(()));
    loop {
        tokio::select! {
            event = batch.next() => match event {
                Some(Ok(event)) => teller.tell(&event),
                Some(Err(error)) => result = Err(Failure::from(error)),
                None => break,
            },
            () = stop.wait() => {
                if cancelled {
                    return Err(stopped("stopped; what was submitted may still run"));
                }
                cancelled = true;
                // The terminal has written `^C` beside the lines, so that they cannot be drawn in their place any more.
                if teller.clear() {
                    printer.note("cancelling; Ctrl-C again leaves at once");
                }
                batch.cancel();
            }
        }
    }
    if cancelled { Err(stopped("stopped")) } else { result }
}
