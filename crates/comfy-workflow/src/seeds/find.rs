//! Which inputs are noise seeds.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use indexmap::IndexMap;
use serde_json::{Number, Value};

use super::NoiseSeed;
use crate::schema::{InputSpec, InputType, NodeSchema, Schemas};
use crate::{Link, Node, NodeId, Target, Workflow};

/// Names of inputs that hold a noise seed.
const NAMES: [&str; 2] = ["seed", "noise_seed"];

/// What whole numbers JSON holds.
const JSON: RangeInclusive<i128> = i64::MIN as i128..=u64::MAX as i128;

/// What a seed may be, and whether a schema says so.
#[derive(Clone)]
struct Bounds {
    range: RangeInclusive<i128>,
    is_described: bool,
}

pub(super) fn seeds(workflow: &Workflow, schemas: &Schemas) -> Vec<NoiseSeed> {
    let inputs: Vec<(&NodeId, String, Bounds)> = workflow
        .nodes()
        .flat_map(|(id, node)| {
            let inputs = seed_inputs(node, schemas.get(&node.class_type));
            inputs.into_iter().map(move |(name, bounds)| (id, name, bounds))
        })
        .collect();
    let are_seeds: HashSet<(&str, &str)> =
        inputs.iter().map(|(id, name, _)| (id.as_str(), name.as_str())).collect();
    let mut consumers: HashMap<&str, Vec<(&str, &str)>> = HashMap::new();
    for (id, name, link) in workflow.links() {
        consumers.entry(link.node).or_default().push((id.as_str(), name));
    }
    let feeds_seeds_only = |id: &str| {
        consumers.get(id).is_some_and(|inputs| inputs.iter().all(|input| are_seeds.contains(input)))
    };

    let mut found: IndexMap<(&NodeId, &str), Bounds> = IndexMap::new();
    for (id, name, bounds) in &inputs {
        let value = workflow.node(id.as_str()).and_then(|node| node.inputs.get(name));
        let place = match value.and_then(Link::from_value) {
            None => Some(((*id, name.as_str()), bounds.clone())),
            Some(link) => source(workflow, schemas, link)
                .filter(|_| feeds_seeds_only(link.node))
                .map(|(place, own)| (place, own.both(bounds))),
        };
        if let Some((place, bounds)) = place {
            let entry = found.entry(place).or_insert_with(|| bounds.clone());
            *entry = entry.both(&bounds);
        }
    }
    let seed = |((id, name), bounds): ((&NodeId, &str), Bounds)| {
        let value = workflow.node(id.as_str())?.inputs.get(name)?.clone();
        let target = Target { node: id.clone(), input: name.to_owned() };
        let Bounds { range, is_described } = bounds;
        (!range.is_empty()).then_some(NoiseSeed { target, value, range, is_described })
    };
    found.into_iter().filter_map(seed).collect()
}

/// The inputs of a node that are seeds, whether they hold a number or a link.
fn seed_inputs(node: &Node, schema: Option<&NodeSchema>) -> Vec<(String, Bounds)> {
    let can_be = |value: &Value| Link::from_value(value).is_some() || whole(value).is_some();
    let Some(schema) = schema else {
        let named = node.inputs.iter().filter(|(name, value)| {
            // A text may be a placeholder, or no seed at all.
            is_named_seed(name) && can_be(value) && !value.is_string()
        });
        return named.map(|(name, _)| (name.clone(), Bounds::unknown())).collect();
    };
    let seeds = schema.resolve(&node.inputs).into_iter().filter(|input| {
        node.inputs.get(input.name.as_ref()).is_some_and(can_be) && is_seed(&input.name, input.spec, schema)
    });
    seeds.map(|input| (input.name.into_owned(), Bounds::of(input.spec))).collect()
}

/// Whether a described input is a seed. A number that nodes give to others, such as that of `PrimitiveInt`, has the editor's
/// control too, and is a seed only where it feeds one.
fn is_seed(name: &str, spec: &InputSpec, schema: &NodeSchema) -> bool {
    if spec.kind != InputType::Int {
        return false;
    }
    let gives_numbers = || schema.outputs.iter().any(|output| &*output.type_name == "INT");
    is_named_seed(name) || (has_control(spec) && !gives_numbers())
}

fn is_named_seed(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    NAMES.iter().any(|seed| last.eq_ignore_ascii_case(seed))
}

/// The option is a flag, or a text with the control's first setting.
fn has_control(spec: &InputSpec) -> bool {
    match spec.options.get("control_after_generate") {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(setting)) => !setting.is_empty(),
        _ => false,
    }
}

/// The number that a link brings, if its node has no other input.
fn source<'w>(
    workflow: &'w Workflow,
    schemas: &Schemas,
    link: Link<'_>,
) -> Option<((&'w NodeId, &'w str), Bounds)> {
    let id = workflow.key(link.node)?;
    let node = workflow.node(link.node)?;
    let mut inputs = node.inputs.iter();
    let ((name, value), None) = (inputs.next()?, inputs.next()) else { return None };
    if value.is_string() || whole(value).is_none() {
        return None;
    }
    let bounds = match schemas.get(&node.class_type) {
        Some(schema) => {
            let input = schema.input_for(name, &node.inputs)?;
            (input.spec.kind == InputType::Int).then(|| Bounds::of(input.spec))?
        }
        None => Bounds { range: JSON, is_described: false },
    };
    Some(((id, name.as_str()), bounds))
}

/// The whole number that a value is, or that a text reads as. Of numbers beyond 64 bits, as the editor writes the largest
/// seeds, the nearest that there is.
pub(super) fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => number.as_i128().or_else(|| {
            let float = number.as_f64().filter(|float| float.abs() >= 2_f64.powi(53))?;
            // The cast keeps to the ends of the type.
            Some((float as i128).clamp(*JSON.start(), *JSON.end()))
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

impl Bounds {
    fn unknown() -> Self {
        Self { range: 0..=*JSON.end(), is_described: false }
    }

    fn of(spec: &InputSpec) -> Self {
        let limit = |number: Option<&Number>| {
            let number = Value::Number(number?.clone());
            let rounded = || number.as_f64().map(|float| float as i128);
            Some(whole(&number).or_else(rounded)?.clamp(*JSON.start(), *JSON.end()))
        };
        let (min, max) = (limit(spec.min()), limit(spec.max()));
        Self { range: min.unwrap_or(0)..=max.unwrap_or(*JSON.end()), is_described: max.is_some() }
    }

    /// What both allow.
    fn both(&self, other: &Self) -> Self {
        let min = *self.range.start().max(other.range.start());
        let max = *self.range.end().min(other.range.end());
        Self { range: min..=max, is_described: self.is_described || other.is_described }
    }
}
