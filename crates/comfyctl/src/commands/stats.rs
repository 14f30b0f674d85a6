//! `stats` and `features`: what a server runs on, and what it can do.

use comfy_api_client::Client;
use comfy_api_client::protocol::routes::system::SystemStats;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::commands::request::request;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::render::table::Table;
use crate::render::text::used;
use crate::settings::Settings;

/// Shows the versions, devices and memory of a server.
pub(crate) async fn stats(settings: &Settings, printer: &Printer) -> Exit {
    request(settings, printer, async |client: &Client| {
        let stats = client.system_stats().await?;
        print_json("stats", &stats, printer);
        if !printer.is_json() {
            print_stats(printer, &stats);
        }
        Ok::<_, Failure>(())
    })
    .await
}

/// Shows what a server says it can do.
pub(crate) async fn features(settings: &Settings, printer: &Printer) -> Exit {
    request(settings, printer, async |client: &Client| {
        let features = client.features().await?;
        print_json("features", &features, printer);
        if features.0.is_empty() {
            printer.note("the server names no features");
        }
        if !printer.is_json() {
            let mut table = Table::new(["FEATURE", "VALUE"]);
            add_features("", &features.0, &mut table);
            printer.table(&table);
        }
        Ok::<_, Failure>(())
    })
    .await
}

/// What the server says, as a line of a type.
fn print_json(kind: &str, said: &impl Serialize, printer: &Printer) {
    let mut line = Map::from_iter([("type".to_owned(), Value::from(kind))]);
    if let Ok(Value::Object(said)) = serde_json::to_value(said) {
        line.extend(said.into_iter().filter(|(key, _)| key != "type"));
    }
    printer.json(&line);
}

/// What is read from JSON nests to a bounded depth, so this does too.
fn add_features(before: &str, features: &Map<String, Value>, table: &mut Table<2>) {
    for (name, value) in features {
        let name = format!("{before}{name}");
        match value {
            Value::Object(inner) if !inner.is_empty() => add_features(&format!("{name}."), inner, table),
            Value::Bool(on) => table.row([&name, if *on { "yes" } else { "no" }]),
            Value::String(text) => table.row([&name, text]),
            other => table.row([&name, &other.to_string()]),
        }
    }
}

fn print_stats(printer: &Printer, stats: &SystemStats) {
    let system = &stats.system;
    let mut table = Table::new(["WHAT", "VALUE"]);
    let mut row = |what: &str, value: &str| {
        if !value.is_empty() {
            table.row([what, value]);
        }
    };
    row("ComfyUI", &system.comfyui_version);
    row("Python", &system.python_version);
    row("PyTorch", &system.pytorch_version);
    row("system", &system.os);
    row("memory", &used(system.ram_free, system.ram_total));
    for device in &stats.devices {
        let index = device.index.map(|index| format!(":{index}")).unwrap_or_default();
        let kind = format!("{}{index}", device.kind);
        // The name of a CPU is its kind.
        let name = Some(device.name.as_str()).filter(|name| *name != kind).unwrap_or_default();
        let memory = used(device.vram_free, device.vram_total);
        row(&format!("device {kind}"), format!("{memory}  {name}").trim_end());
    }
    row("started with", &system.argv.join(" "));
    printer.table(&table);
}
