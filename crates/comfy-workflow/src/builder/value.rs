use std::fmt;

use serde_json::Value;

use super::NodeHandle;
use crate::workflow::clip;

/// An output of a node of a [`WorkflowBuilder`](super::WorkflowBuilder); made by [`NodeHandle::output`].
#[derive(Debug, Clone)]
pub struct Output {
    pub(super) node: NodeHandle,
    pub(super) slot: Slot,
}

/// Which of a node's outputs: made from its number, from 0, or its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot(pub(super) Which);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    Number(i64),
    Name(String),
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Which::Number(number) => write!(f, "{number}"),
            Which::Name(name) => write!(f, "`{}`", clip(name)),
        }
    }
}

impl From<i32> for Slot {
    fn from(number: i32) -> Self {
        Self(Which::Number(number.into()))
    }
}

impl From<usize> for Slot {
    fn from(number: usize) -> Self {
        Self(Which::Number(i64::try_from(number).unwrap_or(i64::MAX)))
    }
}

impl From<&str> for Slot {
    fn from(name: &str) -> Self {
        Self(Which::Name(name.to_owned()))
    }
}

impl From<String> for Slot {
    fn from(name: String) -> Self {
        Self(Which::Name(name))
    }
}

/// What an input is set to: made from an [`Output`], or from anything that a [`Value`] can be made from.
#[derive(Debug, Clone)]
pub struct InputValue(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Value(Value),
    Output(Output),
}

impl InputValue {
    /// The output, else the value.
    pub(super) fn into_output(self) -> Result<Output, Value> {
        match self.0 {
            Kind::Output(output) => Ok(output),
            Kind::Value(value) => Err(value),
        }
    }
}

impl<V: Into<Value>> From<V> for InputValue {
    fn from(value: V) -> Self {
        Self(Kind::Value(value.into()))
    }
}

impl From<Output> for InputValue {
    fn from(output: Output) -> Self {
        Self(Kind::Output(output))
    }
}

impl From<&Output> for InputValue {
    fn from(output: &Output) -> Self {
        output.clone().into()
    }
}
