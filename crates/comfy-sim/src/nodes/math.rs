//! ComfyMathExpression: the arithmetic of the server's language, without anything else of it.

use serde_json::{Number, Value as Json};

use super::inputs::truth;
use super::logic::{whole_json, whole_json_exact};
use super::{Context, Inputs, NodeClass, NodeError, Ran};
use crate::python::{float_text, string_repr};
use crate::value::Value;

mod calculate;
mod parse;

use calculate::{Scope, evaluate};
use parse::parse;

pub(super) static CLASSES: [NodeClass; 1] = [NodeClass::new("ComfyMathExpression", run)];

/// A value while it is computed.
#[derive(Debug, Clone, PartialEq)]
enum Computed {
    Int(i128),
    Float(f64),
    Bool(bool),
    Text(String),
    List(Vec<Self>),
}

impl Computed {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Bool(_) => "bool",
            Self::Text(_) => "str",
            Self::List(_) => "list",
        }
    }

    fn repr(&self) -> String {
        match self {
            Self::Int(int) => int.to_string(),
            Self::Float(float) => float_text(*float),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Text(text) => string_repr(text),
            Self::List(items) => format!("[{}]", items.iter().map(Self::repr).collect::<Vec<_>>().join(", ")),
        }
    }

    fn is_true(&self) -> bool {
        match self {
            Self::Int(int) => *int != 0,
            Self::Float(float) => *float != 0.0,
            Self::Bool(flag) => *flag,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
        }
    }
}

/// ComfyMathExpression: the result as a float, as a whole number and as true or false.
fn run(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let source = inputs.text("expression")?;
    if source.trim().is_empty() {
        return Err(NodeError::value_error("Expression cannot be empty."));
    }
    let mut names = Vec::new();
    for (name, value) in inputs.group("values") {
        names.push((name, computed(name, value)?));
    }
    let scope = Scope { source, names: &names };
    let result = evaluate(&parse(source)?, &scope)?;
    let (float, whole) = match &result {
        Computed::Int(int) => (*int as f64, whole_json_exact(*int, *int as f64)),
        Computed::Bool(flag) => (f64::from(u8::from(*flag)), Json::from(i64::from(*flag))),
        Computed::Float(float) if !float.is_finite() => {
            let text = float_text(*float);
            return Err(NodeError::value_error(format!(
                "Math Expression '{source}' produced a non-finite result: {text}"
            )));
        }
        Computed::Float(float) => (*float, whole_json(*float)),
        other => {
            let (kind, repr) = (other.type_name(), other.repr());
            return Err(NodeError::value_error(format!(
                "Math Expression '{source}' must evaluate to a numeric result, got {kind}: {repr}"
            )));
        }
    };
    let float = Number::from_f64(float).map_or(Json::Null, Json::Number);
    let outputs = vec![Value::Json(float), Value::Json(whole), Value::Json(Json::from(result.is_true()))];
    Ok(Ran { outputs, ..Ran::default() })
}

fn computed(name: &str, value: &Value) -> Result<Computed, NodeError> {
    Ok(match value {
        Value::Json(Json::Bool(_)) => Computed::Bool(truth(value)),
        Value::Json(Json::Number(number)) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(int), _, _) => Computed::Int(int.into()),
            (_, Some(int), _) => Computed::Int(int.into()),
            (_, _, float) => Computed::Float(float.unwrap_or(f64::NAN)),
        },
        other => {
            let kind = other.type_name();
            return Err(NodeError::value_error(format!(
                "Variable '{name}' must be int, float, or bool, got {kind}."
            )));
        }
    })
}
