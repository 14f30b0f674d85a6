use comfy_api_client::workflow::document::{Document, Format};
use serde_json::{Value, json};

use crate::args::Extract;
use crate::commands::output_file;
use crate::commands::workflow_file::{self, Opened};
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;

/// Prints the workflow that a file carries.
pub(crate) async fn extract(printer: &Printer, args: Extract) -> Exit {
    match work(printer, &args).await {
        Ok(()) => Exit::Success,
        Err(failure) => {
            printer.error(&failure);
            failure.exit
        }
    }
}

async fn work(printer: &Printer, args: &Extract) -> Result<(), Failure> {
    let Opened { document, name } = workflow_file::open(&args.media).await?;
    for problem in &document.problems {
        printer.warning(&format!("{name} {}", one_line(problem)));
    }
    let (format, also) = choose(args, &document, &name)?;
    let workflow = match format {
        "ui" => document.editor.as_ref().map(|editor| editor.document().clone()),
        _ => document.api.as_ref().map(comfy_api_client::Workflow::to_value),
    };
    let text = serde_json::to_string_pretty(&workflow).unwrap_or_default();
    if let Some(path) = &args.output {
        output_file::write(path, (text.clone() + "\n").as_bytes())?;
    }
    if printer.is_json() {
        printer.json(&report(args, &document, &name, format, also, workflow));
    } else if args.output.is_none() {
        printer.line(&text);
    }
    match also {
        Some(_) if args.api || args.ui => {}
        Some(_) => printer.note(&format!("{name} carries the editor's workflow too; `--ui` takes that")),
        None if format == "ui" && !args.ui => printer.note(&format!(
            "{name} carries the editor's workflow only; `comfyctl convert` makes the API format of it"
        )),
        None => {}
    }
    Ok(())
}

/// The format to take, and the one that is there too.
fn choose(
    args: &Extract,
    document: &Document,
    name: &str,
) -> Result<(&'static str, Option<&'static str>), Failure> {
    match (document.api.is_some(), document.editor.is_some()) {
        (true, true) if args.ui => Ok(("ui", Some("api"))),
        (true, true) => Ok(("api", Some("ui"))),
        (true, false) if args.ui => Err(Failure::usage(
            "workflow",
            format!("{name} carries no workflow of the editor, only the API format"),
        )
        .with_hint("take that with `--api`; the editor opens it too")),
        (true, false) => Ok(("api", None)),
        (false, _) if args.api => Err(Failure::usage(
            "workflow",
            format!("{name} carries no API format, only the editor's workflow"),
        )
        .with_hint("take that with `--ui`, or make the API format of it with `comfyctl convert`")),
        (false, _) => Ok(("ui", None)),
    }
}

fn report(
    args: &Extract,
    document: &Document,
    name: &str,
    format: &str,
    also: Option<&str>,
    workflow: Option<Value>,
) -> Value {
    let container = match document.format {
        Format::Media(container) => container.name(),
        _ => "JSON",
    };
    json!({
        "type": "workflow", "file": name, "container": container, "format": format, "also": also, "workflow": workflow,
        "texts": document.texts, "problems": document.problems,
        "path": args.output.as_ref().map(|path| path.display().to_string()),
    })
}
