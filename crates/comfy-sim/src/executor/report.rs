//! The report of a node that failed.

use std::sync::Arc;

use comfy_protocol::ExecutionError;
use comfy_workflow::NodeId;
use serde_json::{Map, Value as Json};

use super::graph::{Graph, Node};
use crate::nodes::NodeError;
use crate::python::python_text;
use crate::queue::SharedItem;
use crate::value::Value;
use crate::version::ServerVersion;

/// The failure of a node as the server reports it: under the node of the prompt that it came from.
pub(super) fn report(
    item: &SharedItem,
    graph: &Graph<'_>,
    at: usize,
    prompt: &Arc<Json>,
    executed: &[NodeId],
    error: NodeError,
    mut inputs: Map<String, Json>,
) -> ExecutionError {
    let node = &graph.nodes[at];
    let real = &graph.nodes[node.real];
    let message = error.reported();
    let mut report = ExecutionError::new(
        item.0.prompt_id.clone(),
        real.id.clone(),
        real.class_type.clone(),
        error.exception_type,
        message,
    );
    report.executed = executed.to_vec();
    report.traceback = vec![format!("  File \"nodes.py\", in {}\n", node.class_type)];
    for (name, kind) in node.hidden() {
        let value = match kind.as_str() {
            "PROMPT" => python_text(prompt).into(),
            "EXTRA_PNGINFO" => {
                let entries = item.0.extra_data.get("extra_pnginfo");
                // JSON reads alike on all versions.
                let shown = |entries: &Json| Value::Json(entries.clone()).shown(ServerVersion::default());
                entries.map_or(Json::Null, shown)
            }
            "UNIQUE_ID" => node.id.as_str().into(),
            _ => continue,
        };
        inputs.insert(name.clone(), Json::Array(vec![value]));
    }
    report.current_inputs = Json::Object(inputs);
    // Those of the prompt, and of the others those that are done.
    let known = graph.nodes.iter().filter(|node| node.parent.is_none() || executed.contains(&node.id));
    report.current_outputs = known.map(|node| Json::from(node.id.as_str())).collect();
    report
}

/// The report of nodes that wait for each other.
pub(super) fn cycle(item: &SharedItem, graph: &Graph<'_>, at: usize, executed: &[NodeId]) -> ExecutionError {
    let real = &graph.nodes[graph.nodes[at].real];
    let mut report = ExecutionError::new(
        item.0.prompt_id.clone(),
        real.id.clone(),
        real.class_type.clone(),
        "graph.DependencyCycleError".to_owned(),
        "Dependency cycle detected".to_owned(),
    );
    report.executed = executed.to_vec();
    report.current_inputs = Json::Array(Vec::new());
    let of_the_prompt = graph.nodes.iter().filter(|node| node.parent.is_none());
    report.current_outputs = of_the_prompt.map(|node| Json::from(node.id.as_str())).collect();
    report
}

/// The function behind a class, by the name that it has in the server's messages.
pub(super) fn function(node: &Node<'_>) -> String {
    if let Some(function) = node.class.and_then(|class| class.function) {
        return function.to_owned();
    }
    let name = match node.class_type.as_str() {
        "SaveImage" | "PreviewImage" => "SaveImage.save_images",
        "LoadImage" => "LoadImage.load_image",
        "LoadImageMask" => "LoadImageMask.load_image_mask",
        "ImageScale" => "ImageScale.upscale",
        "ImageScaleBy" => "ImageScaleBy.upscale",
        "ImageInvert" => "ImageInvert.invert",
        "ImageBatch" => "ImageBatch.batch",
        "EmptyImage" => "EmptyImage.generate",
        "ImageBlend" => "Blend.execute",
        "PreviewAny" => "PreviewAny.main",
        other => return format!("{}.execute", other.strip_prefix("Primitive").unwrap_or(other)),
    };
    name.to_owned()
}
