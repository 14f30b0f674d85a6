//! Documents of the editor, written compactly, and what they become.

use comfy_workflow::convert::{Conversion, ConvertOptions, convert};
use comfy_workflow::editor::EditorWorkflow;
use comfy_workflow::schema::{NodeSchema, Schemas};
use serde_json::{Map, Value, json};

use super::pairs::options;

/// A graph with the node classes it is made of.
#[derive(Clone, Default)]
pub(super) struct Drawing {
    classes: Map<String, Value>,
    nodes: Vec<Value>,
    links: Vec<(Value, usize, Value, usize, String)>,
    definitions: Vec<Value>,
    fields: Map<String, Value>,
}

impl Drawing {
    /// Knows `Source` with the outputs IMAGE and MASK, and `Save`, which takes `images`.
    pub(super) fn new() -> Self {
        Self::default().class("Source", json!({}), &["IMAGE", "MASK"]).class(
            "Save",
            json!({"images": ["IMAGE"]}),
            &[],
        )
    }

    /// A class with required inputs and types of outputs. It is an output node if it has none.
    pub(super) fn class(self, name: &str, required: Value, outputs: &[&str]) -> Self {
        self.described(name, json!({"required": required}), outputs)
    }

    /// A class with both sections of inputs.
    pub(super) fn described(mut self, name: &str, input: Value, outputs: &[&str]) -> Self {
        let order: Map<String, Value> = input
            .as_object()
            .unwrap()
            .iter()
            .map(|(section, inputs)| {
                let names = inputs.as_object().unwrap().keys();
                (section.clone(), names.map(|name| Value::from(name.as_str())).collect())
            })
            .collect();
        let schema = json!({
            "input": input, "input_order": order, "output": outputs, "output_name": outputs,
            "output_is_list": vec![false; outputs.len()], "name": name, "display_name": name, "category": "",
            "output_node": outputs.is_empty(),
        });
        self.classes.insert(name.to_owned(), schema);
        self
    }

    /// A node. No values if these are null.
    pub(super) fn node(mut self, id: impl Into<Value>, class: &str, values: Value) -> Self {
        let mut node = json!({"id": id.into(), "type": class, "inputs": [], "mode": 0});
        if !values.is_null() {
            node["widgets_values"] = values;
        }
        self.nodes.push(node);
        self
    }

    /// Another field of the node that was drawn last.
    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.nodes.last_mut().unwrap()[key] = value.into();
        self
    }

    /// Mutes (2) or bypasses (4) the node that was drawn last.
    pub(super) fn mode(self, mode: u8) -> Self {
        self.with("mode", mode)
    }

    /// A link into a socket, which the target's list of inputs gets. Its type is written after a colon: `images:IMAGE`.
    pub(super) fn link(
        self,
        origin: impl Into<Value>,
        slot: usize,
        target: impl Into<Value>,
        input: &str,
    ) -> Self {
        self.connect(origin.into(), slot, target.into(), input, false)
    }

    /// A link into an input that stands for a widget.
    pub(super) fn link_widget(
        self,
        origin: impl Into<Value>,
        slot: usize,
        target: impl Into<Value>,
        input: &str,
    ) -> Self {
        self.connect(origin.into(), slot, target.into(), input, true)
    }

    /// A link inside a definition to its output at `slot`.
    pub(super) fn link_output(mut self, origin: impl Into<Value>, origin_slot: usize, slot: usize) -> Self {
        self.links.push((origin.into(), origin_slot, json!(-20), slot, "*".into()));
        self
    }

    fn connect(mut self, origin: Value, slot: usize, target: Value, input: &str, widget: bool) -> Self {
        let (name, type_name) = input.split_once(':').unwrap_or((input, "*"));
        let id = self.links.len() + 1;
        let node = self.nodes.iter_mut().rfind(|node| node["id"] == target).unwrap();
        let inputs = node["inputs"].as_array_mut().unwrap();
        let listed = inputs.iter().position(|listed| listed["name"] == name);
        let place = listed.unwrap_or(inputs.len());
        if listed.is_none() {
            inputs.push(json!({"name": name, "type": type_name}));
        }
        inputs[place]["link"] = id.into();
        if widget {
            inputs[place]["widget"] = json!({"name": name});
        }
        self.links.push((origin, slot, target, place, type_name.to_owned()));
        self
    }

    /// An input in the list of the node that was drawn last, without a link.
    pub(super) fn unlinked(mut self, input: &str, widget: bool) -> Self {
        let (name, type_name) = input.split_once(':').unwrap_or((input, "*"));
        let mut slot = json!({"name": name, "type": type_name, "link": null});
        if widget {
            slot["widget"] = json!({"name": name});
        }
        self.nodes.last_mut().unwrap()["inputs"].as_array_mut().unwrap().push(slot);
        self
    }

    /// Defines a subgraph with inputs and outputs (`name:TYPE`). In `inner` its inputs are the outputs of node -10.
    pub(super) fn subgraph(mut self, id: &str, inputs: &[&str], outputs: &[&str], inner: Self) -> Self {
        let port = |port: &str, links: Vec<usize>| {
            let (name, type_name) = port.split_once(':').unwrap_or((port, "*"));
            json!({"id": format!("{id}-{name}"), "name": name, "type": type_name, "linkIds": links})
        };
        let numbered = || inner.links.iter().enumerate().map(|(index, link)| (index + 1, link));
        let from = |slot: usize| {
            numbered().filter(|(_, link)| link.0 == -10 && link.1 == slot).map(|(id, _)| id).collect()
        };
        let into = |slot: usize| {
            numbered().filter(|(_, link)| link.2 == -20 && link.3 == slot).map(|(id, _)| id).collect()
        };
        let links: Vec<Value> = numbered()
            .map(|(id, (origin, origin_slot, target, target_slot, type_name))| {
                json!({
                    "id": id, "origin_id": origin, "origin_slot": origin_slot, "target_id": target,
                    "target_slot": target_slot, "type": type_name,
                })
            })
            .collect();
        self.definitions.push(json!({
            "id": id, "name": id, "version": 1, "inputNode": {"id": -10}, "outputNode": {"id": -20},
            "inputs": inputs.iter().enumerate().map(|(slot, input)| port(input, from(slot))).collect::<Vec<_>>(),
            "outputs": outputs.iter().enumerate().map(|(slot, output)| port(output, into(slot))).collect::<Vec<_>>(),
            "nodes": inner.nodes, "links": links,
        }));
        self.definitions.extend(inner.definitions);
        self.classes.extend(inner.classes);
        self
    }

    /// A field of the document.
    pub(super) fn field(mut self, key: &str, value: Value) -> Self {
        self.fields.insert(key.to_owned(), value);
        self
    }

    /// The document, in the version that has links as lists.
    pub(super) fn document(&self) -> Value {
        let links: Vec<Value> = self
            .links
            .iter()
            .enumerate()
            .map(|(index, link)| json!([index + 1, link.0, link.1, link.2, link.3, link.4]))
            .collect();
        let mut document = json!({"version": 0.4, "nodes": self.nodes, "links": links});
        if !self.definitions.is_empty() {
            document["definitions"] = json!({"subgraphs": self.definitions});
        }
        document.as_object_mut().unwrap().extend(self.fields.clone());
        document
    }

    pub(super) fn schemas(&self) -> Schemas {
        let mut schemas = Schemas::new();
        for (name, schema) in &self.classes {
            schemas.insert(NodeSchema::from_value(name.clone(), schema.clone()));
        }
        schemas
    }

    pub(super) fn convert(&self) -> Converted {
        self.convert_document(self.document())
    }

    /// Converts a document with the classes of this drawing.
    pub(super) fn convert_document(&self, document: Value) -> Converted {
        self.convert_with(document, &options())
    }

    pub(super) fn convert_with(&self, document: Value, options: &ConvertOptions) -> Converted {
        let editor = EditorWorkflow::from_value(document).unwrap();
        Converted(convert(&editor, &self.schemas(), options))
    }
}

/// What became of a drawing.
pub(super) struct Converted(pub(super) Conversion);

impl Converted {
    /// The inputs of a node; null if the node is not there.
    pub(super) fn inputs(&self, id: &str) -> Value {
        self.0.workflow.node(id).map_or(Value::Null, |node| Value::Object(node.inputs.clone()))
    }

    /// An input of a node; null if it has none of this name.
    pub(super) fn input(&self, id: &str, name: &str) -> Value {
        self.inputs(id)[name].clone()
    }

    /// Whether a node has an input of this name.
    pub(super) fn has(&self, id: &str, name: &str) -> bool {
        self.inputs(id).get(name).is_some()
    }

    /// The ids of all nodes, sorted.
    pub(super) fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.0.workflow.nodes().map(|(id, _)| id.to_string()).collect();
        ids.sort();
        ids
    }

    /// What was said of it.
    pub(super) fn problems(&self) -> Vec<String> {
        self.0.problems.iter().map(ToString::to_string).collect()
    }

    /// Fails if anything was found wrong.
    pub(super) fn assert_sound(&self) -> &Self {
        assert_eq!(self.problems(), Vec::<String>::new());
        self
    }
}
