//! Lists: of values, and of values in one value.

use serde_json::{Value as Json, json};

use crate::nodes::{Context, Inputs, NodeError, Ran};
use crate::value::{Image, Value};

/// ProbeList: pictures of growing size, and their numbers.
pub(super) fn probe_list(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (count, size) = (inputs.size("count")?, inputs.size("size")?);
    let image = |at: usize| {
        let brightness = (at as f64 / count.max(1) as f64) as f32;
        Ok(Value::image(Image::filled(1, size + 8 * at, size, &[brightness; 3])?))
    };
    let images = (0..count).map(image).collect::<Result<_, NodeError>>()?;
    let numbers = (0..count).map(|at| Value::Json(at.into())).collect();
    Ok(Ran { outputs: vec![Value::List(images), Value::List(numbers)], ..Ran::default() })
}

/// The values in an accumulation; none when there is none yet.
fn accumulation(inputs: &Inputs) -> Result<Vec<Value>, NodeError> {
    match inputs.0.get("accumulation") {
        None | Some(Value::Json(Json::Null)) => Ok(Vec::new()),
        Some(Value::List(values)) => Ok(values.clone()),
        Some(Value::Json(Json::Object(entries))) => {
            let values = entries.get("accum").and_then(Json::as_array).into_iter().flatten();
            Ok(values.cloned().map(Value::Json).collect())
        }
        Some(other) => {
            Err(NodeError::type_error(format!("'{}' object is not an accumulation", other.type_name())))
        }
    }
}

/// An object with a list in it, as long as JSON can say it.
fn accumulated(values: Vec<Value>) -> Value {
    let as_json = |value: &Value| match value {
        Value::Json(json) => Some(json.clone()),
        _ => None,
    };
    match values.iter().map(as_json).collect::<Option<Vec<_>>>() {
        Some(accumulated) => Value::Json(json!({"accum": accumulated})),
        None => Value::List(values),
    }
}

fn place(index: i64, length: usize) -> Result<usize, NodeError> {
    let at = if index < 0 { index + length as i64 } else { index };
    let at = usize::try_from(at).ok().filter(|at| *at < length);
    at.ok_or_else(|| NodeError::index_error("list index out of range"))
}

/// TestAccumulateNode.
pub(super) fn accumulate(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut values = accumulation(inputs)?;
    values.push(inputs.value("to_add")?.clone());
    Ok(Ran::output(accumulated(values)))
}

/// TestAccumulationHeadNode: the rest, and the first.
pub(super) fn head(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut values = accumulation(inputs)?;
    let first = if values.is_empty() { Value::Json(Json::Null) } else { values.remove(0) };
    Ok(Ran { outputs: vec![accumulated(values), first], ..Ran::default() })
}

/// TestAccumulationTailNode: the rest, and the last.
pub(super) fn tail(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut values = accumulation(inputs)?;
    let last = values.pop().unwrap_or(Value::Json(Json::Null));
    Ok(Ran { outputs: vec![accumulated(values), last], ..Ran::default() })
}

/// TestAccumulationToListNode.
pub(super) fn to_list(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    Ok(Ran::output(Value::List(accumulation(inputs)?)))
}

/// TestListToAccumulationNode.
pub(super) fn from_list(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    match inputs.value("list")? {
        Value::List(values) => Ok(Ran::output(accumulated(values.clone()))),
        value => Ok(Ran::output(accumulated(vec![value.clone()]))),
    }
}

/// TestAccumulationGetLengthNode.
pub(super) fn length(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    Ok(Ran::output(Json::from(accumulation(inputs)?.len())))
}

/// TestAccumulationGetItemNode.
pub(super) fn item(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut values = accumulation(inputs)?;
    let at = place(inputs.int("index")?, values.len())?;
    Ok(Ran::output(values.swap_remove(at)))
}

/// TestAccumulationSetItemNode.
pub(super) fn set_item(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut values = accumulation(inputs)?;
    let at = place(inputs.int("index")?, values.len())?;
    values[at] = inputs.value("value")?.clone();
    Ok(Ran::output(accumulated(values)))
}

/// TestMakeListNode: all inputs in the order of their numbers.
pub(super) fn make_list(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let values = (1..10).filter_map(|number| inputs.0.get(&format!("value{number}")).cloned());
    Ok(Ran::output(Value::List(values.collect())))
}
