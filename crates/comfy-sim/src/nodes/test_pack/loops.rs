//! Loops: the end of one puts a copy of everything between its two ends in its place, until the condition fails.

use std::collections::{HashMap, HashSet};

use comfy_workflow::NodeId;
use serde_json::Value as Json;

use crate::nodes::{Context, Expansion, Inputs, NewNode, NodeError, Ran, Snapshot, as_link};
use crate::python;
use crate::value::Value;

/// The name of the end's own copy.
const AGAIN: &str = "Recurse";
/// Values that go round a loop.
const VALUES: usize = 5;

fn initial(inputs: &Inputs, number: usize) -> Value {
    inputs.0.get(&format!("initial_value{number}")).cloned().unwrap_or(Value::Json(Json::Null))
}

/// TestWhileLoopOpen: what goes into a round.
pub(super) fn while_open(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut outputs = vec![Value::Json("stub".into())];
    outputs.extend((0..VALUES).map(|number| initial(inputs, number)));
    Ok(Ran { outputs, ..Ran::default() })
}

/// TestForLoopOpen: the rounds that are left, and what goes into a round.
pub(super) fn for_open(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let remaining = match inputs.0.get("initial_value0") {
        Some(remaining) => remaining.clone(),
        None => inputs.value("remaining")?.clone(),
    };
    let mut outputs = vec![Value::Json("stub".into()), remaining];
    outputs.extend((1..VALUES).map(|number| initial(inputs, number)));
    Ok(Ran { outputs, ..Ran::default() })
}

/// TestForLoopClose: counts down, and is then a loop with a condition.
pub(super) fn for_close(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let flow = inputs.value("flow_control")?;
    let open = opening(flow)?;
    let mut graph = Expansion::new(context);
    let number = |value: i64| Value::Json(value.into());
    let remaining = Expansion::link(&open, 1);
    let left = graph.node(
        "TestIntMathOperation",
        [("operation", Value::Json("subtract".into())), ("a", remaining), ("b", number(1))],
    );
    let condition = graph.node("TestToBoolNode", [("value", left.clone())]);
    let close = graph.node(
        "TestWhileLoopClose",
        [("flow_control", flow.clone()), ("condition", condition), ("initial_value0", left)],
    );
    let Some(node) = graph.nodes.last_mut() else { return Ok(Ran::default()) };
    for number in 1..VALUES {
        let name = format!("initial_value{number}");
        if let Some(value) = inputs.0.get(&name) {
            node.inputs.push((name, value.clone()));
        }
    }
    drop(close);
    let outputs = (1..VALUES).map(|slot| Expansion::link(&node.id, slot)).collect();
    Ok(Ran { outputs, expansion: Some(graph), ..Ran::default() })
}

fn opening(flow: &Value) -> Result<NodeId, NodeError> {
    let link = match flow {
        Value::Json(json) => as_link(json),
        _ => None,
    };
    link.map(|(id, _)| id.into()).ok_or_else(|| NodeError::type_error("flow_control is no link"))
}

/// TestWhileLoopClose: the values, or another round.
pub(super) fn while_close(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let goes_on = match inputs.value("condition")? {
        Value::Json(json) => python::is_true(json),
        _ => true,
    };
    if !goes_on {
        let outputs = (0..VALUES).map(|number| initial(inputs, number)).collect();
        return Ok(Ran { outputs, ..Ran::default() });
    }
    let open = opening(inputs.value("flow_control")?)?;
    let snapshot =
        context.snapshot.ok_or_else(|| NodeError::runtime_error("the loop cannot see its prompt"))?;
    let inside = between(snapshot, &open, context.node);
    let mut graph = Expansion::new(context);
    let name = |id: &NodeId| if id == context.node { AGAIN.to_owned() } else { id.to_string() };
    let prefixed = |id: &NodeId| graph_id(context, &name(id));
    let mut copies = Vec::new();
    for id in &inside {
        let Some(original) = snapshot.node(id) else { continue };
        let copied = |value: &Value| match link(value) {
            Some((from, slot)) if inside.contains(&from) => {
                Expansion::link(&prefixed(&from), usize::try_from(slot).unwrap_or(0))
            }
            _ => value.clone(),
        };
        let mut node = NewNode {
            id: prefixed(id),
            class_type: original.class_type.clone(),
            inputs: original.inputs.iter().map(|(name, value)| (name.clone(), copied(value))).collect(),
            display: original.display.clone(),
        };
        if *id == open {
            for number in 0..VALUES {
                let name = format!("initial_value{number}");
                node.inputs.retain(|(input, _)| *input != name);
                node.inputs.push((name, initial(inputs, number)));
            }
        }
        copies.push(node);
    }
    graph.nodes = copies;
    let again = graph_id(context, AGAIN);
    let outputs = (0..VALUES).map(|slot| Expansion::link(&again, slot)).collect();
    Ok(Ran { outputs, expansion: Some(graph), ..Ran::default() })
}

fn graph_id(context: &Context<'_>, name: &str) -> NodeId {
    format!("{}.{}.0.{name}", context.node, context.call).into()
}

fn link(value: &Value) -> Option<(NodeId, i64)> {
    let Value::Json(json) = value else { return None };
    as_link(json).map(|(id, slot)| (id.into(), slot))
}

/// The nodes that need something of `open` and that `close` needs, with both of them, in the order of the prompt.
fn between(snapshot: &Snapshot, open: &NodeId, close: &NodeId) -> Vec<NodeId> {
    let sources = |id: &NodeId| {
        let inputs = snapshot.node(id).into_iter().flat_map(|node| &node.inputs);
        inputs.filter_map(|(_, value)| link(value)).map(|(from, _)| from).collect::<Vec<_>>()
    };
    let mut needed = HashSet::from([close.clone()]);
    let mut users: HashMap<NodeId, Vec<NodeId>> = HashMap::new();
    let mut stack = vec![close.clone()];
    while let Some(id) = stack.pop() {
        for from in sources(&id) {
            users.entry(from.clone()).or_default().push(id.clone());
            if needed.insert(from.clone()) {
                stack.push(from);
            }
        }
    }
    let mut inside = HashSet::from([open.clone(), close.clone()]);
    let mut stack = vec![open.clone()];
    while let Some(id) = stack.pop() {
        for user in users.get(&id).into_iter().flatten() {
            if inside.insert(user.clone()) {
                stack.push(user.clone());
            }
        }
    }
    snapshot.ids().filter(|id| inside.contains(*id)).cloned().collect()
}
