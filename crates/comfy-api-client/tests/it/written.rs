//! Workflows that are written in code.

use comfy_api_client::workflow::WorkflowBuilder;
use comfy_api_client::workflow::schema::Schemas;

use crate::support::{TestServer, behaviour, fresh};

/// Two pictures that are put together and made smaller, as far as the server has nodes for it; the noise has a seed.
fn graph(schemas: &Schemas) -> WorkflowBuilder {
    let graph = WorkflowBuilder::new();
    let image = graph.add("EmptyImage").set("width", 64).set("height", 32).set("color", fresh());
    let inverted = graph.add("ImageInvert").set("image", image.output("IMAGE"));
    let mut last = inverted.output(0);
    if schemas.contains("BatchImagesNode") {
        last = graph.add("BatchImagesNode").set_row("images", [image.output(0), last]).output("IMAGE");
    }
    if schemas.contains("ResizeImageMaskNode") {
        let resized = graph.add("ResizeImageMaskNode").set("input", last).set("resize_type", "scale width");
        last = resized.set("resize_type.width", 16).output("resized");
    }
    let noisy = graph.add("ImageAddNoise").set("image", last).set("seed", 1);
    let save = graph.add("SaveImage").id("save").title("Result").set("images", noisy.output("IMAGE"));
    save.set("filename_prefix", "client-test/written");
    graph
}

behaviour! {
    async fn a_workflow_written_in_code_runs_with_a_seed_that_is_drawn(server) {
        let client = server.client().await;
        let schemas = client.schemas().await.unwrap();
        let mut workflow = graph(&schemas).build_with(&schemas).unwrap();
        let drawn = workflow.randomize_noise_seeds(fresh().into(), &schemas);
        assert_eq!(drawn.len(), 1, "{drawn:?}");
        let outputs = client.submit(&workflow).await.unwrap().await.unwrap();
        let pictures = if schemas.contains("BatchImagesNode") { 2 } else { 1 };
        assert_eq!(outputs.files().filter(|file| file.node == "save").count(), pictures);
        let record = client.history(outputs.prompt_id()).await.unwrap().unwrap();
        assert_eq!(record.prompt.2[drawn[0].node.as_str()]["inputs"]["seed"], drawn[0].new);
    }
}
