//! In which order the nodes of a prompt run.

use super::graph::{Fatal, Graph};

/// The nodes that are still to be visited, in the order in which they were found: output by output, and from each of
/// them against the links, depth first, the last input first.
#[derive(Debug, Default)]
pub(super) struct Order {
    waiting: Vec<usize>,
    found: Vec<bool>,
    /// How many nodes each node still waits for.
    blocked_by: Vec<usize>,
    /// The nodes that wait for each node.
    blocks: Vec<Vec<usize>>,
}

impl Order {
    /// Makes room for nodes that have come to the graph.
    fn grow(&mut self, graph: &Graph<'_>) {
        let count = graph.nodes.len();
        self.found.resize(count, false);
        self.blocked_by.resize(count, 0);
        self.blocks.resize(count, Vec::new());
    }

    /// Adds a node and what it needs. Results that `is_known` says are there are needed by nobody; the node itself is
    /// visited even so.
    pub(super) fn add(
        &mut self,
        graph: &Graph<'_>,
        node: usize,
        is_known: impl Fn(usize) -> bool,
    ) -> Result<(), Fatal> {
        self.grow(graph);
        let mut stack = vec![node];
        while let Some(at) = stack.pop() {
            if std::mem::replace(&mut self.found[at], true) {
                continue;
            }
            self.waiting.push(at);
            if graph.nodes[at].has_dangling_link() {
                return Err(Fatal);
            }
            for from in graph.nodes[at].links().filter(|&from| !is_known(from)) {
                self.block(from, at);
                stack.push(from);
            }
        }
        Ok(())
    }

    /// Makes a node wait for another one, which is added when it is not there yet.
    pub(super) fn wait_for(
        &mut self,
        graph: &Graph<'_>,
        node: usize,
        from: usize,
        is_known: impl Fn(usize) -> bool,
    ) -> Result<(), Fatal> {
        if is_known(from) {
            return Ok(());
        }
        self.add(graph, from, is_known)?;
        self.block(from, node);
        Ok(())
    }

    fn block(&mut self, from: usize, node: usize) {
        if !self.blocks[from].contains(&node) {
            self.blocks[from].push(node);
            self.blocked_by[node] += 1;
        }
    }

    /// The node waits for something that is no node.
    pub(super) fn suspend(&mut self, node: usize) {
        self.blocked_by[node] += 1;
    }

    /// What the node waited for, and is no node, has come.
    pub(super) fn resume(&mut self, node: usize) {
        self.blocked_by[node] -= 1;
    }

    /// Whether there is nothing more to visit.
    pub(super) fn is_done(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next node: of those that wait for nothing an output node or one that runs beside others, else one whose result
    /// an output node takes, else one that is two links away from an output node, else the first. `None` when all wait.
    pub(super) fn next(&mut self, graph: &Graph<'_>) -> Option<usize> {
        let ready: Vec<_> =
            (0..self.waiting.len()).filter(|&at| self.blocked_by[self.waiting[at]] == 0).collect();
        let is_output = |node: usize| graph.nodes[node].is_output();
        let is_first = |node: usize| is_output(node) || graph.nodes[node].is_async();
        let feeds = |node: usize| self.blocks[node].iter().copied().any(is_output);
        let feeds_feeder = |node: usize| self.blocks[node].iter().copied().any(feeds);
        let first =
            |wanted: &dyn Fn(usize) -> bool| ready.iter().copied().find(|&at| wanted(self.waiting[at]));
        let at = first(&is_first)
            .or_else(|| first(&feeds))
            .or_else(|| first(&feeds_feeder))
            .or_else(|| ready.first().copied())?;
        Some(self.waiting[at])
    }

    /// Which node of the prompt is to blame when all wait for each other: the last one that came.
    pub(super) fn blamed(&self) -> Option<usize> {
        self.waiting.last().copied()
    }

    /// The node is done: those that waited for it may run.
    pub(super) fn done(&mut self, node: usize) {
        self.waiting.retain(|&waiting| waiting != node);
        for waiting in std::mem::take(&mut self.blocks[node]) {
            self.blocked_by[waiting] -= 1;
        }
    }
}
