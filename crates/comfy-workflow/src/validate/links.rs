//! The checks of a linked input, but for those of the node it comes from.

use serde_json::{Map, Value};

use super::Options;
use super::python::{Raised, equal, repr, type_name};
use crate::schema::{InputSpec, InputType};

/// The source of a link: the class of the node it names, and the type of the output.
pub(super) struct Source {
    pub(super) id: String,
    pub(super) received_type: Value,
    /// The description may not be true to the output.
    pub(super) open: bool,
}

/// Follows a link of two elements, or fails as Python does on one that leads nowhere.
pub(super) fn source(
    link: &[Value],
    nodes: &Map<String, Value>,
    options: &Options<'_>,
) -> Result<Source, Raised> {
    let (Some(id), Some(slot)) = (link.first(), link.get(1)) else {
        return Err(Raised::new("IndexError", "list index out of range"));
    };
    if id.is_array() || id.is_object() {
        return Err(Raised::type_error(format!("unhashable type: '{}'", type_name(id))));
    }
    let node = id.as_str().and_then(|id| nodes.get_key_value(id));
    let Some((id, node)) = node else {
        return Err(Raised::new("KeyError", repr(id)));
    };
    let class_type = node.get("class_type").and_then(Value::as_str).unwrap_or_default();
    let received_type = match options.schemas.get(class_type) {
        Some(schema) => {
            let types: Vec<&Value> = schema.outputs.iter().map(|output| &*output.raw_type).collect();
            // Newer classes keep their types in a list, classic ones in a tuple, and the error says which.
            index(&types, slot, if schema.v3 { "list" } else { "tuple" })
        }
        None => index(&[], slot, "tuple"),
    };
    let open = options.checks.has_open_outputs(class_type);
    let received_type = match received_type {
        Ok(received_type) => received_type.clone(),
        Err(_) if open && slot.is_i64() => Value::from("*"),
        Err(raised) => return Err(raised),
    };
    Ok(Source { id: id.clone(), received_type, open })
}

/// `items[slot]`.
fn index<'a>(items: &[&'a Value], slot: &Value, container: &str) -> Result<&'a Value, Raised> {
    let number = match slot {
        Value::Bool(flag) => i64::from(*flag),
        Value::Number(number) if !number.is_f64() => number
            .as_i64()
            .ok_or_else(|| Raised::new("IndexError", "cannot fit 'int' into an index-sized integer"))?,
        other => {
            let found = type_name(other);
            return Err(Raised::type_error(format!(
                "{container} indices must be integers or slices, not {found}"
            )));
        }
    };
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let place = if number < 0 { number.saturating_add(length) } else { number };
    let item = usize::try_from(place).ok().and_then(|place| items.get(place).copied());
    item.ok_or_else(|| Raised::new("IndexError", format!("{container} index out of range")))
}

/// Whether an output of type `received` may feed the input.
pub(super) fn compatible(received: &Value, input: &InputSpec, options: &Options<'_>) -> bool {
    let wanted = match &input.kind {
        InputType::DynamicSlot(slot) => Value::from(slot.slot_type.as_str()),
        _ => input.raw_type().clone(),
    };
    if equal(received, &wanted) {
        return true;
    }
    let open = options.profile.has_open_types();
    let (received, wanted) = match (received, &wanted) {
        (Value::String(received), Value::String(wanted)) => (received.as_str(), wanted.as_str()),
        (Value::Array(_), Value::String(wanted)) => return open && matches!(wanted.as_str(), "COMBO" | "*"),
        _ => return false,
    };
    const MATCH_TYPE: &str = "COMFY_MATCHTYPE_V3";
    wanted == "*"
        || open && (received == "*" || received == MATCH_TYPE || wanted == MATCH_TYPE)
        || received.split(',').any(|part| wanted.split(',').any(|other| part.trim() == other.trim()))
}
