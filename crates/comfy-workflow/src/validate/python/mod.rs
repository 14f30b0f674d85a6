//! The corners of Python that show in a server's answers: how values print, convert and compare.
//!
//! Servers are Python programs, and their reports quote Python: `None`, `'x'`, `invalid literal for int()`. Predicting an
//! answer to the letter needs these few built-in functions for the values that JSON can hold.

mod convert;
mod int;
mod order;
mod text;

use std::cmp::Ordering;

use serde_json::Value;

use crate::json::exact;

pub(super) use convert::{float, int, truth};
pub(super) use int::Int;
pub(super) use order::hash_seed_zero;
pub(super) use text::{float_repr, repr, str};

/// How deep comparisons go into nested values; what is deeper counts as different.
const DEPTH: usize = 128;

/// A Python exception: the name of its class and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Raised {
    pub(super) exception_type: String,
    pub(super) message: String,
}

impl Raised {
    pub(super) fn new(exception_type: &str, message: impl Into<String>) -> Self {
        Self { exception_type: exception_type.to_owned(), message: message.into() }
    }

    pub(super) fn type_error(message: impl Into<String>) -> Self {
        Self::new("TypeError", message)
    }
}

/// A value that a conversion made, which JSON may not be able to hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Json(Value),
    Int(Int),
    Float(f64),
}

impl Scalar {
    /// As JSON. What JSON has no word for (not-a-number, infinities) becomes null, as everywhere in this crate; an integer
    /// beyond 64 bits becomes the nearest float. If `exact`, there are stand-ins for both.
    pub(super) fn to_json(&self, exact: bool) -> Value {
        match self {
            Self::Json(value) => value.clone(),
            Self::Int(int) if exact => exact::integer(&int.to_string()),
            Self::Float(float) if exact => exact::float(*float),
            Self::Int(int) => int.to_json(),
            Self::Float(float) => Value::from(*float),
        }
    }

    /// `str(value)`.
    pub(super) fn str(&self) -> String {
        match self {
            Self::Json(value) => str(value),
            Self::Int(int) => int.to_string(),
            Self::Float(float) => float_repr(*float),
        }
    }

    fn number(&self) -> Option<Number> {
        match self {
            Self::Json(value) => Number::of(value),
            Self::Int(int) => Some(Number::Int(int.clone())),
            Self::Float(float) => Some(Number::Float(*float)),
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Json(value) => type_name(value),
            Self::Int(_) => "int",
            Self::Float(_) => "float",
        }
    }

    /// `value < bound` or `value > bound`, by the `operator`.
    pub(super) fn compare(&self, operator: char, bound: &Value) -> Result<bool, Raised> {
        let wanted = if operator == '<' { Ordering::Less } else { Ordering::Greater };
        if let (Some(left), Some(right)) = (self.number(), Number::of(bound)) {
            return Ok(left.compare(&right) == Some(wanted));
        }
        match (self, bound) {
            (Self::Json(Value::String(left)), Value::String(right)) if exact::token(left).is_none() => {
                Ok(left.cmp(right) == wanted)
            }
            _ => Err(Raised::type_error(format!(
                "'{operator}' not supported between instances of '{}' and '{}'",
                self.type_name(),
                type_name(bound)
            ))),
        }
    }
}

/// The name of a value's class.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(text) if exact::token(text).is_some() => match Number::of(value) {
            Some(Number::Int(_)) => "int",
            _ => "float",
        },
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// `left == right`: numbers by value, whatever their kind, with true as 1.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    equal_within(left, right, DEPTH)
}

fn equal_within(left: &Value, right: &Value, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| equal_within(left, right, depth))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, value)| right.get(key).is_some_and(|other| equal_within(value, other, depth)))
        }
        (Value::String(left), Value::String(right)) if exact::token(left).is_none() => left == right,
        (Value::Null, Value::Null) => true,
        _ => match (Number::of(left), Number::of(right)) {
            (Some(left), Some(right)) => left.compare(&right) == Some(Ordering::Equal),
            _ => false,
        },
    }
}

/// A number, as Python compares it.
enum Number {
    Int(Int),
    Float(f64),
}

impl Number {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => exact::token(text).and_then(|token| match Int::from_text(token) {
                Some(int) => Some(Self::Int(int)),
                None => token.parse().ok().map(Self::Float),
            }),
            Value::Bool(flag) => Some(Self::Int(Int::from(i128::from(*flag)))),
            Value::Number(number) => match Int::from_json(number) {
                Some(int) => Some(Self::Int(int)),
                None => number.as_f64().map(Self::Float),
            },
            _ => None,
        }
    }

    /// Exact, also between integers and floats.
    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(right)),
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(right),
            (Self::Int(left), Self::Float(right)) => int_to_float(left, *right),
            (Self::Float(left), Self::Int(right)) => int_to_float(right, *left).map(Ordering::reverse),
        }
    }
}

fn int_to_float(int: &Int, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    let Some(whole) = Int::from_float(float) else {
        return Some(if float > 0.0 { Ordering::Less } else { Ordering::Greater });
    };
    Some(int.cmp(&whole).then_with(|| 0.0.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal)))
}

#[cfg(test)]
mod tests;
