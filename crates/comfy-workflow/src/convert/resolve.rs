//! Where the value of an input comes from, through all that only passes it on.

use std::borrow::Cow;

use serde_json::Value;

use super::live::{Kind, Live, LiveNode, Override, stored_name};
use super::widgets::Stored;
use crate::NodeId;
use crate::editor::Mode;

/// Most nodes that a value is followed through. A circle is noticed by it.
const HOPS: usize = 10_000;

/// The subgraph nodes around a node, the outermost first.
pub(super) type Path = Vec<Step>;

/// A node that stands for a subgraph, by its place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) graph: usize,
    pub(super) host: usize,
}

/// Where the value of an input comes from.
pub(super) enum Origin<'l> {
    /// The output of a node that a server runs.
    Link { node: NodeId, slot: usize },
    /// The widget of a subgraph's node.
    Widget { value: Option<&'l Value>, path: Path, graph: usize, node: usize, stored: Option<&'l Stored> },
    /// Nowhere.
    Nothing,
    /// The links go in a circle.
    Cycle,
}

impl<'a> Live<'a> {
    /// The id in the result of a node inside the subgraphs of `path`.
    pub(super) fn id(&self, path: &[Step], node: &LiveNode<'_>) -> NodeId {
        if path.is_empty() {
            return node.id.clone();
        }
        let mut id = String::new();
        for step in path {
            id.push_str(self.graphs[step.graph].nodes[step.host].id.as_str());
            id.push(':');
        }
        id.push_str(node.id.as_str());
        NodeId::from(id)
    }

    /// Follows the input at `slot` of a node to where its value comes from.
    pub(super) fn origin(
        &self,
        path: &[Step],
        mut graph: usize,
        mut node: usize,
        mut slot: usize,
    ) -> Origin<'_> {
        let mut path = path.to_vec();
        let mut wanted: Option<Cow<'_, str>> = None;
        // Whether we have come out of a subgraph, to the input of the node that stands for it.
        let mut came_out = false;
        'hops: for _ in 0..HOPS {
            let here = &self.graphs[graph].nodes[node];
            let Some(input) = here.slots.get(slot) else { return Origin::Nothing };
            let Some(link) = input.link else {
                return if came_out { self.widget(path, graph, node, slot) } else { Origin::Nothing };
            };
            let want = wanted.take().unwrap_or_else(|| Cow::Borrowed(&*input.type_name));
            let mut link = link;
            loop {
                let inside = &self.graphs[graph];
                if graph != 0 && link.origin == inside.graph.input_node {
                    let Some(step) = path.pop() else { return Origin::Nothing };
                    (graph, node, slot, came_out) = (step.graph, step.host, link.origin_slot, true);
                    continue 'hops;
                }
                let Some(&place) = inside.by_id.get(link.origin.as_str()) else { return Origin::Nothing };
                let origin = &inside.nodes[place];
                if origin.source.mode == Mode::Muted {
                    return Origin::Nothing;
                }
                if origin.source.mode == Mode::Bypassed {
                    let Some(passed) = self.passed_on(origin, link.origin_slot, &want) else {
                        return Origin::Nothing;
                    };
                    (node, slot, came_out) = (place, passed, false);
                    if matches!(origin.kind, Kind::Reroute) {
                        wanted = Some(want);
                    }
                    continue 'hops;
                }
                match origin.kind {
                    Kind::Reroute => {
                        (node, slot, came_out) = (place, link.origin_slot, false);
                        wanted = Some(want);
                        continue 'hops;
                    }
                    Kind::Get => {
                        let set = stored_name(origin.source).and_then(|name| inside.sets.get(name));
                        let Some(&set) = set else { return Origin::Nothing };
                        if inside.nodes[set].source.mode == Mode::Muted {
                            return Origin::Nothing;
                        }
                        (node, slot, came_out) = (set, 0, false);
                        wanted = Some(want);
                        continue 'hops;
                    }
                    Kind::Primitive | Kind::Note => return Origin::Nothing,
                    Kind::Host(definition) => {
                        let Some(leaving) = self.graphs[definition].leaving.get(&link.origin_slot) else {
                            return Origin::Nothing;
                        };
                        path.push(Step { graph, host: place });
                        if path.len() > HOPS {
                            return Origin::Cycle;
                        }
                        (graph, link) = (definition, leaving);
                    }
                    Kind::Known(_) | Kind::Unknown => {
                        return Origin::Link { node: self.id(&path, origin), slot: link.origin_slot };
                    }
                }
            }
        }
        Origin::Cycle
    }

    /// The value of a subgraph node's own widget, or that which a node further out gives it.
    fn widget(&self, path: Path, graph: usize, node: usize, slot: usize) -> Origin<'_> {
        let host = &self.graphs[graph].nodes[node];
        let Some(widget) = host.slots[slot].widget.and_then(|widget| host.widgets.get(widget)) else {
            return Origin::Nothing;
        };
        if let Some(origin) = self.overridden(&path, host, &widget.name) {
            return origin;
        }
        Origin::Widget { value: widget.value.as_ref(), path, graph, node, stored: widget.stored.as_ref() }
    }

    /// The value that the node around this one gives to a widget of it.
    pub(super) fn overridden(&self, path: &[Step], node: &LiveNode<'_>, widget: &str) -> Option<Origin<'_>> {
        let (step, outer) = path.split_last()?;
        let host = &self.graphs[step.graph].nodes[step.host];
        let shown = |given: &&Override| node.source.id == *given.node && given.widget == widget;
        let found = host.overrides.iter().rfind(shown)?;
        // A shown widget is a widget of the host, which the host around may show in its turn.
        if let Some(origin) = self.overridden(outer, host, widget) {
            return Some(origin);
        }
        Some(Origin::Widget {
            value: Some(found.value.as_ref()?),
            path: outer.to_vec(),
            graph: step.graph,
            node: step.host,
            stored: Some(&found.stored),
        })
    }

    /// The input that a bypassed node passes on to its output `slot`, when `wanted` is asked for.
    fn passed_on(&self, node: &LiveNode<'_>, slot: usize, wanted: &str) -> Option<usize> {
        if matches!(node.kind, Kind::Reroute) {
            return Some(slot);
        }
        if is_any(wanted) {
            return if slot < node.slots.len() { Some(slot) } else { Some(0) };
        }
        let output = self.output_type(node, slot);
        let fits = |input: &super::widgets::Slot<'_>| {
            compatible(&input.type_name, &output) && compatible(&input.type_name, wanted)
        };
        if node.slots.get(slot).is_some_and(fits) {
            return Some(slot);
        }
        let equal = node.slots.iter().position(|input| input.type_name == wanted);
        equal.or_else(|| node.slots.iter().position(fits))
    }

    fn output_type(&self, node: &LiveNode<'_>, slot: usize) -> String {
        let listed =
            || node.source.outputs.get(slot).map(|output| output.type_name.clone()).unwrap_or_default();
        match node.kind {
            Kind::Known(schema) => match schema.outputs.get(slot) {
                Some(output) if &*output.type_name == "COMFY_MATCHTYPE_V3" => listed(),
                Some(output) => output.type_name.to_string(),
                None => listed(),
            },
            Kind::Host(definition) => {
                let port = self.graphs[definition].graph.outputs.get(slot);
                port.map_or_else(listed, |port| port.type_name.clone())
            }
            _ => listed(),
        }
    }
}

fn is_any(type_name: &str) -> bool {
    matches!(type_name, "" | "*" | "0" | "COMFY_MATCHTYPE_V3")
}

/// Whether an output of one type may be linked to an input of the other: equal, one of them anything, or lists of types
/// that have one in common.
fn compatible(a: &str, b: &str) -> bool {
    a == b
        || is_any(a)
        || is_any(b)
        || a.split(',').any(|a| b.split(',').any(|b| a.trim().eq_ignore_ascii_case(b.trim())))
}
