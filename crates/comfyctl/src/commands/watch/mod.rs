//! `watch`: what happens on a server, or to one job.

mod job;
mod lines;
mod names;
mod screen;
mod servers;

use crate::args::Watch;
use crate::commands::connect::connect_to;
use crate::commands::request::{ended, fail, within};
use crate::commands::run::job::stopped;
use crate::commands::stop::Stop;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::Settings;

/// Watches servers until it is stopped, or a job until its end.
pub(crate) async fn watch(settings: &Settings, printer: &Printer, args: Watch) -> Exit {
    if let Some(id) = args.id {
        return job::watch(settings, printer, &id).await;
    }
    let mut stop = Stop::listen();
    let work = servers(settings, printer, args.all, &mut stop);
    let result = within(settings.timeout, work).await;
    match result {
        // Leaving the screen is all there is to tell.
        Err(failure) if failure.exit == Exit::Stopped && settings.full_screen() => failure.exit,
        Err(failure) => fail(printer, &failure),
        Ok(()) => ended(printer, Ok(())),
    }
}

async fn servers(settings: &Settings, printer: &Printer, all: bool, stop: &mut Stop) -> Result<(), Failure> {
    let mut targets = if all { settings.all_targets()? } else { settings.targets()? };
    let mut seen = std::collections::HashSet::new();
    targets.retain(|target| seen.insert(target.name.clone()));
    let mut connected = None;
    if let [target] = &targets[..] {
        // Nobody wants to look at the empty screen of one server that is not there.
        connected = Some(tokio::select! {
            server = connect_to(settings, target) => server?,
            () = stop.wait() => return Err(stopped("stopped")),
        });
    }
    let work = async |news| {
        if settings.full_screen() {
            screen::show(settings, &targets, news, stop).await
        } else {
            lines::print(printer, &targets, news, stop).await
        }
    };
    servers::watched(settings, &targets, connected, work).await
}
