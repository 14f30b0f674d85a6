//! What a node class takes and gives, in rows.

use comfy_api_client::workflow::schema::{InputSpec, InputType, NodeSchema, OutputSpec, Section};
use serde_json::{Value, json};

/// An input, also one that another input brings.
pub(super) struct Input<'a> {
    pub(super) name: String,
    pub(super) type_name: String,
    /// `required`, `optional` or `hidden`.
    pub(super) need: &'static str,
    /// `None` for a hidden one.
    pub(super) spec: Option<&'a InputSpec>,
    /// What it takes of others to have this one.
    pub(super) when: Option<String>,
    /// How many there are of one that grows.
    pub(super) count: Option<String>,
}

/// The inputs in the order of the class, each followed by those that it brings.
pub(super) fn inputs(schema: &NodeSchema) -> Vec<Input<'_>> {
    let mut inputs = Vec::new();
    for spec in &schema.inputs {
        add(spec, "", None, &mut inputs);
    }
    inputs.extend(schema.hidden.iter().map(|(name, what)| Input {
        name: name.clone(),
        type_name: what.clone(),
        need: "hidden",
        spec: None,
        when: None,
        count: None,
    }));
    inputs
}

/// Descriptions nest to a bounded depth, so this does too.
fn add<'a>(spec: &'a InputSpec, before: &str, when: Option<&str>, inputs: &mut Vec<Input<'a>>) {
    let name = format!("{before}{}", spec.name);
    let mut input = Input {
        name: name.clone(),
        type_name: type_of(spec),
        need: need(spec),
        spec: Some(spec),
        when: when.map(str::to_owned),
        count: None,
    };
    match &spec.kind {
        InputType::Autogrow(grow) => {
            let mut names: Vec<String> = grow.names.iter().take(3).collect();
            if grow.names.len() > names.len() {
                names.push("…".into());
            }
            let names = names.join(", ");
            input.spec = Some(&grow.element);
            input.need = if grow.min > 0 { need(&grow.element) } else { "optional" };
            input.count = Some(format!("{} to {} of them: {names}", grow.min, grow.names.len()));
            inputs.push(input);
        }
        InputType::DynamicCombo(options) => {
            inputs.push(input);
            for option in options {
                let when = format!("{name} is {}", option.key);
                option.inputs.iter().for_each(|inner| add(inner, &format!("{name}."), Some(&when), inputs));
            }
        }
        InputType::DynamicSlot(slot) => {
            inputs.push(input);
            let when = format!("{name} is linked");
            slot.inputs.iter().for_each(|inner| add(inner, &format!("{name}."), Some(&when), inputs));
        }
        InputType::DynamicGroup(group) => {
            input.count = Some(format!("{} to {} rows", group.min, group.max));
            inputs.push(input);
            let when = format!("{name} has such a row");
            group.fields.iter().for_each(|inner| add(inner, &format!("{name}.0."), Some(&when), inputs));
        }
        _ => inputs.push(input),
    }
}

fn need(spec: &InputSpec) -> &'static str {
    match spec.section {
        Section::Required => "required",
        _ => "optional",
    }
}

fn type_of(spec: &InputSpec) -> String {
    match &spec.kind {
        InputType::MatchType(template) => template.allowed_types.clone(),
        InputType::Autogrow(grow) => type_of(&grow.element),
        InputType::DynamicCombo(_) => "COMBO".into(),
        InputType::DynamicSlot(slot) => slot.slot_type.clone(),
        InputType::DynamicGroup(_) => "GROUP".into(),
        _ => spec.type_name().to_owned(),
    }
}

/// The type of an output; for one that follows an input, those that the input may have.
pub(super) fn output_type<'a>(schema: &'a NodeSchema, output: &'a OutputSpec) -> &'a str {
    let Some(template) = output.match_type.as_deref() else { return &output.type_name };
    let followed = schema.inputs.iter().find_map(|input| match &input.kind {
        InputType::MatchType(of) if of.template_id == template => Some(of.allowed_types.as_str()),
        _ => None,
    });
    followed.unwrap_or(&output.type_name)
}

/// Whether one of several types is a wanted one.
pub(super) fn has_type(types: &str, wanted: &str) -> bool {
    types.split(',').any(|name| name.trim().eq_ignore_ascii_case(wanted.trim()))
}

impl Input<'_> {
    /// The values that it can be chosen from.
    pub(super) fn choices(&self) -> Vec<Value> {
        match self.spec.map(|spec| (&spec.kind, spec)) {
            Some((InputType::DynamicCombo(options), _)) => {
                options.iter().map(|option| option.key.clone().into()).collect()
            }
            Some((_, spec)) => spec.choices().to_vec(),
            None => Vec::new(),
        }
    }

    /// The numbers that it may be.
    pub(super) fn range(&self) -> String {
        let Some(spec) = self.spec else { return String::new() };
        let mut range = match (spec.min(), spec.max()) {
            (Some(min), Some(max)) => format!("{min} to {max}"),
            (Some(min), None) => format!("from {min}"),
            (None, Some(max)) => format!("to {max}"),
            (None, None) => return String::new(),
        };
        if let Some(step) = spec.step().filter(|step| step.as_f64() != Some(1.0)) {
            range.push_str(&format!(", step {step}"));
        }
        range
    }

    pub(super) fn tooltip(&self) -> &str {
        self.spec.and_then(|spec| spec.tooltip()).unwrap_or_default()
    }

    pub(super) fn default(&self) -> Option<&Value> {
        self.spec.and_then(|spec| spec.default())
    }

    fn json(&self) -> Value {
        let choices = self.choices();
        json!({
            "name": self.name, "type": self.type_name, "need": self.need, "default": self.default(),
            "min": self.spec.and_then(|spec| spec.min()), "max": self.spec.and_then(|spec| spec.max()),
            "step": self.spec.and_then(|spec| spec.step()),
            "choices": (!choices.is_empty()).then_some(choices),
            "count": self.count, "when": self.when,
            "tooltip": self.spec.and_then(|spec| spec.tooltip()),
        })
    }
}

/// A class as a line in JSON.
pub(super) fn json(schema: &NodeSchema) -> Value {
    let outputs = schema.outputs.iter().map(|output| {
        json!({
            "name": &*output.name, "type": output_type(schema, output), "list": output.is_list,
            "tooltip": output.tooltip.as_deref(),
        })
    });
    json!({
        "type": "node_class", "class_type": schema.name, "display_name": schema.title(),
        "category": schema.category, "pack": schema.pack(), "python_module": schema.python_module,
        "description": schema.description, "output_node": schema.output_node,
        "deprecated": schema.deprecated, "experimental": schema.experimental, "api_node": schema.api_node,
        "inputs": inputs(schema).iter().map(Input::json).collect::<Vec<_>>(),
        "outputs": outputs.collect::<Vec<_>>(),
    })
}
