//! Constants, texts, and the node that shows any value as text.

use serde_json::Value as Json;

use super::{Context, Inputs, NodeError, Ran};
use crate::value::Value;
use crate::wire::to_indented_json;

/// PrimitiveInt, PrimitiveFloat, PrimitiveString, PrimitiveStringMultiline and PrimitiveBoolean: the value itself.
/// Its type was made right when the prompt was validated.
pub(super) fn primitive(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    Ok(Ran::output(inputs.value("value")?.clone()))
}

/// StringConcatenate.
pub(super) fn concatenate(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (first, second) = (inputs.text("string_a")?, inputs.text("string_b")?);
    let text = [first, second].join(inputs.text("delimiter")?);
    Ok(Ran::output(Json::from(text)))
}

/// PreviewAny: texts as they are, numbers as Python prints them, lists and objects as indented JSON, tensors as
/// torch prints them. The text is also the node's output.
pub(super) fn preview_any(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let text = match inputs.value("source")? {
        Value::Json(json @ (Json::Array(_) | Json::Object(_))) => to_indented_json(json),
        other => other.python_text(),
    };
    let text = Json::from(text);
    Ok(Ran::shown(Value::Json(text.clone()), "text", vec![text]))
}
