//! Where the values of a converted workflow stand in the editor's document, so that changed ones can be written back.

use std::collections::HashMap;

use serde_json::Value;

use super::widgets::Stored;
use crate::{Link, NodeId, Workflow};

/// The places of values, by node and input of the result.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sources {
    places: HashMap<NodeId, HashMap<String, (Source, Value)>>,
}

/// A place in the document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Source {
    /// The id of the subgraph's definition; `None` for the outermost graph.
    pub(super) definition: Option<String>,
    /// The place of the node among the nodes of the graph in the document.
    pub(super) node: usize,
    pub(super) stored: Stored,
}

impl Sources {
    pub(super) fn insert(&mut self, node: NodeId, input: String, source: Source, value: Value) {
        self.places.entry(node).or_default().insert(input, (source, value));
    }

    /// The places of the values that `workflow` has, where it has the nodes of `converted`, of which these places are. Its
    /// values are those of the document, or were at the time it ran.
    pub(crate) fn of_same_nodes(&self, converted: &Workflow, workflow: &Workflow) -> Self {
        let mut same = Self::default();
        for (id, places) in &self.places {
            let (Some(made), Some(node)) = (converted.node(id.as_str()), workflow.node(id.as_str())) else {
                continue;
            };
            if made.class_type != node.class_type {
                continue;
            }
            for (name, (source, _)) in places {
                if let Some(value) = node.inputs.get(name) {
                    same.insert(id.clone(), name.clone(), source.clone(), value.clone());
                }
            }
        }
        same
    }

    /// The document with the values that `workflow` has now, where they have a place in it and are other than they were.
    pub(crate) fn write_back(&self, document: &Value, workflow: &Workflow) -> Value {
        let mut document = document.clone();
        for (id, node) in workflow.nodes() {
            let Some(places) = self.places.get(id) else { continue };
            for (name, value) in &node.inputs {
                let Some((source, was)) = places.get(name) else { continue };
                if value != was && Link::from_value(value).is_none() {
                    source.write(&mut document, unwrapped(value));
                }
            }
        }
        document
    }
}

impl Source {
    fn write(&self, document: &mut Value, value: &Value) {
        let graph = match &self.definition {
            None => Some(document),
            Some(id) => definition(document, id),
        };
        let node = graph.and_then(|graph| graph.get_mut("nodes")?.get_mut(self.node));
        let place = node.and_then(|node| {
            let values = node.get_mut("widgets_values")?;
            match &self.stored {
                Stored::Index(index) => values.get_mut(index),
                Stored::Key(key) => values.get_mut(key),
            }
        });
        if let Some(place) = place {
            *place = value.clone();
        }
    }
}

/// The definition of this id; definitions may lie inside definitions.
fn definition<'d>(document: &'d mut Value, id: &str) -> Option<&'d mut Value> {
    let mut waiting = vec![document];
    while let Some(graph) = waiting.pop() {
        if graph.get("id").is_some_and(|own| own == id) {
            return Some(graph);
        }
        let inner = graph.get_mut("definitions").and_then(|definitions| definitions.get_mut("subgraphs"));
        waiting.extend(inner.and_then(Value::as_array_mut).into_iter().flatten());
    }
    None
}

fn unwrapped(value: &Value) -> &Value {
    value.get("__value__").unwrap_or(value)
}
