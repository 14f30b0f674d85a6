//! What differs between two workflows, by what they do rather than by how their files are written.

mod matching;
mod show;
mod structure;

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

use self::structure::{Structure, same};
use crate::{Link, Node, NodeId, Workflow};

/// What differs between two workflows. `Display` lists it for people: a line for every node, and under a changed one a line
/// for every input.
///
/// Nodes are matched by what they are and how they are linked, so that a copy with other ids does not differ. The order of
/// nodes and inputs does not count, nor does how a number is written.
///
/// ```
/// use comfy_workflow::{Difference, Workflow};
///
/// let before: Workflow = r#"{
///     "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "color": 0}},
///     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}
/// }"#.parse()?;
/// let after: Workflow = r#"{
///     "8": {"class_type": "SaveImage", "inputs": {"images": ["5", 0]}},
///     "5": {"class_type": "EmptyImage", "inputs": {"color": 0, "width": 128.0}}
/// }"#.parse()?;
/// let difference = Difference::between(&before, &after);
/// assert_eq!(difference.to_string(), "~ node 1, now 5 (EmptyImage)\n    width: 64 -> 128.0");
/// # Ok::<(), comfy_workflow::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// The changes: those of nodes that both have in the order of the first, with what was removed at its place, then what
    /// was added.
    pub changes: Vec<Change>,
}

/// A difference of one node.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// The node's id in the first workflow, unless it was added.
    pub before: Option<NodeId>,
    /// The node's id in the second workflow, unless it was removed.
    pub after: Option<NodeId>,
    /// The title, that of the second workflow if it has one.
    pub title: Option<String>,
    /// The class, that of the second workflow if it has the node.
    pub class_type: String,
    /// What changed.
    #[serde(flatten)]
    pub kind: ChangeKind,
}

/// What changed of a node.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeKind {
    /// Only the second workflow has it.
    Added,
    /// Only the first workflow has it.
    Removed,
    /// It has another class.
    Class {
        /// The class in the first workflow.
        from: String,
        /// The class in the second workflow.
        to: String,
    },
    /// It has another title. A node without a title in one of the workflows is not said to have another.
    Title {
        /// The title in the first workflow.
        from: String,
        /// The title in the second workflow.
        to: String,
    },
    /// Whether it takes part has changed: `active`, `muted` or `bypassed`.
    Mode {
        /// The mode in the first workflow.
        from: String,
        /// The mode in the second workflow.
        to: String,
    },
    /// An input has another value, or another link.
    Input {
        /// The name of the input.
        input: String,
        /// What it is in the first workflow; none when the node does not have it there.
        from: Option<Given>,
        /// What it is in the second workflow; none when the node does not have it there.
        to: Option<Given>,
    },
}

/// What an input is given.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Given {
    /// The value as it stands in its workflow, which may be a link.
    pub value: Value,
    /// For a link, what it comes from: `node 4 "Title" (Class)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Difference {
    /// Compares two workflows.
    ///
    /// Where both were converted from the editor's format ([`Workflow::editor`]), nodes that were muted or bypassed in one
    /// of the files are told too, although they are not part of what runs.
    #[must_use]
    pub fn between(before: &Workflow, after: &Workflow) -> Self {
        let mut difference = Self::of_nodes(before, after);
        if let (Some(before), Some(after)) = (before.editor(), after.editor()) {
            let outlines = Self::of_nodes(&before.outline(), &after.outline());
            let is_mode = |change: &Change| matches!(change.kind, ChangeKind::Mode { .. });
            difference.changes.extend(outlines.changes.into_iter().filter(is_mode));
        }
        difference
    }

    fn of_nodes(before: &Workflow, after: &Workflow) -> Self {
        let (old, new) = (Structure::of(before), Structure::of(after));
        let pairs = matching::pairs(&old, &new);
        let ids: HashMap<&str, &str> =
            pairs.iter().map(|(from, to)| (old.nodes[*from].0.as_str(), new.nodes[*to].0.as_str())).collect();
        let partners: HashMap<usize, usize> = pairs.iter().copied().collect();
        let mut comparison = Comparison { before, after, ids, changes: Vec::new() };
        for (index, (id, node)) in old.nodes.iter().enumerate() {
            match partners.get(&index).map(|partner| new.nodes[*partner]) {
                Some(partner) => comparison.node((id, node), partner),
                None => comparison.push((Some(id), None), node, ChangeKind::Removed),
            }
        }
        let known: std::collections::HashSet<usize> = partners.values().copied().collect();
        for (index, (id, node)) in new.nodes.iter().enumerate() {
            if !known.contains(&index) {
                comparison.push((None, Some(id)), node, ChangeKind::Added);
            }
        }
        Self { changes: comparison.changes }
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

struct Comparison<'a> {
    before: &'a Workflow,
    after: &'a Workflow,
    /// The ids of nodes in the second workflow, by those in the first.
    ids: HashMap<&'a str, &'a str>,
    changes: Vec<Change>,
}

impl Comparison<'_> {
    fn push(&mut self, (before, after): (Option<&NodeId>, Option<&NodeId>), node: &Node, kind: ChangeKind) {
        self.changes.push(Change {
            before: before.cloned(),
            after: after.cloned(),
            title: node.title().map(str::to_owned),
            class_type: node.class_type.clone(),
            kind,
        });
    }

    fn node(&mut self, (old_id, old): (&NodeId, &Node), (new_id, new): (&NodeId, &Node)) {
        let ids = (Some(old_id), Some(new_id));
        let changed = |from: &str, to: &str| (from != to).then(|| (from.to_owned(), to.to_owned()));
        if let Some((from, to)) = changed(&old.class_type, &new.class_type) {
            self.push(ids, new, ChangeKind::Class { from, to });
        }
        let titles = old.title().zip(new.title());
        if let Some((from, to)) = titles.and_then(|(from, to)| changed(from, to)) {
            self.push(ids, new, ChangeKind::Title { from, to });
        }
        if let Some((from, to)) = changed(mode(old), mode(new)) {
            self.push(ids, new, ChangeKind::Mode { from, to });
        }
        let added = new.inputs.keys().filter(|name| !old.inputs.contains_key(*name));
        for name in old.inputs.keys().chain(added) {
            let (from, to) = (old.inputs.get(name), new.inputs.get(name));
            if !self.is_same(from, to) {
                let given = |value: Option<&serde_json::Value>, workflow: &Workflow| {
                    let value = value?;
                    let source =
                        Link::from_value(value).map(|link| workflow.describe(&NodeId::from(link.node)));
                    Some(Given { value: value.clone(), source })
                };
                let (from, to) = (given(from, self.before), given(to, self.after));
                self.push(ids, new, ChangeKind::Input { input: name.clone(), from, to });
            }
        }
    }

    fn is_same(&self, from: Option<&Value>, to: Option<&Value>) -> bool {
        let (Some(from), Some(to)) = (from, to) else { return false };
        match (Link::from_value(from), Link::from_value(to)) {
            (Some(from), Some(to)) => {
                let partner = self.ids.get(from.node).copied();
                // A link to a node that neither has is the same if it is written so.
                let missing = partner.is_none()
                    && self.before.node(from.node).is_none()
                    && self.after.node(to.node).is_none();
                from.slot == to.slot && (partner == Some(to.node) || (missing && from.node == to.node))
            }
            (None, None) => same(from, to),
            _ => false,
        }
    }
}

/// Whether the node takes part, as [`EditorWorkflow::outline`](crate::editor::EditorWorkflow::outline) says it.
fn mode(node: &Node) -> &str {
    node.extra.get("mode").and_then(Value::as_str).unwrap_or("active")
}

#[cfg(test)]
mod tests;
