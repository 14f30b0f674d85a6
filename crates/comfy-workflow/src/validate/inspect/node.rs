//! The look at one node.

use serde_json::{Map, Value};

use super::reach::Reach;
use super::{links, refusal};
use crate::NodeId;
use crate::schema::{Comparisons, InputType, NodeSchema, ResolvedInput, Section};
use crate::validate::errors::{ErrorDetail, NodeError};
use crate::validate::facts::{Facts, Waiver, is_known};
use crate::validate::killers::{CHAIN, chain_text, huge_slot, is_nested_too_deep, run_link};
use crate::validate::near::nearest;
use crate::validate::problem::{Allowed, CHOICES, Effect, Problem, ProblemKind};
use crate::validate::python::{equal, str, truth};
use crate::validate::report::{list, value};
use crate::validate::{ErrorType, Line, NodeErrors, Options, Report, values};
use crate::workflow::clip;

/// A node and all that is around it.
pub(super) struct Look<'a> {
    pub(super) id: &'a str,
    pub(super) nodes: &'a Map<String, Value>,
    pub(super) options: &'a Options<'a>,
    pub(super) likely: &'a Facts<'a>,
    pub(super) doubtful: &'a Facts<'a>,
    pub(super) reach: &'a Reach<'a>,
    pub(super) comparisons: &'a Comparisons,
}

/// The node with its class.
pub(super) struct Place<'a> {
    pub(super) look: &'a Look<'a>,
    pub(super) schema: &'a NodeSchema,
    /// Whether the server checks the node.
    pub(super) checked: bool,
}

impl<'a> Look<'a> {
    pub(super) fn at(&self, node: &Value, problems: &mut Vec<Problem>) {
        let Some(fields) = node.as_object() else {
            problems.push(self.malformed("", "is no object"));
            return;
        };
        let inputs = fields.get("inputs").and_then(Value::as_object).into_iter().flatten();
        let others = fields.iter().filter(|(name, value)| *name != "inputs" || !value.is_object());
        for (name, _) in inputs.chain(others).filter(|(_, value)| is_nested_too_deep(value)) {
            let text = format!("{} is nested too deep, over which the server stops", clip(name));
            let problem = Problem::new(ProblemKind::NestedTooDeep, self.line("", text));
            problems.push(problem.with_effect(Effect::DeadWorker));
        }
        let class_type = match fields.get("class_type") {
            Some(Value::String(class_type)) => class_type,
            None | Some(Value::Null) => {
                let line = self.line("", "has no class_type");
                problems.push(
                    Problem::new(ProblemKind::Reported(ErrorType::MissingNodeType), line)
                        .with_effect(Effect::Refused),
                );
                return;
            }
            Some(other) => {
                let text = format!("the class_type {} is no text", value(other));
                problems.push(self.malformed("", text).found(other.clone()));
                return;
            }
        };
        let Some(schema) = self.options.schemas.get(class_type) else {
            if self.options.checks.undescribed(class_type).is_none() {
                problems.push(self.unknown_class(class_type));
            }
            return;
        };
        if self.reach.is_idle(self.id) {
            let line = self.line(class_type, "feeds no output, so it does not run");
            problems.push(Problem::new(ProblemKind::UnreachableNode, line));
        }
        if let Some((_, length)) = self.reach.chain.filter(|(id, length)| *id == self.id && *length > CHAIN) {
            let line = self.line(class_type, chain_text(length));
            problems.push(Problem::new(ProblemKind::ChainTooLong, line).with_effect(Effect::DeadWorker));
        }
        let checked = self.reach.is_checked(self.id);
        match fields.get("inputs") {
            Some(Value::Object(inputs)) => Place { look: self, schema, checked }.inputs(inputs, problems),
            None => {
                let line = self.line(class_type, "the node has no inputs; give it an empty object of them");
                let effect = if checked { Effect::Refused } else { Effect::DeadWorker };
                problems.push(Problem::new(ProblemKind::NoInputs, line).with_effect(effect));
            }
            Some(other) => {
                let text = format!("the inputs are {}, not an object", value(other));
                problems.push(self.malformed(class_type, text).found(other.clone()));
            }
        }
    }

    pub(super) fn line(&self, class_type: &str, text: impl Into<String>) -> Line {
        Line {
            node: Some(NodeId::from(self.id)),
            class_type: Some(class_type.to_owned()).filter(|class_type| !class_type.is_empty()),
            text: text.into(),
            ..Line::default()
        }
    }

    fn malformed(&self, class_type: &str, text: impl Into<String>) -> Problem {
        let line = self.line(class_type, text);
        Problem::new(ProblemKind::MalformedNode, line).with_effect(Effect::Refused)
    }

    fn unknown_class(&self, class_type: &str) -> Problem {
        let near =
            nearest(class_type, self.comparisons.of(self.options.schemas.iter().map(|(name, _)| name)));
        let text = format!("the server has no such class; a custom node may be missing{}", hint(&near, ""));
        let line = self.line(class_type, text);
        // Newer servers replace classes that they no longer have, and any server may have one that it fails to describe.
        let replaced = self.options.profile.is_modern() && self.options.replacements.is_none();
        let certain = !replaced && self.reach.is_checked(self.id);
        Problem::new(ProblemKind::Reported(ErrorType::MissingNodeType), line)
            .with_effect(refusal(true, certain))
            .found(Value::from(class_type))
            .nearest(near)
    }
}

impl Place<'_> {
    fn inputs(&self, inputs: &Map<String, Value>, problems: &mut Vec<Problem>) {
        let resolved = self.schema.resolve(inputs);
        for input in &resolved {
            match inputs.get(&*input.name) {
                Some(Value::Array(link)) => problems.extend(links::check(self, input, link)),
                Some(given) => self.value(input, given, problems),
                None if input.required && (!input.grown || self.look.options.profile.demands_grown()) => {
                    problems.push(self.missing(input, inputs));
                }
                None => {}
            }
        }
        self.undecided(inputs, problems);
        for (name, given) in inputs {
            if !resolved.iter().any(|input| input.name == *name) {
                self.undeclared(name, given, &resolved, inputs, problems);
            }
        }
    }

    pub(super) fn line(&self, input: &str, text: impl Into<String>) -> Line {
        Line { input: Some(input.to_owned()), ..self.look.line(&self.schema.name, text) }
    }

    fn missing(&self, input: &ResolvedInput<'_>, inputs: &Map<String, Value>) -> Problem {
        let stray = inputs.keys().map(String::as_str).filter(|name| self.schema.input(name).is_none());
        let near = nearest(&input.name, self.look.comparisons.of(stray));
        let line = self.line(&input.name, "required, but missing");
        let problem = Problem::new(ProblemKind::Reported(ErrorType::RequiredInputMissing), line);
        let problem = problem.with_effect(refusal(self.checked, true)).nearest(near);
        Problem { allowed: allowed(input, None), ..problem }
    }

    /// A value of its own.
    fn value(&self, input: &ResolvedInput<'_>, given: &Value, problems: &mut Vec<Problem>) {
        let name = &*input.name;
        if let Some(wrapped) = given.get("__value__")
            && let Some(source) = run_link(wrapped)
            && !converts(&input.spec.kind)
        {
            problems.push(links::wrapped(self, name, wrapped, source));
            return;
        }
        let waiver = self.look.likely.waiver(&self.schema.name, name);
        if waiver == Waiver::File {
            problems.extend(self.file(input, given));
        }
        let looked_at = matches!(waiver, Waiver::None | Waiver::Perhaps);
        let Ok(checked) = values::check(name, input.spec, given.clone(), looked_at, self.look.options) else {
            return;
        };
        if let Some(error) = checked.error {
            let certain = waiver == Waiver::None || error.kind == ErrorType::InvalidInputType;
            problems.push(self.reported(input, &error).with_effect(refusal(self.checked, certain)));
        } else if let Some(taken) = changed(&input.spec.kind, given, &checked.value) {
            let line = self.line(name, format!("{} is taken as {}", value(given), value(&taken)));
            problems.push(Problem::new(ProblemKind::ConvertedValue, line).found(given.clone()));
        }
    }

    /// A problem in the words of the server's report.
    pub(super) fn reported(&self, input: &ResolvedInput<'_>, error: &ErrorDetail) -> Problem {
        let none = NodeErrors::default();
        let report = Report::new(None, &none).schemas(self.look.options.schemas);
        let report = report.comparisons(self.look.comparisons);
        let node = NodeError { class_type: self.schema.name.clone(), ..NodeError::default() };
        let line = report.of_node(&NodeId::from(self.look.id), &node, error);
        let received = error.received_value().or_else(|| error.extra_info.get("received_type")).cloned();
        let choices = input.spec.choices();
        let near = match (&received, &error.kind) {
            (Some(received), ErrorType::ValueNotInList) => self.nearest_choices(received, choices),
            _ => Vec::new(),
        };
        let problem = Problem::new(ProblemKind::Reported(error.kind.clone()), line).nearest(near);
        Problem { found: received, allowed: allowed(input, Some(&error.kind)), ..problem }
    }

    /// Texts among the choices that are like a value; for a number also one that is written alike.
    fn nearest_choices<'c>(&self, received: &Value, choices: &'c [Value]) -> Vec<&'c str> {
        let wanted = match received {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => str(received),
            _ => return Vec::new(),
        };
        nearest(&wanted, self.look.comparisons.of(choices.iter().filter_map(Value::as_str)))
    }

    /// A file of the server that it does not list.
    fn file(&self, input: &ResolvedInput<'_>, given: &Value) -> Option<Problem> {
        let choices = input.spec.choices();
        let name = given.as_str().filter(|_| !choices.iter().any(|choice| equal(choice, given)))?;
        let near = nearest(name, self.look.comparisons.of(choices.iter().filter_map(Value::as_str)));
        let missing = self.look.likely.is_missing_file(&self.schema.name, &input.name, given);
        let text = match missing {
            true => format!("{} is not among the server's files{}", value(given), hint(&near, "\"")),
            false => format!(
                "{} is not among the files that the server lists, but may lie elsewhere",
                value(given)
            ),
        };
        let (kind, effect) = match missing {
            true => (ErrorType::CustomValidationFailed.into(), refusal(self.checked, false)),
            false => (ProblemKind::UnlistedFile, Effect::None),
        };
        let problem = Problem::new(kind, self.line(&input.name, text)).with_effect(effect);
        let problem = problem.found(given.clone()).nearest(near);
        Some(Problem { allowed: allowed(input, Some(&ErrorType::ValueNotInList)), ..problem })
    }

    /// Dynamic combos without a choice that they have: servers do not mind, and the node fails.
    fn undecided(&self, inputs: &Map<String, Value>, problems: &mut Vec<Problem>) {
        let run = self.look.reach.is_run(self.look.id);
        let when_run = |effect| if run { effect } else { Effect::None };
        for spec in &self.schema.inputs {
            let InputType::DynamicCombo(options) = &spec.kind else { continue };
            let keys: Vec<Value> = options.iter().map(|option| Value::from(option.key.as_str())).collect();
            let given = inputs.get(&*spec.name);
            let problem = match given {
                Some(given) if keys.contains(given) => continue,
                None if spec.section != Section::Required => continue,
                None => {
                    let line = self.line(&spec.name, "required, but missing");
                    Problem::new(ErrorType::RequiredInputMissing.into(), line)
                        .with_effect(when_run(Effect::FailedRun))
                }
                Some(given) => {
                    match run_link(given).filter(|source| !self.look.nodes.contains_key(*source)) {
                        Some(source) => {
                            let text = format!(
                                "a link leads to node {}, which is not in the workflow",
                                clip(source)
                            );
                            Problem::new(ProblemKind::LinkToMissingNode, self.line(&spec.name, text))
                                .with_effect(when_run(Effect::DeadWorker))
                        }
                        None => {
                            let near = self.nearest_choices(given, &keys);
                            let text = format!(
                                "{} is not one of {}{}",
                                value(given),
                                list(&keys),
                                hint(&near, "\"")
                            );
                            Problem::new(ErrorType::ValueNotInList.into(), self.line(&spec.name, text))
                                .with_effect(when_run(Effect::FailedRun))
                                .nearest(near)
                        }
                    }
                }
            };
            problems.push(Problem { found: given.cloned(), allowed: Some(choices(&keys)), ..problem });
        }
    }

    /// An input that the class does not declare.
    fn undeclared(
        &self,
        name: &str,
        given: &Value,
        resolved: &[ResolvedInput<'_>],
        inputs: &Map<String, Value>,
        problems: &mut Vec<Problem>,
    ) {
        // That one has been told of.
        if self.schema.input(name).is_some_and(|spec| matches!(spec.kind, InputType::DynamicCombo(_))) {
            return;
        }
        let free = resolved.iter().map(|input| &*input.name).filter(|name| !inputs.contains_key(*name));
        let near = nearest(name, self.look.comparisons.of(free));
        let run = self.look.reach.is_run(self.look.id);
        let (text, effect) = match run_link(given) {
            Some(source) if !self.look.nodes.contains_key(source) => {
                let text = format!(
                    "the class does not declare it, and its link leads to node {}, which is not in the workflow",
                    clip(source)
                );
                (text, if run { Effect::DeadWorker } else { Effect::None })
            }
            Some(source) if huge_slot(given).is_some() => {
                let text = format!(
                    "the class does not declare it, and its link leads to an output of node {} that no node has",
                    clip(source)
                );
                (text, if run { Effect::DeadWorker } else { Effect::None })
            }
            Some(_) if is_known(self.schema) => {
                let text = "the class does not declare it, and fails on a link in it".to_owned();
                (text, if run { Effect::FailedRun } else { Effect::None })
            }
            _ if self.schema.hidden.contains_key(name) => {
                ("the server fills it itself".to_owned(), Effect::None)
            }
            _ => ("the class does not declare it".to_owned(), Effect::None),
        };
        let line = self.line(name, format!("{text}{}", hint(&near, "")));
        let problem = Problem::new(ProblemKind::UndeclaredInput, line).with_effect(effect);
        problems.push(problem.found(given.clone()).nearest(near));
    }
}

impl From<ErrorType> for ProblemKind {
    fn from(kind: ErrorType) -> Self {
        Self::Reported(kind)
    }
}

/// `; did you mean …?`, when there is something near.
pub(super) fn hint(near: &[&str], quote: &str) -> String {
    near.first().map(|near| format!("; did you mean {quote}{}{quote}?", clip(near))).unwrap_or_default()
}

fn choices(values: &[Value]) -> Allowed {
    Allowed::Choices { first: values.iter().take(CHOICES).cloned().collect(), total: values.len() }
}

/// What is allowed in an input.
fn allowed(input: &ResolvedInput<'_>, kind: Option<&ErrorType>) -> Option<Allowed> {
    let range = || {
        let bound = |key: &str| input.spec.options.get(key).cloned();
        Allowed::Range { min: bound("min"), max: bound("max") }
    };
    Some(match kind {
        Some(ErrorType::ValueNotInList) => choices(input.spec.choices()),
        Some(ErrorType::ValueSmallerThanMin | ErrorType::ValueBiggerThanMax) => range(),
        _ if input.spec.kind == InputType::Combo => choices(input.spec.choices()),
        _ => Allowed::Type(input.spec.type_name().to_owned()),
    })
}

/// Whether the server turns a value of this type into a scalar, so that no list is left of it.
fn converts(kind: &InputType) -> bool {
    matches!(kind, InputType::Int | InputType::Float | InputType::String | InputType::Boolean)
}

/// What a server makes of a value, where that is hardly what was meant.
fn changed(kind: &InputType, given: &Value, taken: &Value) -> Option<Value> {
    let unlike = match kind {
        InputType::Int => given.as_f64().is_some_and(|number| number.fract() != 0.0) || given.is_boolean(),
        InputType::Boolean => match given {
            Value::Bool(_) => false,
            Value::String(text) => matches!(text.to_lowercase().as_str(), "false" | "no" | "off" | "0"),
            other => !other.is_number() && truth(other) != other.is_null(),
        },
        _ => false,
    };
    unlike.then(|| taken.clone())
}
