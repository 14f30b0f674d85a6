//! Numbers and decisions.

use serde_json::{Map, Number, Value as Json};

use super::inputs::{truth, wrong};
use super::{Context, Inputs, NodeClass, NodeError, Ran};
use crate::python::string_repr;
use crate::value::Value;

pub(super) static CLASSES: [NodeClass; 7] = [
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
