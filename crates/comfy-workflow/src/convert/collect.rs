//! From the graphs to the nodes that a server runs.

use serde_json::{Map, Value, json};

use super::Severity;
use super::live::{Kind, Live, LiveNode, stored_name};
use super::problem::{Problem, ProblemKind};
use super::resolve::{Origin, Path, Step};
use super::script::truthy;
use super::sources::{Source, Sources};
use super::texts::Chooser;
use super::widgets::{self, Stored, widget_type};
use super::{ConvertOptions, prefix, texts};
use crate::editor::{Mode, WidgetValues};
use crate::schema::{Comparisons, InputSpec, InputType, NodeSchema, most_similar};
use crate::template::protected;
use crate::workflow::clip;
use crate::{Node, NodeId, Workflow};

/// Most nodes that are gone through. Subgraphs that hold others several times multiply.
const NODES: usize = 200_000;

/// Most problems that are told.
const PROBLEMS: usize = 1_000;

pub(super) struct Collector<'l, 'a> {
    live: &'l Live<'a>,
    schemas: &'a crate::schema::Schemas,
    options: &'l ConvertOptions,
    chooser: Chooser,
    pub(super) workflow: Workflow,
    pub(super) problems: Vec<Problem>,
    pub(super) sources: Sources,
    visited: usize,
    comparisons: Comparisons,
    /// Whether there are warnings that are not told.
    full: bool,
}

/// The inputs of a node under way, with where each value stands in the document.
#[derive(Default)]
struct Inputs {
    values: Map<String, Value>,
    sources: Vec<(String, Source)>,
}

impl<'l, 'a> Collector<'l, 'a> {
    pub(super) fn new(
        live: &'l Live<'a>,
        schemas: &'a crate::schema::Schemas,
        options: &'l ConvertOptions,
    ) -> Self {
        Self {
            live,
            schemas,
            options,
            chooser: Chooser::new(options.dynamic_prompts),
            workflow: Workflow::new(),
            problems: Vec::new(),
            sources: Sources::default(),
            visited: 0,
            comparisons: Comparisons::default(),
            full: false,
        }
    }

    /// Adds the nodes of a graph inside the subgraphs of `path`.
    pub(super) fn graph(&mut self, graph: usize, path: &mut Path) {
        for place in 0..self.live.graphs[graph].nodes.len() {
            let node = &self.live.graphs[graph].nodes[place];
            self.visited += 1;
            if self.visited > NODES {
                return;
            }
            if self.visited == NODES {
                let message = format!("the workflow has more than {NODES} nodes; the rest was left out");
                self.report(path, node, Severity::Error, ProblemKind::Cycle, None, message);
            }
            if node.source.mode != Mode::Active {
                continue;
            }
            match node.kind {
                Kind::Reroute | Kind::Primitive | Kind::Note => {}
                Kind::Get => self.check_get(path, graph, place),
                Kind::Host(definition) => {
                    path.push(Step { graph, host: place });
                    self.graph(definition, path);
                    path.pop();
                }
                Kind::Known(schema) => self.known(path, graph, place, schema),
                Kind::Unknown => self.unknown(path, graph, place),
            }
        }
    }

    fn check_get(&mut self, path: &Path, graph: usize, place: usize) {
        let here = &self.live.graphs[graph];
        let node = &here.nodes[place];
        let name = stored_name(node.source).unwrap_or_default();
        if !here.sets.contains_key(name) {
            let message =
                format!("no `SetNode` of this graph sets `{}`, so nothing comes from here", clip(name));
            self.report(path, node, Severity::Warning, ProblemKind::BrokenLink, None, message);
        }
    }

    fn known(&mut self, path: &Path, graph: usize, place: usize, schema: &'a NodeSchema) {
        let node = &self.live.graphs[graph].nodes[place];
        let mut inputs = Inputs::default();
        let mut mismatches = Vec::new();
        for (index, widget) in node.widgets.iter().enumerate() {
            let Some(value) = &widget.value else { continue };
            let replaces = node.driven.get(&index).is_some_and(|primitive| {
                let primitive = &self.live.graphs[graph].nodes[*primitive];
                primitive.source.properties.get("Run widget replace on values") == Some(&Value::Bool(true))
            });
            let value = self.hooked(path, node, widget.name.as_ref(), value, widget.spec, replaces);
            if let Some(source) = self.own_source(graph, place, index) {
                inputs.sources.push((widget.name.to_string(), source));
            }
            inputs.values.insert(widget.name.to_string(), wrapped(value, widget.spec));
        }
        let mut switched = None;
        for index in 0..node.slots.len() {
            let slot = &node.slots[index];
            let spec = slot.widget.and_then(|widget| node.widgets.get(widget)?.spec);
            let overridden = slot.widget.and_then(|_| self.live.overridden(path, node, &slot.name));
            let origin = overridden.unwrap_or_else(|| self.live.origin(path, graph, place, index));
            let Origin::Widget { value, .. } = &origin else {
                self.take(path, node, &slot.name, origin, &mut inputs);
                continue;
            };
            let new_option = spec.is_some_and(|spec| matches!(spec.kind, InputType::DynamicCombo(_)))
                && value.is_some_and(|value| inputs.values.get(slot.name.as_ref()) != Some(value));
            if new_option {
                switched = value.map(|value| (slot.name.to_string(), value.clone()));
            }
            self.take(path, node, &slot.name, origin, &mut inputs);
        }
        if let Some((name, key)) = switched {
            self.switch_option(node, schema, &name, key, &mut inputs);
        }
        let widgets = if self.full { &[] } else { node.widgets.as_slice() };
        for widget in widgets {
            let Some(spec) = widget.spec else { continue };
            let Some(value) = inputs.values.get(widget.name.as_ref()) else { continue };
            if let Err(reason) = crate::assign::check_stored(value, spec) {
                mismatches.push((widget.name.to_string(), reason));
            }
        }
        self.report_mismatches(path, node, &mismatches);
        self.add(path, node, &schema.name, schema.title(), inputs);
    }

    /// Another option of a dynamic combo came from outside: its own widgets take the place of those that were stored.
    fn switch_option(
        &self,
        node: &LiveNode<'a>,
        schema: &'a NodeSchema,
        name: &str,
        key: Value,
        inputs: &mut Inputs,
    ) {
        let mut named = widgets::by_name(&node.widgets);
        named.insert(name.to_owned(), key);
        let layout = widgets::layout(schema, node.source.inputs(), &WidgetValues::Named(named));
        let inside = format!("{name}.");
        inputs.values.retain(|input, _| {
            !input.starts_with(&inside) || layout.slots.iter().any(|slot| slot.name == *input)
        });
        for widget in layout.widgets.iter().filter(|widget| widget.name.starts_with(&inside)) {
            if let Some(value) = &widget.value
                && !inputs.values.contains_key(widget.name.as_ref())
            {
                inputs.values.insert(widget.name.to_string(), wrapped(value.clone(), widget.spec));
            }
        }
    }

    /// Puts what an input gets from elsewhere over the value of its own widget.
    fn take(
        &mut self,
        path: &Path,
        node: &LiveNode<'a>,
        name: &str,
        origin: Origin<'_>,
        inputs: &mut Inputs,
    ) {
        match origin {
            Origin::Link { node, slot } => {
                inputs.sources.retain(|(input, _)| input != name);
                inputs.values.insert(name.to_owned(), json!([node.as_str(), slot]));
            }
            Origin::Widget { value: Some(value), path, graph, node, stored } => {
                inputs.sources.retain(|(input, _)| input != name);
                if let (Some(stored), true) = (stored, self.once(&path, graph)) {
                    inputs.sources.push((name.to_owned(), self.source(graph, node, stored)));
                }
                inputs.values.insert(name.to_owned(), wrapped(value.clone(), None));
            }
            Origin::Widget { value: None, .. } | Origin::Nothing => {}
            Origin::Cycle => {
                let message = "its link goes in a circle through bypassed nodes or reroutes, or through thousands of them; it was left without a link";
                self.report(path, node, Severity::Error, ProblemKind::Cycle, Some(name), message.into());
            }
        }
    }

    /// What becomes of a widget's value when the workflow is sent.
    fn hooked(
        &mut self,
        path: &Path,
        node: &LiveNode<'a>,
        name: &str,
        value: &Value,
        spec: Option<&InputSpec>,
        replaces: bool,
    ) -> Value {
        let Value::String(text) = value else { return value.clone() };
        let dynamic = spec
            .is_some_and(|spec| spec.kind == InputType::String && truthy(spec.options.get("dynamicPrompts")));
        let mut text = match (dynamic, self.options.keep_placeholders) {
            (true, true) => texts::resolve(&protected(text), &mut self.chooser),
            (true, false) => texts::resolve(text, &mut self.chooser),
            (false, _) => text.clone(),
        };
        if replaces || prefix::applies(node.class_type, name) {
            let (filled, missing) = prefix::fill(&text, self.live, self.options.now);
            for pattern in missing {
                let why = if pattern.starts_with("%date:") && self.options.now.is_none() {
                    "no time was given"
                } else {
                    "no node of that name has such an input"
                };
                let message = format!("`{}` stays as it is: {why}", clip(&pattern));
                self.report(path, node, Severity::Warning, ProblemKind::Pattern, Some(name), message);
            }
            text = filled;
        }
        Value::String(text)
    }

    fn report_mismatches(&mut self, path: &Path, node: &LiveNode<'a>, mismatches: &[(String, String)]) {
        let Some((first, reason)) = mismatches.first() else { return };
        if mismatches.len() >= 2 && mismatches.iter().any(|(_, reason)| reason.starts_with("takes ")) {
            let message = format!(
                "{} of the stored values do not fit their inputs (`{}` {reason}); they seem to be stored for another version of this class: open the workflow in the editor of this server and check the node",
                mismatches.len(),
                clip(first),
            );
            self.report(path, node, Severity::Warning, ProblemKind::ShiftedWidgets, Some(first), message);
            return;
        }
        for (name, reason) in mismatches {
            self.report(path, node, Severity::Warning, ProblemKind::InvalidValue, Some(name), reason.clone());
        }
    }

    /// A node whose class the server does not have. It stays, so that nothing is lost and the server names it too.
    fn unknown(&mut self, path: &Path, graph: usize, place: usize) {
        let live = self.live;
        let here = &live.graphs[graph];
        let node = &here.nodes[place];
        let linked = node.slots.iter().any(|slot| slot.link.is_some())
            || here.graph.links.iter().any(|link| link.origin == node.source.id);
        if !linked {
            let message =
                "the server has no such class, and nothing is linked to the node; it was left out".to_owned();
            self.report(path, node, Severity::Warning, ProblemKind::UnknownClass, None, message);
            return;
        }
        let names = self.schemas.iter().map(|(name, _)| name);
        let hint = match most_similar(node.class_type, self.comparisons.of(names)) {
            Some(near) => format!("; did you mean `{}`?", clip(near)),
            None if node.class_type.is_empty() => String::new(),
            None => "; install the custom nodes that bring it, or mute or bypass the node".to_owned(),
        };
        let message = match node.class_type {
            "" => "the node has no class".to_owned(),
            class_type => format!("the server has no class `{}`{hint}", clip(class_type)),
        };
        self.report(path, node, Severity::Error, ProblemKind::UnknownClass, None, message);
        let mut inputs = Inputs::default();
        if let WidgetValues::Named(values) = &node.source.widgets_values {
            inputs
                .values
                .extend(values.iter().map(|(name, value)| (name.clone(), wrapped(value.clone(), None))));
        }
        for index in 0..node.slots.len() {
            let origin = live.origin(path, graph, place, index);
            self.take(path, node, &node.slots[index].name, origin, &mut inputs);
        }
        self.add(path, node, node.class_type, node.class_type, inputs);
    }

    fn add(
        &mut self,
        path: &Path,
        node: &LiveNode<'a>,
        class_type: &str,
        display_name: &str,
        inputs: Inputs,
    ) {
        let id = self.live.id(path, node);
        let title = node.source.title.as_deref().filter(|title| !title.is_empty()).unwrap_or(display_name);
        for (input, source) in inputs.sources {
            if let Some(value) = inputs.values.get(&input) {
                self.sources.insert(id.clone(), input, source, value.clone());
            }
        }
        let mut converted = Node { inputs: inputs.values, ..Node::new(class_type) };
        converted.set_title(title);
        self.workflow.insert(id, converted);
    }

    /// Where the value of a node's own widget stands in the document, if nothing else has it from there.
    fn own_source(&self, graph: usize, place: usize, widget: usize) -> Option<Source> {
        let here = &self.live.graphs[graph];
        let node = &here.nodes[place];
        if !self.used_once(graph) {
            return None;
        }
        match node.driven.get(&widget) {
            Some(primitive) => Some(self.source(graph, *primitive, &Stored::Index(0))),
            None => Some(self.source(graph, place, node.widgets.get(widget)?.stored.as_ref()?)),
        }
    }

    fn source(&self, graph: usize, node: usize, stored: &Stored) -> Source {
        let here = &self.live.graphs[graph];
        let definition = (graph != 0).then(|| here.graph.id.clone());
        Source { definition, node: here.nodes[node].source.place, stored: stored.clone() }
    }

    fn once(&self, path: &Path, graph: usize) -> bool {
        self.used_once(graph) && path.iter().all(|step| self.used_once(step.graph))
    }

    fn used_once(&self, graph: usize) -> bool {
        self.live.graphs[graph].uses == 1
    }

    fn report(
        &mut self,
        path: &Path,
        node: &LiveNode<'a>,
        severity: Severity,
        kind: ProblemKind,
        input: Option<&str>,
        message: String,
    ) {
        // An error may stand behind many warnings, and decides.
        if self.problems.len() >= PROBLEMS && severity == Severity::Warning {
            if !self.full {
                self.full = true;
                self.problems.push(Problem::of_document(format!(
                    "there are more than {PROBLEMS} problems; further warnings are not told"
                )));
            }
            return;
        }
        let id: NodeId = self.live.id(path, node);
        self.problems.push(node.problem(&id, severity, kind, input, message));
    }
}

/// A value as it goes to the server: a list would be taken for a link.
fn wrapped(value: Value, spec: Option<&InputSpec>) -> Value {
    match value {
        Value::Null => Value::Null,
        value if spec.is_some_and(|spec| widget_type(spec) == "CURVE") => {
            json!({"__type__": "CURVE", "__value__": value})
        }
        Value::Array(_) => json!({ "__value__": value }),
        value => value,
    }
}
