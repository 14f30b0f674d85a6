//! What a file of the editor says by itself, where no schema tells what its values mean.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::convert::NamedValues;
use crate::editor::{EditorWorkflow, Flow, Graph, GraphLink, GraphNode, InputSlot, Mode, WidgetValues};
use crate::{Link, Node, NodeId, Workflow};

/// What the editor does with a value after a run; it keeps this beside the value.
const CONTROLS: [&str; 5] = ["fixed", "increment", "decrement", "randomize", "increment-wrap"];

/// Most nodes of an outline: subgraphs in subgraphs multiply.
const MOST_NODES: usize = 50_000;
/// How deep subgraphs may nest.
const DEPTH: usize = 50;

impl EditorWorkflow {
    /// All nodes as the file has them, in the shape of the API format: something to look at and to compare where no
    /// schemas are at hand, nothing that a server runs (see [`convert`](crate::convert::convert()) for that).
    ///
    /// Notes, reroutes and nodes that take no part are among them; a node that does not run has the field `mode`
    /// (`muted` or `bypassed`). Nodes inside subgraphs have the ids that they run under, such as `9:5`, and links lead from
    /// and to nodes, through the ends of subgraphs. A value whose name the file does not tell is called `value 1`,
    /// `value 2`, ...
    #[must_use]
    pub fn outline(&self) -> Workflow {
        let graphs = std::iter::once(self.root()).chain(self.subgraphs().values());
        let mut outliner = Outliner {
            graphs: graphs.map(Indexed::new).collect(),
            places: self.subgraphs().keys().enumerate().map(|(at, id)| (id.as_str(), at + 1)).collect(),
            workflow: Workflow::new(),
        };
        outliner.graph(&mut vec![Step { graph: 0, host: None }]);
        outliner.workflow
    }
}

/// A graph that is looked up in.
struct Indexed<'a> {
    graph: &'a Graph,
    nodes: HashMap<&'a str, &'a GraphNode>,
    links: HashMap<i64, &'a GraphLink>,
    /// The links that end at an input, by node and place, and those that leave the definition, by output.
    ends: HashMap<(&'a str, usize), &'a GraphLink>,
}

impl<'a> Indexed<'a> {
    fn new(graph: &'a Graph) -> Self {
        // The first of several counts.
        let links = graph.links.iter().rev();
        Self {
            graph,
            nodes: graph.nodes.iter().rev().map(|node| (node.id.as_str(), node)).collect(),
            links: links.clone().map(|link| (link.id, link)).collect(),
            ends: links.filter_map(|link| Some(((link.target.as_str(), link.target_slot?), link))).collect(),
        }
    }

    /// The link that ends at an input.
    fn ending(&self, node: &GraphNode, place: usize) -> Option<&'a GraphLink> {
        let own = node.inputs().get(place).and_then(|slot| slot.link).and_then(|link| self.links.get(&link));
        own.or_else(|| self.ends.get(&(node.id.as_str(), place))).copied()
    }
}

/// A graph on the way inside, and the node of the graph before that stands for it.
#[derive(Clone)]
struct Step<'a> {
    graph: usize,
    host: Option<&'a GraphNode>,
}

struct Outliner<'a> {
    graphs: Vec<Indexed<'a>>,
    /// The places of definitions among the graphs.
    places: HashMap<&'a str, usize>,
    workflow: Workflow,
}

impl<'a> Outliner<'a> {
    fn graph(&mut self, path: &mut Vec<Step<'a>>) {
        let Some(here) = path.last().map(|step| step.graph) else { return };
        for node in &self.graphs[here].graph.nodes {
            if self.workflow.len() >= MOST_NODES {
                return;
            }
            let outlined = self.node(node, here, path);
            let id = execution_id(path, node);
            // Broken files have several nodes of one id.
            if self.workflow.node(id.as_str()).is_none() {
                self.workflow.insert(id, outlined);
            }
            if let Some(graph) = self.places.get(node.class_type.as_str()).copied()
                && path.len() < DEPTH
                && path.iter().all(|step| step.graph != graph)
            {
                path.push(Step { graph, host: Some(node) });
                self.graph(path);
                path.pop();
            }
        }
    }

    fn node(&self, node: &'a GraphNode, here: usize, path: &[Step<'a>]) -> Node {
        let definition = self.places.get(node.class_type.as_str()).map(|place| self.graphs[*place].graph);
        let class =
            definition.map(|graph| &graph.name).filter(|name| !name.is_empty()).unwrap_or(&node.class_type);
        let mut outlined = Node::new(class.as_str());
        for (place, (name, value)) in values(node, None).into_iter().enumerate() {
            let name = name.unwrap_or_else(|| format!("value {}", place + 1));
            // A text and a number in a list would be a link.
            let value = if value.is_array() { json!({ "__value__": value }) } else { value.clone() };
            outlined.inputs.insert(name, value);
        }
        for (place, slot) in node.inputs().iter().enumerate() {
            let link = self.graphs[here].ending(node, place);
            if let Some((from, slot_number)) = link.and_then(|link| self.origin(path.to_vec(), link)) {
                let link = Link { node: from.as_str(), slot: slot_number };
                outlined.inputs.insert(slot.name.clone(), link.into());
            }
        }
        if let Some(title) = node.title.as_ref().filter(|title| !title.is_empty()) {
            outlined.set_title(title.as_str());
        }
        match node.mode {
            Mode::Active => {}
            Mode::Muted => drop(outlined.extra.insert("mode".into(), "muted".into())),
            Mode::Bypassed => drop(outlined.extra.insert("mode".into(), "bypassed".into())),
        }
        outlined
    }

    /// The node and the output that a link comes from, through the ends of subgraphs.
    fn origin(&self, mut path: Vec<Step<'a>>, link: &'a GraphLink) -> Option<(NodeId, i64)> {
        let mut link = link;
        // Definitions can pass their inputs on to their outputs in a circle.
        for _ in 0..2 * DEPTH {
            let here = &self.graphs[path.last()?.graph];
            if here.graph.flow(&link.origin) == Some(Flow::Inputs) {
                let port = here.graph.inputs.get(link.origin_slot)?;
                let host = path.pop()?.host?;
                let place = host.inputs().iter().position(|slot| slot.name == port.name)?;
                link = self.graphs[path.last()?.graph].ending(host, place)?;
                continue;
            }
            let Some(node) = here.nodes.get(link.origin.as_str()) else {
                return Some((link.origin.clone(), i64::try_from(link.origin_slot).ok()?));
            };
            let inside = self.places.get(node.class_type.as_str()).copied();
            let Some(inside) = inside else {
                return Some((execution_id(&path, node), i64::try_from(link.origin_slot).ok()?));
            };
            if path.len() >= DEPTH || path.iter().any(|step| step.graph == inside) {
                return None;
            }
            let indexed = &self.graphs[inside];
            let listed = indexed.graph.outputs.get(link.origin_slot)?.links.iter();
            let mut listed = listed.filter_map(|id| indexed.links.get(id));
            let leaving = listed
                .next()
                .or_else(|| indexed.ends.get(&(indexed.graph.output_node.as_str(), link.origin_slot)));
            path.push(Step { graph: inside, host: Some(node) });
            link = leaving.copied()?;
        }
        None
    }
}

fn execution_id(path: &[Step<'_>], node: &GraphNode) -> NodeId {
    let hosts = path.iter().filter_map(|step| step.host).map(|host| host.id.as_str());
    let ids: Vec<&str> = hosts.chain([node.id.as_str()]).collect();
    ids.join(":").into()
}

/// The values of a node's widgets, with their names as far as they are certain: those that schemas tell, else those of
/// the file's list of inputs when that fits the values in number and type.
pub(crate) fn values<'n>(
    node: &'n GraphNode,
    known: Option<&'n NamedValues>,
) -> Vec<(Option<String>, &'n Value)> {
    if let Some(values) = known.and_then(|known| known.of(node)) {
        return values.iter().map(|(name, value)| (Some(name.clone()), value)).collect();
    }
    match &node.widgets_values {
        WidgetValues::Named(values) => {
            values.iter().map(|(name, value)| (Some(name.clone()), value)).collect()
        }
        WidgetValues::List(values) => {
            named(node, values).unwrap_or_else(|| values.iter().map(|value| (None, value)).collect())
        }
        _ => Vec::new(),
    }
}

fn named<'n>(node: &GraphNode, values: &'n [Value]) -> Option<Vec<(Option<String>, &'n Value)>> {
    let mut named = Vec::with_capacity(values.len());
    let primitive = InputSlot { widget: Some("value".into()), ..InputSlot::default() };
    let text = InputSlot { widget: Some("text".into()), ..InputSlot::default() };
    let slots: Vec<&InputSlot> = match node.class_type.as_str() {
        "PrimitiveNode" => vec![&primitive],
        "Note" | "MarkdownNote" => vec![&text],
        _ => node.inputs().iter().filter(|slot| slot.widget.is_some()).collect(),
    };
    let mut rest = values;
    for (place, slot) in slots.iter().enumerate() {
        let (value, others) = rest.split_first().filter(|(value, _)| fits(&slot.type_name, value))?;
        named.push((slot.widget.clone(), value));
        rest = others;
        let may_have_control = matches!(slot.type_name.as_str(), "INT" | "COMBO" | "");
        // Beside a value that has one, there are more values than names.
        if let Some((control, others)) = rest.split_first()
            && may_have_control
            && rest.len() > slots.len() - place - 1
            && control.as_str().is_some_and(|word| CONTROLS.contains(&word))
        {
            named.push((Some("control_after_generate".into()), control));
            rest = others;
        }
    }
    // What is left over are buttons and previews; anything else means that the list of inputs is not the whole.
    let left_over = |value: &Value| value.is_null() || value.is_boolean() || value == "image" || value == "";
    rest.iter().all(left_over).then_some(named)
}

/// Whether a value can be that of a widget of this type.
fn fits(type_name: &str, value: &Value) -> bool {
    match type_name {
        "INT" | "FLOAT" => value.is_number() || value.is_null(),
        "BOOLEAN" => value.is_boolean() || value.is_null(),
        "STRING" => value.is_string() || value.is_null(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(document: Value) -> Value {
        EditorWorkflow::from_value(document).unwrap().outline().to_value()
    }

    #[test]
    fn values_are_named_where_the_list_of_inputs_fits() {
        let widget = |name: &str, kind: &str| json!({"name": name, "type": kind, "widget": {"name": name}});
        let sampler = json!({"id": 3, "type": "KSampler", "mode": 4, "inputs": [
            {"name": "model", "type": "MODEL", "link": null}, widget("seed", "INT"), widget("steps", "INT"), widget("sampler_name", "COMBO"),
        ], "widgets_values": [7, "randomize", 20, "fixed"]});
        let loader = json!({"id": 4, "type": "LoadImage", "title": "Photo", "inputs": [widget("image", "COMBO")], "widgets_values": ["a.png", "image"]});
        let old = json!({"id": 5, "type": "KSampler", "inputs": [widget("steps", "INT")], "widgets_values": [7, "fixed", 20, ["a", 1]]});
        assert_eq!(
            outline(json!({"nodes": [sampler, loader, old]})),
            json!({
                "3": {"class_type": "KSampler", "mode": "bypassed",
                      "inputs": {"seed": 7, "control_after_generate": "randomize", "steps": 20, "sampler_name": "fixed"}},
                "4": {"class_type": "LoadImage", "_meta": {"title": "Photo"}, "inputs": {"image": "a.png"}},
                "5": {"class_type": "KSampler", "inputs": {"value 1": 7, "value 2": "fixed", "value 3": 20, "value 4": {"__value__": ["a", 1]}}},
            })
        );
    }

    #[test]
    fn links_lead_through_the_ends_of_subgraphs() {
        let inner = json!({
            "id": "abc", "name": "Twice inverted",
            "inputs": [{"name": "picture", "linkIds": [1]}], "outputs": [{"name": "done", "linkIds": [2]}],
            "nodes": [{"id": 7, "type": "ImageInvert", "inputs": [{"name": "image", "link": 1}]}],
            "links": [
                {"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 7, "target_slot": 0},
                {"id": 2, "origin_id": 7, "origin_slot": 0, "target_id": -20, "target_slot": 0},
            ],
        });
        let nodes = json!([
            {"id": 1, "type": "LoadImage"},
            {"id": 9, "type": "abc", "inputs": [{"name": "picture", "link": 5}]},
            {"id": 3, "type": "SaveImage", "inputs": [{"name": "images", "link": 6}]},
        ]);
        let links = json!([[5, 1, 0, 9, 0, "IMAGE"], [6, 9, 0, 3, 0, "IMAGE"]]);
        let outline = outline(json!({"nodes": nodes, "links": links, "definitions": {"subgraphs": [inner]}}));
        assert_eq!(outline["9"]["class_type"], "Twice inverted");
        assert_eq!(outline["9:7"]["inputs"]["image"], json!(["1", 0]));
        assert_eq!(outline["3"]["inputs"]["images"], json!(["9:7", 0]));
    }

    #[test]
    fn a_subgraph_that_contains_itself_ends() {
        let inner = json!({"id": "abc", "name": "S", "outputs": [{"name": "x", "linkIds": [1]}],
            "nodes": [{"id": 1, "type": "abc"}],
            "links": [{"id": 1, "origin_id": 1, "origin_slot": 0, "target_id": -20, "target_slot": 0}]});
        let nodes =
            json!([{"id": 1, "type": "abc"}, {"id": 2, "type": "A", "inputs": [{"name": "x", "link": 1}]}]);
        let outline = outline(
            json!({"nodes": nodes, "links": [[1, 1, 0, 2, 0, "X"]], "definitions": {"subgraphs": [inner]}}),
        );
        assert_eq!(outline.as_object().unwrap().len(), 3);
        assert_eq!(outline["2"]["inputs"], json!({}));
    }
}
