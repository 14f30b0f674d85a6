//! A prompt as the worker sees it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use comfy_workflow::NodeId;
use comfy_workflow::schema::{NodeSchema, Schemas};
use serde_json::{Map, Value as Json};

use super::signature;
use crate::files::Files;
use crate::nodes::{NodeClass, Registry};

/// The nodes of a prompt in its order.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    places: HashMap<&'a str, usize>,
}

/// One node of a [`Plan`].
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) id: &'a str,
    pub(super) class_type: &'a str,
    pub(super) class: Option<&'static NodeClass>,
    pub(super) schema: Option<&'a NodeSchema>,
    pub(super) inputs: Vec<(&'a str, Source<'a>)>,
    /// What the node's change check said; `None` when it has none.
    pub(super) changed: Option<Json>,
    /// Nodes with the same signature give the same results. `None` for those that are to run every time.
    pub(super) signature: Option<u64>,
}

/// Where the value of an input comes from.
#[derive(Debug)]
pub(super) enum Source<'a> {
    Constant(&'a Json),
    /// An output of a node; `None` for a node that the prompt does not have.
    Link {
        node: Option<usize>,
        slot: i64,
    },
}

/// The prompt is of a form that validation lets through and that ends the server's worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fatal;

impl<'a> Plan<'a> {
    pub(super) fn new(
        prompt: &'a Json,
        registry: &Registry,
        schemas: &'a Schemas,
        files: &Files,
    ) -> Result<Self, Fatal> {
        let prompt = prompt.as_object().ok_or(Fatal)?;
        let places: HashMap<_, _> = prompt.keys().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
        let nodes = prompt
            .iter()
            .map(|(id, node)| {
                let class_type = node.get("class_type").and_then(Json::as_str).ok_or(Fatal)?;
                let inputs = node.get("inputs").and_then(Json::as_object).ok_or(Fatal)?;
                let class = registry.class(class_type);
                let inputs: Vec<_> =
                    inputs.iter().map(|(name, value)| (name.as_str(), source(value, &places))).collect();
                let schema = schemas.get(class_type);
                let changed =
                    class.and_then(|class| class.changed).map(|check| check(&constants(&inputs), files));
                Ok(Node { id, class_type, class, schema, inputs, changed, signature: None })
            })
            .collect::<Result<_, _>>()?;
        let mut plan = Self { nodes, places };
        plan.sign();
        Ok(plan)
    }

    pub(super) fn place(&self, id: &NodeId) -> Option<usize> {
        self.places.get(id.as_str()).copied()
    }

    /// Computes the signatures, ancestors first. Nodes in or after a cycle get none.
    fn sign(&mut self) {
        #[derive(Clone, Copy, PartialEq)]
        enum Visit {
            Not,
            Open,
            Done,
        }
        let mut visits = vec![Visit::Not; self.nodes.len()];
        let mut stack: Vec<usize> = (0..self.nodes.len()).rev().collect();
        while let Some(&at) = stack.last() {
            if visits[at] == Visit::Not {
                visits[at] = Visit::Open;
                stack.extend(self.nodes[at].links().filter(|&from| visits[from] == Visit::Not));
                continue;
            }
            stack.pop();
            if visits[at] == Visit::Open {
                visits[at] = Visit::Done;
                self.nodes[at].signature = self.signature(at);
            }
        }
    }

    fn signature(&self, at: usize) -> Option<u64> {
        let node = &self.nodes[at];
        let mut hasher = DefaultHasher::new();
        node.class_type.hash(&mut hasher);
        if let Some(changed) = &node.changed {
            if changed.is_null() {
                return None;
            }
            signature::hash(changed, &mut hasher);
        }
        let mut inputs: Vec<_> = node.inputs.iter().collect();
        inputs.sort_unstable_by_key(|(name, _)| *name);
        for (name, source) in inputs {
            name.hash(&mut hasher);
            match source {
                Source::Constant(value) => signature::hash(value, &mut hasher),
                Source::Link { node, slot } => (self.nodes[(*node)?].signature?, slot).hash(&mut hasher),
            }
        }
        Some(hasher.finish())
    }
}

impl Node<'_> {
    /// The nodes that this one is linked to, in the order of its inputs. Also links of inputs that its class does not
    /// know count.
    pub(super) fn links(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.inputs.iter().filter_map(|(_, source)| match source {
            Source::Link { node, .. } => *node,
            Source::Constant(_) => None,
        })
    }

    pub(super) fn has_dangling_link(&self) -> bool {
        self.inputs.iter().any(|(_, source)| matches!(source, Source::Link { node: None, .. }))
    }

    pub(super) fn knows(&self, input: &str) -> bool {
        let input = input.split('.').next().unwrap_or(input);
        self.schema.is_some_and(|schema| schema.input(input).is_some())
    }

    /// The inputs that the server fills itself.
    pub(super) fn hidden(&self) -> impl Iterator<Item = (&String, &String)> {
        self.schema.into_iter().flat_map(|schema| &*schema.hidden)
    }

    pub(super) fn is_output(&self) -> bool {
        self.schema.is_some_and(|schema| schema.output_node)
    }

    pub(super) fn has_intermediate_output(&self) -> bool {
        self.schema.is_some_and(|schema| schema.has_intermediate_output)
    }

    pub(super) fn node_id(&self) -> NodeId {
        self.id.into()
    }
}

/// A list of a text and a number is a link, everything else a constant.
fn source<'a>(value: &'a Json, places: &HashMap<&'a str, usize>) -> Source<'a> {
    if let Some([Json::String(id), Json::Number(slot)]) = value.as_array().map(Vec::as_slice) {
        let slot = slot.as_i64().unwrap_or_else(|| slot.as_f64().map_or(0, |slot| slot as i64));
        return Source::Link { node: places.get(id.as_str()).copied(), slot };
    }
    Source::Constant(value)
}

fn constants(inputs: &[(&str, Source<'_>)]) -> Map<String, Json> {
    let constant = |(name, source): &(&str, Source<'_>)| match source {
        Source::Constant(value) => Some(((*name).to_owned(), (*value).clone())),
        Source::Link { .. } => None,
    };
    inputs.iter().filter_map(constant).collect()
}
