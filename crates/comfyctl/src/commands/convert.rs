use std::path::Path;

use comfy_api_client::workflow::convert::{Conversion, ConvertOptions, DynamicPrompts};
use comfy_api_client::{local_time, random_seed};
use serde_json::json;

use crate::args::{Convert, DynamicPromptsMode};
use crate::commands::connect::connect;
use crate::commands::workflow_file::{self, NO_WORKFLOW, Opened};
use crate::commands::{object_info, output_file};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::Settings;

/// Converts a workflow to the API format.
pub(crate) async fn convert(settings: &Settings, printer: &Printer, args: Convert) -> Exit {
    let mut conversion = None;
    let work = work(settings, printer, &args, &mut conversion);
    let result = match settings.timeout {
        Some(limit) => {
            tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(Failure::timed_out(limit)))
        }
        None => work.await,
    };
    let failure = result.err();
    if let Some(failure) = &failure {
        printer.error(failure);
    }
    print_result(printer, conversion.as_ref(), failure.as_ref(), args.partial);
    failure.map_or(Exit::Success, |failure| failure.exit)
}

/// The one line in JSON.
fn print_result(printer: &Printer, result: Option<&Conversion>, failure: Option<&Failure>, partial: bool) {
    let usable = result.filter(|conversion| partial || !conversion.has_errors());
    printer.json(&json!({
        "type": "result",
        "status": failure.map_or("success", |failure| failure.status),
        "workflow": usable.map(|conversion| conversion.workflow.to_value()),
        "problems": result.map(workflow_file::problems),
        "error": failure.map(|failure| &failure.report),
    }));
}

/// The result where the command line was refused.
pub(crate) fn print_refusal(message: &str) {
    let failure = Failure::usage("usage", message).with_hint("see `comfyctl convert --help`");
    print_result(&Printer::for_json(), None, Some(&failure), false);
}

async fn work(
    settings: &Settings,
    printer: &Printer,
    args: &Convert,
    result: &mut Option<Conversion>,
) -> Result<(), Failure> {
    let opened = workflow_file::open(&args.workflow).await.inspect_err(|failure| {
        // The editor takes any object for a graph, and gives an empty prompt for one without nodes.
        if failure.report.code == NO_WORKFLOW && args.output.is_none() && !printer.is_json() {
            printer.line("{}");
        }
    })?;
    let conversion = result.insert(converted(settings, args, &opened).await?);
    let checked = workflow_file::check(&opened, conversion, printer);
    if checked.is_ok() || args.partial {
        write(conversion, args.output.as_deref(), printer)?;
    }
    checked.map_err(|failure| {
        if args.partial { failure } else { failure.or_hint("`--partial` prints what could be converted") }
    })
}

async fn converted(settings: &Settings, args: &Convert, opened: &Opened) -> Result<Conversion, Failure> {
    let dynamic_prompts = match args.dynamic_prompts {
        DynamicPromptsMode::Random => DynamicPrompts::Random(args.seed.unwrap_or_else(random_seed)),
        DynamicPromptsMode::First => DynamicPrompts::First,
    };
    let options =
        ConvertOptions::new().dynamic_prompts(dynamic_prompts).now(args.now.unwrap_or_else(local_time));
    if let Some(path) = &args.object_info {
        let schemas = object_info::read(path)?;
        return Ok(opened.document.clone().into_workflow(&schemas, &options)?);
    }
    if !opened.document.needs_schemas() {
        return Ok(opened.document.clone().into_workflow(&Default::default(), &options)?);
    }
    let asked = async {
        let server = connect(settings).await?;
        Ok::<_, Failure>(server.client().convert(&opened.document).convert_options(options).await?)
    };
    asked.await.map_err(object_info::or_a_file)
}

fn write(conversion: &Conversion, path: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
    let workflow = conversion.workflow.to_value();
    match path {
        Some(path) => {
            let text = serde_json::to_string_pretty(&workflow).unwrap_or_default();
            output_file::write(path, (text + "\n").as_bytes())
        }
        None if printer.is_json() => Ok(()),
        None => {
            printer.document(&workflow);
            Ok(())
        }
    }
}
