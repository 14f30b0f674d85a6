//! `free`: memory of the server.

use comfy_api_client::Client;
use serde_json::json;

use crate::args::Free;
use crate::commands::request::request;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::Settings;

/// Asks the server to free memory.
pub(crate) async fn free(settings: &Settings, printer: &Printer, args: Free) -> Exit {
    let (models, memory) = match (args.models, args.memory) {
        (false, false) => (true, true),
        given => given,
    };
    request(settings, printer, async |client: &Client| {
        client.free().unload_models(models).free_memory(memory).await?;
        printer.json(&json!({"type": "free", "unload_models": models || memory, "free_memory": memory}));
        printer.note(match memory {
            true => "the server frees its models and the results that it keeps as soon as nothing runs",
            false => "the server frees its models as soon as nothing runs",
        });
        Ok::<_, Failure>(())
    })
    .await
}
