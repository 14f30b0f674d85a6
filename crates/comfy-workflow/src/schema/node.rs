use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::source::{Pool, Source};
use super::{InputSpec, OpenMap, Section};

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
    pub hidden: Arc<IndexMap<String, String>>,
    /// The outputs, in the order of their slots.
    pub outputs: Vec<OutputSpec>,
    /// All other keys of the description.
    pub extra: OpenMap,
}

/// Inputs that the server fills itself: name and what is put there.
pub(super) type Hidden = IndexMap<String, String>;

/// An output of a node class.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OutputSpec {
    /// The name shown to people.
    pub name: Arc<str>,
    /// The type's name: `IMAGE`, `FLOAT,INT`, `*`; `COMBO` for an older list of values.
    pub type_name: Arc<str>,
    /// The type as the server wrote it: a text, or an array of values.
    pub raw_type: Arc<Value>,
    /// Whether the output gives a list, over which consumers run once per element.
    pub is_list: bool,
    /// The template that decides the type, when it follows that of an input.
    pub match_type: Option<Arc<str>>,
    /// A hint for people.
    pub tooltip: Option<Arc<str>>,
}

impl NodeSchema {
    /// Reads the description of one class. Never fails: what is missing or of another shape gets its default.
    #[must_use]
    pub fn from_value(name: impl Into<String>, info: Value) -> Self {
        Self::read(name.into(), Source::Value(info), &mut Pool::default())
    }

    pub(super) fn read<'a>(name: String, info: Source<'a>, pool: &mut Pool<'a>) -> Self {
        let mut info = info.entries();
        // V3 descriptions always carry these keys; classic ones only write flags that are set.
        let v3 = info.contains_key("output_matchtypes")
            || ["deprecated", "experimental", "api_node"].iter().all(|flag| info.contains_key(*flag));
        for superfluous in ["input_order", "name"] {
            info.shift_remove(superfluous);
        }
        let mut inputs = info.shift_remove("input").map(Source::entries).unwrap_or_default();
        let mut section = |section: Section| match inputs.shift_remove(section.key()) {
            Some(source) => InputSpec::read_section(source, section, 0, pool),
            None => Vec::new(),
        };
        let mut specs = section(Section::Required);
        specs.append(&mut section(Section::Optional));
        specs.shrink_to_fit();
        Self {
            name,
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
            inputs: specs,
            hidden: inputs.shift_remove("hidden").map(|hidden| pool.hidden(hidden)).unwrap_or_default(),
            outputs: outputs(&mut info, pool),
            extra: OpenMap::deferred(info.into_iter().collect()),
        }
    }

    /// The name to show: the display name, else the class name.
    #[must_use]
    pub fn title(&self) -> &str {
        self.display_name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&self.name)
    }

    /// The node pack that the class comes from, by its folder in `custom_nodes`; `None` for what the server brings itself.
    #[must_use]
    pub fn pack(&self) -> Option<&str> {
        self.python_module.as_deref()?.strip_prefix("custom_nodes.").filter(|pack| !pack.is_empty())
    }

    /// The declared input of this name. Inputs inside a dynamic input are found with [`NodeSchema::input_for`].
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&InputSpec> {
        self.inputs.iter().find(|input| &*input.name == name)
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

/// The keys of a class that were not read yet.
type Info<'a> = IndexMap<Cow<'a, str>, Source<'a>>;

fn take_array<'a>(info: &mut Info<'a>, key: &str) -> Vec<Source<'a>> {
    info.shift_remove(key).map(Source::items).unwrap_or_default()
}

fn take_text(info: &mut Info<'_>, key: &str) -> Option<String> {
    info.shift_remove(key).and_then(Source::string)
}

/// A flag; packs also write `[true]` (a stray comma makes a tuple of it) and 1.
fn take_flag(info: &mut Info<'_>, key: &str) -> bool {
    match info.shift_remove(key).map(Source::value) {
        Some(Value::Bool(flag)) => flag,
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        _ => false,
    }
}

fn outputs<'a>(info: &mut Info<'a>, pool: &mut Pool<'a>) -> Vec<OutputSpec> {
    let types = take_array(info, "output");
    let mut names = take_array(info, "output_name").into_iter();
    let mut lists = take_array(info, "output_is_list").into_iter();
    let mut matches = take_array(info, "output_matchtypes").into_iter();
    let mut tooltips = take_array(info, "output_tooltips").into_iter();
    types
        .into_iter()
        .map(|raw_type| {
            let raw_type = pool.value(raw_type);
            let type_name = match &*raw_type {
                Value::String(name) => pool.name(name),
                Value::Array(_) => pool.name("COMBO"),
                other => pool.name(&other.to_string()),
            };
            let mut text = |source: Option<Source<'_>>| Some(pool.name(&source?.string()?));
            OutputSpec {
                name: text(names.next()).unwrap_or_else(|| Arc::clone(&type_name)),
                type_name,
                raw_type,
                is_list: matches!(lists.next().map(Source::value), Some(Value::Bool(true))),
                match_type: text(matches.next()),
                tooltip: text(tooltips.next()),
            }
        })
        .collect()
}

/// Hidden inputs: classic `"PROMPT"`, newer `["PROMPT"]`.
pub(super) fn hidden(section: Source<'_>) -> Hidden {
    section
        .entries()
        .into_iter()
        .filter_map(|(name, what)| {
            let what = if what.is_string() { Some(what) } else { what.items().into_iter().next() };
            Some((name.into_owned(), what?.string()?))
        })
        .collect()
}
