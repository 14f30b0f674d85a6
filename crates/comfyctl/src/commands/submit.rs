//! `submit`: a workflow in, its prompt id out.

use crate::args::Submit;
use crate::commands::request;
use crate::commands::run::job::{self, stopped, tell_submitted};
use crate::commands::run::prepare::prepare;
use crate::commands::seeds;
use crate::commands::stop::Stop;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::render::table::visible;
use crate::settings::{Server, Settings};

/// Submits a workflow, and leaves it to itself.
pub(crate) async fn submit(settings: &Settings, printer: &Printer, args: Submit) -> Exit {
    request::ended(printer, request::within(settings.timeout, work(settings, printer, &args)).await)
}

async fn work(settings: &Settings, printer: &Printer, args: &Submit) -> Result<(), Failure> {
    let mut stop = Stop::listen();
    let check = || match settings.target()?.server {
        Server::Embedded => Err(Failure::usage("embedded", "the simulator inside this process ends with it")
            .with_hint("use `run`, or start one with `comfyctl serve`")),
        Server::At(_) => Ok(()),
    };
    let (server, workflow, changes) = tokio::select! {
        prepared = prepare(settings, printer, &args.given, check) => prepared?,
        () = stop.wait() => return Err(stopped("stopped before anything was submitted")),
    };
    seeds::tell(&changes, &workflow, args.given.seed, printer);
    let submit = server.client().submit(&workflow).front(args.given.front);
    let (job, go_on) = job::submitted(submit, &mut stop).await?;
    if !go_on {
        return Err(job::cancel(&job, &mut stop, printer).await);
    }
    tell_submitted(&job, printer);
    if !printer.is_json() {
        printer.line(&visible(&job.id()));
    }
    Ok(())
}
