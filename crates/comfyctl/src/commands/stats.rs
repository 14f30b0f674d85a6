//! `stats`: what a server runs on.

use comfy_api_client::Client;
use comfy_api_client::protocol::routes::system::SystemStats;
use indicatif::BinaryBytes;
use serde_json::json;

use crate::commands::request::request;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::render::table::Table;
use crate::settings::Settings;

/// Shows the versions, devices and memory of a server.
pub(crate) async fn stats(settings: &Settings, printer: &Printer) -> Exit {
    request(settings, printer, async |client: &Client| {
        print(printer, &client.system_stats().await?);
        Ok::<_, Failure>(())
    })
    .await
}

fn print(printer: &Printer, stats: &SystemStats) {
    if printer.is_json() {
        let mut line = json!({"type": "stats"});
        if let (Some(line), Ok(serde_json::Value::Object(stats))) =
            (line.as_object_mut(), serde_json::to_value(stats))
        {
            line.extend(stats);
        }
        printer.json(&line);
        return;
    }
    let system = &stats.system;
    let mut table = Table::new(["WHAT", "VALUE"]);
    table.row(["ComfyUI", &system.comfyui_version]);
    table.row(["Python", &system.python_version]);
    table.row(["PyTorch", &system.pytorch_version]);
    table.row(["system", &system.os]);
    table.row(["memory", &memory(system.ram_free, system.ram_total)]);
    for device in &stats.devices {
        table.row([&format!("device {}", device.name), &memory(device.vram_free, device.vram_total)]);
    }
    table.row(["started with", &system.argv.join(" ")]);
    printer.table(&table);
}

fn memory(free: u64, total: u64) -> String {
    format!("{} free of {}", BinaryBytes(free), BinaryBytes(total))
}
