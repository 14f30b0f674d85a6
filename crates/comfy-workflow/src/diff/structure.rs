//! A workflow as a graph, and labels of its nodes by what surrounds them.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use crate::{Link, Node, NodeId, Workflow};

pub(super) struct Structure<'a> {
    pub(super) nodes: Vec<(&'a NodeId, &'a Node)>,
    pub(super) index: HashMap<&'a str, usize>,
    /// The links that lead to each node, and those that leave it.
    pub(super) into: Vec<Vec<Tie<'a>>>,
    pub(super) out: Vec<Vec<Tie<'a>>>,
}

/// A link, seen from one of its ends.
#[derive(Clone, Copy)]
pub(super) struct Tie<'a> {
    /// The input that it leads to.
    pub(super) input: &'a str,
    /// The output that it leaves from.
    pub(super) slot: i64,
    /// The node at the other end.
    pub(super) other: usize,
}

impl<'a> Structure<'a> {
    pub(super) fn of(workflow: &'a Workflow) -> Self {
        let nodes: Vec<(&NodeId, &Node)> = workflow.nodes().collect();
        let index: HashMap<&str, usize> =
            nodes.iter().enumerate().map(|(at, (id, _))| (id.as_str(), at)).collect();
        let (mut into, mut out) = (vec![Vec::new(); nodes.len()], vec![Vec::new(); nodes.len()]);
        for (to, (_, node)) in nodes.iter().enumerate() {
            for (input, value) in &node.inputs {
                let Some(link) = Link::from_value(value) else { continue };
                if let Some(from) = index.get(link.node).copied() {
                    into[to].push(Tie { input, slot: link.slot, other: from });
                    out[from].push(Tie { input, slot: link.slot, other: to });
                }
            }
        }
        Self { nodes, index, into, out }
    }

    pub(super) fn class(&self, index: usize) -> &'a str {
        &self.nodes[index].1.class_type
    }

    /// A label of every node by its class, its values, and all that is at most `rounds` links away.
    pub(super) fn labels(&self, rounds: usize) -> Vec<u64> {
        let mut labels: Vec<u64> = self.nodes.iter().map(|(_, node)| self.own_label(node)).collect();
        for _ in 0..rounds {
            labels = (0..labels.len()).map(|index| self.label(index, &labels)).collect();
        }
        labels
    }

    /// A label of every node by its class only.
    pub(super) fn classes(&self) -> Vec<u64> {
        let label = |node: &Node| {
            let mut hasher = DefaultHasher::new();
            node.class_type.hash(&mut hasher);
            hasher.finish()
        };
        self.nodes.iter().map(|(_, node)| label(node)).collect()
    }

    fn own_label(&self, node: &Node) -> u64 {
        let mut constants: Vec<(&str, &Value)> = node
            .inputs
            .iter()
            .map(|(name, value)| (name.as_str(), value))
            .filter(|(_, value)| !self.is_link(value))
            .collect();
        constants.sort_by_key(|(name, _)| *name);
        let mut hasher = DefaultHasher::new();
        node.class_type.hash(&mut hasher);
        for (name, value) in constants {
            name.hash(&mut hasher);
            hash(value, &mut hasher);
        }
        hasher.finish()
    }

    /// Whether a value is a link to a node that is there.
    fn is_link(&self, value: &Value) -> bool {
        Link::from_value(value).is_some_and(|link| self.index.contains_key(link.node))
    }

    fn label(&self, index: usize, labels: &[u64]) -> u64 {
        let mut hasher = DefaultHasher::new();
        labels[index].hash(&mut hasher);
        for ties in [&self.into[index], &self.out[index]] {
            let mut around: Vec<(&str, i64, u64)> =
                ties.iter().map(|tie| (tie.input, tie.slot, labels[tie.other])).collect();
            around.sort_unstable();
            around.hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// Whether two values mean the same: numbers by what they are, however written, and the keys of objects in any order.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || (a.as_f64() == b.as_f64() && (a.is_f64() || b.is_f64()))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// What is the same has the same hash.
fn hash(value: &Value, hasher: &mut DefaultHasher) {
    match value {
        Value::Null => 0_u8.hash(hasher),
        Value::Bool(flag) => (1_u8, flag).hash(hasher),
        Value::Number(number) => (2_u8, number.as_f64().map(|number| (number + 0.0).to_bits())).hash(hasher),
        Value::String(text) => (3_u8, text).hash(hasher),
        Value::Array(items) => {
            (4_u8, items.len()).hash(hasher);
            items.iter().for_each(|item| hash(item, hasher));
        }
        Value::Object(fields) => {
            (5_u8, fields.len()).hash(hasher);
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            for (key, value) in fields {
                key.hash(hasher);
                hash(value, hasher);
            }
        }
    }
}
