//! The scene of a workflow of the editor: as the user laid it out.

use std::collections::HashSet;

use super::color::Rgb;
use super::ends::Ends;
use super::layout::Edge;
use super::reroutes::{self, Reroutes};
use super::scene::{Area, Frame, Look, MOST_ROWS, NodeBox, Panel, Row, Slot, TITLE, Wire};
use super::{DETAILED, MOST_NODES, api, text, tooltip};
use crate::convert::NamedValues;
use crate::editor::{EditorWorkflow, Graph, GraphNode, Mode};
use crate::outline;
use crate::schema::Schemas;

/// Coordinates from here on are no place.
pub(super) const FAR: f64 = 1e6;
/// A drawing as wide or high as this cannot be looked at; the nodes are laid out anew.
const VAST: f64 = 150_000.0;
/// Most frames and links of a graph.
const MOST: usize = 50_000;

/// The panels of a workflow, and how many nodes they leave out.
pub(super) fn panels(editor: &EditorWorkflow, schemas: Option<&Schemas>) -> (Vec<Panel>, usize) {
    let graphs = std::iter::once(editor.root()).chain(editor.subgraphs().values());
    let all: usize = graphs.clone().map(|graph| graph.nodes.len()).sum();
    let named = schemas.map(|schemas| NamedValues::new(editor, schemas));
    let drawer = Drawer { editor, schemas, named, detailed: all <= DETAILED };
    let mut left = MOST_NODES;
    let mut panels = Vec::new();
    for (index, graph) in graphs.enumerate() {
        let fields = match index {
            0 => editor.document().as_object(),
            _ => reroutes::definition(editor, &graph.id),
        };
        let mut panel = drawer.panel(graph, fields, left);
        if index > 0 {
            let name = if graph.name.trim().is_empty() { &graph.id } else { &graph.name };
            panel.name = Some(text::clipped(name, 200));
        }
        left -= graph.nodes.len().min(left);
        if index == 0 || !panel.boxes.is_empty() {
            panels.push(panel);
        }
    }
    (panels, all - all.min(MOST_NODES))
}

struct Drawer<'a> {
    editor: &'a EditorWorkflow,
    schemas: Option<&'a Schemas>,
    named: Option<NamedValues>,
    detailed: bool,
}

impl Drawer<'_> {
    fn panel(
        &self,
        graph: &Graph,
        fields: Option<&serde_json::Map<String, serde_json::Value>>,
        most: usize,
    ) -> Panel {
        let nodes = &graph.nodes[..graph.nodes.len().min(most)];
        let mut panel =
            Panel { boxes: nodes.iter().map(|node| self.node_box(node)).collect(), ..Panel::default() };
        let placed = is_laid_out(nodes, &panel.boxes);
        if placed {
            gather(nodes, &mut panel);
            panel.frames = frames(graph);
        }
        let mut ends = Ends::new(graph, nodes.len());
        ends.add_ports(&mut panel, fields.filter(|_| placed));
        let reroutes = fields.filter(|_| placed).map(Reroutes::of).unwrap_or_default();
        let mut edges = Vec::new();
        let mut wires = Vec::new();
        for link in graph.links.iter().take(MOST) {
            let (Some(origin), Some(target)) = (ends.origin(link, &panel), ends.target(link, &panel)) else {
                continue;
            };
            let (from, to) = (&panel.boxes[origin.node], &panel.boxes[target.node]);
            let slot = origin.slot.and_then(|slot| from.outputs.get(slot));
            let known = [link.type_name.as_str(), slot.map_or("", |slot| &slot.type_name)];
            let type_name =
                known.into_iter().find(|name| !name.is_empty() && *name != "*").unwrap_or("*").to_owned();
            let label = |slot: Option<&Slot>| slot.map(|slot| format!(" {}", slot.label)).unwrap_or_default();
            let tooltip = format!(
                "{}{} → {}{}",
                text::clipped(&from.title, 60),
                label(slot),
                text::clipped(&to.title, 60),
                label(target.slot.and_then(|slot| to.inputs.get(slot))),
            );
            let (leaves, arrives) = (origin.leaves(&panel), target.arrives(&panel));
            let used = origin.slot.map(|slot| (origin.node, slot));
            edges.push(Edge {
                from: origin.node,
                to: target.node,
                from_y: leaves[1] - from.area.y,
                to_y: arrives[1] - to.area.y,
            });
            let bends =
                reroutes.path(link.id).into_iter().filter(|point| point.iter().all(|at| at.abs() < FAR));
            let points = std::iter::once(leaves).chain(bends).chain([arrives]).collect();
            let faded = from.mode == Mode::Muted || to.mode == Mode::Muted;
            let link_type = type_name.clone();
            wires.push(Wire { points, type_name, dots: true, faded, tooltip });
            // What takes anything has the colour of what it gets.
            let taken = target.slot.and_then(|slot| panel.boxes[target.node].inputs.get_mut(slot));
            if let Some(slot) = taken.filter(|slot| slot.type_name.is_empty() || slot.type_name == "*") {
                slot.type_name = link_type;
            }
            if let Some((node, slot)) = used {
                panel.boxes[node].outputs[slot].linked = true;
            }
        }
        panel.wires = wires;
        if !placed {
            api::place(&mut panel.boxes, &mut panel.wires, &edges);
        }
        panel
    }

    fn node_box(&self, node: &GraphNode) -> NodeBox {
        let definition = self.editor.subgraphs().get(&node.class_type);
        let schema = self.schemas.and_then(|schemas| schemas.get(&node.class_type));
        let class = definition.map_or(node.class_type.as_str(), |graph| graph.name.as_str());
        let own = node.title.as_deref().filter(|title| !title.trim().is_empty());
        let title = own.or(schema.map(|schema| schema.title())).unwrap_or(class);
        let title = if title.is_empty() { "untitled" } else { title };
        let named = outline::values(node, self.named.as_ref());
        let mut drawn = NodeBox {
            look: look(node, definition.is_some()),
            id: text::clipped(node.id.as_str(), 40),
            title: text::clipped(title, 200),
            mode: node.mode,
            colors: [&node.color, &node.background].map(|color| color.as_deref().and_then(Rgb::parse)),
            ..NodeBox::default()
        };
        let tips = named.iter().map(|(name, value)| (name.as_deref(), *value));
        let tips = tips.take(if self.detailed { MOST_ROWS } else { 0 });
        drawn.tooltip = tooltip(node.id.as_str(), title, class, Some(node.mode), tips);
        let linked = |name: &str| {
            node.inputs().iter().any(|slot| slot.link.is_some() && slot.widget.as_deref() == Some(name))
        };
        let shown = if self.detailed || drawn.look == Look::Note { MOST_ROWS } else { 0 };
        for (name, value) in named.iter().take(shown) {
            let mut row = Row::of(name.as_deref(), value);
            if name.as_deref().is_some_and(linked) {
                (row.value, row.block) = (None, false);
            }
            drawn.values.push(row);
        }
        drawn.hidden = if self.detailed { named.len().saturating_sub(MOST_ROWS) } else { 0 };
        for slot in node.inputs().iter().take(MOST_ROWS) {
            let linked = slot.link.is_some();
            let row = slot
                .widget
                .as_ref()
                .filter(|widget| drawn.values.iter().any(|row| row.name.as_ref() == Some(*widget)));
            let shown = slot.label.as_deref().unwrap_or(&slot.name);
            drawn.inputs.push(Slot {
                label: text::clipped(row.map_or(shown, String::as_str), 100),
                type_name: text::clipped(&slot.type_name, 100),
                linked,
                in_row: row.is_some() || (slot.widget.is_some() && !linked),
                ..Slot::default()
            });
        }
        for slot in node.outputs.iter().take(MOST_ROWS) {
            drawn.outputs.push(Slot {
                label: text::clipped(slot.label.as_deref().unwrap_or(&slot.name), 100),
                type_name: text::clipped(&slot.type_name, 100),
                ..Slot::default()
            });
        }
        self.size(node, &mut drawn);
        drawn.furnish();
        drawn
    }

    /// Gives a box its place and size; one whose size is none gets what it needs.
    fn size(&self, node: &GraphNode, drawn: &mut NodeBox) {
        let [width, height] = node.size;
        let sound = (20.0..=6_000.0).contains(&width) && (1.0..=12_000.0).contains(&height);
        let natural = drawn.natural_size();
        let [width, height] = match drawn.look {
            Look::Collapsed => natural,
            Look::Reroute => [if sound { width.min(200.0) } else { 75.0 }, 26.0],
            _ if sound => [width, height + TITLE],
            _ => natural,
        };
        let [x, y] = node.position;
        drawn.area = Area { x, y: y - drawn.bar(), width, height };
    }
}

fn look(node: &GraphNode, is_subgraph: bool) -> Look {
    match node.class_type.as_str() {
        _ if node.collapsed => Look::Collapsed,
        "Reroute" => Look::Reroute,
        "Note" | "MarkdownNote" => Look::Note,
        _ if is_subgraph => Look::Subgraph,
        _ => Look::Node,
    }
}

fn is_place(position: [f64; 2]) -> bool {
    position.iter().all(|at| at.abs() < FAR)
}

/// Whether the file says where its nodes are.
fn is_laid_out(nodes: &[GraphNode], boxes: &[NodeBox]) -> bool {
    let places: HashSet<[u64; 2]> = nodes
        .iter()
        .map(|node| node.position)
        .filter(|at| is_place(*at))
        .map(|at| at.map(f64::to_bits))
        .collect();
    let areas =
        nodes.iter().zip(boxes).filter(|(node, _)| is_place(node.position)).map(|(_, drawn)| drawn.area);
    let Some(area) = areas.reduce(Area::with) else { return nodes.is_empty() };
    // Files made by programs have all nodes at one place.
    places.len() * 2 > nodes.len() && area.width < VAST && area.height < VAST
}

/// Sets the boxes of nodes that have no place in a row below the others.
fn gather(nodes: &[GraphNode], panel: &mut Panel) {
    let placed = nodes.iter().zip(&panel.boxes).filter(|(node, _)| is_place(node.position));
    let Some(area) = placed.map(|(_, drawn)| drawn.area).reduce(Area::with) else { return };
    let mut x = area.x;
    for (node, drawn) in nodes.iter().zip(&mut panel.boxes) {
        if !is_place(node.position) {
            (drawn.area.x, drawn.area.y) = (x, area.y + area.height + 80.0);
            x += drawn.area.width + 40.0;
        }
    }
}

fn frames(graph: &Graph) -> Vec<Frame> {
    let sound = graph.groups.iter().filter(|group| {
        let [x, y, width, height] = group.bounding;
        is_place([x, y]) && (1.0..VAST).contains(&width) && (1.0..VAST).contains(&height)
    });
    sound
        .take(MOST)
        .map(|group| {
            let [x, y, width, height] = group.bounding;
            Frame {
                area: Area { x, y, width, height },
                title: text::clipped(&group.title, 200),
                color: group.color.as_deref().and_then(Rgb::parse),
            }
        })
        .collect()
}
