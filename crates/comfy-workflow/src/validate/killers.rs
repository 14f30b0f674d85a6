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
use super::report::clip;
use super::survey::is_asked_for;
use super::{Line, Options};
use crate::json::exact;
use crate::schema::{InputType, NodeSchema};
use crate::{Node, NodeId, Workflow};

/// How deep values may nest. A server copies them with a recursion that ends at some hundred levels.
const DEPTH: usize = 200;

/// What [`sanitize`] did and found.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Sanitized {
    /// What was taken out of the workflow, which does not change what it gives.
    pub cleaned: Vec<Problem>,
    /// What would stop the server and cannot be taken out without changing what the workflow means.
    pub dangers: Vec<Problem>,
}

/// Takes out of a workflow what would stop a server for ever, and tells what it must not be sent with.
///
/// With options, links to missing nodes in inputs that no class declares are taken out: the server passes over them when it
/// checks, and stops over them when it runs. Those in declared inputs stay, since the server refuses them, unless it would not
/// look there. Without, nothing is known of classes and outputs, so all links to missing nodes are dangers.
///
/// Where that finds no dangers without options, it finds none with them either.
pub fn sanitize(workflow: &mut Workflow, options: Option<&Options<'_>>) -> Sanitized {
    let mut sanitized = Sanitized::default();
    for (id, node) in workflow.nodes() {
        let values = node.inputs.iter().chain(&node.extra);
        for (name, _) in values.filter(|(_, value)| is_deeper(value, DEPTH)) {
            let text =
                format!("{} is nested more than {DEPTH} levels deep, which stops the server", clip(name));
            let line = Line { node: Some(id.clone()), ..line_of(id, node, None, text) };
            sanitized.dangers.push(danger(ProblemKind::MalformedNode, line));
        }
    }
    let suspects = suspects(workflow);
    if suspects.is_empty() {
        return sanitized;
    }
    let known = options.map(|options| Known::new(workflow, options));
    let mut stray: Vec<(NodeId, String)> = Vec::new();
    for (id, input, missing) in suspects {
        let Some(node) = workflow.node(id.as_str()) else { continue };
        let leads = format!("a link leads to node {}, which is not in the workflow", clip(&missing));
        let (verdict, wrapped) = match (&known, is_wrapped(node, &input)) {
            (Some(known), wrapped) => (known.judge(&id, node, &input, wrapped), wrapped),
            (None, wrapped) => (Judgement::Danger, wrapped),
        };
        match verdict {
            Judgement::Harmless => {}
            Judgement::Stray => {
                let text = format!("taken out: the class does not declare it, and {leads}");
                let line = line_of(&id, node, Some(&input), text);
                sanitized.cleaned.push(Problem::new(ProblemKind::UndeclaredInput, line));
                stray.push((id, input));
            }
            Judgement::Danger => {
                let how = if wrapped { "a server runs the wrapped list as a link, and " } else { "" };
                let why = if options.is_some() {
                    "the server would not see it and stop over it"
                } else {
                    "a server that does not know the input stops over it"
                };
                let line = line_of(&id, node, Some(&input), format!("{how}{leads}; {why}"));
                sanitized.dangers.push(danger(ProblemKind::LinkToMissingNode, line));
            }
        }
    }
    for (id, input) in stray {
        if let Some(node) = workflow.node_mut(id.as_str()) {
            node.inputs.shift_remove(&input);
        }
    }
    sanitized
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

/// Links to nodes that are not there: node, input, and the missing node.
fn suspects(workflow: &Workflow) -> Vec<(NodeId, String, String)> {
    let nodes = workflow
        .nodes()
        .flat_map(|(id, node)| node.inputs.iter().map(move |(name, value)| (id, name, value)));
    let links = nodes.filter_map(|(id, name, value)| Some((id, name, run_links(value)?)));
    links
        .filter(|(_, _, source)| workflow.node(source).is_none())
        .map(|(id, name, source)| (id.clone(), name.clone(), source.to_owned()))
        .collect()
}

/// Whether lists and objects are nested more than `depth` levels deep.
pub(super) fn is_deeper(value: &Value, depth: usize) -> bool {
    let mut next = vec![(value, 0)];
    while let Some((value, level)) = next.pop() {
        if level > depth {
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
}

impl<'a> Known<'a> {
    fn new(workflow: &Workflow, options: &Options<'a>) -> Self {
        let schemas: HashMap<NodeId, Option<&NodeSchema>> =
            workflow.nodes().map(|(id, node)| (id.clone(), options.schemas.get(&node.class_type))).collect();
        let mut all: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut declared: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut refused: HashSet<&str> = HashSet::new();
        for (id, node) in workflow.nodes() {
            let links = node.inputs.iter().filter_map(|(name, value)| Some((name, run_links(value)?)));
            for (name, source) in links {
                let is_declared = match options.schemas.get(&node.class_type) {
                    Some(schema) => declares(schema, node, name),
                    None => true,
                };
                let Some(source) = workflow.key(source) else {
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
        let owned = |ids: HashSet<&str>| ids.into_iter().map(NodeId::from).collect();
        Self {
            schemas,
            run: owned(reached(&outputs, &all)),
            left: owned(reached(&left, &all)),
            checked: owned(reached(&outputs, &declared)),
        }
    }

    /// What a link to a missing node, or a wrapped list that is run as one, is up to.
    fn judge(&self, id: &NodeId, node: &Node, input: &str, wrapped: bool) -> Judgement {
        if !self.run.contains(id) {
            return Judgement::Harmless;
        }
        let Some(schema) = self.schemas.get(id).copied().flatten() else { return Judgement::Danger };
        let is_declared = declares(schema, node, input);
        let spares = match (is_declared, wrapped) {
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
