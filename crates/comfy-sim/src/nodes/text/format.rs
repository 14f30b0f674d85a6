//! StringFormat: a template with fields in braces, filled in as the server's language does.

use serde_json::Value as Json;

use super::super::{Context, Inputs, NodeError, Ran};
use crate::value::Value;
use crate::version::ServerVersion;

mod spec;

use spec::Spec;

/// A format asks for no more characters than this.
const WIDEST: usize = 1 << 20;

/// StringFormat: every value that is connected has a letter for its name.
pub(super) fn format(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let values = inputs.group("values");
    let mut result = String::new();
    let mut rest = inputs.text("f_string")?;
    while let Some(at) = rest.find(['{', '}']) {
        result.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        let after = &rest[at + 1..];
        if let Some(escaped) = after.strip_prefix(brace) {
            result.push_str(brace);
            rest = escaped;
        } else if brace == "}" {
            return Err(NodeError::value_error("Single '}' encountered in format string"));
        } else {
            let end = after.find('}').ok_or_else(|| {
                NodeError::value_error(match after.is_empty() {
                    true => "Single '{' encountered in format string",
                    false => "expected '}' before end of string",
                })
            })?;
            result.push_str(&field(&after[..end], &values, context.version)?);
            rest = &after[end + 1..];
        }
    }
    result.push_str(rest);
    Ok(Ran::output(Json::from(result)))
}

/// One field: a name with items, a conversion and a format.
fn field(source: &str, values: &[(&str, &Value)], version: ServerVersion) -> Result<String, NodeError> {
    let (name, spec) = source.split_once(':').unwrap_or((source, ""));
    let (name, conversion) = match name.split_once('!') {
        Some((name, conversion)) => (name, Some(conversion)),
        None => (name, None),
    };
    let value = named(name, values)?;
    let value = match conversion {
        None => value,
        Some("r" | "a") => Value::Json(Json::from(value.python_repr(version))),
        Some("s") => Value::Json(Json::from(value.python_text(version))),
        Some(other) => {
            return Err(NodeError::value_error(format!("Unknown conversion specifier {other}")));
        }
    };
    if spec.is_empty() {
        return Ok(value.python_text(version));
    }
    let spec = Spec::parse(spec)?;
    if spec.width > WIDEST || spec.precision.is_some_and(|precision| precision > WIDEST) {
        return Err(NodeError::value_error("Too many decimal digits in format string"));
    }
    spec.apply(&value)
}

fn named(source: &str, values: &[(&str, &Value)]) -> Result<Value, NodeError> {
    let end = source.find(['.', '[']).unwrap_or(source.len());
    let (name, mut path) = source.split_at(end);
    if name.is_empty() || name.bytes().all(|byte| byte.is_ascii_digit()) {
        let index: u64 = name.parse().unwrap_or(0);
        return Err(NodeError::index_error(format!(
            "Replacement index {index} out of range for positional args tuple"
        )));
    }
    let found = values.iter().find(|(known, _)| *known == name);
    let missing = || NodeError::new("KeyError", crate::python::string_repr(name));
    let mut value = found.map(|(_, value)| (*value).clone()).ok_or_else(missing)?;
    while !path.is_empty() {
        let Some(inner) = path.strip_prefix('[') else {
            let attribute = &path[1..];
            let end = attribute.find(['.', '[']).unwrap_or(attribute.len());
            let (kind, attribute) = (value.type_name(), &attribute[..end]);
            let message = format!("'{kind}' object has no attribute '{attribute}'");
            return Err(NodeError::attribute_error(message));
        };
        let (key, rest) =
            inner.split_once(']').ok_or_else(|| NodeError::value_error("Missing ']' in format string"))?;
        value = item(&value, key)?;
        path = rest;
    }
    Ok(value)
}

fn item(value: &Value, key: &str) -> Result<Value, NodeError> {
    let index = key.parse::<usize>().ok();
    let no_index = |kind: &str| NodeError::type_error(format!("{kind} indices must be integers, not 'str'"));
    let (found, kind) = match value {
        Value::Json(Json::String(text)) => {
            let index = index.ok_or_else(|| no_index("string"))?;
            (text.chars().nth(index).map(|one| Value::Json(Json::from(one.to_string()))), "string")
        }
        Value::Json(Json::Array(items)) => {
            let index = index.ok_or_else(|| no_index("list"))?;
            (items.get(index).cloned().map(Value::Json), "list")
        }
        Value::Json(Json::Object(entries)) => {
            let found = entries.get(key).cloned().map(Value::Json);
            return found.ok_or_else(|| NodeError::new("KeyError", crate::python::string_repr(key)));
        }
        other => {
            let kind = other.type_name();
            return Err(NodeError::type_error(format!("'{kind}' object is not subscriptable")));
        }
    };
    found.ok_or_else(|| NodeError::index_error(format!("{kind} index out of range")))
}
