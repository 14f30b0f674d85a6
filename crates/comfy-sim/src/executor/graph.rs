//! A prompt as the worker sees it: its nodes, and those that nodes put in their place while it runs.

use std::collections::HashMap;

use comfy_workflow::NodeId;
use comfy_workflow::schema::{NodeSchema, Schemas};
use serde_json::{Map, Value as Json, json};

use crate::files::Files;
use crate::nodes::{Expansion, NewNode, NodeClass, Registry, Snapshot, as_link};
use crate::value::Value;

/// The nodes: first those of the prompt in its order, then those that came while it ran.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    places: HashMap<NodeId, usize>,
    registry: &'a Registry,
    schemas: &'a Schemas,
}

/// One node of a [`Graph`].
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) id: NodeId,
    pub(super) class_type: String,
    pub(super) class: Option<&'static NodeClass>,
    pub(super) schema: Option<&'a NodeSchema>,
    pub(super) inputs: Vec<(String, Source)>,
    /// The node that this one was put in place of.
    pub(super) parent: Option<usize>,
    /// The node that users are to see at work.
    pub(super) display: NodeId,
    /// The node of the prompt: itself, or the one that it came from.
    pub(super) real: usize,
    /// What the node's change check said; `None` when it has none.
    pub(super) changed: Option<Json>,
    /// Nodes with the same signature give the same results. `None` for those that are to run every time.
    pub(super) signature: Option<u64>,
}

/// Where the value of an input comes from.
#[derive(Debug)]
pub(super) enum Source {
    Constant(Json),
    /// A value that is no JSON, which only a node can put into an input.
    Value(Value),
    /// An output of a node; `None` for a node that is not there.
    Link {
        node: Option<usize>,
        slot: i64,
    },
}

/// The prompt is of a form that validation lets through and that ends the server's worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fatal;

impl<'a> Graph<'a> {
    pub(super) fn new(
        prompt: &Json,
        registry: &'a Registry,
        schemas: &'a Schemas,
        files: &Files,
    ) -> Result<Self, Fatal> {
        let prompt = prompt.as_object().ok_or(Fatal)?;
        let places = prompt.keys().enumerate().map(|(at, id)| (NodeId::from(id.as_str()), at)).collect();
        let mut graph = Self { nodes: Vec::with_capacity(prompt.len()), places, registry, schemas };
        for (at, (id, node)) in prompt.iter().enumerate() {
            let class_type = node.get("class_type").and_then(Json::as_str).ok_or(Fatal)?;
            let inputs = node.get("inputs").and_then(Json::as_object).ok_or(Fatal)?;
            let inputs =
                inputs.iter().map(|(name, value)| (name.clone(), graph.source(value.clone()))).collect();
            let id = NodeId::from(id.as_str());
            graph.push(id.clone(), class_type.to_owned(), inputs, None, id, at, files);
            let node = &graph.nodes[at];
            if node.class.is_none() && node.schema.is_none() {
                // The class cannot be described: its inputs are asked for, also when nothing needs the node.
                return Err(Fatal);
            }
        }
        graph.sign(0);
        Ok(graph)
    }

    /// Adds what a node was expanded to. Gives back the place of the first one.
    pub(super) fn expand(&mut self, parent: usize, expansion: Expansion, files: &Files) -> usize {
        let first = self.nodes.len();
        for (offset, node) in expansion.nodes.iter().enumerate() {
            self.places.insert(node.id.clone(), first + offset);
        }
        let real = self.nodes[parent].real;
        for node in expansion.nodes {
            let inputs = node.inputs.into_iter().map(|(name, value)| {
                let source = match value {
                    Value::Json(json) => self.source(json),
                    other => Source::Value(other),
                };
                (name, source)
            });
            let inputs = inputs.collect();
            let display = node.display.unwrap_or_else(|| self.nodes[parent].display.clone());
            self.push(node.id, node.class_type, inputs, Some(parent), display, real, files);
        }
        self.sign(first);
        first
    }

    #[expect(clippy::too_many_arguments, reason = "one field each")]
    fn push(
        &mut self,
        id: NodeId,
        class_type: String,
        inputs: Vec<(String, Source)>,
        parent: Option<usize>,
        display: NodeId,
        real: usize,
        files: &Files,
    ) {
        let class = self.registry.class(&class_type);
        let schema = self.schemas.get(&class_type);
        let changed = class.and_then(|class| class.changed).map(|check| check(&constants(&inputs), files));
        self.nodes.push(Node {
            id,
            class_type,
            class,
            schema,
            inputs,
            parent,
            display,
            real,
            changed,
            signature: None,
        });
    }

    /// The nodes with their inputs, as a node sees them that looks around.
    pub(super) fn snapshot(&self) -> Snapshot {
        let input = |source: &Source| match source {
            Source::Constant(json) => Value::Json(json.clone()),
            Source::Value(value) => value.clone(),
            Source::Link { node, slot } => {
                let id = node.map(|node| &self.nodes[node].id);
                Value::Json(json!([id, slot]))
            }
        };
        let nodes = self.nodes.iter().map(|node| NewNode {
            id: node.id.clone(),
            class_type: node.class_type.clone(),
            inputs: node.inputs.iter().map(|(name, source)| (name.clone(), input(source))).collect(),
            display: Some(node.display.clone()),
        });
        nodes.collect()
    }

    pub(super) fn place(&self, id: &NodeId) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// A list of a text and a number is a link, everything else a constant.
    fn source(&self, value: Json) -> Source {
        match as_link(&value) {
            Some((id, slot)) => Source::Link { node: self.place(&id.into()), slot },
            None => Source::Constant(value),
        }
    }
}

impl Node<'_> {
    /// The nodes that this one is linked to at once, in the order of its inputs: without lazy inputs, and with those that
    /// its class does not know.
    pub(super) fn links(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.inputs.iter().filter_map(|(name, source)| match source {
            Source::Link { node, .. } if !self.is_lazy(name) => *node,
            _ => None,
        })
    }

    /// All nodes that this one is linked to.
    pub(super) fn all_links(&self) -> impl Iterator<Item = usize> {
        self.inputs.iter().filter_map(|(_, source)| match source {
            Source::Link { node, .. } => *node,
            _ => None,
        })
    }

    /// Where the link of an input leads.
    pub(super) fn link_of(&self, input: &str) -> Option<usize> {
        self.inputs.iter().find(|(name, _)| name == input).and_then(|(_, source)| match source {
            Source::Link { node, .. } => *node,
            _ => None,
        })
    }

    pub(super) fn has_dangling_link(&self) -> bool {
        let dangles = |name: &str, source: &Source| {
            matches!(source, Source::Link { node: None, .. }) && !self.is_lazy(name)
        };
        self.inputs.iter().any(|(name, source)| dangles(name, source))
    }

    /// Whether its class has the input: declares it, hidden or not, or has it below a dynamic input as the others are
    /// now. (Hidden ones of a kind that the server does not know can only be given: nodes do in what they expand to.)
    pub(super) fn knows(&self, input: &str) -> bool {
        let Some(schema) = self.schema else { return false };
        if schema.input(input).is_some() || self.hidden().any(|(name, _)| name == input) {
            return true;
        }
        let Some((first, _)) = input.split_once('.') else { return false };
        schema.input(first).is_some() && schema.input_for(input, &self.values()).is_some()
    }

    /// Its inputs as they stand in the prompt. What a link leads to matters to no dynamic input, only that there is one.
    fn values(&self) -> Map<String, Json> {
        let value = |source: &Source| match source {
            Source::Constant(json) | Source::Value(Value::Json(json)) => json.clone(),
            Source::Link { slot, .. } => json!(["", slot]),
            Source::Value(_) => Json::Bool(true),
        };
        self.inputs.iter().map(|(name, source)| (name.clone(), value(source))).collect()
    }

    fn is_lazy(&self, input: &str) -> bool {
        self.schema.and_then(|schema| schema.input(input)).is_some_and(|input| input.lazy())
    }

    /// Whether the node wants the link itself and not what comes through it.
    pub(super) fn takes_link(&self, input: &str) -> bool {
        self.schema.and_then(|schema| schema.input(input)).is_some_and(|input| input.raw_link())
    }

    /// Whether it takes each input as a list of all its values.
    pub(super) fn takes_lists(&self) -> bool {
        self.class.is_some_and(|class| class.takes_lists)
            || self.schema.is_some_and(|schema| schema.is_input_list)
    }

    /// Whether the output in this slot is a list of values.
    pub(super) fn gives_list(&self, slot: usize) -> bool {
        self.schema.and_then(|schema| schema.outputs.get(slot)).is_some_and(|output| output.is_list)
    }

    /// How many outputs its class declares.
    pub(super) fn output_count(&self) -> usize {
        self.schema.map_or(0, |schema| schema.outputs.len())
    }

    /// The inputs that the server fills itself.
    pub(super) fn hidden(&self) -> impl Iterator<Item = (&String, &String)> {
        self.schema.into_iter().flat_map(|schema| &*schema.hidden)
    }

    /// Whether its results depend on its id.
    pub(super) fn knows_its_id(&self) -> bool {
        self.hidden().any(|(_, kind)| kind == "UNIQUE_ID")
    }

    /// Whether it is told of all other nodes.
    pub(super) fn looks_around(&self) -> bool {
        self.hidden().any(|(_, kind)| kind == "DYNPROMPT")
    }

    pub(super) fn is_output(&self) -> bool {
        self.schema.is_some_and(|schema| schema.output_node)
    }

    pub(super) fn has_intermediate_output(&self) -> bool {
        self.schema.is_some_and(|schema| schema.has_intermediate_output)
    }

    pub(super) fn is_async(&self) -> bool {
        self.class.is_some_and(|class| class.is_async)
    }
}

fn constants(inputs: &[(String, Source)]) -> Map<String, Json> {
    let constant = |(name, source): &(String, Source)| match source {
        Source::Constant(value) => Some((name.clone(), value.clone())),
        _ => None,
    };
    inputs.iter().filter_map(constant).collect()
}
