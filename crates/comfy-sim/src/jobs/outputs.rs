//! How many outputs a job has, and which one stands for it.

use comfy_protocol::NodeOutput;
use comfy_protocol::json::exact;
use comfy_workflow::NodeId;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::Malformed;
use crate::python;
use crate::version::ServerVersion;

/// Most characters of a text that stands for a job.
const TEXT_LENGTH: usize = 1024;

/// The outputs of a job in short.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) count: usize,
    pub(super) preview: Option<Map<String, Json>>,
}

type Outputs = IndexMap<NodeId, Option<NodeOutput>>;

/// The outputs of all nodes under their keys, without `animated`, which only says what kind of picture is beside it.
fn lists(outputs: &Outputs) -> impl Iterator<Item = (&NodeId, &String, &Vec<Json>)> {
    let nodes = outputs.iter().filter_map(|(node, output)| Some((node, output.as_ref()?)));
    nodes.flat_map(|(node, output)| {
        let lists = output.0.iter().filter(|(key, _)| *key != "animated");
        lists.filter_map(move |(key, items)| Some((node, key, items.as_array()?)))
    })
}

/// Counts the outputs and chooses the one to show: the first of type `output`, else the first other one; since 0.30.0 a text
/// file if there is nothing else, and after that a text.
///
/// # Errors
/// Something stands where the server wants the text of a file name or format.
pub(super) fn summary(outputs: &Outputs, version: ServerVersion) -> Result<Summary, Malformed> {
    let is_new = version >= ServerVersion::V0_30_0;
    let mut count = 0;
    let (mut stored, mut other, mut text_file, mut text) = (None, None, None, None);
    for (node, key, items) in lists(outputs) {
        for item in items {
            let model = if is_new { model_file(item) } else { None };
            let Some(item) = model.as_ref().or_else(|| item.as_object()) else {
                if is_new && key == "text" && text.is_none() {
                    text = Some(text_preview(item, node));
                }
                continue;
            };
            count += 1;
            // Nothing can take the place of an output, and the server looks no further.
            if stored.is_some() || !is_previewable(item, key, version)? {
                continue;
            }
            let slot = if is_new && (key == "text" || has_ending(item, &TEXT_ENDINGS)?) {
                &mut text_file
            } else if item.get("type").and_then(Json::as_str) == Some("output") {
                &mut stored
            } else {
                &mut other
            };
            if slot.is_none() {
                *slot = Some(file_preview(item, node, key, is_new));
            }
        }
    }
    Ok(Summary { count, preview: stored.or(other).or(text_file).or(text) })
}

/// The outputs as the detail of a job has them. Since 0.30.0 names of model files are items there, and nulls are left out.
pub(super) fn shown(outputs: &Outputs, version: ServerVersion) -> Map<String, Json> {
    let shown = |key: &str, items: &Json| match items {
        Json::Array(items) if version >= ServerVersion::V0_30_0 && key != "animated" => {
            let items = items.iter().filter(|item| !item.is_null());
            items.map(|item| model_file(item).map_or_else(|| item.clone(), Json::from)).collect()
        }
        other => other.clone(),
    };
    let outputs = outputs.iter().map(|(node, output)| {
        let lists = output.as_ref().map(|output| {
            output.0.iter().map(|(key, items)| (key.clone(), shown(key, items))).collect::<Map<_, _>>()
        });
        (node.to_string(), Json::from(lists))
    });
    outputs.collect()
}

const TEXT_ENDINGS: [&str; 3] = [".txt", ".md", ".json"];

fn model_endings(version: ServerVersion) -> &'static [&'static str] {
    const MODEL_ENDINGS: [&str; 5] = [".obj", ".fbx", ".gltf", ".glb", ".usdz"];
    if version >= ServerVersion::V0_30_0 { &MODEL_ENDINGS } else { &MODEL_ENDINGS[..4] }
}

fn ends(name: &str, endings: &[&str]) -> bool {
    let name = name.to_lowercase();
    endings.iter().any(|ending| name.ends_with(ending))
}

/// The item that the name of a model file stands for.
fn model_file(item: &Json) -> Option<Map<String, Json>> {
    let name = item.as_str().filter(|name| ends(name, model_endings(ServerVersion::V0_30_0)))?;
    match json!({"filename": name, "type": "output", "subfolder": "", "mediaType": "3d"}) {
        Json::Object(item) => Some(item),
        _ => None,
    }
}

fn is_previewable(item: &Map<String, Json>, key: &str, version: ServerVersion) -> Result<bool, Malformed> {
    let is_new = version >= ServerVersion::V0_30_0;
    if matches!(key, "images" | "video" | "audio") || is_new && matches!(key, "3d" | "text") {
        return Ok(true);
    }
    if let Some(format) = item.get("format").filter(|format| python::is_true(format)) {
        let format = text(format)?;
        if format.starts_with("video/") || format.starts_with("audio/") {
            return Ok(true);
        }
    }
    Ok(has_ending(item, model_endings(version))? || is_new && has_ending(item, &TEXT_ENDINGS)?)
}

fn has_ending(item: &Map<String, Json>, endings: &[&str]) -> Result<bool, Malformed> {
    Ok(ends(item.get("filename").map_or(Ok(""), text)?, endings))
}

fn text(value: &Json) -> Result<&str, Malformed> {
    value.as_str().filter(|text| exact::token(text).is_none()).ok_or(Malformed)
}

/// An item with where it comes from. What it says of its own kind counts since 0.30.0.
fn file_preview(item: &Map<String, Json>, node: &NodeId, key: &str, is_new: bool) -> Map<String, Json> {
    let mut preview = item.clone();
    preview.insert("nodeId".into(), node.as_str().into());
    if !(is_new && preview.contains_key("mediaType")) {
        preview.insert("mediaType".into(), key.into());
    }
    preview
}

fn text_preview(value: &Json, node: &NodeId) -> Map<String, Json> {
    let whole = python::python_text(value);
    let mut preview = Map::new();
    let cut = whole.char_indices().nth(TEXT_LENGTH).and_then(|(end, _)| whole.get(..end));
    preview.insert("content".into(), cut.unwrap_or(&whole).into());
    if cut.is_some() {
        preview.insert("truncated".into(), true.into());
    }
    preview.insert("nodeId".into(), node.as_str().into());
    preview.insert("mediaType".into(), "text".into());
    preview
}
