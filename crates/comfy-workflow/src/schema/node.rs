use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{InputSpec, Section};

/// The description of a node class.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct NodeSchema {
    /// The class name, as workflows say it in `class_type`.
    pub name: String,
    /// The name shown to people, when the server gives one.
    pub display_name: Option<String>,
    /// What the node does; may be empty.
    pub description: String,
    /// The place in the editor's menu, such as `image/upscaling`.
    pub category: String,
    /// Where the class comes from, such as `nodes` or `custom_nodes.pack`.
    pub python_module: Option<String>,
    /// Whether the node is an output: runs start from these.
    pub output_node: bool,
    /// Whether the node takes whole lists instead of running once per element.
    pub is_input_list: bool,
    /// Whether the node shows results without being an output.
    pub has_intermediate_output: bool,
    /// Whether the node should not be used in new workflows.
    pub deprecated: bool,
    /// Whether the node may change.
    pub experimental: bool,
    /// Whether the node calls a paid service.
    pub api_node: bool,
    /// Whether the class is described in the newer style ("V3").
    pub v3: bool,
    /// The inputs, required ones first, each section in the order of the description.
    pub inputs: Vec<InputSpec>,
    /// Inputs that the server fills itself: name and what is put there, such as `PROMPT`.
    pub hidden: IndexMap<String, String>,
    /// The outputs, in the order of their slots.
    pub outputs: Vec<OutputSpec>,
    /// All other keys of the description.
    pub extra: Map<String, Value>,
}

/// An output of a node class.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OutputSpec {
    /// The name shown to people.
    pub name: String,
    /// The type's name: `IMAGE`, `FLOAT,INT`, `*`; `COMBO` for an older list of values.
    pub type_name: String,
    /// The type as the server wrote it: a text, or an array of values.
    pub raw_type: Value,
    /// Whether the output gives a list, over which consumers run once per element.
    pub is_list: bool,
    /// The template that decides the type, when it follows that of an input.
    pub match_type: Option<String>,
    /// A hint for people.
    pub tooltip: Option<String>,
}

impl NodeSchema {
    /// Reads the description of one class. Never fails: what is missing or of another shape gets its default.
    #[must_use]
    pub fn from_value(name: impl Into<String>, info: Value) -> Self {
        let Value::Object(mut info) = info else {
            return Self { name: name.into(), ..Self::default() };
        };
        // V3 descriptions always carry these keys; classic ones only write flags that are set.
        let v3 = info.contains_key("output_matchtypes")
            || ["deprecated", "experimental", "api_node"].iter().all(|flag| info.contains_key(*flag));
        let inputs = take_object(&mut info, "input");
        let outputs = outputs(&mut info);
        info.remove("input_order");
        info.remove("name");
        Self {
            name: name.into(),
            display_name: take_text(&mut info, "display_name"),
            description: take_text(&mut info, "description").unwrap_or_default(),
            category: take_text(&mut info, "category").unwrap_or_default(),
            python_module: take_text(&mut info, "python_module"),
            output_node: take_flag(&mut info, "output_node"),
            is_input_list: take_flag(&mut info, "is_input_list"),
            has_intermediate_output: take_flag(&mut info, "has_intermediate_output"),
            deprecated: take_flag(&mut info, "deprecated"),
            experimental: take_flag(&mut info, "experimental"),
            api_node: take_flag(&mut info, "api_node"),
            v3,
            inputs: [Section::Required, Section::Optional]
                .into_iter()
                .flat_map(|section| InputSpec::read_section(inputs.get(section.key()), section, 0))
                .collect(),
            hidden: hidden(inputs.get("hidden")),
            outputs,
            extra: info,
        }
    }

    /// The name to show: the display name, else the class name.
    #[must_use]
    pub fn title(&self) -> &str {
        self.display_name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&self.name)
    }

    /// The declared input of this name. Inputs inside a dynamic input are found with [`NodeSchema::input_for`].
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&InputSpec> {
        self.inputs.iter().find(|input| input.name == name)
    }

    /// The inputs that must be given.
    pub fn required(&self) -> impl Iterator<Item = &InputSpec> {
        self.inputs.iter().filter(|input| input.section == Section::Required)
    }

    /// The inputs that may be left out.
    pub fn optional(&self) -> impl Iterator<Item = &InputSpec> {
        self.inputs.iter().filter(|input| input.section == Section::Optional)
    }
}

fn take_object(info: &mut Map<String, Value>, key: &str) -> Map<String, Value> {
    match info.remove(key) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn take_array(info: &mut Map<String, Value>, key: &str) -> Vec<Value> {
    match info.remove(key) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn take_text(info: &mut Map<String, Value>, key: &str) -> Option<String> {
    match info.remove(key) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// A flag; packs also write `[true]` (a stray comma makes a tuple of it) and 1.
fn take_flag(info: &mut Map<String, Value>, key: &str) -> bool {
    match info.remove(key) {
        Some(Value::Bool(flag)) => flag,
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        _ => false,
    }
}

fn outputs(info: &mut Map<String, Value>) -> Vec<OutputSpec> {
    let types = take_array(info, "output");
    let names = take_array(info, "output_name");
    let lists = take_array(info, "output_is_list");
    let matches = take_array(info, "output_matchtypes");
    let tooltips = take_array(info, "output_tooltips");
    let text = |items: &[Value], slot: usize| items.get(slot).and_then(Value::as_str).map(str::to_owned);
    types
        .into_iter()
        .enumerate()
        .map(|(slot, raw_type)| {
            let type_name = match &raw_type {
                Value::String(name) => name.clone(),
                Value::Array(_) => "COMBO".to_owned(),
                other => other.to_string(),
            };
            OutputSpec {
                name: text(&names, slot).unwrap_or_else(|| type_name.clone()),
                type_name,
                raw_type,
                is_list: lists.get(slot).and_then(Value::as_bool).unwrap_or(false),
                match_type: text(&matches, slot),
                tooltip: text(&tooltips, slot),
            }
        })
        .collect()
}

/// Hidden inputs: classic `"PROMPT"`, newer `["PROMPT"]`.
fn hidden(section: Option<&Value>) -> IndexMap<String, String> {
    let entries = section.and_then(Value::as_object).into_iter().flatten();
    entries
        .filter_map(|(name, what)| {
            let what = what.as_str().or_else(|| what.as_array()?.first()?.as_str())?;
            Some((name.clone(), what.to_owned()))
        })
        .collect()
}
