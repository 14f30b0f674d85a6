//! `nodes`: the node classes of a server, or of a file.

mod describe;
mod show;

use comfy_api_client::Client;
use comfy_api_client::workflow::schema::{NodeSchema, Schemas, most_similar};

use crate::args::{Nodes, NodesAction, NodesFilter};
use crate::commands::object_info;
use crate::commands::request::{asked, ended, fail};
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::render::table::Table;
use crate::settings::Settings;

/// Columns of a terminal on which there is room for more than what is copied from it.
const ROOM: usize = 80;

/// Lists, shows and searches node classes.
pub(crate) async fn nodes(settings: &Settings, printer: &Printer, args: Nodes) -> Exit {
    let Nodes { action, filter, object_info } = args;
    let given = |inner: NodesFilter| if inner == NodesFilter::default() { filter.clone() } else { inner };
    let (words, filter) = match action {
        None => (None, filter),
        Some(NodesAction::Ls { filter }) => (None, given(filter)),
        Some(NodesAction::Search { text, filter }) => (Some(text), given(filter)),
        Some(NodesAction::Show { .. }) if filter != NodesFilter::default() => {
            let failure = Failure::usage("usage", "`nodes show` takes no filters")
                .with_hint("filters are for `nodes ls` and `nodes search`");
            return fail(printer, &failure);
        }
        Some(NodesAction::Show { class }) => {
            return match &object_info {
                Some(path) => {
                    let shown =
                        object_info::read(path).and_then(|schemas| show::show(printer, &schemas, &class));
                    ended(printer, shown)
                }
                None => {
                    let shown =
                        asked(settings, async |client: &Client| show_of(client, printer, &class).await);
                    ended(printer, shown.await.map_err(object_info::or_a_file))
                }
            };
        }
    };
    let words = words.as_deref();
    match &object_info {
        Some(path) => {
            ended(printer, object_info::read(path).map(|schemas| list(printer, &schemas, words, &filter)))
        }
        None => {
            let listed = asked(settings, async |client: &Client| {
                list(printer, &*client.refresh_schemas().await?, words, &filter);
                Ok::<_, Failure>(())
            });
            ended(printer, listed.await.map_err(object_info::or_a_file))
        }
    }
}

async fn show_of(client: &Client, printer: &Printer, class: &str) -> Result<(), Failure> {
    // One class is asked for alone; all of them are megabytes.
    let one = client.object_info_of(class).await?;
    if one.contains(class) {
        return show::show(printer, &one, class);
    }
    show::show(printer, &*client.refresh_schemas().await?, class)
}

/// Lists the classes in which words occur, or all of them, as far as they fit.
fn list(printer: &Printer, schemas: &Schemas, words: Option<&[String]>, filter: &NodesFilter) {
    let mut found = match words {
        Some(words) => schemas.search(&words.join(" ")),
        None => {
            let mut all: Vec<&NodeSchema> = schemas.iter().map(|(_, schema)| schema).collect();
            all.sort_by(|a, b| (&a.category, &a.name).cmp(&(&b.category, &b.name)));
            all
        }
    };
    found.retain(|schema| fits(schema, filter));
    if found.is_empty() {
        match meant(schemas, filter) {
            Some(near) => printer.note(&format!("no node class fits; did you mean `{}`?", one_line(near))),
            None => printer.note("no node class fits"),
        }
    }
    if printer.is_json() {
        found.iter().for_each(|schema| printer.json(&describe::json(schema)));
        return;
    }
    // Where there is little room it is for the class, which commands and workflows want.
    let has_room = printer.width().is_none_or(|width| width >= ROOM);
    let mut table = Table::new(["CLASS", "NAME", "STATE", "PACK", "CATEGORY"]);
    for schema in found {
        let name = if has_room { schema.title() } else { "" };
        let state = if schema.deprecated { "deprecated" } else { "" };
        let pack = schema.pack().unwrap_or_default();
        table.row([&schema.name, name, state, pack, &schema.category]);
    }
    printer.table(&table);
}

/// The category or type that may be meant by one that there is not.
fn meant<'a>(schemas: &'a Schemas, filter: &NodesFilter) -> Option<&'a str> {
    let all = || schemas.iter().map(|(_, schema)| schema);
    let near = |wanted: &Option<String>, there: &mut dyn Iterator<Item = &'a str>| {
        let wanted = wanted.as_deref()?;
        most_similar(wanted, there).filter(|near| !near.eq_ignore_ascii_case(wanted))
    };
    let mut categories = all().flat_map(|schema| schema.category.split('/'));
    let mut taken = all().flat_map(|schema| schema.inputs.iter().map(|input| input.type_name()));
    let mut given = all().flat_map(|schema| schema.outputs.iter().map(|output| &*output.type_name));
    near(&filter.category, &mut categories)
        .or_else(|| near(&filter.input_type, &mut taken))
        .or_else(|| near(&filter.output_type, &mut given))
}

fn fits(schema: &NodeSchema, filter: &NodesFilter) -> bool {
    // `latent` is meant where the server says `model/latent`.
    let is_in = |wanted: &String| {
        let whole = |path: &str| format!("/{}/", path.trim_matches('/').to_lowercase());
        whole(&schema.category).contains(&whole(wanted))
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
    filter.category.as_ref().is_none_or(is_in)
        && filter.pack.as_ref().is_none_or(is_of)
        && filter.input_type.as_ref().is_none_or(takes)
        && filter.output_type.as_ref().is_none_or(gives)
        && (!filter.custom || schema.pack().is_some())
        && (!filter.deprecated || schema.deprecated)
}
