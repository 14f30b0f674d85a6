//! Prompts that a server takes and that stop its worker for ever.
//!
//! A server checks only inputs that the classes declare, of nodes that its outputs reach through these. It runs more: every
//! list of a text and a number is a link to it then, whether its input is declared or not, and a link to a node that is not
//! there stops the worker, which nothing but a new start of the server brings back. So do values that are nested too deep, and
//! nodes without inputs. All of this was seen on servers of 0.3.64, 0.8.0 and 0.30.0.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::inspect::reached;
use super::problem::{Effect, Problem, ProblemKind};
use super::survey::is_asked_for;
use super::{Line, Options};
use crate::json::exact;
use crate::schema::{InputType, NodeSchema};
use crate::workflow::clip;
use crate::{Node, NodeId, Workflow};

/// How deep values may nest. A server copies them with a recursion that ends at some hundred levels.
const DEPTH: usize = 200;

/// How many nodes may follow each other. A server checks longer chains than it can run.
pub(super) const CHAIN: usize = 400;

/// What [`sanitize`] did and found. `Display` of the problems says where.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Sanitized {
    /// What was taken out of the workflow, which does not change what it gives.
    pub cleaned: Vec<Problem>,
    /// What would stop the server and cannot be taken out without changing what the workflow means.
    pub dangers: Vec<Problem>,
}

/// What may stop a server of which nothing is known: values that are nested too deep, links to nodes that are not there, and
/// chains that are too long. Mostly nothing. Whether such a link does harm is known to [`sanitize`].
#[must_use]
pub fn dangers(workflow: &Workflow) -> Vec<Problem> {
    let links = suspects(workflow).into_iter().filter_map(|suspect| {
        Some(dangling(
            &suspect,
            workflow.node(suspect.id.as_str())?,
            "a server that does not know the input stops over it",
        ))
    });
    let every: Vec<&str> = workflow.nodes().map(|(id, _)| id.as_str()).collect();
    let chain = longest_chain(&every, &run_links_of(workflow))
        .and_then(|(id, length)| too_long(workflow, id, length));
    nested(workflow).chain(links).chain(chain).collect()
}

/// Takes out of a workflow what would stop a server for ever, and tells what it must not be sent with.
///
/// Links to missing nodes in inputs that no class declares are taken out: the server passes over them when it checks, and
/// stops over them when it runs. Those in declared inputs stay, since the server refuses them, unless it would not look
/// there. All else, such as nodes that do not run, stays as it is.
pub fn sanitize(workflow: &mut Workflow, options: &Options<'_>) -> Sanitized {
    let mut sanitized = Sanitized { cleaned: Vec::new(), dangers: nested(workflow).collect() };
    let suspects = suspects(workflow);
    let known = Known::new(workflow, options);
    sanitized
        .dangers
        .extend(known.chain.as_ref().and_then(|(id, length)| too_long(workflow, id.as_str(), *length)));
    for suspect in suspects {
        let Some(node) = workflow.node_mut(suspect.id.as_str()) else { continue };
        match known.judge(&suspect, node) {
            Judgement::Harmless => {}
            Judgement::Stray => {
                let text = format!("taken out: the class does not declare it, and {}", suspect.fault);
                let line = line_of(&suspect.id, node, Some(&suspect.input), text);
                sanitized.cleaned.push(Problem::new(ProblemKind::UndeclaredInput, line));
                node.inputs.shift_remove(&suspect.input);
            }
            Judgement::Danger => {
                sanitized.dangers.push(dangling(
                    &suspect,
                    node,
                    "the server would not see it and stop over it",
                ));
            }
        }
    }
    sanitized
}

/// Values that are nested too deep.
fn nested(workflow: &Workflow) -> impl Iterator<Item = Problem> {
    let values = workflow.nodes().flat_map(|(id, node)| {
        let inputs = node.inputs.iter().map(|(name, value)| (Some(name), name, value));
        let values = inputs.chain(node.extra.iter().map(|(name, value)| (None, name, value)));
        values.map(move |(input, name, value)| (id, node, input, name, value))
    });
    values.filter(|(.., value)| is_nested_too_deep(value)).map(|(id, node, input, name, _)| {
        let what =
            if input.is_some() { "the value".to_owned() } else { format!("`{}` of the node", clip(name)) };
        let text = format!("{what} is nested more than {DEPTH} levels deep, over which the server stops");
        danger(ProblemKind::NestedTooDeep, line_of(id, node, input.map(String::as_str), text))
    })
}

/// All that is run as a link, by the node that it feeds.
fn run_links_of(workflow: &Workflow) -> HashMap<&str, Vec<&str>> {
    let links = workflow.nodes().map(|(id, node)| {
        let sources = node.inputs.values().filter_map(run_links).filter_map(|source| workflow.key(source));
        (id.as_str(), sources.map(NodeId::as_str).collect())
    });
    links.collect()
}

/// The node at the end of the longest chain of links that leads to one of `ends`, and how many nodes the chain has.
pub(super) fn longest_chain<'a>(
    ends: &[&'a str],
    links: &HashMap<&'a str, Vec<&'a str>>,
) -> Option<(&'a str, usize)> {
    let mut lengths: HashMap<&str, usize> = HashMap::new();
    for end in ends {
        let mut path: Vec<(&str, usize)> = vec![(end, 0)];
        while let Some((id, next)) = path.pop() {
            // Nodes on the path have no length yet; a link back to one makes a cycle, which runs differently.
            if next == 0 && lengths.insert(id, 0).is_some_and(|length| length > 0) {
                continue;
            }
            let sources = links.get(id).map_or(&[][..], Vec::as_slice);
            match sources.get(next) {
                Some(source) => {
                    path.push((id, next + 1));
                    if !lengths.contains_key(source) {
                        path.push((source, 0));
                    }
                }
                None => {
                    let longest = sources.iter().filter_map(|source| lengths.get(source)).max();
                    lengths.insert(id, longest.copied().unwrap_or_default() + 1);
                }
            }
        }
    }
    ends.iter().filter_map(|end| Some((*end, *lengths.get(end)?))).max_by_key(|(_, length)| *length)
}

fn too_long(workflow: &Workflow, id: &str, length: usize) -> Option<Problem> {
    let (id, node) = (workflow.key(id)?, workflow.node(id)?);
    (length > CHAIN).then(|| danger(ProblemKind::ChainTooLong, line_of(id, node, None, chain_text(length))))
}

pub(super) fn chain_text(length: usize) -> String {
    format!(
        "{length} nodes that follow each other lead to it, and a server stops over more than some {CHAIN}"
    )
}

fn dangling(suspect: &Suspect, node: &Node, why: &str) -> Problem {
    let how = if suspect.wrapped { "a server runs the wrapped list as a link, and " } else { "" };
    let text = format!("{how}{}; {why}", suspect.fault);
    danger(suspect.kind.clone(), line_of(&suspect.id, node, Some(&suspect.input), text))
}

/// Why what is run as a link leads nowhere; nothing where it leads to a node. A number that no list can be asked for counts:
/// a server stops over it as well, where it has the node's results already.
fn leads_nowhere(workflow: &Workflow, value: &Value) -> Option<(ProblemKind, String)> {
    let source = run_links(value)?;
    if workflow.node(source).is_none() {
        let text = format!("a link leads to node {}, which is not in the workflow", clip(source));
        return Some((ProblemKind::LinkToMissingNode, text));
    }
    let slot = huge_slot(value.get("__value__").unwrap_or(value))?;
    let slot = clip(&slot.to_string());
    let text = format!("a link leads to output {slot} of node {}, which no node has", clip(source));
    Some((ProblemKind::LinkToMissingOutput, text))
}

/// The number of a link's output, where it is beyond those that lists count with.
pub(super) fn huge_slot(link: &Value) -> Option<&Value> {
    let slot = link.get(1)?;
    (slot.is_u64() && !slot.is_i64() || exact::stand_in(slot).is_some()).then_some(slot)
}

fn danger(kind: ProblemKind, line: Line) -> Problem {
    Problem::new(kind, line).with_effect(Effect::DeadWorker)
}

fn line_of(id: &NodeId, node: &Node, input: Option<&str>, text: String) -> Line {
    Line {
        node: Some(id.clone()),
        title: node.title().map(str::to_owned),
        class_type: Some(node.class_type.clone()),
        input: input.map(str::to_owned),
        text,
        ..Line::default()
    }
}

/// The node of what a server runs as a link: a list of a text and a number of any kind, or a truth value.
pub(super) fn run_link(value: &Value) -> Option<&str> {
    match value.as_array()?.as_slice() {
        [Value::String(node), Value::Number(_) | Value::Bool(_)] => Some(node),
        [Value::String(node), slot] if exact::stand_in(slot).is_some() => Some(node),
        _ => None,
    }
}

/// What is run as a link: the value, or the one that it wraps.
fn run_links(value: &Value) -> Option<&str> {
    run_link(value).or_else(|| run_link(value.get("__value__")?))
}

fn is_wrapped(node: &Node, input: &str) -> bool {
    node.inputs.get(input).is_some_and(Value::is_object)
}

/// What is run as a link, and leads to a node that is not there.
struct Suspect {
    id: NodeId,
    input: String,
    /// Why it leads nowhere.
    kind: ProblemKind,
    fault: String,
    /// Whether it is a list that is wrapped as a value.
    wrapped: bool,
}

fn suspects(workflow: &Workflow) -> Vec<Suspect> {
    let values = workflow
        .nodes()
        .flat_map(|(id, node)| node.inputs.iter().map(move |(name, value)| (id, name, value)));
    let dangling =
        values.filter_map(|(id, name, value)| Some((id, name, value, leads_nowhere(workflow, value)?)));
    let suspect = |(id, name, value, (kind, fault)): (&NodeId, &String, &Value, _)| Suspect {
        id: id.clone(),
        input: name.clone(),
        kind,
        fault,
        wrapped: value.is_object(),
    };
    dangling.map(suspect).collect()
}

/// Whether lists and objects of a value are nested deeper than a server can copy them.
#[must_use]
pub fn is_nested_too_deep(value: &Value) -> bool {
    let mut next = vec![(value, 0)];
    while let Some((value, level)) = next.pop() {
        if level > DEPTH {
            return true;
        }
        match value {
            Value::Array(items) => next.extend(items.iter().map(|item| (item, level + 1))),
            Value::Object(map) => next.extend(map.values().map(|item| (item, level + 1))),
            _ => {}
        }
    }
    false
}

enum Judgement {
    /// The server refuses it properly, or never looks at it.
    Harmless,
    /// It can go.
    Stray,
    Danger,
}

/// What the descriptions of classes tell about a workflow.
struct Known<'a> {
    schemas: HashMap<NodeId, Option<&'a NodeSchema>>,
    /// Nodes that run when everything goes that is asked for.
    run: HashSet<NodeId>,
    /// Nodes that run when the server has refused the outputs that it refuses for their links.
    left: HashSet<NodeId>,
    /// Nodes that the server checks, and whose wrappers it takes off.
    checked: HashSet<NodeId>,
    /// The end of the longest chain that runs, and its length.
    chain: Option<(NodeId, usize)>,
}

impl<'a> Known<'a> {
    fn new(workflow: &Workflow, options: &Options<'a>) -> Self {
        let schemas: HashMap<NodeId, Option<&NodeSchema>> =
            workflow.nodes().map(|(id, node)| (id.clone(), options.schemas.get(&node.class_type))).collect();
        let mut all: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut declared: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut refused: HashSet<&str> = HashSet::new();
        for (id, node) in workflow.nodes() {
            let links = node.inputs.iter().filter_map(|(name, value)| Some((name, value, run_links(value)?)));
            for (name, value, source) in links {
                let is_declared = match options.schemas.get(&node.class_type) {
                    Some(schema) => declares(schema, node, name),
                    None => true,
                };
                let source = workflow.key(source).filter(|_| leads_nowhere(workflow, value).is_none());
                let Some(source) = source else {
                    if is_declared && !is_wrapped(node, name) {
                        refused.insert(id.as_str());
                    }
                    continue;
                };
                all.entry(id.as_str()).or_default().push(source.as_str());
                if is_declared && !is_wrapped(node, name) {
                    declared.entry(id.as_str()).or_default().push(source.as_str());
                }
            }
        }
        // A class that is not known may be an output.
        let is_output =
            |node: &Node| options.schemas.get(&node.class_type).is_none_or(|schema| schema.output_node);
        let outputs: Vec<&str> = workflow
            .nodes()
            .filter(|(id, node)| is_output(node) && is_asked_for(id.as_str(), options))
            .map(|(id, _)| id.as_str())
            .collect();
        let passes = |id: &&str| reached(&[*id], &declared).is_disjoint(&refused);
        let left: Vec<&str> = outputs.iter().copied().filter(passes).collect();
        let chain = longest_chain(&left, &all).map(|(id, length)| (NodeId::from(id), length));
        let owned = |ids: HashSet<&str>| ids.into_iter().map(NodeId::from).collect();
        Self {
            schemas,
            run: owned(reached(&outputs, &all)),
            left: owned(reached(&left, &all)),
            checked: owned(reached(&outputs, &declared)),
            chain,
        }
    }

    /// What a link to a missing node, or a wrapped list that is run as one, is up to.
    fn judge(&self, suspect: &Suspect, node: &Node) -> Judgement {
        let Suspect { id, input, wrapped, .. } = suspect;
        if !self.run.contains(id) {
            return Judgement::Harmless;
        }
        let Some(schema) = self.schemas.get(id).copied().flatten() else { return Judgement::Danger };
        let is_declared = declares(schema, node, input);
        let spares = match (is_declared, *wrapped) {
            // A dynamic input that is declared, and is not there while it has no value of its own.
            (false, false) if schema.input(input).is_some() => false,
            (false, false) => return Judgement::Stray,
            // Nobody takes it out of its wrapper.
            (false, true) => true,
            (true, true) => !self.checked.contains(id) || converts(schema, node, input),
            (true, false) => !self.left.contains(id),
        };
        if spares { Judgement::Harmless } else { Judgement::Danger }
    }
}

fn declares(schema: &NodeSchema, node: &Node, input: &str) -> bool {
    schema.input_for(input, &node.inputs).is_some()
}

/// Whether the server makes a scalar of the input, so that no list is left.
fn converts(schema: &NodeSchema, node: &Node, input: &str) -> bool {
    schema.input_for(input, &node.inputs).is_some_and(|input| {
        matches!(input.spec.kind, InputType::Int | InputType::Float | InputType::String | InputType::Boolean)
    })
}

#[cfg(test)]
mod tests;
