use std::collections::HashMap;

use serde_json::Value;

use crate::{NodeId, Workflow};

/// A link: the output `slot` of node `node`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link<'a> {
    /// The id of the node that gives the value.
    pub node: &'a str,
    /// Which of its outputs, from 0. (Servers count a negative slot from the end.)
    pub slot: i64,
}

impl<'a> Link<'a> {
    /// Reads an input's value as a link: a list of a text and an integer.
    #[must_use]
    pub fn from_value(value: &'a Value) -> Option<Self> {
        match value.as_array()?.as_slice() {
            [Value::String(node), slot] => Some(Self { node, slot: slot.as_i64()? }),
            _ => None,
        }
    }
}

impl From<Link<'_>> for Value {
    fn from(link: Link<'_>) -> Self {
        serde_json::json!([link.node, link.slot])
    }
}

/// A cycle of links, which no server can run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the nodes form a cycle: {}", chain(.nodes))]
#[non_exhaustive]
pub struct Cycle {
    /// The nodes of the cycle, each feeding the next, the last feeding the first.
    pub nodes: Vec<NodeId>,
}

fn chain(nodes: &[NodeId]) -> String {
    nodes
        .iter()
        .chain(nodes.first())
        .map(|id| crate::workflow::clip(id.as_str()))
        .collect::<Vec<_>>()
        .join(" -> ")
}

impl Workflow {
    /// The ids of all nodes, every node after those that feed it; otherwise in document order.
    ///
    /// Links to nodes that the workflow does not have are passed over.
    ///
    /// # Errors
    /// The links form a cycle.
    pub fn topological_order(&self) -> Result<Vec<&NodeId>, Cycle> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            Open,
            Done,
        }
        let sources: HashMap<&str, Vec<&NodeId>> = self
            .nodes()
            .map(|(id, node)| {
                let links = node.inputs.values().filter_map(Link::from_value);
                let known = links.filter_map(|link| self.key(link.node));
                (id.as_str(), known.collect())
            })
            .collect();
        let mut marks: HashMap<&str, Mark> = HashMap::new();
        let mut order = Vec::with_capacity(self.len());
        // An explicit stack: a chain of nodes can be longer than the thread's stack is deep.
        for (root, _) in self.nodes() {
            let mut stack = vec![(root, 0)];
            while let Some((id, next)) = stack.pop() {
                if next == 0 && marks.contains_key(id.as_str()) {
                    continue;
                }
                marks.insert(id.as_str(), Mark::Open);
                let Some(source) = sources.get(id.as_str()).and_then(|sources| sources.get(next)) else {
                    marks.insert(id.as_str(), Mark::Done);
                    order.push(id);
                    continue;
                };
                stack.push((id, next + 1));
                match marks.get(source.as_str()) {
                    Some(Mark::Done) => {}
                    Some(Mark::Open) => {
                        let start = stack.iter().position(|(id, _)| id == source).unwrap_or(0);
                        let nodes = stack[start..].iter().rev().map(|(id, _)| (*id).clone()).collect();
                        return Err(Cycle { nodes });
                    }
                    None => stack.push((source, 0)),
                }
            }
        }
        Ok(order)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Node;

    fn workflow(links: &[(&str, &[&str])]) -> Workflow {
        let mut workflow = Workflow::new();
        for (id, sources) in links {
            let mut node = Node::new("A");
            for (index, source) in sources.iter().enumerate() {
                node.inputs.insert(format!("in{index}"), json!([source, 0]));
            }
            workflow.insert(*id, node);
        }
        workflow
    }

    fn order(workflow: &Workflow) -> Result<Vec<&str>, Cycle> {
        Ok(workflow.topological_order()?.into_iter().map(NodeId::as_str).collect())
    }

    #[test]
    fn sources_come_before_their_consumers_and_order_is_kept_otherwise() {
        let workflow = workflow(&[
            ("save", &["mid", "b"]),
            ("b", &[]),
            ("mid", &["a", "a"]),
            ("a", &[]),
            ("z", &["gone"]),
        ]);
        assert_eq!(order(&workflow).unwrap(), ["a", "mid", "b", "save", "z"]);
    }

    #[test]
    fn a_cycle_is_an_error_that_names_its_nodes() {
        let workflow = workflow(&[("out", &["1"]), ("1", &["3"]), ("2", &["1"]), ("3", &["2"])]);
        let cycle = order(&workflow).unwrap_err();
        assert_eq!(cycle.to_string(), "the nodes form a cycle: 2 -> 3 -> 1 -> 2");
        assert_eq!(order(&self::workflow(&[("1", &["1"])])).unwrap_err().nodes, ["1"]);
    }

    #[test]
    fn a_chain_of_many_nodes_does_not_exhaust_the_stack() {
        let ids: Vec<String> = (0..5_000).map(|n| n.to_string()).collect();
        let mut long = Workflow::new();
        for (index, id) in ids.iter().enumerate() {
            let next = ids.get(index + 1).map(|next| json!([next, 0]));
            long.insert(id.as_str(), Node::new("A").with_input("x", next.unwrap_or_default()));
        }
        assert_eq!(long.topological_order().unwrap().len(), 5_000);
    }

    #[test]
    fn only_a_text_and_an_integer_make_a_link() {
        assert_eq!(Link::from_value(&json!(["9:8", -1])), Some(Link { node: "9:8", slot: -1 }));
        for other in [json!([1, 0]), json!(["a", "b"]), json!(["a", 0, 1]), json!("a"), json!(["a", 0.5])] {
            assert_eq!(Link::from_value(&other), None);
        }
    }
}
