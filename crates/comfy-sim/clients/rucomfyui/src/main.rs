//! The crate `rucomfyui` against a server: `client-rucomfyui URL`
//!
//! Reads node classes into its types, uploads a picture, runs a typed workflow with it and a dynamic one of several steps
//! with its events, one that the server refuses and one whose node raises, and looks after queue and history.
//!
//! Two of its calls fail on any server like this one and are left out: `system_stats` wants a device's index to be a number, which
//! it is not where there is no GPU, and `get_object_info` wants choices to be strings, which those of the test nodes are not.

use std::error::Error;

use futures::StreamExt as _;
use rucomfyui::nodes::all::{EmptyImage, ImageInvert, LoadImage, SaveImage};
use rucomfyui::nodes::types::{ImageOut, Out as _};
use rucomfyui::upload::UploadType;
use rucomfyui::workflow::WorkflowNode;
use rucomfyui::{Client, ClientError, Event, WorkflowGraph};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn check(what: &str, holds: bool) -> Result {
    if holds { Ok(()) } else { Err(format!("failed: {what}").into()) }
}

#[tokio::main]
async fn main() -> Result {
    let url = std::env::args().nth(1).ok_or("say which server: client-rucomfyui URL")?;
    // A client for each run. The crate opens a socket for each run too, under the client's one id, and a server forgets the id as
    // soon as one socket of it closes: a second run at once would never hear of its end.
    let client = || Client::new(url.as_str());
    questions(&client()).await?;
    let picture = typed(&client()).await?;
    uploaded(&client(), &picture).await?;
    followed(&client()).await?;
    refused(&client()).await?;
    raises(&client()).await?;
    println!("node classes as types, an upload, typed workflows, one with progress and previews, a refused one, one that raises");
    Ok(())
}

async fn questions(client: &Client) -> Result {
    for class in ["KSampler", "CheckpointLoaderSimple", "CLIPTextEncode", "LoadImage", "SaveImage", "ImageBlend", "StringConcatenate"] {
        check(class, client.get_object_for_name(class).await?.name == class)?;
    }
    let categories = client.get_model_categories().await?;
    check("there are folders of models", categories.contains(&rucomfyui::models::ModelCategory::Checkpoints))?;
    client.get_models(rucomfyui::models::ModelCategory::Checkpoints).await?;
    client.free(true, true).await?;
    Ok(())
}

/// The picture that a workflow of typed nodes makes.
async fn typed(client: &Client) -> Result<Vec<u8>> {
    let graph = WorkflowGraph::new();
    let image = graph.add(EmptyImage { width: 64, height: 48, batch_size: 1, color: 0x00ff_8000 });
    let save = graph.add(SaveImage::new(graph.add(ImageInvert::new(image)), "client-test/rucomfyui"));
    let mut outputs = client.execute(&graph.into_workflow()).await?.outputs().await?;
    let output = outputs.remove(&save).ok_or("the saving node has no output")?;
    let picture = output.images.into_iter().next().ok_or("the saving node has no picture")?;
    check("the picture is a PNG", picture.starts_with(b"\x89PNG"))?;
    Ok(picture)
}

async fn uploaded(client: &Client, picture: &[u8]) -> Result {
    let uploaded = client.upload_image("rucomfyui.png", picture.to_vec(), UploadType::Input, true).await?;
    check("it has the name asked for", uploaded.name == "rucomfyui.png")?;
    let graph = WorkflowGraph::new();
    let loaded = graph.add(LoadImage::new(uploaded.name.as_str()));
    graph.add(SaveImage::new(loaded.image, "client-test/rucomfyui"));
    let outputs = client.execute(&graph.into_workflow()).await?.outputs().await?;
    check("there is one output", outputs.len() == 1)
}

async fn followed(client: &Client) -> Result {
    let graph = WorkflowGraph::new();
    let image = graph.add(EmptyImage { width: 64, height: 48, batch_size: 1, color: 0x0000_80ff });
    let steps = graph.add_dynamic(
        WorkflowNode::new("ProbeProgress")
            .with_input("image", image)
            .with_input("steps", 8)
            .with_input("delay", 0.1)
            .with_input("preview", "JPEG")
            .with_input("salt", client.client_id()),
    );
    graph.add(SaveImage::new(ImageOut::from_dynamic(steps, 0), "client-test/rucomfyui"));

    let mut execution = client.execute(&graph.into_workflow()).await?;
    let prompt_id = execution.prompt_id().to_owned();
    let (mut progress, mut previews, mut outputs, mut completed) = (Vec::new(), 0, 0, false);
    while let Some(event) = execution.next().await {
        match event? {
            Event::Progress { value, max, .. } => progress.push((value, max)),
            Event::Preview { image, .. } => previews += usize::from(image.data.starts_with(b"\xff\xd8")),
            Event::Executed { .. } => outputs += 1,
            Event::Completed { .. } => completed = true,
            _ => {}
        }
    }
    check(&format!("progress goes from the first to the last step: {progress:?}"), progress.contains(&(8, 8)))?;
    check(&format!("there are previews: {previews}"), previews > 0)?;
    check(&format!("it ends with an output: {outputs}"), completed && outputs > 0)?;

    let history = client.get_history(10).await?;
    check("it is in the history", history.data.contains_key(&prompt_id))?;
    client.delete_from_history(vec![prompt_id.clone()]).await?;
    check("it is gone from the history", client.get_history_for_prompt(&prompt_id).await?.data.is_empty())?;
    client.get_queue().await?;
    Ok(())
}

async fn refused(client: &Client) -> Result {
    let graph = WorkflowGraph::new();
    graph.add_dynamic(WorkflowNode::new("SaveImage").with_input("filename_prefix", "client-test/rucomfyui"));
    match client.execute(&graph.into_workflow()).await {
        Err(ClientError::Validation { node_errors, .. }) => check("the error names a node", node_errors.is_some_and(|nodes| !nodes.is_empty())),
        Err(other) => Err(format!("failed: a workflow without its picture is refused otherwise: {other}").into()),
        Ok(_) => Err("failed: a workflow without its picture is not refused".into()),
    }
}

async fn raises(client: &Client) -> Result {
    let graph = WorkflowGraph::new();
    graph.add_dynamic(WorkflowNode::new("ProbeRaise").with_input("kind", "ValueError").with_input("n", 3));
    match client.execute(&graph.into_workflow()).await?.outputs().await {
        Err(ClientError::Execution { message, .. }) => check(&message, message.contains("demo_probe says no")),
        Err(other) => Err(format!("failed: a node that raises ends otherwise: {other}").into()),
        Ok(_) => Err("failed: a node that raises ends well".into()),
    }
}
