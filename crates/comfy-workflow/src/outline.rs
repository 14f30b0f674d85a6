//! What a file of the editor says by itself, where no schema tells what its values mean.

use serde_json::Value;

use crate::editor::{GraphNode, InputSlot, WidgetValues};
use crate::schema::Schemas;

/// What the editor does with a value after a run; it keeps this beside the value.
const CONTROLS: [&str; 5] = ["fixed", "increment", "decrement", "randomize", "increment-wrap"];

/// The values of a node's widgets, with their names as far as they are certain: named by the file's list of inputs when
/// that fits the values in number and type, else not at all.
pub(crate) fn values<'n>(
    node: &'n GraphNode,
    _schemas: Option<&Schemas>,
) -> Vec<(Option<String>, &'n Value)> {
    match &node.widgets_values {
        WidgetValues::Named(values) => {
            // A preview that a pack keeps here is no value that a person set.
            values.iter().map(|(name, value)| (Some(name.clone()), value)).collect()
        }
        WidgetValues::List(values) => {
            named(node, values).unwrap_or_else(|| values.iter().map(|value| (None, value)).collect())
        }
        _ => Vec::new(),
    }
}

fn named<'n>(node: &GraphNode, values: &'n [Value]) -> Option<Vec<(Option<String>, &'n Value)>> {
    let mut named = Vec::with_capacity(values.len());
    let primitive = InputSlot { name: "value".into(), widget: Some("value".into()), ..InputSlot::default() };
    let slots: Vec<&InputSlot> = if node.class_type == "PrimitiveNode" {
        vec![&primitive]
    } else {
        node.inputs().iter().filter(|slot| slot.widget.is_some()).collect()
    };
    let mut rest = values;
    for (place, slot) in slots.iter().enumerate() {
        let (value, others) = rest.split_first().filter(|(value, _)| fits(&slot.type_name, value))?;
        named.push((slot.widget.clone(), value));
        rest = others;
        let may_have_control = matches!(slot.type_name.as_str(), "INT" | "COMBO" | "");
        // Beside a value that has one, there are more values than names.
        if let Some((control, others)) = rest.split_first()
            && may_have_control
            && rest.len() > slots.len() - place - 1
            && control.as_str().is_some_and(|word| CONTROLS.contains(&word))
        {
            named.push((Some("control_after_generate".into()), control));
            rest = others;
        }
    }
    // What is left over are buttons and previews; anything else means that the list of inputs is not the whole.
    let left_over = |value: &Value| value.is_null() || value.is_boolean() || value == "image" || value == "";
    rest.iter().all(left_over).then_some(named)
}

/// Whether a value can be that of a widget of this type.
fn fits(type_name: &str, value: &Value) -> bool {
    match type_name {
        "INT" | "FLOAT" => value.is_number() || value.is_null(),
        "BOOLEAN" => value.is_boolean() || value.is_null(),
        "STRING" => value.is_string() || value.is_null(),
        _ => true,
    }
}
