//! Primitive nodes: values of the editor that are written into the widgets they are linked to.

use serde_json::{Number, Value};

use super::live::{Kind, LiveGraph, stored_list};
use crate::schema::{InputSpec, InputType};

/// Writes the value of every primitive node of a graph into the widgets that its links lead to.
pub(super) fn push(live: &mut LiveGraph<'_>) {
    let primitives: Vec<(usize, Value)> = live
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| matches!(node.kind, Kind::Primitive))
        // Without a value of its own it takes that of its target.
        .filter_map(|(place, node)| Some((place, stored_list(node.source).first()?.clone())))
        .collect();
    for (primitive, value) in primitives {
        let id = live.nodes[primitive].source.id.clone();
        for node in &mut live.nodes {
            if !matches!(node.kind, Kind::Known(_)) {
                continue;
            }
            let driven = node.slots.iter().filter(|slot| slot.link.is_some_and(|link| link.origin == id));
            let driven: Vec<usize> = driven.filter_map(|slot| slot.widget).collect();
            for widget in driven {
                let spec = node.widgets[widget].spec;
                node.widgets[widget].value = Some(rounded(value.clone(), spec));
                node.driven.insert(widget, primitive);
            }
        }
    }
}

/// A number as a widget takes it when it is set: whole numbers go to the nearest step, others to the precision, within the range.
fn rounded(value: Value, spec: Option<&InputSpec>) -> Value {
    let (Some(spec), Value::Number(number)) = (spec, &value) else { return value };
    let Some(float) = number.as_f64() else { return value };
    let option = |key: &str| spec.options.get(key).and_then(Value::as_f64);
    match spec.kind {
        InputType::Int => {
            let step = option("step").filter(|step| *step > 0.0).unwrap_or(1.0);
            if step == 1.0 && (number.is_u64() || number.is_i64()) {
                return value;
            }
            let shift = option("min").map_or(0.0, |min| min % step);
            whole(((float - shift) / step).round() * step + shift).unwrap_or(value)
        }
        InputType::Float => {
            let step = option("step").filter(|step| *step > 0.0).unwrap_or(0.5);
            let precision = (-step.log10().floor()).max(0.0);
            let round = match spec.options.get("round") {
                Some(Value::Bool(false)) => None,
                _ => Some(
                    option("round").filter(|round| *round > 0.0).unwrap_or_else(|| 10f64.powf(-precision)),
                ),
            };
            let mut result = float;
            if let Some(round) = round {
                result = to_multiple(result, round);
                result = to_multiple(result, 10f64.powf(-precision));
            }
            if let Some(min) = option("min") {
                result = result.max(min);
            }
            if let Some(max) = option("max") {
                result = result.min(max);
            }
            Number::from_f64(result).map_or(value, Value::Number)
        }
        _ => value,
    }
}

/// The nearest multiple. JavaScript rounds halves up, and the quotient of decimals often falls just short of the half.
fn to_multiple(float: f64, unit: f64) -> f64 {
    let result = ((float + f64::EPSILON) / unit + 0.5).floor() * unit;
    let digits = (-unit.log10()).ceil().clamp(0.0, 15.0) as usize;
    format!("{result:.digits$}").parse().unwrap_or(result)
}

fn whole(float: f64) -> Option<Value> {
    (float.abs() < 9_007_199_254_740_992.0).then(|| Value::from(float as i64))
}
