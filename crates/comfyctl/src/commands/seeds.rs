//! `--seed`: the noise seeds of a workflow.

use comfy_api_client::workflow::SeedChange;
use comfy_api_client::{Client, Workflow, random_seed};
use serde_json::json;

use crate::args::Seeds;
use crate::failure::Failure;
use crate::printer::Printer;

/// Changes the seeds, within what the server's nodes take.
pub(crate) async fn apply(
    seeds: Seeds,
    workflow: &mut Workflow,
    client: &Client,
) -> Result<Vec<SeedChange>, Failure> {
    Ok(match seeds {
        Seeds::Keep => Vec::new(),
        Seeds::Random => workflow.randomize_noise_seeds(random_seed(), &*client.schemas().await?),
        Seeds::Number(seed) => workflow.replace_noise_seeds(seed, &*client.schemas().await?),
    })
}

/// Tells what the seeds of the workflow are now, but for those that were set to something else afterwards.
pub(crate) fn tell(changes: &[SeedChange], workflow: &Workflow, seeds: Seeds, printer: &Printer) {
    if changes.is_empty() && seeds != Seeds::Keep {
        printer.warning("`--seed` changes nothing: the workflow has no noise seed that can be set");
    }
    let stands = |change: &&SeedChange| {
        let node = workflow.node(change.node.as_str());
        node.is_some_and(|node| node.inputs.get(&change.input) == Some(&change.new))
    };
    for change in changes.iter().filter(stands) {
        printer.note(&change.to_string());
        printer.json(&json!({
            "type": "seed", "node": change.node, "class_type": change.class_type, "title": change.title,
            "input": change.input, "old": change.old, "new": change.new,
        }));
    }
}
