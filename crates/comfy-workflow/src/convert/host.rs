//! Nodes that stand for a subgraph: their inputs, and the values that they give to widgets inside.

use std::borrow::Cow;

use serde_json::Value;

use super::live::{Kind, LiveGraph, LiveNode, Override, stored_list};
use super::widgets::{Slot, Stored, Widget};
use crate::editor::WidgetValues;

/// The inputs of a node that stands for the graph at `definition`. One that leads to a widget inside has a widget as
/// well, whose value is that of the widget inside.
pub(super) fn slots<'a>(graphs: &[LiveGraph<'a>], definition: usize) -> Vec<Slot<'a>> {
    let graph: &LiveGraph<'a> = &graphs[definition];
    let ports = graph.graph.inputs.iter();
    let slot = |port: &'a crate::editor::Port| Slot {
        name: Cow::Borrowed(port.name.as_str()),
        type_name: Cow::Borrowed(port.type_name.as_str()),
        widget: None,
        link: None,
    };
    ports.map(slot).collect()
}

/// Gives the node its widgets, with the values that the file has for them.
pub(super) fn assign(node: &mut LiveNode<'_>, inside: &LiveGraph<'_>) {
    for (slot, promoted) in node.slots.iter_mut().zip(&inside.promoted) {
        if let Some(value) = promoted {
            slot.widget = Some(node.widgets.len());
            let name = Cow::Owned(slot.name.to_string());
            node.widgets.push(Widget { name, value: value.clone(), spec: None, stored: None });
        }
    }
    if let WidgetValues::Named(values) = &node.source.widgets_values {
        for widget in &mut node.widgets {
            if let Some(value) = values.get(widget.name.as_ref()).filter(|value| !value.is_null()) {
                widget.value = Some(value.clone());
                widget.stored = Some(Stored::Key(widget.name.to_string()));
            }
        }
        return;
    }
    let values = stored_list(node.source);
    match proxies(node) {
        Some(proxies) if !values.is_empty() => {
            for (place, (proxy, value)) in proxies.iter().zip(values).enumerate() {
                // Older editors write null for what a widget inside holds itself.
                if value.is_null() {
                    continue;
                }
                let stored = Stored::Index(place);
                if proxy.node != "-1" {
                    let (node_id, widget) = (proxy.node.clone(), proxy.widget.clone());
                    node.overrides.push(Override { node: node_id, widget, value: value.clone(), stored });
                } else if let Some(widget) =
                    node.widgets.iter_mut().find(|widget| widget.name == proxy.widget)
                {
                    widget.value = Some(value.clone());
                    widget.stored = Some(stored);
                }
            }
        }
        _ => {
            for (place, (widget, value)) in node.widgets.iter_mut().zip(values).enumerate() {
                widget.stored = Some(Stored::Index(place));
                if !value.is_null() {
                    widget.value = Some(value.clone());
                }
            }
        }
    }
}

struct Proxy {
    node: String,
    widget: String,
}

/// The widgets that the node shows, where the file says which.
fn proxies(node: &LiveNode<'_>) -> Option<Vec<Proxy>> {
    let list = node.source.properties.get("proxyWidgets")?.as_array()?;
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    Some(list.iter().map(|entry| Proxy { node: text(entry.get(0)), widget: text(entry.get(1)) }).collect())
}

/// For every input of a definition, the value of the widget inside to which it leads: that of its first link, in the order
/// in which the input lists them.
pub(super) fn promoted(inside: &LiveGraph<'_>) -> Vec<Option<Option<Value>>> {
    let graph = inside.graph;
    let mut found: Vec<Option<(usize, Option<Value>)>> = vec![None; graph.inputs.len()];
    for node in &inside.nodes {
        for slot in &node.slots {
            let Some(link) = slot.link.filter(|link| link.origin == graph.input_node) else { continue };
            let Some(port) = graph.inputs.get(link.origin_slot) else { continue };
            let value = match (slot.widget, node.kind) {
                (Some(widget), _) => node.widgets.get(widget).and_then(|widget| widget.value.clone()),
                // An unknown class has no widgets here, but the file knows that it had one.
                (None, Kind::Unknown)
                    if node.source.input(&slot.name).is_some_and(|input| input.widget.is_some()) =>
                {
                    None
                }
                _ => continue,
            };
            let order = port.links.iter().position(|id| *id == link.id).unwrap_or(usize::MAX);
            let first = &mut found[link.origin_slot];
            if first.as_ref().is_none_or(|(first, _)| order < *first) {
                *first = Some((order, value));
            }
        }
    }
    found.into_iter().map(|found| found.map(|(_, value)| value)).collect()
}
