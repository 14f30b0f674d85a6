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
    fn error(self, value: &Value) -> NodeError {
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

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Result<&str, NodeError> {
        match self.value(name)? {
            Value::Json(Json::String(text)) => Ok(text),
            other => Err(wrong("expected str", other)),
        }
    }
}

fn wrong(wanted: &str, value: &Value) -> NodeError {
    NodeError::type_error(format!("{wanted}, not {}", value.type_name()))
}
