use serde_json::{Map, Value};

use super::source::{Pool, Source};
use super::{InputSpec, InputType, OpenMap, Section};

/// How deep dynamic inputs may nest in a description. Servers have two levels; deeper ones come from broken answers.
const DEPTH: usize = 8;

/// Most elements of a growing input, whatever its description says.
const GROWTH: usize = 100;

/// A type shared by all inputs and outputs of the node that name the same template.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MatchType {
    /// The name of the template.
    pub template_id: String,
    /// The types it may take, such as `IMAGE,MASK` or `*`.
    pub allowed_types: String,
}

/// A growing row of inputs `<id>.<name>`, all described alike.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Autogrow {
    /// The description of each element. Its `name` is only that of the template.
    pub element: Box<InputSpec>,
    /// The names of the elements.
    pub names: AutogrowNames,
    /// How many of the first elements must be given.
    pub min: usize,
}

/// The names of a growing row of inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AutogrowNames {
    /// `<prefix>0`, `<prefix>1`, ... up to, and without, `<prefix><max>`.
    Prefix {
        /// What stands before the number.
        prefix: String,
        /// How many there may be.
        max: usize,
    },
    /// These names.
    Names(Vec<String>),
}

impl AutogrowNames {
    /// How many elements there may be.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Prefix { max, .. } => *max,
            Self::Names(names) => names.len(),
        }
    }

    /// Whether there can be no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All names in order.
    pub fn iter(&self) -> impl Iterator<Item = String> {
        (0..self.len()).map(|index| match self {
            Self::Prefix { prefix, .. } => format!("{prefix}{index}"),
            Self::Names(names) => names.get(index).cloned().unwrap_or_default(),
        })
    }
}

/// A choice of a dynamic combo, with the inputs `<id>.<name>` that it brings.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DynamicOption {
    /// The value that chooses it.
    pub key: String,
    /// The inputs it brings.
    pub inputs: Vec<InputSpec>,
}

/// A link that brings inputs `<id>.<name>` once it is connected.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DynamicSlot {
    /// The type of the link.
    pub slot_type: String,
    /// The inputs it brings.
    pub inputs: Vec<InputSpec>,
}

/// A growing table of inputs `<id>.<row>.<field>`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DynamicGroup {
    /// The inputs of a row.
    pub fields: Vec<InputSpec>,
    /// The fewest rows.
    pub min: usize,
    /// The most rows.
    pub max: usize,
    /// What a row is called.
    pub group_name: Option<String>,
}

/// The meaning of a type `COMFY_..._V3`.
pub(super) fn kind(name: &str, options: &OpenMap, depth: usize) -> InputType {
    if depth >= DEPTH {
        return InputType::Unknown;
    }
    let template = options.get("template").and_then(Value::as_object);
    let read = match name {
        "COMFY_MATCHTYPE_V3" => template.map(match_type).map(InputType::MatchType),
        "COMFY_AUTOGROW_V3" => {
            template.and_then(|template| autogrow(template, depth)).map(InputType::Autogrow)
        }
        "COMFY_DYNAMICCOMBO_V3" => Some(InputType::DynamicCombo(combo(options, depth))),
        "COMFY_DYNAMICSLOT_V3" => Some(InputType::DynamicSlot(slot(options, depth))),
        "COMFY_DYNAMICGROUP_V3" => {
            template.map(|template| InputType::DynamicGroup(group(template, options, depth)))
        }
        _ => None,
    };
    read.unwrap_or(InputType::Unknown)
}

fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}

/// A count, held to what a server lets grow.
fn count(value: Option<&Value>) -> Option<usize> {
    let number = value?.as_u64()?;
    Some(usize::try_from(number).unwrap_or(GROWTH).min(GROWTH))
}

/// The inputs of `{required: {...}, optional: {...}}`.
fn both_sections(inputs: Option<&Map<String, Value>>, depth: usize) -> Vec<InputSpec> {
    let mut pool = Pool::default();
    [Section::Required, Section::Optional]
        .into_iter()
        .filter_map(|section| Some((section, inputs?.get(section.key())?)))
        .flat_map(|(section, inputs)| {
            InputSpec::read_section(Source::Value(inputs.clone()), section, depth + 1, &mut pool)
        })
        .collect()
}

fn match_type(template: &Map<String, Value>) -> MatchType {
    MatchType {
        template_id: text(template.get("template_id")).unwrap_or_default(),
        allowed_types: text(template.get("allowed_types")).unwrap_or_else(|| "*".into()),
    }
}

fn autogrow(template: &Map<String, Value>, depth: usize) -> Option<Autogrow> {
    let inputs = template.get("input").and_then(Value::as_object);
    let element = both_sections(inputs, depth).into_iter().next()?;
    let names = match template.get("names").and_then(Value::as_array) {
        Some(names) => {
            let names = names.iter().filter_map(Value::as_str).map(str::to_owned);
            AutogrowNames::Names(names.take(GROWTH).collect())
        }
        None => AutogrowNames::Prefix {
            prefix: text(template.get("prefix")).unwrap_or_default(),
            max: count(template.get("max")).unwrap_or(GROWTH),
        },
    };
    Some(Autogrow { element: Box::new(element), names, min: count(template.get("min")).unwrap_or(0) })
}

fn combo(options: &OpenMap, depth: usize) -> Vec<DynamicOption> {
    let options = options.get("options").and_then(Value::as_array).into_iter().flatten();
    options
        .filter_map(|option| {
            let key = option.get("key")?.as_str()?.to_owned();
            let inputs = option.get("inputs").and_then(Value::as_object);
            Some(DynamicOption { key, inputs: both_sections(inputs, depth) })
        })
        .collect()
}

fn slot(options: &OpenMap, depth: usize) -> DynamicSlot {
    DynamicSlot {
        slot_type: text(options.get("slotType")).unwrap_or_else(|| "*".into()),
        inputs: both_sections(options.get("inputs").and_then(Value::as_object), depth),
    }
}

/// The counts stand beside the template, unlike those of a growing row.
fn group(template: &Map<String, Value>, options: &OpenMap, depth: usize) -> DynamicGroup {
    DynamicGroup {
        fields: both_sections(Some(template), depth),
        min: count(options.get("min")).unwrap_or(0),
        max: count(options.get("max")).unwrap_or(20),
        group_name: text(options.get("group_name")),
    }
}
