use comfy_sim::Sim;
use serde_json::json;

use crate::args::Serve;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;

/// Runs the simulator until it is stopped.
pub(crate) async fn serve(printer: &Printer, args: Serve) -> Exit {
    let sim = match Sim::builder().port(args.port).start().await {
        Ok(sim) => sim,
        Err(error) => {
            let failure =
                Failure::usage("serve", format!("cannot serve on port {}", args.port)).caused_by(&error);
            printer.error(
                &failure.report.message,
                Some("choose another port, or 0 for a free one"),
                &failure.causes,
            );
            return failure.exit;
        }
    };
    if printer.is_json() {
        printer.json(&json!({"type": "listening", "url": sim.url()}));
    } else {
        printer.line(&format!("listening on {}", sim.url()));
        printer.note("Ctrl-C stops the simulator and removes its files");
    }
    crate::commands::stop_signal().await;
    sim.shutdown().await;
    Exit::Success
}
