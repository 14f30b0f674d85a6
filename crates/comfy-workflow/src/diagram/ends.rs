//! What links of the editor are tied to, and the boxes for the two ends of a subgraph.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::scene::{Area, Look, NodeBox, Panel, Point, Slot, TITLE};
use super::text;
use crate::editor::{Flow, Graph, GraphLink, Mode, Port};

/// Ties links to slots.
pub(super) struct Ends<'a> {
    graph: &'a Graph,
    /// The boxes of nodes by id.
    boxes: HashMap<&'a str, usize>,
    /// The place among a node's inputs of each link.
    inputs: HashMap<(usize, i64), usize>,
    /// The boxes of the two ends of a subgraph.
    ports: [Option<usize>; 2],
}

/// An end of a link: the box, and the dot of its slot where it has one.
pub(super) struct End {
    pub(super) node: usize,
    pub(super) slot: Option<usize>,
}

impl<'a> Ends<'a> {
    pub(super) fn new(graph: &'a Graph, count: usize) -> Self {
        let mut ends = Self { graph, boxes: HashMap::new(), inputs: HashMap::new(), ports: [None; 2] };
        for (index, node) in graph.nodes.iter().take(count).enumerate() {
            ends.boxes.entry(node.id.as_str()).or_insert(index);
            for (place, slot) in node.inputs().iter().enumerate() {
                if let Some(link) = slot.link {
                    ends.inputs.entry((index, link)).or_insert(place);
                }
            }
        }
        ends
    }

    /// Adds the boxes of the two ends of a subgraph to its panel; their places come from the fields of its definition.
    pub(super) fn add_ports(&mut self, panel: &mut Panel, fields: Option<&Map<String, Value>>) {
        let nodes = panel.area();
        for (index, (ports, key)) in
            [(&self.graph.inputs, "inputNode"), (&self.graph.outputs, "outputNode")].into_iter().enumerate()
        {
            if ports.is_empty() {
                continue;
            }
            let mut node = port_box(ports, index == 0);
            let [width, height] = node.natural_size();
            let bounding = fields.and_then(|fields| fields.get(key)?.get("bounding"));
            let part =
                |index: usize| bounding?.get(index)?.as_f64().filter(|part| part.abs() < super::editor::FAR);
            let corner = part(0).zip(part(1)).unwrap_or_else(|| {
                let x = if index == 0 { nodes.x - width - 120.0 } else { nodes.x + nodes.width + 120.0 };
                (x, nodes.y + (nodes.height - height) / 2.0)
            });
            node.area = Area { x: corner.0, y: corner.1, width, height };
            node.furnish();
            self.ports[index] = Some(panel.boxes.len());
            panel.boxes.push(node);
        }
    }

    /// Where a link begins.
    pub(super) fn origin(&self, link: &GraphLink, panel: &Panel) -> Option<End> {
        let node = match self.graph.flow(&link.origin) {
            Some(Flow::Inputs) => self.ports[0]?,
            _ => *self.boxes.get(link.origin.as_str())?,
        };
        let slots = panel.boxes.get(node)?.outputs.len();
        Some(End { node, slot: Some(link.origin_slot).filter(|slot| *slot < slots) })
    }

    /// Where a link ends: at the input that names it, else at the one that it names.
    pub(super) fn target(&self, link: &GraphLink, panel: &Panel) -> Option<End> {
        let (node, slot) = match self.graph.flow(&link.target) {
            Some(Flow::Outputs) => (self.ports[1]?, link.target_slot),
            _ => {
                let node = *self.boxes.get(link.target.as_str())?;
                (node, self.inputs.get(&(node, link.id)).copied().or(link.target_slot))
            }
        };
        let slots = panel.boxes.get(node)?.inputs.len();
        Some(End { node, slot: slot.filter(|slot| *slot < slots) })
    }
}

impl End {
    /// The point on the right side of the box.
    pub(super) fn leaves(&self, panel: &Panel) -> Point {
        let node = &panel.boxes[self.node];
        let slot = self.slot.and_then(|slot| node.outputs.get(slot));
        let [x, y] = slot.map_or([node.area.width, TITLE / 2.0], |slot| slot.dot);
        [node.area.x + x, node.area.y + y]
    }

    /// The point on the left side of the box.
    pub(super) fn arrives(&self, panel: &Panel) -> Point {
        let node = &panel.boxes[self.node];
        let slot = self.slot.and_then(|slot| node.inputs.get(slot));
        let [x, y] = slot.map_or([0.0, TITLE / 2.0], |slot| slot.dot);
        [node.area.x + x, node.area.y + y]
    }
}

fn port_box(ports: &[Port], inputs: bool) -> NodeBox {
    let slots: Vec<Slot> = ports
        .iter()
        .take(super::scene::MOST_ROWS)
        .map(|port| Slot {
            label: text::clipped(port.label.as_deref().unwrap_or(&port.name), 100),
            type_name: port.type_name.clone(),
            linked: !port.links.is_empty(),
            ..Slot::default()
        })
        .collect();
    let title = if inputs { "Inputs" } else { "Outputs" };
    let mut node =
        NodeBox { look: Look::Ports, title: title.into(), mode: Mode::Active, ..NodeBox::default() };
    node.tooltip = format!("{title} of the subgraph");
    node.hidden = ports.len() - slots.len();
    if inputs {
        node.outputs = slots;
    } else {
        node.inputs = slots;
    }
    node
}
