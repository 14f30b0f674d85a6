//! Numbers and decisions.

use std::sync::Arc;

use serde_json::{Map, Number, Value as Json};
use sha2::{Digest as _, Sha256};

use super::inputs::{truth, wrong};
use super::{Context, Inputs, NodeClass, NodeError, Ran};
use crate::python::{float_text, python_repr, string_repr, type_name};
use crate::value::{Thing, Value};

pub(super) static CLASSES: [NodeClass; 8] = [
    NodeClass { lazy: Some(wanted_branch), ..NodeClass::new("ComfySwitchNode", switch) },
    NodeClass::new("ComfyNotNode", |inputs, _| Ok(Ran::output(Json::from(!inputs.flag("value")?)))),
    NodeClass::new("ComfyAndNode", |inputs, _| {
        Ok(Ran::output(Json::from(inputs.group("values").iter().all(|(_, value)| truth(value)))))
    }),
    NodeClass::new("ComfyOrNode", |inputs, _| {
        Ok(Ran::output(Json::from(inputs.group("values").iter().any(|(_, value)| truth(value)))))
    }),
    NodeClass::new("ComfyNumberConvert", convert),
    NodeClass::new("SeedNode", |inputs, _| Ok(Ran::output(inputs.value("seed")?.clone()))),
    NodeClass::new("PrimitiveBoundingBox", bounding_box),
    NodeClass::new("CurveEditor", curve),
];

/// ComfySwitchNode: only the branch that is chosen is computed.
fn switch(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let chosen = if inputs.flag("switch")? { "on_true" } else { "on_false" };
    Ok(Ran::output(inputs.value(chosen)?.clone()))
}

fn wanted_branch(inputs: &Inputs) -> Vec<String> {
    let chosen = if inputs.flag_or("switch", false) { "on_true" } else { "on_false" };
    match inputs.optional(chosen) {
        None => vec![chosen.to_owned()],
        Some(_) => Vec::new(),
    }
}

/// ComfyNumberConvert: as a float and as a whole number, whose fraction is cut off.
fn convert(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let value = inputs.value("value")?;
    let exact = match value {
        Value::Json(Json::Bool(flag)) => Some(i128::from(*flag)),
        Value::Json(Json::Number(number)) => whole(number),
        _ => None,
    };
    let float = match value {
        Value::Json(Json::Number(number)) => number.as_f64().unwrap_or(f64::NAN),
        Value::Json(Json::Bool(flag)) => f64::from(u8::from(*flag)),
        Value::Json(Json::String(text)) => read(text)?,
        other => return Err(wrong("must be real number", other)),
    };
    if !float.is_finite() {
        let text = crate::python::float_text(float);
        return Err(NodeError::value_error(format!("Cannot convert non-finite value to number: {text}")));
    }
    let outputs = vec![
        Value::Json(Number::from_f64(float).map_or(Json::Null, Json::Number)),
        Value::Json(exact.map_or_else(|| whole_json(float), |exact| whole_json_exact(exact, float))),
    ];
    Ok(Ran { outputs, ..Ran::default() })
}

/// A text as a float: blanks around it and underscores between digits do not matter.
fn read(text: &str) -> Result<f64, NodeError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(NodeError::value_error("Cannot convert empty string to number."));
    }
    let between_digits = trimmed.char_indices().all(|(at, character)| {
        let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        let bytes = trimmed.as_bytes();
        character != '_' || at > 0 && digit(bytes.get(at - 1)) && digit(bytes.get(at + 1))
    });
    let number = trimmed.replace('_', "").parse().ok().filter(|_| between_digits);
    number.ok_or_else(|| {
        NodeError::value_error(format!("Cannot convert string to number: {}", string_repr(text)))
    })
}

fn whole(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

/// The whole part of a float.
pub(super) fn whole_json(float: f64) -> Json {
    whole_json_exact(float.trunc() as i128, float)
}

/// A whole number. JSON numbers here are at most 64 bits long: longer ones are floats.
pub(super) fn whole_json_exact(exact: i128, float: f64) -> Json {
    i64::try_from(exact)
        .map(Json::from)
        .or_else(|_| u64::try_from(exact).map(Json::from))
        .unwrap_or_else(|_| Json::from(float.trunc()))
}

/// PrimitiveBoundingBox.
fn bounding_box(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut sides = Map::new();
    for name in ["x", "y", "width", "height"] {
        sides.insert(name.to_owned(), Json::from(inputs.int(name)?));
    }
    Ok(Ran::output(Json::Object(sides)))
}

/// CurveEditor: the points by their x; a histogram that goes in is shown beside the curve.
fn curve(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let curve = inputs.json("curve")?;
    let points = match curve {
        Json::Object(entries) => {
            entries.get("points").ok_or_else(|| NodeError::new("KeyError", "'points'"))?
        }
        points => points,
    };
    let mut points = points_of(points)?;
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let kind =
        if curve.get("interpolation") == Some(&Json::from("linear")) { "Linear" } else { "MonotoneCubic" };
    let texts = points.iter().map(|(x, y)| format!("({}, {})", float_text(*x), float_text(*y)));
    let text = format!("{kind}Curve(points=[{}])", texts.collect::<Vec<_>>().join(", "));
    let digest = Sha256::digest(&text).into();
    let thing =
        Thing { kind: "CURVE".into(), digest, facts: Map::from_iter([("text".to_owned(), text.into())]) };
    let shown = match inputs.optional("histogram") {
        Some(Value::Json(histogram)) => Some(Map::from_iter([("histogram".to_owned(), histogram.clone())])),
        _ => None,
    };
    Ok(Ran { outputs: vec![Value::Thing(Arc::new(thing))], ui: shown, ..Ran::default() })
}

/// Pairs of numbers.
fn points_of(points: &Json) -> Result<Vec<(f64, f64)>, NodeError> {
    let not_iterable =
        |json: &Json| NodeError::type_error(format!("'{}' object is not iterable", type_name(json)));
    let not_a_pair = |found: usize| {
        NodeError::value_error(match found {
            0 | 1 => format!("not enough values to unpack (expected 2, got {found})"),
            _ => "too many values to unpack (expected 2)".to_owned(),
        })
    };
    let number = |json: &Json| match json {
        Json::Bool(flag) => Ok(f64::from(u8::from(*flag))),
        Json::String(text) => text.trim().parse().map_err(|_| {
            NodeError::value_error(format!("could not convert string to float: {}", python_repr(json)))
        }),
        other => other.as_f64().ok_or_else(|| {
            let found = type_name(other);
            NodeError::type_error(format!(
                "float() argument must be a string or a real number, not '{found}'"
            ))
        }),
    };
    let point = |point: &Json| match point {
        Json::Array(point) => match point.as_slice() {
            [x, y] => Ok((number(x)?, number(y)?)),
            other => Err(not_a_pair(other.len())),
        },
        Json::String(text) => Err(not_a_pair(text.chars().count())),
        other => Err(not_iterable(other)),
    };
    match points {
        Json::Array(points) => points.iter().map(point).collect(),
        // Each of its characters is taken for a point.
        Json::String(text) if text.is_empty() => Ok(Vec::new()),
        Json::String(_) => Err(not_a_pair(1)),
        other => Err(not_iterable(other)),
    }
}
