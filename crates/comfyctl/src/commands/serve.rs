use std::error::Error as _;

use comfy_sim::Sim;
use serde_json::json;

use crate::args::Serve;
use crate::commands::stop::Stop;
use crate::exit::Exit;
use crate::failure::{Failure, reason};
use crate::printer::Printer;

/// Runs the simulator until it is stopped.
pub(crate) async fn serve(printer: &Printer, args: Serve) -> Exit {
    let mut stop = Stop::listen();
    let sim = match Sim::builder().port(args.port).start().await {
        Ok(sim) => sim,
        Err(error) => {
            let mut message = format!("cannot serve on port {}", args.port);
            if let Some(cause) = error.source().and_then(|cause| cause.downcast_ref()) {
                message.push_str(&format!(": {}", reason(cause)));
            }
            let failure = Failure::usage("serve", message)
                .with_hint("choose another port with `--port`, or 0 for a free one")
                .caused_by(&error);
            printer.error(&failure);
            return failure.exit;
        }
    };
    if printer.is_json() {
        printer.json(&json!({"type": "listening", "url": sim.url()}));
    } else {
        printer.line(&format!("listening on {}", sim.url()));
        printer.note("Ctrl-C stops the simulator and removes its files");
    }
    stop.wait().await;
    sim.shutdown().await;
    Exit::Success
}
