//! Nodes that a running node puts in its place.

use comfy_workflow::NodeId;
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::Context;
use crate::value::Value;

/// A part of a workflow that a node has built: it is run, and its outputs become the node's own.
#[derive(Debug, Default)]
pub(crate) struct Expansion {
    prefix: String,
    pub(crate) nodes: Vec<NewNode>,
}

/// A node of an [`Expansion`].
#[derive(Debug)]
pub(crate) struct NewNode {
    pub(crate) id: NodeId,
    pub(crate) class_type: String,
    /// Values, and links as [`Expansion::link`] makes them.
    pub(crate) inputs: Vec<(String, Value)>,
    /// The node that users are to see at work in place of this one; the expanded node unless said.
    pub(crate) display: Option<NodeId>,
}

impl Expansion {
    /// An empty one. Its ids begin with the id of the node that runs and the number of its call.
    pub(crate) fn new(context: &Context<'_>) -> Self {
        Self { prefix: format!("{}.{}.0.", context.node, context.call), nodes: Vec::new() }
    }

    /// Adds a node, with the next number as its id. Gives back its first output.
    pub(crate) fn node<const N: usize>(&mut self, class_type: &str, inputs: [(&str, Value); N]) -> Value {
        let number = self.nodes.len() + 1;
        self.named(&number.to_string(), class_type, inputs)
    }

    /// Adds a node with an id of its own. Gives back its first output.
    pub(crate) fn named<const N: usize>(
        &mut self,
        name: &str,
        class_type: &str,
        inputs: [(&str, Value); N],
    ) -> Value {
        let id = NodeId::from(format!("{}{name}", self.prefix));
        let link = Self::link(&id, 0);
        let inputs = inputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.nodes.push(NewNode { id, class_type: class_type.to_owned(), inputs, display: None });
        link
    }

    /// An output of a node, as the value of an input or as an output of the expanded node.
    pub(crate) fn link(id: &NodeId, slot: usize) -> Value {
        Value::Json(json!([id.as_str(), slot]))
    }
}

/// All nodes of a running prompt with their inputs.
#[derive(Debug)]
pub(crate) struct Snapshot(IndexMap<NodeId, NewNode>);

impl Snapshot {
    pub(crate) fn node(&self, id: &NodeId) -> Option<&NewNode> {
        self.0.get(id)
    }

    /// The ids, in the order of the prompt.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &NodeId> {
        self.0.keys()
    }
}

impl FromIterator<NewNode> for Snapshot {
    fn from_iter<I: IntoIterator<Item = NewNode>>(nodes: I) -> Self {
        Self(nodes.into_iter().map(|node| (node.id.clone(), node)).collect())
    }
}

/// The id and slot that a value links to, if it is a link: a list of a text and a number, for which a boolean counts too.
pub(crate) fn as_link(value: &Json) -> Option<(&str, i64)> {
    let [Json::String(id), slot] = value.as_array()?.as_slice() else { return None };
    let slot = match slot {
        Json::Bool(flag) => i64::from(*flag),
        Json::Number(slot) => slot.as_i64().unwrap_or_else(|| slot.as_f64().map_or(0, |slot| slot as i64)),
        _ => return None,
    };
    Some((id, slot))
}
