use std::ops::Deref;
use std::sync::Arc;

use serde_json::{Number, Value};

use super::OpenMap;
use super::deferred::{Deferred, LongValue};
use super::dynamic::{self, Autogrow, DynamicGroup, DynamicOption, DynamicSlot, MatchType};
use super::source::{Pool, Source};

/// An input of a node class.
///
/// The fields and methods of its [`Description`] can be used as if they were its own: `input.kind`. It is read when it is
/// first looked at, and is in memory once for inputs that are described alike.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct InputSpec {
    /// The input's name.
    pub name: Arc<str>,
    /// Whether it must be given.
    pub section: Section,
    description: Arc<Deferred>,
}

/// What is said about an input.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Description {
    /// What it takes.
    pub kind: InputType,
    /// The options of the description as the server wrote them (`default`, `min`, `tooltip`, ...).
    pub options: OpenMap,
    /// The type as the server wrote it: a text, or the array of an older combo.
    raw_type: Arc<Value>,
}

/// Whether an input must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Section {
    /// It must be given. Servers put no defaults.
    Required,
    /// It may be left out.
    Optional,
}

impl Section {
    /// The key of the section in a description.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
        }
    }
}

/// What an input takes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum InputType {
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// A text.
    String,
    /// Yes or no.
    Boolean,
    /// One of [`Description::choices`] (or several, see [`Description::multiselect`]).
    Combo,
    /// A link from an output of one of these types. Some such types also have a widget in the editor.
    Link(Vec<String>),
    /// Anything.
    Any,
    /// A link whose type must be the same for all inputs and outputs with the same template.
    MatchType(MatchType),
    /// A growing row of inputs.
    Autogrow(Autogrow),
    /// A choice that brings further inputs.
    DynamicCombo(Vec<DynamicOption>),
    /// A link that brings further inputs once it is connected.
    DynamicSlot(DynamicSlot),
    /// A growing table of inputs.
    DynamicGroup(DynamicGroup),
    /// A description that is not understood.
    Unknown,
}

impl Deref for InputSpec {
    type Target = Description;

    fn deref(&self) -> &Description {
        self.description.get()
    }
}

impl InputSpec {
    /// Reads one section of a description. `depth` counts the dynamic inputs around it.
    pub(super) fn read_section<'a>(
        section: Source<'a>,
        kind: Section,
        depth: usize,
        pool: &mut Pool<'a>,
    ) -> Vec<Self> {
        section
            .entries()
            .into_iter()
            .map(|(name, spec)| Self {
                name: pool.name(&name),
                section: kind,
                description: pool.description(spec, depth),
            })
            .collect()
    }
}

impl Description {
    /// Reads `[type, options]`. The values that are `long` are taken from there, by their places.
    pub(super) fn read<'a>(
        spec: Source<'a>,
        depth: usize,
        long: &[(usize, Arc<LongValue>)],
        pool: &mut Pool<'a>,
    ) -> Self {
        // Some packs leave the brackets out.
        let parts = if spec.is_string() { vec![spec] } else { spec.items() };
        let mut parts = parts.into_iter();
        let value = |place: usize, source, pool: &mut Pool<'a>| {
            let long = long.iter().find(|(at, _)| *at == place);
            long.map_or_else(|| pool.value(source), |(_, long)| long.get())
        };
        let raw_type = parts.next().map(|source| value(0, source, pool)).unwrap_or_default();
        let options = parts.next().map(Source::entries).unwrap_or_default().into_iter().enumerate();
        let options: OpenMap =
            options.map(|(index, (key, source))| (pool.name(&key), value(index + 1, source, pool))).collect();
        let kind = match &*raw_type {
            Value::Array(_) => InputType::Combo,
            Value::String(name) => kind(name, &options, depth),
            _ => InputType::Unknown,
        };
        Self { kind, options, raw_type }
    }

    /// The values of a combo, in either style of description; empty for other inputs and for lists that the editor fetches.
    #[must_use]
    pub fn choices(&self) -> &[Value] {
        match (&self.kind, &*self.raw_type) {
            (InputType::Combo, Value::Array(values)) => values,
            (InputType::Combo, _) => {
                self.options.get("options").and_then(Value::as_array).map_or(&[], Vec::as_slice)
            }
            _ => &[],
        }
    }

    /// Whether this is a combo of the older style, whose values stand in place of the type.
    #[must_use]
    pub fn is_classic_combo(&self) -> bool {
        self.raw_type.is_array()
    }

    /// The default. Servers do not apply it: it is for editors and clients.
    #[must_use]
    pub fn default(&self) -> Option<&Value> {
        self.options.get("default").filter(|value| !value.is_null())
    }

    /// The smallest value.
    #[must_use]
    pub fn min(&self) -> Option<&Number> {
        self.number("min")
    }

    /// The largest value.
    #[must_use]
    pub fn max(&self) -> Option<&Number> {
        self.number("max")
    }

    /// The editor's step. Servers do not check it.
    #[must_use]
    pub fn step(&self) -> Option<&Number> {
        self.number("step")
    }

    /// Whether several values of a combo may be given.
    #[must_use]
    pub fn multiselect(&self) -> bool {
        self.flag("multiselect")
    }

    /// Whether a combo takes more than its [`choices`](Self::choices): lists of files show the top level of a folder only, and
    /// others are fetched by the editor.
    #[must_use]
    pub fn has_open_choices(&self) -> bool {
        self.kind == InputType::Combo && (self.lists_a_folder() || self.is_fetched())
    }

    /// Whether the choices are files of a folder, of which they show the top level only.
    pub(crate) fn lists_a_folder(&self) -> bool {
        self.has_any(&["image_upload", "video_upload", "audio_upload", "file_upload", "image_folder"])
    }

    /// Whether the editor fetches the choices from elsewhere.
    pub(crate) fn is_fetched(&self) -> bool {
        self.has_any(&["remote", "remote_combo"])
    }

    /// Whether the editor shows a link instead of a widget. Servers take constants all the same.
    #[must_use]
    pub fn force_input(&self) -> bool {
        self.flag("forceInput")
    }

    /// Whether a text has several lines.
    #[must_use]
    pub fn multiline(&self) -> bool {
        self.flag("multiline")
    }

    /// Whether the node may decide while running that it does not need this input.
    #[must_use]
    pub fn lazy(&self) -> bool {
        self.flag("lazy")
    }

    /// Whether the node gets the link itself instead of its value.
    #[must_use]
    pub fn raw_link(&self) -> bool {
        self.flag("rawLink")
    }

    /// A hint for people.
    #[must_use]
    pub fn tooltip(&self) -> Option<&str> {
        self.options.get("tooltip").and_then(Value::as_str)
    }

    /// The type's name: `INT`, `COMBO` (in either style), `IMAGE,MASK`, ...
    #[must_use]
    pub fn type_name(&self) -> &str {
        match &*self.raw_type {
            Value::String(name) => name,
            Value::Array(_) => "COMBO",
            _ => "",
        }
    }

    /// The type as the server wrote it: a text, or the values of an older combo.
    #[must_use]
    pub fn raw_type(&self) -> &Value {
        &self.raw_type
    }

    /// Whether the input holds a value of its own in workflows, rather than a link.
    #[must_use]
    pub fn is_widget(&self) -> bool {
        match self.kind {
            InputType::Int | InputType::Float | InputType::String | InputType::Boolean | InputType::Combo => {
                !self.force_input()
            }
            InputType::DynamicCombo(_) => true,
            _ => false,
        }
    }

    /// The pair `[type, options]`, as servers quote it in their reports.
    #[must_use]
    pub fn config(&self) -> Value {
        Value::Array(vec![(*self.raw_type).clone(), Value::Object(self.options.to_map())])
    }

    fn number(&self, key: &str) -> Option<&Number> {
        match self.options.get(key) {
            Some(Value::Number(number)) => Some(number),
            _ => None,
        }
    }

    fn has_any(&self, options: &[&str]) -> bool {
        options.iter().any(|option| self.options.contains_key(option))
    }

    fn flag(&self, key: &str) -> bool {
        self.options.get(key).and_then(Value::as_bool).unwrap_or(false)
    }
}

fn kind(name: &str, options: &OpenMap, depth: usize) -> InputType {
    match name {
        "INT" => InputType::Int,
        "FLOAT" => InputType::Float,
        "STRING" => InputType::String,
        "BOOLEAN" => InputType::Boolean,
        "COMBO" => InputType::Combo,
        "*" => InputType::Any,
        _ if name.starts_with("COMFY_") && name.ends_with("_V3") => dynamic::kind(name, options, depth),
        _ => InputType::Link(name.split(',').map(|part| part.trim().to_owned()).collect()),
    }
}
