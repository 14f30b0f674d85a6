//! Results that are kept from one prompt to the next.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use comfy_protocol::NodeOutput;

use super::plan::Plan;
use crate::nodes::{NodeInstance, Origin};
use crate::value::Value;

/// What a node gave.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) outputs: Vec<Value>,
    pub(super) ui: Option<NodeOutput>,
    /// What stands behind the outputs, when nodes were simulated for them.
    pub(super) origin: Option<Arc<Origin>>,
}

/// The worker's memory: results by signature, and the objects of the nodes by id and class.
#[derive(Debug, Default)]
pub(super) struct Cache {
    results: HashMap<u64, Arc<Outcome>>,
    instances: HashMap<(String, String), NodeInstance>,
}

impl Cache {
    /// Drops what the prompt at hand does not have.
    pub(super) fn keep_only(&mut self, plan: &Plan<'_>) {
        let signatures: HashSet<_> = plan.nodes.iter().filter_map(|node| node.signature).collect();
        self.results.retain(|signature, _| signatures.contains(signature));
        let has = |id: &str, class: &str| {
            let place = plan.place(&id.into());
            place.is_some_and(|at| plan.nodes[at].class_type == class)
        };
        self.instances.retain(|(id, class), _| has(id, class));
    }

    pub(super) fn get(&self, signature: Option<u64>) -> Option<Arc<Outcome>> {
        self.results.get(&signature?).cloned()
    }

    pub(super) fn insert(&mut self, signature: u64, outcome: Arc<Outcome>) {
        self.results.insert(signature, outcome);
    }

    /// The object of a node, made when it is first needed.
    pub(super) fn instance(&mut self, id: &str, class: &str) -> &NodeInstance {
        self.instances.entry((id.to_owned(), class.to_owned())).or_insert_with(NodeInstance::new)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
