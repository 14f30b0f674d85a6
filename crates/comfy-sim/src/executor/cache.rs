//! Results that are kept from one prompt to the next.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use comfy_protocol::NodeOutput;
use comfy_workflow::NodeId;

use super::graph::Graph;
use crate::nodes::{NodeInstance, Origin};
use crate::options::CachePolicy;
use crate::value::Value;

/// What a node gave.
#[derive(Debug)]
pub(super) struct Outcome {
    /// By slot: all values of the slot, one unless the node gave lists or ran several times.
    pub(super) outputs: Vec<Vec<Value>>,
    pub(super) ui: Option<NodeOutput>,
    /// What stands behind the outputs, when nodes were simulated for them.
    pub(super) origin: Option<Arc<Origin>>,
}

/// The worker's memory: results by signature, and the objects of the nodes by id and class.
#[derive(Debug)]
pub(super) struct Cache {
    policy: CachePolicy,
    results: HashMap<u64, Kept>,
    /// The signatures in the order of their use, for a policy that counts them.
    used: VecDeque<u64>,
    instances: HashMap<(NodeId, String), Instance>,
}

#[derive(Debug)]
struct Kept {
    outcome: Arc<Outcome>,
    /// The signature of the prompt's node that it came from: itself, or one that was expanded.
    root: u64,
}

#[derive(Debug)]
struct Instance {
    object: Arc<NodeInstance>,
    /// The node of the prompt that it belongs to.
    root: (NodeId, String),
}

impl Cache {
    pub(super) fn new(policy: CachePolicy) -> Self {
        Self { policy, results: HashMap::new(), used: VecDeque::new(), instances: HashMap::new() }
    }

    /// Drops what the policy does not keep for the prompt at hand.
    pub(super) fn prepare(&mut self, graph: &Graph<'_>) {
        match self.policy {
            CachePolicy::Classic => {
                let signatures: HashSet<_> = graph.nodes.iter().filter_map(|node| node.signature).collect();
                self.results.retain(|_, kept| signatures.contains(&kept.root));
            }
            CachePolicy::None => self.results.clear(),
            CachePolicy::LeastRecentlyUsed(_) | CachePolicy::Memory => {}
        }
        let has = |(id, class): &(NodeId, String)| {
            graph.place(id).is_some_and(|at| graph.nodes[at].class_type == *class)
        };
        self.instances.retain(|_, instance| has(&instance.root));
    }

    pub(super) fn policy(&self) -> CachePolicy {
        self.policy
    }

    pub(super) fn get(&mut self, signature: Option<u64>) -> Option<Arc<Outcome>> {
        let signature = signature?;
        let outcome = Arc::clone(&self.results.get(&signature)?.outcome);
        self.use_now(signature);
        Some(outcome)
    }

    /// Keeps the result of a node.
    pub(super) fn insert(&mut self, graph: &Graph<'_>, at: usize, outcome: &Arc<Outcome>) {
        let node = &graph.nodes[at];
        let (Some(signature), Some(root)) = (node.signature, graph.nodes[node.real].signature) else {
            return;
        };
        if self.policy == CachePolicy::None {
            return;
        }
        self.results.insert(signature, Kept { outcome: Arc::clone(outcome), root });
        self.use_now(signature);
    }

    fn use_now(&mut self, signature: u64) {
        let CachePolicy::LeastRecentlyUsed(most) = self.policy else { return };
        self.used.retain(|used| *used != signature);
        self.used.push_back(signature);
        while self.used.len() > most {
            if let Some(oldest) = self.used.pop_front() {
                self.results.remove(&oldest);
            }
        }
    }

    /// The object of a node, made when it is first needed.
    pub(super) fn instance(&mut self, graph: &Graph<'_>, at: usize) -> Arc<NodeInstance> {
        let node = &graph.nodes[at];
        let real = &graph.nodes[node.real];
        let instance = self.instances.entry((node.id.clone(), node.class_type.clone()));
        let instance = instance.or_insert_with(|| Instance {
            object: Arc::new(NodeInstance::new()),
            root: (real.id.clone(), real.class_type.clone()),
        });
        Arc::clone(&instance.object)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.policy);
    }
}
