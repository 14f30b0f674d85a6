//! The look at a link.

use serde_json::{Value, json};

use super::node::{Place, hint};
use super::refusal;
use crate::schema::{InputSpec, ResolvedInput};
use crate::validate::checks::NodeChecks as _;
use crate::validate::errors::ErrorDetail;
use crate::validate::facts::is_known;
use crate::validate::killers::run_link;
use crate::validate::links;
use crate::validate::near::nearest;
use crate::validate::problem::{Allowed, Effect, Problem, ProblemKind};
use crate::validate::python::str;
use crate::validate::report::value;
use crate::validate::{ErrorType, Line};
use crate::workflow::clip;

/// Most ids among which one that may have been meant is looked for.
const IDS: usize = 200;

/// What is wrong with a list that stands in a declared input.
pub(super) fn check(place: &Place<'_>, input: &ResolvedInput<'_>, link: &[Value]) -> Option<Problem> {
    let name = &*input.name;
    let found = Value::from(link);
    let [source, slot] = link else {
        let error = ErrorDetail::new(ErrorType::BadLinkedInput, "", name)
            .with("input_name", name)
            .with("received_value", link);
        return Some(place.reported(input, &error).with_effect(refusal(place.checked, true)));
    };
    let nodes = place.look.nodes;
    let Some(id) = source.as_str() else {
        let as_text = str(source);
        let meant = source.is_number() && nodes.contains_key(&as_text);
        let meant = if meant { format!("; did you mean {}?", json!([as_text, slot])) } else { String::new() };
        let text = format!("{} is no link, for ids of nodes are texts{meant}", value(&found));
        return Some(broken(place, ProblemKind::MalformedLink, place.line(name, text), found));
    };
    let Some(node) = nodes.get(id) else {
        // Of many ids some are always alike.
        let near = nearest(id, nodes.keys().map(String::as_str).filter(|_| nodes.len() <= IDS));
        let text =
            format!("a link leads to node {}, which is not in the workflow{}", clip(id), hint(&near, ""));
        let problem = broken(place, ProblemKind::LinkToMissingNode, place.line(name, text), found);
        // Without its check the server runs into it.
        let stops = !place.checked && place.look.reach.is_run(place.look.id);
        return Some(if stops { problem.with_effect(Effect::DeadWorker) } else { problem }.nearest(near));
    };
    let class_type = node.get("class_type").and_then(Value::as_str).unwrap_or_default();
    let Some(schema) = place.look.options.schemas.get(class_type) else {
        // That its class is unknown is told of there.
        return None;
    };
    let Ok(output) = links::source(link, nodes, place.look.options) else {
        let outputs = schema.outputs.len();
        if !slot.is_i64() && !slot.is_u64() && !slot.is_boolean() {
            let text = format!("{} is no link, for outputs have whole numbers", value(&found));
            return Some(broken(place, ProblemKind::MalformedLink, place.line(name, text), found));
        }
        let has = match outputs {
            0 => "has none".to_owned(),
            1 => "has only output 0".to_owned(),
            many => format!("has outputs 0 to {}", many - 1),
        };
        let text = format!(
            "a link leads to output {} of node {} ({}), which {has}",
            value(slot),
            clip(id),
            clip(class_type)
        );
        let certain = !place.look.doubtful.has_open_outputs(class_type);
        let problem = broken(place, ProblemKind::LinkToMissingOutput, place.line(name, text), found)
            .with_effect(refusal(place.checked, certain));
        return Some(Problem { allowed: Some(Allowed::Outputs(outputs)), ..problem });
    };
    let left_to_class = place.look.options.checks.validator(&place.schema.name);
    if left_to_class.is_some_and(|validator| validator.takes_input_types)
        || links::compatible(&output.received_type, input.spec, place.look.options)
    {
        return None;
    }
    let error = ErrorDetail::new(ErrorType::ReturnTypeMismatch, "", name)
        .with("input_name", name)
        .with("input_config", input.spec.config())
        .with("received_type", output.received_type)
        .with("linked_node", link);
    let mut problem = place.reported(input, &error);
    if let Some(other) = fitting_output(place, input.spec, id, slot) {
        problem.line.text.push_str(&format!("; its output {other} fits"));
    }
    let certain = is_known(place.schema) && is_known(schema);
    problem.found = Some(found);
    Some(problem.with_effect(refusal(place.checked, certain)))
}

fn broken(place: &Place<'_>, kind: ProblemKind, line: Line, found: Value) -> Problem {
    Problem::new(kind, line).with_effect(refusal(place.checked, true)).found(found)
}

/// Another output of the node that may feed the input.
fn fitting_output(place: &Place<'_>, spec: &InputSpec, id: &str, slot: &Value) -> Option<usize> {
    let class_type = place.look.nodes.get(id)?.get("class_type")?.as_str()?;
    let outputs = &place.look.options.schemas.get(class_type)?.outputs;
    let fits = |raw_type: &Value| links::compatible(raw_type, spec, place.look.options);
    let other = |number: &usize| slot.as_u64() != u64::try_from(*number).ok();
    (0..outputs.len())
        .filter(other)
        .find(|number| outputs.get(*number).is_some_and(|output| fits(&output.raw_type)))
}

/// A list in a wrapper that looks like a link: it is checked as a value, and run as a link.
pub(super) fn wrapped(place: &Place<'_>, name: &str, list: &Value, source: &str) -> Problem {
    let (text, effect) = match place.look.nodes.contains_key(source) {
        true => {
            (format!("{} is run as a link, although it is wrapped as a value", value(list)), Effect::None)
        }
        false => (
            format!(
                "{} is run as a link, although it is wrapped as a value, and node {} is not in the workflow",
                value(list),
                clip(source)
            ),
            if place.look.reach.is_run(place.look.id) { Effect::DeadWorker } else { Effect::None },
        ),
    };
    debug_assert!(run_link(list).is_some());
    let kind =
        if effect == Effect::None { ProblemKind::MalformedLink } else { ProblemKind::LinkToMissingNode };
    Problem::new(kind, place.line(name, text)).with_effect(effect).found(list.clone())
}
