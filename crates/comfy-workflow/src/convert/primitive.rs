//! Primitive nodes: values of the editor that are written into the widgets they are linked to.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::live::{Kind, LiveGraph, stored_list};
use super::script::javascript_text;
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
        let id = &live.nodes[primitive].source.id;
        let mut targets = Vec::new();
        for (place, node) in live.nodes.iter().enumerate() {
            if !matches!(node.kind, Kind::Known(_)) {
                continue;
            }
            for slot in &node.slots {
                if let Some(link) = slot.link.filter(|link| link.origin == *id)
                    && let Some(widget) = slot.widget
                {
                    targets.push((link.id, place, widget));
                }
            }
        }
        let order = |link: i64| live.graph.links.iter().position(|other| other.id == link);
        targets.sort_by_cached_key(|(link, ..)| order(*link));
        let specs: Vec<_> =
            targets.iter().map(|(_, place, widget)| live.nodes[*place].widgets[*widget].spec).collect();
        let value = own_value(value, &specs);
        for (_, place, widget) in targets {
            let node = &mut live.nodes[place];
            let spec = node.widgets[widget].spec;
            node.widgets[widget].value = Some(rounded(converted(value.clone(), spec), spec));
            node.driven.insert(widget, primitive);
        }
    }
}

/// The value as the primitive node has it itself: its widget is like the first one that it drives, within the bounds of all
/// those with the same step.
fn own_value(value: Value, driven: &[Option<&InputSpec>]) -> Value {
    let Some(Some(first)) = driven.first().copied() else { return value };
    let value = converted(value, Some(first));
    let step = |spec: &InputSpec| spec.options.get("step").and_then(Value::as_f64);
    let (mut like, mut bounds) = (first, Vec::new());
    for spec in driven.iter().copied().flatten().filter(|spec| spec.kind == first.kind) {
        match (step(like), step(spec)) {
            (None, Some(_)) => like = spec,
            (Some(_), None) if first.kind == InputType::Int => {}
            (own, other) if own == other => {}
            _ => continue,
        }
        bounds.push(spec);
    }
    let mut number = match rounded(value, Some(like)) {
        Value::Number(number) => number,
        other => return other,
    };
    for (option, beyond) in [("min", Ordering::Less), ("max", Ordering::Greater)] {
        for spec in &bounds {
            let Some(Value::Number(bound)) = spec.options.get(option) else { continue };
            if number.as_f64().partial_cmp(&bound.as_f64()) == Some(beyond) {
                number = bound.clone();
            }
        }
    }
    Value::Number(number)
}

/// A value as the kind of widget holds it.
fn converted(value: Value, spec: Option<&InputSpec>) -> Value {
    let Some(spec) = spec else { return value };
    match (&spec.kind, &value) {
        (InputType::Int | InputType::Float, Value::String(text)) => {
            text.trim().parse().map_or(value, Value::Number)
        }
        (InputType::Int | InputType::Float, Value::Bool(flag)) => u8::from(*flag).into(),
        (InputType::Int | InputType::Float, Value::Null) => 0.into(),
        (InputType::String, _) if spec.multiline() => Value::String(javascript_text(&value)),
        (InputType::Combo, Value::Null) => spec.choices().first().cloned().unwrap_or(value),
        _ => value,
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
            // `false` for it means nothing here.
            let round = option("round").filter(|round| *round > 0.0);
            let unit = 10f64.powf(-precision);
            let result = to_multiple(to_multiple(float, round.unwrap_or(unit)), unit);
            // Where the schema has no bounds, the editor has these.
            let result = result.max(option("min").unwrap_or(0.0)).min(option("max").unwrap_or(2048.0));
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
