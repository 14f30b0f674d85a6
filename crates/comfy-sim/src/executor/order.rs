//! In which order the nodes of a prompt run.

use super::plan::{Fatal, Plan};

/// The nodes that are still to be visited, in the order in which they were found: output by output, and from each of
/// them against the links, depth first, the last input first.
#[derive(Debug)]
pub(super) struct Order {
    waiting: Vec<usize>,
    /// How many nodes each node still waits for.
    blocked_by: Vec<usize>,
    /// The nodes that wait for each node.
    blocks: Vec<Vec<usize>>,
}

impl Order {
    /// What the outputs need. Results that `is_known` says are there are needed by nobody; an output is visited even so.
    pub(super) fn new(
        plan: &Plan<'_>,
        outputs: &[usize],
        is_known: impl Fn(usize) -> bool,
    ) -> Result<Self, Fatal> {
        let count = plan.nodes.len();
        let mut order =
            Self { waiting: Vec::new(), blocked_by: vec![0; count], blocks: vec![Vec::new(); count] };
        let mut found = vec![false; count];
        for &output in outputs {
            let mut stack = vec![output];
            while let Some(at) = stack.pop() {
                if std::mem::replace(&mut found[at], true) {
                    continue;
                }
                order.waiting.push(at);
                if plan.nodes[at].has_dangling_link() {
                    return Err(Fatal);
                }
                for from in plan.nodes[at].links().filter(|&from| !is_known(from)) {
                    if !order.blocks[from].contains(&at) {
                        order.blocks[from].push(at);
                        order.blocked_by[at] += 1;
                    }
                    stack.push(from);
                }
            }
        }
        Ok(order)
    }

    /// The next node: of those that wait for nothing an output node, else one whose result an output node takes, else
    /// one that is two links away from an output node, else the first. `None` at the end, or when all wait for each other.
    pub(super) fn next(&mut self, plan: &Plan<'_>) -> Option<usize> {
        let ready: Vec<_> =
            (0..self.waiting.len()).filter(|&at| self.blocked_by[self.waiting[at]] == 0).collect();
        let is_output = |node: usize| plan.nodes[node].is_output();
        let feeds = |node: usize| self.blocks[node].iter().copied().any(is_output);
        let feeds_feeder = |node: usize| self.blocks[node].iter().copied().any(feeds);
        let first =
            |wanted: &dyn Fn(usize) -> bool| ready.iter().copied().find(|&at| wanted(self.waiting[at]));
        let at = first(&is_output)
            .or_else(|| first(&feeds))
            .or_else(|| first(&feeds_feeder))
            .or_else(|| ready.first().copied())?;
        Some(self.waiting.remove(at))
    }

    /// The node is done: those that waited for it may run.
    pub(super) fn done(&mut self, node: usize) {
        for &waiting in &self.blocks[node] {
            self.blocked_by[waiting] -= 1;
        }
    }
}
