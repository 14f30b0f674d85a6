use comfy_api_client::workflow::{Document, Format, Workflow};
use serde_json::{Value, json};

use crate::args::Extract;
use crate::commands::output_file;
use crate::commands::workflow_file::{self, Opened};
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;

/// Prints the workflow that a file carries.
pub(crate) async fn extract(printer: &Printer, args: Extract) -> Exit {
    let mut taken = Value::Null;
    let failure = work(printer, &args, &mut taken).await.err();
    if let Some(failure) = &failure {
        printer.error(failure);
    }
    print_result(printer, taken, failure.as_ref());
    failure.map_or(Exit::Success, |failure| failure.exit)
}

/// The one line in JSON: what was taken, and how it ended.
fn print_result(printer: &Printer, taken: Value, failure: Option<&Failure>) {
    let mut result = json!({"type": "result", "status": failure.map_or("success", |failure| failure.status)});
    if let (Value::Object(result), Value::Object(taken)) = (&mut result, taken) {
        result.extend(taken);
    }
    result["error"] = json!(failure.map(|failure| &failure.report));
    printer.json(&result);
}

/// The result where the command line was refused.
pub(crate) fn print_refusal(message: &str) {
    let failure = Failure::usage("usage", message).with_hint("see `comfyctl extract --help`");
    print_result(&Printer::for_json(), Value::Null, Some(&failure));
}

async fn work(printer: &Printer, args: &Extract, taken: &mut Value) -> Result<(), Failure> {
    let opened = workflow_file::open(&args.media).await?;
    let Opened { document, name } = &opened;
    for problem in &document.problems {
        printer.warning(&format!("{name} {}", one_line(problem)));
    }
    let (format, also) = choose(args, document, name)?;
    let workflow = match format {
        "ui" => document.editor.as_ref().map(|editor| editor.document().clone()),
        _ => document.api.as_ref().map(Workflow::to_value),
    };
    let workflow = workflow.unwrap_or_default();
    if let Some(path) = &args.output {
        let text = serde_json::to_string_pretty(&workflow).unwrap_or_default();
        output_file::write(path, (text + "\n").as_bytes())?;
    } else if !printer.is_json() {
        printer.document(&workflow);
    }
    *taken = json!({
        "file": name, "container": container(document), "format": format, "also": also, "workflow": workflow,
        "texts": document.texts, "problems": document.problems,
        "path": args.output.as_ref().map(|path| path.display().to_string()),
    });
    if args.api || args.ui {
        return Ok(());
    }
    match (format, also) {
        (_, Some(_)) => printer.note(&format!("{name} carries the editor's workflow too; `--ui` takes that")),
        ("ui", None) => printer.note(&format!(
            "{name} carries the editor's workflow only; `comfyctl convert` makes the API format of it"
        )),
        _ => {}
    }
    Ok(())
}

/// The format to take, and the one that is there too.
fn choose(
    args: &Extract,
    document: &Document,
    name: &str,
) -> Result<(&'static str, Option<&'static str>), Failure> {
    let missing = |message: String, hint: &str| Err(Failure::usage("workflow", message).with_hint(hint));
    match (document.api.is_some(), document.editor.is_some()) {
        (true, true) if args.ui => Ok(("ui", Some("api"))),
        (true, true) => Ok(("api", Some("ui"))),
        (true, false) if args.ui => missing(
            format!("{name} carries no workflow of the editor, only the API format"),
            "take that with `--api`; the editor opens it too",
        ),
        (true, false) => Ok(("api", None)),
        (false, _) if args.api => missing(
            format!("{name} carries no API format, only the editor's workflow"),
            "take that with `--ui`, or make the API format of it with `comfyctl convert`",
        ),
        (false, _) => Ok(("ui", None)),
    }
}

fn container(document: &Document) -> &'static str {
    match document.format {
        Format::Media(container) => container.name(),
        _ => "JSON",
    }
}
