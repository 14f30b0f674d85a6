//! The scene of a workflow in the API format, which has no places: they are found.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::layout::{self, Edge, Item};
use super::scene::{Area, Look, MOST_ROWS, NodeBox, Panel, Row, Slot, TITLE, Wire};
use super::{DETAILED, MOST_NODES, text, tooltip};
use crate::schema::Schemas;
use crate::{Link, Node, Workflow};

/// The types of what inputs of these names take, for links whose type no schema tells.
const USUAL: [(&str, &str); 24] = [
    ("model", "MODEL"),
    ("clip", "CLIP"),
    ("vae", "VAE"),
    ("positive", "CONDITIONING"),
    ("negative", "CONDITIONING"),
    ("conditioning", "CONDITIONING"),
    ("samples", "LATENT"),
    ("latent_image", "LATENT"),
    ("latent", "LATENT"),
    ("image", "IMAGE"),
    ("images", "IMAGE"),
    ("pixels", "IMAGE"),
    ("mask", "MASK"),
    ("audio", "AUDIO"),
    ("video", "VIDEO"),
    ("control_net", "CONTROL_NET"),
    ("clip_vision", "CLIP_VISION"),
    ("clip_vision_output", "CLIP_VISION_OUTPUT"),
    ("style_model", "STYLE_MODEL"),
    ("sampler", "SAMPLER"),
    ("sigmas", "SIGMAS"),
    ("guider", "GUIDER"),
    ("noise", "NOISE"),
    ("upscale_model", "UPSCALE_MODEL"),
];

/// The panel of a workflow, and how many nodes it leaves out.
pub(super) fn panel(workflow: &Workflow, schemas: Option<&Schemas>) -> (Panel, usize) {
    let shown: Vec<(&str, &Node)> =
        workflow.nodes().take(MOST_NODES).map(|(id, node)| (id.as_str(), node)).collect();
    let index: HashMap<&str, usize> = shown.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    let mut used: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); shown.len()];
    for (_, _, link) in workflow.links() {
        if let (Some(at), Ok(slot)) = (index.get(link.node), usize::try_from(link.slot)) {
            used[*at].insert(slot);
        }
    }
    let detailed = workflow.len() <= DETAILED;
    let mut boxes = Vec::with_capacity(shown.len());
    let mut slots: Vec<Vec<usize>> = Vec::with_capacity(shown.len());
    for ((id, node), used) in shown.iter().zip(&used) {
        let declared = schemas
            .and_then(|schemas| schemas.get(&node.class_type))
            .map_or(0, |schema| schema.outputs.len());
        let beyond = used.range(declared..);
        slots.push((0..declared).chain(beyond.copied()).take(MOST_ROWS).collect());
        let mut node = node_box(id, node, &slots[boxes.len()], used, schemas, detailed);
        let [width, height] = node.natural_size();
        node.area = Area { x: 0.0, y: 0.0, width, height };
        node.furnish();
        boxes.push(node);
    }
    let mut wires = Vec::new();
    let mut edges = Vec::new();
    for (to, (id, node)) in shown.iter().enumerate() {
        let links = node.inputs.iter().filter_map(|(name, value)| Some((name, Link::from_value(value)?)));
        for (name, link) in links {
            let Some(from) = index.get(link.node).copied() else { continue };
            let arrives = boxes[to].inputs.iter().position(|slot| slot.label == *name);
            let Some(arrives) = arrives else { continue };
            // A link whose output is not drawn leaves from the title bar.
            let (mut from_y, mut type_name) = (TITLE / 2.0, guess(name).to_owned());
            let leaves = output(&slots[from], link.slot);
            if let Some(slot) = leaves.and_then(|leaves| boxes[from].outputs.get_mut(leaves)) {
                if slot.type_name.is_empty() {
                    slot.type_name.clone_from(&type_name);
                }
                type_name.clone_from(&slot.type_name);
                from_y = slot.dot[1];
            }
            let slot = &mut boxes[to].inputs[arrives];
            slot.type_name.clone_from(&type_name);
            edges.push(Edge { from, to, from_y, to_y: slot.dot[1] });
            let tooltip = format!("{} [{}] → {id} {name}", link.node, link.slot);
            wires.push(Wire { points: Vec::new(), type_name, dots: false, faded: false, tooltip });
        }
    }
    // As in the editor, an output without a name is called by its type.
    for slot in boxes.iter_mut().flat_map(|node| &mut node.outputs).filter(|slot| slot.label.is_empty()) {
        slot.label.clone_from(&slot.type_name);
    }
    place(&mut boxes, &mut wires, &edges);
    (Panel { boxes, wires, ..Panel::default() }, workflow.len() - shown.len())
}

/// Places boxes that have no places, and leads the wires of `edges` between them.
pub(super) fn place(boxes: &mut [NodeBox], wires: &mut [Wire], edges: &[Edge]) {
    let items: Vec<Item> =
        boxes.iter().map(|node| Item { width: node.area.width, height: node.area.height }).collect();
    let placed = layout::place(&items, edges);
    for (node, corner) in boxes.iter_mut().zip(&placed.corners) {
        [node.area.x, node.area.y] = *corner;
    }
    for ((wire, edge), bends) in wires.iter_mut().zip(edges).zip(placed.bends) {
        let (from, to) = (boxes[edge.from].area, boxes[edge.to].area);
        wire.points = vec![[from.x + from.width, from.y + edge.from_y]];
        wire.points.extend(bends);
        wire.points.push([to.x, to.y + edge.to_y]);
    }
}

fn node_box(
    id: &str,
    node: &Node,
    slots: &[usize],
    used: &BTreeSet<usize>,
    schemas: Option<&Schemas>,
    detailed: bool,
) -> NodeBox {
    let schema = schemas.and_then(|schemas| schemas.get(&node.class_type));
    let title = node.title().filter(|title| !title.is_empty());
    let title = title.or(schema.map(|schema| schema.title())).unwrap_or(&node.class_type);
    let mut drawn = NodeBox {
        look: Look::Node,
        id: text::clipped(id, 40),
        title: text::clipped(title, 200),
        ..NodeBox::default()
    };
    for (name, value) in &node.inputs {
        match Link::from_value(value) {
            Some(_) if drawn.inputs.len() < MOST_ROWS => {
                drawn.inputs.push(Slot { label: name.clone(), linked: true, ..Slot::default() });
            }
            None if drawn.values.len() < MOST_ROWS && detailed => {
                drawn.values.push(Row::of(Some(name), value))
            }
            None if !detailed => {}
            _ => drawn.hidden += 1,
        }
    }
    for slot in slots.iter().copied() {
        let spec = schema.and_then(|schema| schema.outputs.get(slot));
        drawn.outputs.push(Slot {
            label: spec.map_or_else(|| format!("output {slot}"), |spec| spec.name.to_string()),
            type_name: spec.map(|spec| spec.type_name.to_string()).unwrap_or_default(),
            linked: used.contains(&slot),
            ..Slot::default()
        });
    }
    // A single output that no schema names needs no name.
    if let ([only], None) = (drawn.outputs.as_mut_slice(), schema) {
        only.label.clear();
    }
    let values = node.inputs.iter().map(|(name, value)| (Some(name.as_str()), value));
    drawn.tooltip =
        tooltip(id, title, &node.class_type, None, values.take(if detailed { MOST_ROWS } else { 0 }));
    drawn
}

/// The place among the drawn outputs of the slot that a link names; negative ones count from the end.
fn output(slots: &[usize], slot: i64) -> Option<usize> {
    match usize::try_from(slot) {
        Ok(slot) => slots.iter().position(|drawn| *drawn == slot),
        Err(_) => slots.len().checked_sub(usize::try_from(slot.unsigned_abs()).ok()?),
    }
}

/// The type that an input of this name usually has; empty for names of which that cannot be said.
fn guess(name: &str) -> &'static str {
    let last = name.rsplit('.').next().unwrap_or(name);
    let bare = last.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    USUAL.iter().find(|(usual, _)| *usual == bare).map_or("", |(_, type_name)| type_name)
}

impl Row {
    /// The row of a value.
    pub(super) fn of(name: Option<&str>, value: &Value) -> Self {
        let block = value.as_str().is_some_and(|text| text.len() > 40 || text.contains('\n'));
        let shown = match value {
            Value::String(text) if block => text::clipped(text, 2_000),
            other => text::one_line(other),
        };
        Self { name: name.map(|name| text::clipped(name, 100)), value: Some(shown), block, ..Self::default() }
    }
}
