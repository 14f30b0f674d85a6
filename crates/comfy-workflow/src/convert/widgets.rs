//! The inputs and widgets that the editor gives a node, and the stored values laid out on them.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::script::{javascript_text, truthy};
use crate::editor::{GraphLink, InputSlot, WidgetValues};
use crate::schema::{Autogrow, InputSpec, InputType, NodeSchema, Section};

/// Types that the editor shows as widgets (1.58.1). All others are links only.
const WIDGET_TYPES: [&str; 27] = [
    "INT",
    "FLOAT",
    "BOOLEAN",
    "STRING",
    "COMBO",
    "MARKDOWN",
    "TEXTAREA",
    "COLOR",
    "CHART",
    "GALLERIA",
    "IMAGECOMPARE",
    "IMAGEUPLOAD",
    "COMFY_DYNAMICCOMBO_V3",
    "WEBCAM",
    "AUDIO_UI",
    "AUDIOUPLOAD",
    "AUDIO_RECORD",
    "LOAD_3D",
    "PREVIEW_3D",
    "BOUNDING_BOX",
    "BOUNDING_BOXES",
    "COLORS",
    "CURVE",
    "RANGE",
    "PAINTER",
    "COMPOSITOR",
    "VIDEO_EDIT",
];

/// How deep options of dynamic combos may nest. Schemas are read to a smaller depth.
const DEPTH: usize = 16;

/// An input of a node in the editor.
#[derive(Debug, Clone)]
pub(super) struct Slot<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) type_name: Cow<'a, str>,
    /// Its widget's place among the widgets.
    pub(super) widget: Option<usize>,
    pub(super) link: Option<&'a GraphLink>,
}

/// A widget of a node in the editor.
#[derive(Debug, Clone)]
pub(super) struct Widget<'a> {
    pub(super) name: Cow<'a, str>,
    /// `None` for what JavaScript calls undefined: the input is left out.
    pub(super) value: Option<Value>,
    pub(super) spec: Option<&'a InputSpec>,
    /// Where the value stands in the file.
    pub(super) stored: Option<Stored>,
}

/// A place among the stored values of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stored {
    Index(usize),
    Key(String),
}

/// The inputs and widgets of a node.
#[derive(Debug, Default)]
pub(super) struct Layout<'a> {
    pub(super) slots: Vec<Slot<'a>>,
    pub(super) widgets: Vec<Widget<'a>>,
    /// How many stored values there are places for.
    pub(super) places: usize,
    /// Dynamic combos whose chosen option the schema does not have.
    pub(super) unknown_options: Vec<(String, Value)>,
}

/// Lays the stored values out on the widgets that `schema` asks for.
pub(super) fn layout<'a>(
    schema: &'a NodeSchema,
    listed: &'a [InputSlot],
    values: &WidgetValues,
) -> Layout<'a> {
    let plain = walk(schema, listed, values, false);
    if let WidgetValues::List(values_list) = values
        && values_list.len() != plain.places
        && schema.inputs.iter().any(|spec| has_widget_type(spec) && forces_input(spec))
    {
        // Files from before 1.16 hold a value for every input that is forced to be a link.
        let with_forced = walk(schema, listed, values, true);
        if with_forced.places == values_list.len() {
            return with_forced;
        }
    }
    plain
}

fn walk<'a>(
    schema: &'a NodeSchema,
    listed: &'a [InputSlot],
    values: &WidgetValues,
    forced_have_values: bool,
) -> Layout<'a> {
    let inputs: Vec<&InputSpec> = schema.inputs.iter().collect();
    let mut walk =
        Walk { class_type: &schema.name, listed, values, forced_have_values, layout: Layout::default() };
    walk.sockets(&inputs, "");
    walk.widgets(&inputs, "", 0);
    walk.made_by_the_editor(schema);
    walk.layout
}

struct Walk<'a, 'v> {
    class_type: &'a str,
    listed: &'a [InputSlot],
    values: &'v WidgetValues,
    forced_have_values: bool,
    layout: Layout<'a>,
}

impl<'a> Walk<'a, '_> {
    /// The inputs that are links only.
    fn sockets(&mut self, specs: &[&'a InputSpec], prefix: &str) {
        for spec in specs.iter().filter(|spec| !is_widget(spec)) {
            let name = dotted(prefix, &spec.name);
            match &spec.kind {
                InputType::Autogrow(grow) => self.grow(grow, &name),
                InputType::MatchType(matching) => {
                    // The file has the type that the links of its group have left.
                    let listed = self.listed.iter().find(|input| input.name == name);
                    let type_name = listed.map_or("", |input| input.type_name.as_str());
                    let type_name = if type_name.is_empty() { &*matching.allowed_types } else { type_name };
                    self.slot(name, Cow::Borrowed(type_name), None);
                }
                _ => self.slot(name, Cow::Borrowed(spec.type_name()), None),
            }
        }
    }

    /// A growing row: as many as must be there, and those that the file lists, also beyond the schema's most.
    fn grow(&mut self, grow: &'a Autogrow, group: &str) {
        let type_name: Cow<'a, str> = match &grow.element.kind {
            InputType::MatchType(matching) => Cow::Borrowed(&*matching.allowed_types),
            _ => Cow::Borrowed(grow.element.type_name()),
        };
        let inside = format!("{group}.");
        let listed: HashSet<&'a str> = self
            .listed
            .iter()
            .map(|input| input.name.as_str())
            .filter(|name| name.starts_with(&inside))
            .collect();
        let mut names: Vec<String> = Vec::new();
        for (index, element) in grow.names.iter().enumerate() {
            let name = format!("{inside}{element}");
            if index < grow.min || listed.contains(name.as_str()) {
                names.push(name);
            }
        }
        let known: HashSet<String> = names.iter().cloned().collect();
        names.extend(listed.into_iter().filter(|name| !known.contains(*name)).map(str::to_owned));
        for name in names {
            self.slot(name, type_name.clone(), None);
        }
    }

    /// The inputs with widgets, each taking its stored value.
    fn widgets(&mut self, specs: &[&'a InputSpec], prefix: &str, depth: usize) {
        for spec in specs {
            if is_widget(spec) {
                self.widget(spec, prefix, depth);
            } else if self.forced_have_values && has_widget_type(spec) && forces_input(spec) {
                self.skip(1 + usize::from(has_control(spec, &spec.name)));
            }
        }
    }

    fn widget(&mut self, spec: &'a InputSpec, prefix: &str, depth: usize) {
        let name = dotted(prefix, &spec.name);
        match widget_type(spec) {
            "COMFY_DYNAMICCOMBO_V3" => return self.dynamic_combo(spec, name, depth),
            "LOAD_3D" => {
                // Buttons to upload the model and what belongs to it, and to clear it.
                if self.class_type == "Load3D" {
                    self.skip(3);
                }
                self.plain(spec, &name, Some(Value::String(String::new())));
            }
            // Whatever the file has for it belongs to something else.
            "IMAGECOMPARE" => {
                self.push(spec, name, Some(json!(["", ""])), None);
                return;
            }
            "BOUNDING_BOX" => {
                self.plain(spec, &name, Some(json!({"x": 0, "y": 0, "width": 512, "height": 512})));
                self.skip(4);
            }
            "COMBO" => self.combo(spec, &name),
            _ => self.plain(spec, &name, default(spec)),
        }
        if has_control(spec, &name) {
            let filter = spec.kind == InputType::Combo && !flag(spec, "multi_select");
            self.skip(1 + usize::from(filter));
        }
        if flag(spec, "remote")
            && spec.options.get("remote").is_some_and(|remote| truthy(remote.get("refresh_button")))
        {
            self.skip(2);
        }
    }

    fn plain(&mut self, spec: &'a InputSpec, name: &str, default: Option<Value>) {
        let (value, stored) = match self.next(name) {
            Some((value, stored)) => (Some(value), Some(stored)),
            None => (default, None),
        };
        let value = match value {
            // Only texts of several lines become texts, whatever they were.
            Some(value) if spec.kind == InputType::String && spec.multiline() => {
                Some(Value::String(javascript_text(&value)))
            }
            value => value,
        };
        self.push(spec, name.to_owned(), value, stored);
    }

    fn combo(&mut self, spec: &'a InputSpec, name: &str) {
        let (value, stored) = match self.next(name) {
            Some((Value::Null, stored)) => {
                (spec.choices().first().cloned().or(Some(Value::Null)), Some(stored))
            }
            Some((value, stored)) => (Some(value), Some(stored)),
            None => (default(spec), None),
        };
        self.push(spec, name.to_owned(), value, stored);
    }

    /// The choice, and at once behind it the widgets of the chosen option: the values that follow are theirs.
    fn dynamic_combo(&mut self, spec: &'a InputSpec, name: String, depth: usize) {
        let InputType::DynamicCombo(options) = &spec.kind else { return };
        let first = || options.first().map(|option| Value::String(option.key.clone()));
        let chosen = self.next(&name);
        let without_values = matches!(chosen, Some((Value::Null, _)));
        let (value, stored) = match chosen {
            Some((Value::Null, stored)) => (first(), Some(stored)),
            Some((value, stored)) => (Some(value), Some(stored)),
            None => (spec.default().cloned().or_else(first), None),
        };
        let option = options.iter().find(|option| value.as_ref().is_some_and(|value| *value == option.key));
        if option.is_none()
            && let Some(value) = &value
        {
            self.layout.unknown_options.push((name.clone(), value.clone()));
        }
        self.push(spec, name.clone(), value, stored);
        let Some(option) = option.filter(|_| depth < DEPTH) else { return };
        let inputs: Vec<&InputSpec> = option.inputs.iter().collect();
        self.sockets(&inputs, &name);
        if without_values {
            let none = WidgetValues::None;
            let mut defaults = Walk {
                class_type: self.class_type,
                listed: self.listed,
                values: &none,
                forced_have_values: false,
                layout: Layout::default(),
            };
            std::mem::swap(&mut defaults.layout, &mut self.layout);
            let places = defaults.layout.places;
            defaults.widgets(&inputs, &name, depth + 1);
            std::mem::swap(&mut defaults.layout, &mut self.layout);
            self.layout.places = places;
        } else {
            self.widgets(&inputs, &name, depth + 1);
        }
    }

    /// Buttons that the editor adds at the end. They have a place among the stored values and are no inputs.
    fn made_by_the_editor(&mut self, schema: &NodeSchema) {
        let uploads = ["image_upload", "video_upload", "animated_image_upload"];
        let upload = schema.required().any(|spec| {
            (spec.kind == InputType::Combo && uploads.iter().any(|option| flag(spec, option)))
                || (&*spec.name == "audio" && flag(spec, "audio_upload"))
        });
        let preview = matches!(schema.name.as_str(), "Preview3D" | "SaveGLB");
        self.skip(usize::from(upload) + usize::from(preview));
    }

    fn push(&mut self, spec: &'a InputSpec, name: String, value: Option<Value>, stored: Option<Stored>) {
        self.slot(name.clone(), Cow::Borrowed(spec.type_name()), Some(self.layout.widgets.len()));
        self.layout.widgets.push(Widget { name: Cow::Owned(name), value, spec: Some(spec), stored });
    }

    fn slot(&mut self, name: String, type_name: Cow<'a, str>, widget: Option<usize>) {
        self.layout.slots.push(Slot { name: Cow::Owned(name), type_name, widget, link: None });
    }

    /// The stored value of the next widget.
    fn next(&mut self, name: &str) -> Option<(Value, Stored)> {
        let place = self.layout.places;
        self.layout.places += 1;
        match self.values {
            WidgetValues::List(values) => Some((values.get(place)?.clone(), Stored::Index(place))),
            WidgetValues::Named(values) => Some((values.get(name)?.clone(), Stored::Key(name.to_owned()))),
            WidgetValues::None => None,
        }
    }

    fn skip(&mut self, places: usize) {
        self.layout.places += places;
    }
}

fn dotted(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

/// The type that decides the widget.
pub(super) fn widget_type(spec: &InputSpec) -> &str {
    spec.options.get("widgetType").and_then(Value::as_str).unwrap_or_else(|| spec.type_name())
}

fn has_widget_type(spec: &InputSpec) -> bool {
    WIDGET_TYPES.contains(&widget_type(spec))
}

pub(super) fn is_widget(spec: &InputSpec) -> bool {
    has_widget_type(spec) && !forces_input(spec)
}

fn forces_input(spec: &InputSpec) -> bool {
    flag(spec, "forceInput") || (spec.section == Section::Optional && flag(spec, "defaultInput"))
}

/// Whether a control widget stands behind it, which says what becomes of the value after a run.
fn has_control(spec: &InputSpec, name: &str) -> bool {
    match (widget_type(spec), spec.options.get("control_after_generate")) {
        ("INT", None) => name == "seed" || name == "noise_seed",
        ("INT" | "FLOAT" | "COMBO", option) => truthy(option),
        _ => false,
    }
}

/// The value of a widget for which the file has none.
fn default(spec: &InputSpec) -> Option<Value> {
    let given = || spec.default().cloned();
    match widget_type(spec) {
        "INT" | "FLOAT" => given().or_else(|| Some(0.into())),
        "BOOLEAN" => given().or(Some(Value::Bool(false))),
        "COMBO" if flag(spec, "multi_select") => Some(json!([])),
        "COMBO" => {
            let first = || spec.choices().first().cloned();
            let loading = || flag(spec, "remote").then(|| Value::String("Loading...".into()));
            given().filter(|value| truthy(Some(value))).or_else(first).or_else(loading)
        }
        "BOUNDING_BOXES" | "COLORS" => given().or_else(|| Some(json!([]))),
        "COLOR" => given().or_else(|| Some("#000000".into())),
        "CURVE" => {
            given().or_else(|| Some(json!({"points": [[0, 0], [1, 1]], "interpolation": "monotone_cubic"})))
        }
        "RANGE" => given().or_else(|| Some(json!({"min": 0, "max": 1}))),
        "COMPOSITOR" => given().or_else(|| Some(json!({}))),
        _ => given().or_else(|| Some("".into())),
    }
}

/// Whether an option is there and true as JavaScript sees it.
fn flag(spec: &InputSpec, option: &str) -> bool {
    truthy(spec.options.get(option))
}

/// The values of a node's widgets by their names.
pub(super) fn by_name(widgets: &[Widget<'_>]) -> Map<String, Value> {
    widgets.iter().filter_map(|widget| Some((widget.name.to_string(), widget.value.clone()?))).collect()
}
