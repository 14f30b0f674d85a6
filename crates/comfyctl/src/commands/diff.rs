use std::path::Path;

use comfy_api_client::workflow::{Difference, Workflow};
use serde::Serialize;
use serde_json::json;

use crate::args::Diff;
use crate::commands::workflow_file;
use crate::commands::{look, request};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;

/// Compares two workflows.
pub(crate) async fn diff(printer: &Printer, args: Diff) -> Exit {
    match compare(printer, &args).await {
        Ok(difference) => print(printer, &difference),
        Err(failure) => request::fail(printer, &failure),
    }
}

async fn compare(printer: &Printer, args: &Diff) -> Result<Difference, Failure> {
    if [&args.before, &args.after].iter().all(|path| *path == Path::new("-")) {
        return Err(Failure::usage(
            "usage",
            "stdin holds one workflow; `-` can stand for one of the two only",
        ));
    }
    let before = workflow_file::open(&args.before).await?;
    let after = workflow_file::open(&args.after).await?;
    let schemas = look::schemas(args.object_info.as_deref())?;
    let runs = |opened| look::converted(opened, schemas.as_ref(), printer);
    let (before, after): (Workflow, Workflow) = match (runs(&before)?, runs(&after)?) {
        (Some(before), Some(after)) => (before.whole()?, after.whole()?),
        // What the editor saved can be compared with the like of it, as it is.
        _ if before.document.editor.is_some() && after.document.editor.is_some() => {
            (look::outlined(&before, printer), look::outlined(&after, printer))
        }
        (None, _) => return Err(unlike(&before.name)),
        (_, None) => return Err(unlike(&after.name)),
    };
    Ok(Difference::between(&before, &after))
}

/// The failure for a workflow of the editor beside one in the API format.
fn unlike(name: &str) -> Failure {
    Failure::usage(
        "workflow",
        format!("{name} holds only what the editor saved, and the other only what runs"),
    )
    .with_hint("give the node schemas with `--object-info FILE`, so that it can be converted")
}

#[derive(Serialize)]
struct Line<'a, T> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    change: &'a T,
}

fn print(printer: &Printer, difference: &Difference) -> Exit {
    let same = difference.is_empty();
    if printer.is_json() {
        difference.changes.iter().for_each(|change| printer.json(&Line { kind: "change", change }));
        let (status, changes) = (if same { "same" } else { "different" }, difference.changes.len());
        printer.json(&json!({"type": "result", "status": status, "changes": changes, "error": null}));
    } else if !same {
        printer.line(&difference.to_string());
    }
    if same { Exit::Success } else { Exit::Different }
}
