use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{InputSpec, InputType, NodeSchema, Section};

/// An input that a node has, given the values of its inputs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ResolvedInput<'a> {
    /// The name in the workflow: dotted for an input inside a dynamic one, such as `resize_type.width`.
    pub name: Cow<'a, str>,
    /// Whether it must be given.
    pub required: bool,
    /// Its description. `spec.name` is the last part of the name, or the name of the template.
    pub spec: &'a InputSpec,
    /// Whether it is an element of a growing row.
    pub grown: bool,
}

impl NodeSchema {
    /// The inputs of a node whose inputs have these values: declared ones, and those which dynamic inputs bring.
    ///
    /// A growing row gives all the names it may have; a dynamic combo gives itself and the inputs of the chosen option,
    /// or nothing when the chosen value is none of its options (as servers see it).
    #[must_use]
    pub fn resolve(&self, inputs: &Map<String, Value>) -> Vec<ResolvedInput<'_>> {
        let mut resolved = Vec::with_capacity(self.inputs.len());
        for spec in &self.inputs {
            expand(spec, None, inputs, &mut resolved);
        }
        resolved
    }

    /// The input of this name, dotted or not, of a node whose inputs have these values.
    #[must_use]
    pub fn input_for(&self, name: &str, inputs: &Map<String, Value>) -> Option<ResolvedInput<'_>> {
        self.resolve(inputs).into_iter().find(|input| input.name == name)
    }
}

/// Adds `spec` and what it brings. Descriptions nest to a bounded depth, so this does too.
fn expand<'a>(
    spec: &'a InputSpec,
    parent: Option<&str>,
    inputs: &Map<String, Value>,
    resolved: &mut Vec<ResolvedInput<'a>>,
) {
    let name: Cow<'a, str> = match parent {
        Some(parent) => Cow::Owned(format!("{parent}.{}", spec.name)),
        None => Cow::Borrowed(&spec.name),
    };
    let required = spec.section == Section::Required;
    let given = inputs.get(name.as_ref());
    match &spec.kind {
        InputType::Autogrow(grow) => {
            let must = grow.element.section == Section::Required;
            for (index, element) in grow.names.iter().enumerate() {
                resolved.push(ResolvedInput {
                    name: Cow::Owned(format!("{name}.{element}")),
                    required: must && index < grow.min,
                    spec: &grow.element,
                    grown: true,
                });
            }
        }
        InputType::DynamicCombo(options) => {
            let Some(chosen) = given.and_then(Value::as_str) else { return };
            let Some(option) = options.iter().find(|option| option.key == chosen) else { return };
            resolved.push(ResolvedInput { name: name.clone(), required, spec, grown: false });
            for inner in &option.inputs {
                expand(inner, Some(&name), inputs, resolved);
            }
        }
        InputType::DynamicSlot(slot) => {
            resolved.push(ResolvedInput { name: name.clone(), required, spec, grown: false });
            if given.is_some_and(|value| !value.is_null()) {
                for inner in &slot.inputs {
                    expand(inner, Some(&name), inputs, resolved);
                }
            }
        }
        InputType::DynamicGroup(group) => {
            let rows = rows(&name, group.max, inputs).max(group.min);
            for row in 0..rows {
                let row = format!("{name}.{row}");
                for inner in &group.fields {
                    expand(inner, Some(&row), inputs, resolved);
                }
            }
        }
        _ => resolved.push(ResolvedInput { name, required, spec, grown: false }),
    }
}

/// How many rows of a group the values speak of.
fn rows(name: &str, max: usize, inputs: &Map<String, Value>) -> usize {
    inputs
        .keys()
        .filter_map(|key| {
            let row = key.strip_prefix(name)?.strip_prefix('.')?.split('.').next()?;
            row.parse::<usize>().ok().filter(|row| *row < max)
        })
        .max()
        .map_or(0, |last| last + 1)
}
