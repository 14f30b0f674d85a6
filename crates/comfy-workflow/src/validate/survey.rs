//! The first look at a prompt: whether every node has a class that the server has, and which nodes are outputs.

use serde_json::{Map, Value};

use super::errors::{ErrorDetail, ErrorType};
use super::python::{str, truth};
use super::{Options, Profile};
use crate::json::exact;

/// What ends a validation at the first look.
pub(super) enum Stop {
    Rejected(Box<ErrorDetail>),
    Crashed(String),
}

/// The nodes of the prompt, and the ids of the output nodes that are asked for.
pub(super) fn survey(
    prompt: Value,
    options: &Options<'_>,
) -> Result<(Map<String, Value>, Vec<String>), Stop> {
    let nodes = match prompt {
        Value::Object(nodes) => nodes,
        // Walking an empty text or list finds nothing to stumble over.
        Value::String(text) if text.is_empty() => Map::new(),
        Value::Array(items) if items.is_empty() => Map::new(),
        _ => return Err(Stop::Crashed("the prompt is not an object".into())),
    };
    let mut outputs = Vec::new();
    for (id, node) in &nodes {
        if is_output(id, node, options)? && asked_for(id, options)? {
            outputs.push(id.clone());
        }
    }
    if outputs.is_empty() {
        let error = ErrorDetail::new(ErrorType::PromptNoOutputs, "Prompt has no outputs", "");
        return Err(Stop::Rejected(Box::new(error)));
    }
    Ok((nodes, outputs))
}

fn is_output(id: &str, node: &Value, options: &Options<'_>) -> Result<bool, Stop> {
    // Python looks for the word in texts and lists as well.
    let has_class = match node {
        node if exact::stand_in(node).is_some() => {
            return Err(Stop::Crashed(format!("node {id} is not an object")));
        }
        Value::Object(node) => node.contains_key("class_type"),
        Value::Array(items) => items.iter().any(|item| item == "class_type"),
        Value::String(text) => text.contains("class_type"),
        _ => return Err(Stop::Crashed(format!("node {id} is not an object"))),
    };
    let not_an_object = || Stop::Crashed(format!("node {id} is not an object"));
    if !has_class {
        return Err(match options.profile.is_modern() {
            true => without_class(id, node.as_object().ok_or_else(not_an_object)?)?,
            false => refused(id, "Cannot execute because a node is missing the class_type property.".into()),
        });
    }
    let node = node.as_object().ok_or_else(not_an_object)?;
    let class_type = node.get("class_type").unwrap_or(&Value::Null);
    if class_type.is_array() || class_type.is_object() {
        return Err(Stop::Crashed(format!("the class_type of node {id} is a list or an object")));
    }
    let known = class_type.as_str().and_then(|name| {
        let described = options.schemas.get(name).map(|schema| schema.output_node);
        described.or_else(|| options.checks.undescribed(name).map(|class| class.output_node))
    });
    match known {
        Some(output) => Ok(output),
        None => Err(unknown_class(id, node, class_type, options.profile)?),
    }
}

/// The user's title, as far as `_meta` is of a shape that a server can look into.
fn title<'a>(id: &str, node: &'a Map<String, Value>) -> Result<Option<&'a Value>, Stop> {
    match node.get("_meta") {
        None => Ok(None),
        Some(Value::Object(meta)) => Ok(meta.get("title")),
        Some(_) => Err(Stop::Crashed(format!("the _meta of node {id} is not an object"))),
    }
}

fn without_class(id: &str, node: &Map<String, Value>) -> Result<Stop, Stop> {
    let title = title(id, node)?.cloned().unwrap_or_default();
    let name = if truth(&title) { str(&title) } else { format!("ID #{id}") };
    let message = format!(
        "Node '{name}' has no class_type. The workflow may be corrupted or a custom node is missing."
    );
    Ok(missing(id, message, Value::Null, title))
}

fn unknown_class(
    id: &str,
    node: &Map<String, Value>,
    class_type: &Value,
    profile: Profile,
) -> Result<Stop, Stop> {
    if !profile.is_modern() {
        return Ok(refused(id, format!("Cannot execute because node {} does not exist.", str(class_type))));
    }
    let title = title(id, node)?.unwrap_or(class_type).clone();
    let message = format!("Node '{}' not found. The custom node may not be installed.", str(&title));
    Ok(missing(id, message, class_type.clone(), title))
}

fn missing(id: &str, message: String, class_type: Value, title: Value) -> Stop {
    let error = ErrorDetail::new(ErrorType::MissingNodeType, message, format!("Node ID '#{id}'"));
    let error = error.with("node_id", id).with("class_type", class_type).with("node_title", title);
    Stop::Rejected(Box::new(error))
}

fn refused(id: &str, message: String) -> Stop {
    let error = ErrorDetail::new(ErrorType::InvalidPrompt, message, format!("Node ID '#{id}'"));
    Stop::Rejected(Box::new(error))
}

/// Whether an output node is one of those that are asked for; none is when they are of a shape that the server fails on.
pub(super) fn is_asked_for(id: &str, options: &Options<'_>) -> bool {
    asked_for(id, options).unwrap_or(false)
}

/// `id in targets`, as Python takes it for what should be a list.
fn asked_for(id: &str, options: &Options<'_>) -> Result<bool, Stop> {
    match options.partial_targets {
        None | Some(Value::Null) => Ok(true),
        Some(targets) if exact::stand_in(targets).is_some() => {
            Err(Stop::Crashed("partial_execution_targets is not a list".into()))
        }
        Some(Value::Array(targets)) => Ok(targets.iter().any(|target| target == id)),
        Some(Value::String(text)) => Ok(text.contains(id)),
        Some(Value::Object(map)) => Ok(map.contains_key(id)),
        Some(Value::Bool(_) | Value::Number(_)) => {
            Err(Stop::Crashed("partial_execution_targets is not a list".into()))
        }
    }
}
