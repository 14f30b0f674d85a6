//! From what was written down to the nodes of a workflow.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::error::{BuildError, BuildProblem, BuildProblemKind};
use super::value::{Slot, Which};
use super::{Draft, Given, check};
use crate::schema::{InputSpec, InputType, NodeSchema, OutputSpec, Schemas, Section};
use crate::select::nearest;
use crate::validate::Line;
use crate::workflow::clip;
use crate::{Link, Node, Workflow};

pub(super) struct Resolver<'a> {
    drafts: &'a [Draft],
    schemas: Option<&'a Schemas>,
    /// By the place of their node.
    problems: Vec<(usize, BuildProblem)>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(drafts: &'a [Draft], schemas: Option<&'a Schemas>) -> Self {
        Self { drafts, schemas, problems: Vec::new() }
    }

    pub(super) fn run(mut self) -> Result<Workflow, BuildError> {
        let mut workflow = Workflow::new();
        let mut ids_differ = true;
        for (place, draft) in self.drafts.iter().enumerate() {
            let node = self.node(place, draft);
            if workflow.insert(draft.id.clone(), node).is_some() {
                ids_differ = false;
                let text = "another node has this id too; choose ids that differ";
                self.report(place, BuildProblemKind::DuplicateId, None, text);
            }
        }
        if ids_differ {
            self.check(&workflow);
        }
        if self.problems.is_empty() {
            return Ok(workflow);
        }
        self.problems.sort_by_key(|(place, _)| *place);
        Err(BuildError::new(self.problems.into_iter().map(|(_, problem)| problem).collect()))
    }

    /// The checks that look at more than one node.
    fn check(&mut self, workflow: &Workflow) {
        if let Err(cycle) = workflow.topological_order() {
            let line = Line { text: cycle.to_string(), ..Line::default() };
            self.problems.push((self.drafts.len(), BuildProblem { kind: BuildProblemKind::Cycle, line }));
            return;
        }
        let Some(schemas) = self.schemas else { return };
        for problem in check::check(workflow, schemas) {
            let node = problem.line.node.as_ref();
            let place = node.and_then(|id| self.drafts.iter().position(|draft| draft.id == *id));
            self.problems.push((place.unwrap_or(self.drafts.len()), problem));
        }
    }

    fn report(&mut self, place: usize, kind: BuildProblemKind, input: Option<&str>, text: impl Into<String>) {
        let Some(draft) = self.drafts.get(place) else { return };
        let line = Line {
            node: Some(draft.id.clone()),
            title: draft.title.clone(),
            class_type: Some(draft.class_type.clone()),
            input: input.map(str::to_owned),
            text: text.into(),
            ..Line::default()
        };
        self.problems.push((place, BuildProblem { kind, line }));
    }

    fn node(&mut self, place: usize, draft: &Draft) -> Node {
        let mut node = Node::new(&*draft.class_type);
        if let Some(title) = &draft.title {
            node.set_title(&**title);
        }
        let schema = self.schemas.and_then(|schemas| schemas.get(&draft.class_type));
        if let (None, Some(schemas)) = (schema, self.schemas) {
            let similar = schemas.similar(&draft.class_type);
            let hint = similar.map(|similar| format!("; did you mean `{}`?", clip(similar)));
            let text = format!(
                "the server has no such class; a custom node may be missing{}",
                hint.unwrap_or_default()
            );
            self.report(place, BuildProblemKind::UnknownClass, None, text);
        }
        // The names in a row can depend on the values of other inputs.
        for (name, input) in &draft.inputs {
            if !matches!(input.given, Given::Row(_)) {
                let value = self.value(place, name, &input.given);
                node.inputs.insert(name.clone(), value);
            }
        }
        for (name, input) in &draft.inputs {
            if let Given::Row(row) = &input.given {
                self.row(place, name, row, schema, &mut node.inputs);
            }
        }
        if let Some(schema) = schema {
            self.complete(place, draft, schema, &mut node.inputs);
        }
        node
    }

    fn value(&mut self, place: usize, name: &str, given: &Given) -> Value {
        let source = match given {
            Given::Value(list @ Value::Array(_)) => return json!({ "__value__": list }),
            Given::Value(value) => return value.clone(),
            // Rows are taken apart before.
            Given::Row(_) => return Value::Null,
            Given::Link(source, slot) => self.link(*source, slot),
            Given::Foreign => Err((
                BuildProblemKind::ForeignNode,
                "comes from a node of another builder; add that node to this one".to_owned(),
            )),
        };
        source.unwrap_or_else(|(kind, text)| {
            self.report(place, kind, Some(name), text);
            Link { node: check::NOWHERE, slot: 0 }.into()
        })
    }

    /// The link from an output of the node at `source`.
    fn link(&self, source: usize, slot: &Slot) -> Result<Value, (BuildProblemKind, String)> {
        let Some(draft) = self.drafts.get(source) else { return Ok(Value::Null) };
        let known = self.schemas.and_then(|schemas| schemas.get(&draft.class_type));
        let described = || format!("node {} ({})", clip(draft.id.as_str()), clip(&draft.class_type));
        let number = match (&slot.0, known) {
            (Which::Number(number), Some(schema)) => {
                let outputs = i64::try_from(schema.outputs.len()).unwrap_or(i64::MAX);
                (0..outputs).contains(number).then_some(*number)
            }
            (Which::Number(number), None) => Some(*number).filter(|number| *number >= 0),
            (Which::Name(name), Some(schema)) => named(name, &schema.outputs),
            // That the class is not known is said already.
            (Which::Name(_), None) if self.schemas.is_some() => {
                return Ok(Link { node: check::NOWHERE, slot: 0 }.into());
            }
            (Which::Name(_), None) => {
                let text = format!(
                    "output {slot} of {} is named, which takes schemas; use `build_with`, or its number",
                    described()
                );
                return Err((BuildProblemKind::NeedsSchemas, text));
            }
        };
        let Some(number) = number else {
            let outputs = known.map_or(&[][..], |schema| &schema.outputs);
            let text = format!("{} has no output {slot}{}", described(), hint(slot, outputs));
            return Err((BuildProblemKind::UnknownOutput, text));
        };
        Ok(Link { node: draft.id.as_str(), slot: number }.into())
    }

    fn row(
        &mut self,
        place: usize,
        name: &str,
        row: &[Given],
        schema: Option<&NodeSchema>,
        inputs: &mut Map<String, Value>,
    ) {
        let Some(schema) = schema else {
            if self.schemas.is_none() {
                let text = "a row takes schemas; use `build_with`, or set its inputs one by one";
                self.report(place, BuildProblemKind::NeedsSchemas, Some(name), text);
            }
            return;
        };
        let resolved = schema.resolve(inputs);
        let elements = resolved.iter().filter(|input| {
            let element = input.name.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
            input.grown && element.is_some_and(|element| !element.contains('.'))
        });
        let names: Vec<String> = elements.map(|input| input.name.to_string()).collect();
        if names.is_empty() {
            self.report(place, BuildProblemKind::UnknownInput, Some(name), "no such row of inputs");
        } else if names.len() < row.len() {
            let text = format!("takes at most {} values, not {}", names.len(), row.len());
            self.report(place, BuildProblemKind::InvalidValue, Some(name), text);
        }
        for (name, given) in names.into_iter().zip(row) {
            let value = self.value(place, &name, given);
            inputs.insert(name, value);
        }
    }

    /// Puts the defaults of required inputs, and reports inputs that are not in the schema.
    fn complete(
        &mut self,
        place: usize,
        draft: &Draft,
        schema: &NodeSchema,
        inputs: &mut Map<String, Value>,
    ) {
        let mut wrong = Vec::new();
        self.choose(place, &schema.inputs, None, inputs, &mut wrong);
        for input in schema.resolve(&inputs.clone()) {
            if let Some(default) = input.spec.default()
                && input.required
                && !input.grown
            {
                inputs.entry(input.name.as_ref()).or_insert_with(|| wrapped(default));
            }
        }
        let resolved = schema.resolve(inputs);
        let declared: HashSet<&str> = resolved.iter().map(|input| input.name.as_ref()).collect();
        // What an option brings is not known where the option is not.
        let is_open = |name: &str| {
            wrong.iter().any(|wrong: &String| {
                name.strip_prefix(&**wrong).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        for (name, input) in &draft.inputs {
            let is_row = matches!(input.given, Given::Row(_));
            if is_row || input.is_undeclared || declared.contains(&**name) || is_open(name) {
                continue;
            }
            let names = resolved.iter().map(|input| input.name.as_ref());
            let text = format!("no such input{}", nearest(name, names));
            self.report(place, BuildProblemKind::UnknownInput, Some(name), text);
        }
    }

    /// Goes through dynamic combos, which decide what other inputs there are: puts their defaults, and reports those that are
    /// missing or none of the options. Servers pass over both, and fail when the node runs.
    fn choose(
        &mut self,
        place: usize,
        specs: &[InputSpec],
        parent: Option<&str>,
        inputs: &mut Map<String, Value>,
        wrong: &mut Vec<String>,
    ) {
        for spec in specs {
            let InputType::DynamicCombo(options) = &spec.kind else { continue };
            let name =
                parent.map_or_else(|| spec.name.to_string(), |parent| format!("{parent}.{}", spec.name));
            let is_required = spec.section == Section::Required;
            if let Some(default) = spec.default().filter(|_| is_required) {
                inputs.entry(&*name).or_insert_with(|| default.clone());
            }
            let chosen = inputs.get(&name);
            let key = chosen.and_then(Value::as_str);
            if let Some(option) = options.iter().find(|option| Some(&*option.key) == key) {
                self.choose(place, &option.inputs, Some(&name), inputs, wrong);
                continue;
            }
            let keys = || options.iter().map(|option| &*option.key);
            let (kind, text) = match chosen {
                None if !is_required => continue,
                None => {
                    let text = format!("required, but missing{}", nearest("", keys()));
                    (BuildProblemKind::MissingInput, text)
                }
                Some(value) => {
                    let shown = match (key, Link::from_value(value)) {
                        (Some(key), _) => format!("`{}`", clip(key)),
                        (None, Some(_)) => "a link".to_owned(),
                        (None, None) => format!("`{}`", clip(&value.to_string())),
                    };
                    let text = format!("{shown} is no option{}", nearest(key.unwrap_or_default(), keys()));
                    (BuildProblemKind::InvalidValue, text)
                }
            };
            self.report(place, kind, Some(&name), text);
            wrong.push(name);
        }
    }
}

/// The number of the output of this name, else of the only one of this type.
fn named(name: &str, outputs: &[OutputSpec]) -> Option<i64> {
    let only = |found: &mut dyn Iterator<Item = usize>| match (found.next(), found.next()) {
        (Some(number), None) => i64::try_from(number).ok(),
        _ => None,
    };
    let outputs = || outputs.iter().enumerate();
    let mut with_name = outputs().filter(|(_, output)| &*output.name == name).map(|(number, _)| number);
    let mut of_type = outputs().filter(|(_, output)| &*output.type_name == name).map(|(number, _)| number);
    match outputs().any(|(_, output)| &*output.name == name) {
        true => only(&mut with_name),
        false => only(&mut of_type),
    }
}

/// The outputs that there are.
fn hint(slot: &Slot, outputs: &[OutputSpec]) -> String {
    match &slot.0 {
        Which::Name(name)
            if outputs.iter().any(|output| &*output.name == name || &*output.type_name == name) =>
        {
            "; several are called so, name it by its number".to_owned()
        }
        Which::Name(name) => nearest(name, outputs.iter().map(|output| &*output.name)),
        Which::Number(_) => match outputs.len() {
            0 => String::new(),
            1 => "; the only one is 0".to_owned(),
            several => format!("; the last is {}", several - 1),
        },
    }
}

fn wrapped(value: &Value) -> Value {
    match value {
        list @ Value::Array(_) => json!({ "__value__": list }),
        value => value.clone(),
    }
}
