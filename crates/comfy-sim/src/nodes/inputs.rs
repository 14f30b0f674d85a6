//! Reading a node's inputs, with the server's words for values of a wrong kind.

use std::sync::Arc;

use comfy_protocol::json::exact;
use serde_json::Value as Json;

use super::{Inputs, NodeError};
use crate::value::{Image, Mask, Value};

/// What the server's node does first with a picture or mask: it decides how the failure reads when the value is
/// something else (a constant in place of a link passes validation).
#[derive(Debug, Clone, Copy)]
pub(crate) enum FirstUse {
    /// Reads an attribute of this name.
    Attribute(&'static str),
    /// Takes an item out of it.
    Item,
    /// Hands it to this function of torch.
    Function(&'static str),
    /// Subtracts it from a float.
    Subtraction,
}

impl FirstUse {
    pub(super) fn error(self, value: &Value) -> NodeError {
        let found = value.type_name();
        match self {
            _ if found == "Tensor" => NodeError::runtime_error("the tensor has a wrong number of dimensions"),
            Self::Attribute(name) => {
                NodeError::attribute_error(format!("'{found}' object has no attribute '{name}'"))
            }
            Self::Item => NodeError::type_error(format!("'{found}' object is not subscriptable")),
            Self::Function(name) => NodeError::type_error(format!(
                "{name}(): argument 'input' (position 1) must be Tensor, not {found}"
            )),
            Self::Subtraction => {
                NodeError::type_error(format!("unsupported operand type(s) for -: 'float' and '{found}'"))
            }
        }
    }
}

impl Inputs {
    /// The value of an input.
    pub(crate) fn value(&self, name: &str) -> Result<&Value, NodeError> {
        self.0
            .get(name)
            .ok_or_else(|| NodeError::type_error(format!("missing 1 required positional argument: '{name}'")))
    }

    /// A batch of pictures.
    pub(crate) fn image(&self, name: &str) -> Result<&Arc<Image>, NodeError> {
        self.image_for(name, FirstUse::Attribute("shape"))
    }

    /// A batch of pictures, for a node that fails in its own words on anything else.
    pub(crate) fn image_for(&self, name: &str, first_use: FirstUse) -> Result<&Arc<Image>, NodeError> {
        match self.value(name)? {
            Value::Image(image) => Ok(image),
            other => Err(first_use.error(other)),
        }
    }

    /// A batch of masks, for a node that fails in its own words on anything else.
    pub(crate) fn mask_for(&self, name: &str, first_use: FirstUse) -> Result<&Arc<Mask>, NodeError> {
        match self.value(name)? {
            Value::Mask(mask) => Ok(mask),
            other => Err(first_use.error(other)),
        }
    }

    /// Anything that JSON can say.
    pub(crate) fn json(&self, name: &str) -> Result<&Json, NodeError> {
        match self.value(name)? {
            Value::Json(json) => Ok(json),
            other => Err(NodeError::type_error(format!("'{name}' is a {}", other.type_name()))),
        }
    }

    /// A whole number; the fraction of a float is cut off.
    pub(crate) fn int(&self, name: &str) -> Result<i64, NodeError> {
        match self.json(name)? {
            Json::Bool(flag) => Ok(i64::from(*flag)),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(int), _) => Ok(int),
                (None, Some(float)) => Ok(float as i64),
                (None, None) => Err(wrong("an integer is required", self.value(name)?)),
            },
            // Too large for an integer here, and held to its range.
            other => match exact::as_f64(other).filter(|float| float.is_finite()) {
                Some(float) => Ok(float as i64),
                None => Err(wrong("an integer is required", self.value(name)?)),
            },
        }
    }

    /// A length or a count; nothing is below 0.
    pub(crate) fn size(&self, name: &str) -> Result<usize, NodeError> {
        Ok(usize::try_from(self.int(name)?.max(0)).unwrap_or(usize::MAX))
    }

    /// A number.
    pub(crate) fn float(&self, name: &str) -> Result<f64, NodeError> {
        match self.json(name)? {
            Json::Bool(flag) => Ok(f64::from(*flag)),
            number => match exact::as_f64(number) {
                Some(float) => Ok(float),
                None => Err(wrong("must be real number", self.value(name)?)),
            },
        }
    }

    /// The value of an input that need not be there; null counts as not there.
    pub(crate) fn optional(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !matches!(value, Value::Json(Json::Null)))
    }

    /// A whole number, or what the server assumes where the prompt does not say it.
    pub(crate) fn int_or(&self, name: &str, default: i64) -> Result<i64, NodeError> {
        self.optional(name).map_or(Ok(default), |_| self.int(name))
    }

    /// Whether the value counts as true.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, NodeError> {
        Ok(truth(self.value(name)?))
    }

    /// Whether the value counts as true, or what the server assumes where the prompt does not say it.
    pub(crate) fn flag_or(&self, name: &str, default: bool) -> bool {
        self.optional(name).map_or(default, truth)
    }

    /// The values of an input of a class that takes lists.
    pub(crate) fn list(&self, name: &str) -> Result<&[Value], NodeError> {
        match self.value(name)? {
            Value::List(values) => Ok(values),
            one => Ok(std::slice::from_ref(one)),
        }
    }

    /// The first value of an input of a class that takes lists, as the only input of a node that does not.
    pub(crate) fn of_list(&self, name: &str) -> Result<Self, NodeError> {
        let first = self.list(name)?.first();
        let first = first.ok_or_else(|| NodeError::index_error("list index out of range"))?;
        Ok(Self([(name.to_owned(), first.clone())].into_iter().collect()))
    }

    /// The inputs `group.name`, of which there may be any number, in the order of the server: as they are numbered.
    pub(crate) fn group(&self, group: &str) -> Vec<(&str, &Value)> {
        let member = |name: &'_ String| name.strip_prefix(group)?.strip_prefix('.').map(str::len);
        let mut members: Vec<_> = self
            .0
            .iter()
            .filter_map(|(name, value)| Some((&name[name.len() - member(name)?..], value)))
            .collect();
        members.sort_by_key(|(name, _)| (name.len(), *name));
        members
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Result<&str, NodeError> {
        match self.value(name)? {
            Value::Json(Json::String(text)) => Ok(text),
            other => Err(wrong("expected str", other)),
        }
    }
}

/// Whether a value counts as true.
pub(crate) fn truth(value: &Value) -> bool {
    match value {
        Value::Json(Json::Null) => false,
        Value::Json(Json::Bool(flag)) => *flag,
        Value::Json(Json::Number(number)) => number.as_f64() != Some(0.0),
        Value::Json(Json::String(text)) => !text.is_empty(),
        Value::Json(Json::Array(items)) => !items.is_empty(),
        Value::Json(Json::Object(entries)) => !entries.is_empty(),
        Value::List(values) => !values.is_empty(),
        _ => true,
    }
}

pub(super) fn wrong(wanted: &str, value: &Value) -> NodeError {
    NodeError::type_error(format!("{wanted}, not {}", value.type_name()))
}
