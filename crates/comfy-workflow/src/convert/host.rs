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

/// The node of a shown widget that belongs to an input of the definition.
const INPUT: &str = "-1";

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
    let proxies = proxies(node);
    // What the list of shown widgets does not place goes by the order of the inputs; the list may be empty, or leave inputs
    // out. Older editors write null for what a widget inside holds itself.
    let placed = |name: &str| {
        proxies.iter().take(values.len()).any(|proxy| proxy.node == INPUT && proxy.widget == name)
    };
    for (place, (widget, value)) in node.widgets.iter_mut().zip(values).enumerate() {
        if placed(&widget.name) {
            continue;
        }
        widget.stored = Some(Stored::Index(place));
        if !value.is_null() {
            widget.value = Some(value.clone());
        }
    }
    for (place, proxy) in proxies.into_iter().enumerate() {
        let value = values.get(place).filter(|value| !value.is_null()).cloned();
        let stored = Stored::Index(place);
        if proxy.node != INPUT {
            node.overrides.push(Override { node: proxy.node, widget: proxy.widget, value, stored });
        } else if let Some(widget) = node.widgets.iter_mut().find(|widget| widget.name == proxy.widget)
            && place < values.len()
        {
            widget.stored = Some(stored);
            if value.is_some() {
                widget.value = value;
            }
        }
    }
}

struct Proxy {
    node: String,
    widget: String,
}

/// The widgets that the node shows, where the file says which: pairs of texts, else the whole list counts for nothing.
fn proxies(node: &LiveNode<'_>) -> Vec<Proxy> {
    let list = node.source.properties.get("proxyWidgets").and_then(Value::as_array);
    let pair = |entry: &Value| {
        let text = |index: usize| entry.get(index).and_then(Value::as_str).map(str::to_owned);
        Some(Proxy { node: text(0)?, widget: text(1)? })
    };
    list.and_then(|list| list.iter().map(pair).collect()).unwrap_or_default()
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
