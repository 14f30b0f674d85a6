//! `nodes`: the node classes of a server, or of a file.

mod describe;
mod show;

use comfy_api_client::Client;
use comfy_api_client::workflow::schema::{NodeSchema, Schemas};

use crate::args::{Nodes, NodesAction, NodesFilter};
use crate::commands::object_info;
use crate::commands::request::{ended, request};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::render::table::Table;
use crate::settings::Settings;

/// Lists, shows and searches node classes.
pub(crate) async fn nodes(settings: &Settings, printer: &Printer, args: Nodes) -> Exit {
    let action = match action(args.action, &args.filter) {
        Ok(action) => action,
        Err(failure) => return ended(printer, Err(failure)),
    };
    if let Some(path) = &args.object_info {
        let result = object_info::read(path).and_then(|schemas| match &action {
            NodesAction::Show { class } => show::show(printer, &schemas, class),
            other => list(printer, &schemas, other),
        });
        return ended(printer, result);
    }
    request(settings, printer, async |client: &Client| match &action {
        NodesAction::Show { class } => {
            // One class is asked for alone; all of them are megabytes.
            let one = client.object_info_of(class).await?;
            if one.contains(class) {
                return show::show(printer, &one, class);
            }
            show::show(printer, &*client.refresh_schemas().await?, class)
        }
        other => list(printer, &*client.refresh_schemas().await?, other),
    })
    .await
}

/// What is to be done, with the filters that stand before the subcommand.
fn action(action: Option<NodesAction>, before: &NodesFilter) -> Result<NodesAction, Failure> {
    let given = |filter: NodesFilter| match filter == NodesFilter::default() {
        true => before.clone(),
        false => filter,
    };
    match action {
        None => Ok(NodesAction::Ls { filter: before.clone() }),
        Some(NodesAction::Ls { filter }) => Ok(NodesAction::Ls { filter: given(filter) }),
        Some(NodesAction::Search { text, filter }) => {
            Ok(NodesAction::Search { text, filter: given(filter) })
        }
        Some(show) if *before == NodesFilter::default() => Ok(show),
        Some(_) => Err(Failure::usage("usage", "`nodes show` takes no filters")
            .with_hint("filters are for `nodes ls` and `nodes search`")),
    }
}

fn list(printer: &Printer, schemas: &Schemas, action: &NodesAction) -> Result<(), Failure> {
    let found = match action {
        NodesAction::Search { text, filter } => {
            let mut found = schemas.search(&text.join(" "));
            found.retain(|schema| fits(schema, filter));
            found
        }
        NodesAction::Ls { filter } => {
            let mut found: Vec<&NodeSchema> =
                schemas.iter().map(|(_, schema)| schema).filter(|schema| fits(schema, filter)).collect();
            found.sort_by(|a, b| (&a.category, &a.name).cmp(&(&b.category, &b.name)));
            found
        }
        NodesAction::Show { .. } => Vec::new(),
    };
    if found.is_empty() {
        printer.note("no node class fits");
    }
    if printer.is_json() {
        found.iter().for_each(|schema| printer.json(&describe::json(schema)));
        return Ok(());
    }
    let mut table = Table::new(["CLASS", "NAME", "PACK", "CATEGORY"]);
    for schema in found {
        let deprecated = if schema.deprecated { " (deprecated)" } else { "" };
        // What only repeats the class tells nothing.
        let title = Some(schema.title()).filter(|title| *title != schema.name).unwrap_or_default();
        let title = format!("{title}{deprecated}");
        table.row([&schema.name, title.trim_start(), schema.pack().unwrap_or_default(), &schema.category]);
    }
    printer.table(&table);
    Ok(())
}

fn fits(schema: &NodeSchema, filter: &NodesFilter) -> bool {
    let is_below = |wanted: &String| {
        let (category, wanted) = (schema.category.to_lowercase(), wanted.trim_matches('/').to_lowercase());
        category.strip_prefix(&wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is_of = |wanted: &String| {
        schema.pack().is_some_and(|pack| pack.to_lowercase().contains(&wanted.to_lowercase()))
    };
    let takes = |wanted: &String| {
        describe::inputs(schema).iter().any(|input| describe::has_type(&input.type_name, wanted))
    };
    let gives = |wanted: &String| {
        let mut outputs = schema.outputs.iter();
        outputs.any(|output| describe::has_type(describe::output_type(schema, output), wanted))
    };
    filter.category.as_ref().is_none_or(is_below)
        && filter.pack.as_ref().is_none_or(is_of)
        && filter.input_type.as_ref().is_none_or(takes)
        && filter.output_type.as_ref().is_none_or(gives)
        && (!filter.custom || schema.pack().is_some())
        && (!filter.deprecated || schema.deprecated)
}
