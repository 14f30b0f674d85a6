//! The checks of an input that holds a value of its own.

use serde_json::Value;

use super::Options;
use super::errors::{ErrorDetail, ErrorType};
use super::python::{self, Raised, Scalar, equal, repr, str};
use crate::schema::{InputSpec, InputType};

/// Longest list of choices that a report quotes.
const QUOTED: usize = 20;

/// What a check of a value found.
pub(super) struct Checked {
    /// The value that stands in the prompt afterwards.
    pub(super) value: Value,
    /// What is wrong with it.
    pub(super) error: Option<ErrorDetail>,
}

/// Checks the value of an input named `name`. `ranges` tells whether the server also looks at ranges and lists.
pub(super) fn check(
    name: &str,
    spec: &InputSpec,
    value: Value,
    ranges: bool,
    options: &Options<'_>,
) -> Result<Checked, Raised> {
    let value = unwrapped(value);
    let scalar = match convert(&spec.kind, &value) {
        Ok(scalar) => scalar.unwrap_or(Scalar::Json(value)),
        Err((type_name, raised)) => {
            let message = format!("Failed to convert an input value to a {type_name} value");
            let details = format!("{name}, {}, {}", str(&value), raised.message);
            let error =
                about(ErrorType::InvalidInputType, message, details, name, spec.config(), value.clone())
                    .with("exception_message", raised.message);
            return Ok(Checked { value, error: Some(error) });
        }
    };
    let error = if ranges { out_of_range(name, spec, &scalar, options)? } else { None };
    Ok(Checked { value: scalar.to_json(options.exact), error })
}

/// The value inside a wrapper, which is how a list is told from a link. Only the outermost one is taken off.
fn unwrapped(value: Value) -> Value {
    match value {
        Value::Object(mut map) if map.contains_key("__value__") => {
            map.remove("__value__").unwrap_or_default()
        }
        other => other,
    }
}

/// Converts as the input's type asks; nothing for types that convert nothing. The error names the type.
fn convert(kind: &InputType, value: &Value) -> Result<Option<Scalar>, (&'static str, Raised)> {
    Ok(Some(match kind {
        InputType::Int => Scalar::Int(python::int(value).map_err(|raised| ("INT", raised))?),
        InputType::Float => Scalar::Float(python::float(value).map_err(|raised| ("FLOAT", raised))?),
        InputType::String => Scalar::Json(Value::String(str(value))),
        InputType::Boolean => Scalar::Json(Value::Bool(python::truth(value))),
        _ => return Ok(None),
    }))
}

fn about(
    kind: ErrorType,
    message: impl Into<String>,
    details: impl Into<String>,
    name: &str,
    config: Value,
    received: Value,
) -> ErrorDetail {
    ErrorDetail::new(kind, message, details)
        .with("input_name", name)
        .with("input_config", config)
        .with("received_value", received)
}

fn out_of_range(
    name: &str,
    spec: &InputSpec,
    value: &Scalar,
    options: &Options<'_>,
) -> Result<Option<ErrorDetail>, Raised> {
    let bounds = [
        ("min", '<', ErrorType::ValueSmallerThanMin, "smaller than min of"),
        ("max", '>', ErrorType::ValueBiggerThanMax, "bigger than max of"),
    ];
    for (key, operator, kind, words) in bounds {
        let Some(bound) = spec.options.get(key) else { continue };
        if value.compare(operator, bound)? {
            let message = format!("Value {} {words} {}", value.str(), str(bound));
            return Ok(Some(about(kind, message, name, name, spec.config(), value.to_json(options.exact))));
        }
    }
    let listed = match spec.kind {
        InputType::Combo => spec.is_classic_combo() || options.profile.checks_new_combos(),
        _ => false,
    };
    if !listed {
        return Ok(None);
    }
    let value = value.to_json(options.exact);
    let profile = options.profile;
    let choices = spec.choices();
    let unknown = |value: &Value| !choices.iter().any(|choice| equal(choice, value));
    let wrong = match &value {
        Value::Array(values) if profile.is_modern() && spec.multiselect() => {
            let wrong: Vec<String> = values.iter().filter(|value| unknown(value)).map(repr).collect();
            if wrong.is_empty() { None } else { Some(wrong.join(", ")) }
        }
        value if !unknown(value) => None,
        value if profile.is_modern() => Some(repr(value)),
        value => Some(format!("'{}'", str(value))),
    };
    Ok(wrong.map(|wrong| {
        let (list, config) = if choices.len() > QUOTED {
            (format!("(list of length {})", choices.len()), Value::Null)
        } else {
            (repr(&Value::Array(choices.to_vec())), spec.config())
        };
        let details = format!("{name}: {wrong} not in {list}");
        about(ErrorType::ValueNotInList, "Value not in list", details, name, config, value)
    }))
}
