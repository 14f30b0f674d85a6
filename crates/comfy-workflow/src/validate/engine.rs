//! The walk from an output node up its links.
//!
//! A server recurses from node to node and ends at Python's limit of depth; this walk keeps its own stack, so that its depth
//! is bounded by [`Profile::depth`](super::Profile) and takes no stack of its own.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::checks::{CheckInputs, CheckResult, Validator};
use super::errors::{ErrorDetail, ErrorType};
use super::python::{Raised, type_name};
use super::{Options, Order, links, python, values};
use crate::Link;
use crate::schema::InputSpec;

/// What is known of a node that was looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Memo {
    pub(super) valid: bool,
    pub(super) errors: Vec<ErrorDetail>,
}

pub(super) struct Engine<'a> {
    pub(super) nodes: Map<String, Value>,
    pub(super) memo: IndexMap<String, Memo>,
    options: &'a Options<'a>,
    path: Vec<Frame<'a>>,
}

/// A node that is being checked.
struct Frame<'a> {
    id: String,
    class_type: String,
    validator: Option<Validator>,
    inputs: std::vec::IntoIter<Input<'a>>,
    /// Names of all inputs that the class has, given the values.
    declared: Vec<String>,
    input_types: IndexMap<String, Value>,
    errors: Vec<ErrorDetail>,
    valid: bool,
}

struct Input<'a> {
    name: String,
    required: bool,
    /// What a report of its absence calls it.
    short_name: String,
    spec: &'a InputSpec,
}

/// What follows from looking at one input.
enum Step {
    Next,
    /// The node `id` has to be looked at, for the sake of `input`.
    Descend {
        id: String,
        input: Consumer,
    },
}

/// The linked input for whose sake a node is looked at.
struct Consumer {
    name: String,
    config: Value,
    link: Value,
}

impl<'a> Engine<'a> {
    pub(super) fn new(nodes: Map<String, Value>, options: &'a Options<'a>) -> Self {
        Self { nodes, memo: IndexMap::new(), options, path: Vec::new() }
    }

    /// Checks an output node with all that feeds it, and notes the result under its id.
    pub(super) fn check_output(&mut self, id: &str) -> Memo {
        if let Err(raised) = self.walk(id) {
            let error = ErrorDetail::new(
                ErrorType::ExceptionDuringValidation,
                "Exception when validating node",
                raised.message,
            );
            let error =
                error.with("exception_type", raised.exception_type).with("traceback", Value::Array(vec![]));
            self.memo.insert(id.to_owned(), Memo { valid: false, errors: vec![error] });
        }
        self.memo.get(id).cloned().unwrap_or_default()
    }

    fn walk(&mut self, output: &str) -> Result<(), Raised> {
        if self.memo.contains_key(output) {
            return Ok(());
        }
        let mut consumers: Vec<Consumer> = Vec::new();
        let first = self.enter(output)?;
        self.path.push(first);
        while let Some(mut frame) = self.path.pop() {
            let outcome = match self.step(&mut frame) {
                Ok(Some(Step::Next)) => {
                    self.path.push(frame);
                    continue;
                }
                Ok(Some(Step::Descend { id, input })) => {
                    self.path.push(frame);
                    match self.descend(&id) {
                        Ok(Some(child)) => {
                            self.path.push(child);
                            consumers.push(input);
                            continue;
                        }
                        Ok(None) => self.absorb(&id),
                        Err(raised) => self.blame(&id, &input, raised),
                    }
                    continue;
                }
                Ok(None) => self.finish(&mut frame),
                Err(raised) => Err(raised),
            };
            // The node is done; the one it feeds, if any, learns of it.
            match (consumers.pop(), outcome) {
                (Some(_), Ok(())) => self.absorb(&frame.id),
                (Some(input), Err(raised)) => self.blame(&frame.id, &input, raised),
                (None, outcome) => return outcome,
            }
        }
        Ok(())
    }

    /// The node on top of the path takes over that what feeds it is not in order.
    fn absorb(&mut self, source: &str) {
        let valid = self.memo.get(source).is_some_and(|memo| memo.valid);
        if let Some(frame) = self.path.last_mut() {
            frame.valid &= valid;
        }
    }

    /// Notes that looking at `source` failed, in the words of the input that it feeds.
    fn blame(&mut self, source: &str, input: &Consumer, raised: Raised) {
        let error = ErrorDetail::new(
            ErrorType::ExceptionDuringInnerValidation,
            "Exception when validating inner node",
            raised.message.as_str(),
        );
        let error = error
            .with("input_name", input.name.as_str())
            .with("input_config", input.config.clone())
            .with("exception_message", raised.message)
            .with("exception_type", raised.exception_type)
            .with("traceback", Value::Array(vec![]))
            .with("linked_node", input.link.clone());
        self.memo.insert(source.to_owned(), Memo { valid: false, errors: vec![error] });
        self.absorb(source);
    }

    /// A frame for the node, or nothing when its result is known already.
    fn descend(&mut self, id: &str) -> Result<Option<Frame<'a>>, Raised> {
        if self.path.len() >= self.options.profile.depth() {
            let message = "maximum recursion depth exceeded while calling a Python object";
            return Err(Raised::new("RecursionError", message));
        }
        if self.memo.contains_key(id) {
            return Ok(None);
        }
        if self.options.profile.is_modern()
            && let Some(start) = self.path.iter().position(|frame| frame.id == id)
        {
            self.note_cycle(start);
            return Ok(None);
        }
        self.enter(id).map(Some)
    }

    /// Notes the cycle that the path makes from `start` on. A later cycle through the same node wins over an earlier one.
    fn note_cycle(&mut self, start: usize) {
        let cycle = self.path.get(start..).unwrap_or_default();
        let ids: Vec<&str> = cycle.iter().map(|frame| frame.id.as_str()).collect();
        let mut chain: Vec<String> =
            cycle.iter().map(|frame| format!("{} ({})", frame.id, frame.class_type)).collect();
        chain.extend(chain.first().cloned());
        let details = chain.join(" -> ");
        for id in &ids {
            let error =
                ErrorDetail::new(ErrorType::DependencyCycle, "Dependency cycle detected", details.as_str())
                    .with("node_id", *id)
                    .with("cycle_nodes", ids.clone());
            self.memo.insert((*id).to_owned(), Memo { valid: false, errors: vec![error] });
        }
    }

    /// Begins with a node.
    fn enter(&self, id: &str) -> Result<Frame<'a>, Raised> {
        let options = self.options;
        let node =
            self.nodes.get(id).ok_or_else(|| Raised::new("KeyError", python::repr(&Value::from(id))))?;
        let class_type = node.get("class_type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let inputs = node.get("inputs").ok_or_else(|| Raised::new("KeyError", "'inputs'"))?;
        let Some(schema) = options.schemas.get(&class_type) else {
            let class = options.checks.undescribed(&class_type).unwrap_or_default();
            return Err(Raised::new(&class.exception_type, class.message));
        };
        let none = Map::new();
        let mut resolved: Vec<Input<'a>> = schema
            .resolve(inputs.as_object().unwrap_or(&none))
            .into_iter()
            .map(|input| Input {
                required: input.required && (!input.grown || options.profile.demands_grown()),
                short_name: match input.name.rsplit_once('.') {
                    Some((_, last)) if schema.v3 => last.to_owned(),
                    _ => input.name.clone().into_owned(),
                },
                name: input.name.into_owned(),
                spec: input.spec,
            })
            .collect();
        let declared: Vec<String> = resolved.iter().map(|input| input.name.clone()).collect();
        if options.order == Order::HashSeedZero {
            let mut places: Vec<Option<Input<'a>>> = resolved.into_iter().map(Some).collect();
            let order = python::hash_seed_zero(&declared);
            resolved = order.into_iter().filter_map(|index| places.get_mut(index)?.take()).collect();
        }
        Ok(Frame {
            id: id.to_owned(),
            validator: options.checks.validator(&class_type),
            class_type,
            inputs: resolved.into_iter(),
            declared,
            input_types: IndexMap::new(),
            errors: Vec::new(),
            valid: true,
        })
    }

    /// Looks at the next input of the node; nothing when there is none left.
    fn step(&mut self, frame: &mut Frame<'a>) -> Result<Option<Step>, Raised> {
        let Some(input) = frame.inputs.next() else { return Ok(None) };
        let Some(value) = self.value(&frame.id, &input.name)? else {
            if input.required {
                let error = ErrorDetail::new(
                    ErrorType::RequiredInputMissing,
                    "Required input is missing",
                    input.short_name,
                );
                frame.errors.push(error.with("input_name", input.name));
            }
            return Ok(Some(Step::Next));
        };
        if let Value::Array(link) = &value {
            return self.link(frame, &input, link).map(Some);
        }
        let ranges = !frame.validator.as_ref().is_some_and(|validator| validator.takes(&input.name));
        let checked = values::check(&input.name, input.spec, value, ranges, self.options)?;
        frame.errors.extend(checked.error);
        let inputs = self.nodes.get_mut(&frame.id).and_then(|node| node.get_mut("inputs")?.as_object_mut());
        if let Some(slot) = inputs.and_then(|inputs| inputs.get_mut(&input.name)) {
            *slot = checked.value;
        }
        Ok(Some(Step::Next))
    }

    fn link(&self, frame: &mut Frame<'a>, input: &Input<'a>, link: &[Value]) -> Result<Step, Raised> {
        let config = input.spec.config();
        if link.len() != 2 {
            let message = "Bad linked input, must be a length-2 list of [node_id, slot_index]";
            let error = ErrorDetail::new(ErrorType::BadLinkedInput, message, input.name.as_str());
            frame.errors.push(
                error
                    .with("input_name", input.name.as_str())
                    .with("input_config", config)
                    .with("received_value", link),
            );
            return Ok(Step::Next);
        }
        // The node itself is on its way back to the path, so `nodes` still has all of them.
        let source = links::source(link, &self.nodes, self.options)?;
        frame.input_types.insert(input.name.clone(), source.received_type.clone());
        let left_to_node =
            source.open || frame.validator.as_ref().is_some_and(|validator| validator.takes_input_types);
        if !left_to_node && !links::compatible(&source.received_type, input.spec, self.options) {
            let details = format!(
                "{}, received_type({}) mismatch input_type({})",
                input.name,
                python::str(&source.received_type),
                python::str(input.spec.raw_type())
            );
            let message = "Return type mismatch between linked nodes";
            let error = ErrorDetail::new(ErrorType::ReturnTypeMismatch, message, details);
            frame.errors.push(
                error
                    .with("input_name", input.name.as_str())
                    .with("input_config", config)
                    .with("received_type", source.received_type)
                    .with("linked_node", link),
            );
            return Ok(Step::Next);
        }
        let input = Consumer { name: input.name.clone(), config, link: Value::from(link) };
        Ok(Step::Descend { id: source.id, input })
    }

    /// The value of an input, or the failure of looking for it in what is no object (before 0.30.0).
    fn value(&self, id: &str, name: &str) -> Result<Option<Value>, Raised> {
        match self.nodes.get(id).and_then(|node| node.get("inputs")) {
            None => Ok(None),
            Some(Value::Object(inputs)) => Ok(inputs.get(name).cloned()),
            Some(Value::Array(items)) if items.iter().any(|item| item == name) => {
                Err(Raised::type_error("list indices must be integers or slices, not str"))
            }
            Some(Value::String(text)) if text.contains(name) => {
                Err(Raised::type_error("string indices must be integers, not 'str'"))
            }
            Some(Value::Array(_) | Value::String(_)) => Ok(None),
            Some(other) => {
                Err(Raised::type_error(format!("argument of type '{}' is not iterable", type_name(other))))
            }
        }
    }

    /// Ends with a node: its own check, then the note of the result.
    fn finish(&mut self, frame: &mut Frame<'a>) -> Result<(), Raised> {
        self.own_check(frame)?;
        let mut errors = std::mem::take(&mut frame.errors);
        let mut valid = frame.valid && errors.is_empty();
        if self.options.profile.is_modern()
            && let Some(cycle) = self.memo.get_mut(&frame.id)
        {
            // Only a cycle through this node can have left a note while it was being checked.
            errors.splice(0..0, std::mem::take(&mut cycle.errors));
            valid = false;
        }
        self.memo.insert(frame.id.clone(), Memo { valid, errors });
        Ok(())
    }

    fn own_check(&self, frame: &mut Frame<'a>) -> Result<(), Raised> {
        let Some(validator) = frame.validator.as_ref().filter(|validator| validator.is_called()) else {
            return Ok(());
        };
        let given = self.nodes.get(&frame.id).and_then(|node| node.get("inputs")?.as_object());
        let values = given
            .into_iter()
            .flatten()
            .filter(|(name, _)| frame.declared.contains(*name) && validator.takes(name))
            .map(|(name, value)| {
                let value = if Link::from_value(value).is_some() { Value::Null } else { value.clone() };
                (name.clone(), value)
            })
            .collect();
        let input_types = if validator.takes_input_types {
            std::mem::take(&mut frame.input_types)
        } else {
            IndexMap::new()
        };
        let inputs = CheckInputs { values, input_types };
        if let Some(raised) = validator.missing(&inputs) {
            return Err(raised);
        }
        let text = match self.options.checks.check(&frame.class_type, &inputs) {
            CheckResult::Passed => return Ok(()),
            CheckResult::Raised { exception_type, message } => {
                return Err(Raised { exception_type, message });
            }
            CheckResult::Failed(text) => text,
        };
        let types = validator.takes_input_types.then_some("input_types");
        for name in inputs.values.keys().map(String::as_str).chain(types) {
            let details = text.as_ref().map_or_else(|| name.to_owned(), |text| format!("{name} - {text}"));
            let message = "Custom validation failed for node";
            let error = ErrorDetail::new(ErrorType::CustomValidationFailed, message, details);
            frame.errors.push(error.with("input_name", name));
        }
        Ok(())
    }
}
