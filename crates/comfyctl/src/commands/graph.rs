use std::path::Path;

use comfy_api_client::workflow::diagram::{Diagram, Theme};
use serde_json::json;

use crate::args::{Graph, ThemeMode};
use crate::commands::workflow_file::{self, Opened};
use crate::commands::{look, request};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;

/// Draws a workflow.
pub(crate) async fn graph(printer: &Printer, args: Graph) -> Exit {
    match draw(printer, &args).await {
        Ok(()) => Exit::Success,
        Err(failure) => request::fail(printer, &failure),
    }
}

async fn draw(printer: &Printer, args: &Graph) -> Result<(), Failure> {
    let opened = workflow_file::open(&args.workflow).await?;
    let schemas = look::schemas(args.object_info.as_deref())?;
    let Opened { document, name } = &opened;
    let what_runs = if args.api || document.editor.is_none() {
        look::converted(&opened, schemas.as_ref(), printer)?.map(|converted| converted.in_part(printer))
    } else {
        None
    };
    let diagram = match (&what_runs, &document.editor) {
        (Some(workflow), _) => Diagram::of_workflow(workflow),
        (None, Some(_)) if args.api => {
            let message = format!("{name} holds only what the editor saved, not what runs");
            return Err(Failure::usage("workflow", message).with_hint("convert it with `--object-info FILE`"));
        }
        (None, Some(editor)) => Diagram::of_editor(editor),
        (None, None) => return Err(Failure::usage("workflow", format!("{name} holds no workflow"))),
    };
    let title =
        Path::new(name).file_name().map_or_else(|| name.clone(), |name| name.to_string_lossy().into_owned());
    let theme = match args.theme {
        ThemeMode::Auto => Theme::Auto,
        ThemeMode::Light => Theme::Light,
        ThemeMode::Dark => Theme::Dark,
    };
    let mut diagram = diagram.title(title).theme(theme);
    if let Some(schemas) = &schemas {
        diagram = diagram.schemas(schemas);
    }
    let svg = diagram.to_string();
    match args.output.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => {
            let shown = path.display().to_string();
            std::fs::write(path, svg).map_err(|error| {
                Failure::of_file("io", &format!("cannot write {shown}"), &error)
                    .with_hint("choose another file with `-o FILE`")
            })?;
            printer.json(
                &json!({"type": "result", "status": "success", "path": shown, "svg": null, "error": null}),
            );
        }
        None if printer.is_json() => {
            printer.json(
                &json!({"type": "result", "status": "success", "path": null, "svg": svg, "error": null}),
            );
        }
        None => printer.line(svg.trim_end()),
    }
    Ok(())
}
