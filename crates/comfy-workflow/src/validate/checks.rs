use indexmap::IndexMap;
use serde_json::Value;

use super::python::Raised;

/// What node classes check themselves.
///
/// A class may bring a validator of its own, in code that no description shows. A client cannot know it and uses
/// [`NoChecks`]; a simulator knows those of the classes it simulates.
pub trait NodeChecks {
    /// The validator of a class, when it has one.
    fn validator(&self, class_type: &str) -> Option<Validator> {
        let _ = class_type;
        None
    }

    /// Runs the validator of a class on the values of a node.
    fn check(&self, class_type: &str, inputs: &CheckInputs) -> CheckResult {
        let _ = (class_type, inputs);
        CheckResult::Passed
    }

    /// A class that the server has and cannot describe, because its description fails. It is not in the schemas.
    fn undescribed(&self, class_type: &str) -> Option<Undescribed> {
        let _ = class_type;
        None
    }

    /// Whether nodes of a class may have more outputs than its description says, and of other types. Some packs count on it
    /// that a server looks types up in what only looks like a list, and compares what only looks like a text.
    fn has_open_outputs(&self, class_type: &str) -> bool {
        let _ = class_type;
        false
    }
}

/// Nodes that check nothing themselves.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoChecks;

impl NodeChecks for NoChecks {}

/// What the validator of a class wants to see. Range and list checks are left out for the inputs it takes over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Validator {
    /// Its name in error texts, such as `LoadImage.VALIDATE_INPUTS`.
    pub name: String,
    /// The inputs it names, and whether they have to be there.
    pub arguments: Vec<(String, bool)>,
    /// Whether it takes all other inputs as well.
    pub takes_all: bool,
    /// Whether it takes the types of linked inputs; the server then leaves their checking to it.
    pub takes_input_types: bool,
}

impl Validator {
    /// A validator of this name, which takes nothing.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// It takes over this input, which has to be there.
    #[must_use]
    pub fn required(mut self, input: impl Into<String>) -> Self {
        self.arguments.push((input.into(), true));
        self
    }

    /// It takes over this input, when it is there.
    #[must_use]
    pub fn optional(mut self, input: impl Into<String>) -> Self {
        self.arguments.push((input.into(), false));
        self
    }

    /// It takes over all inputs.
    #[must_use]
    pub fn all(mut self) -> Self {
        self.takes_all = true;
        self
    }

    /// It takes over the checking of types.
    #[must_use]
    pub fn input_types(mut self) -> Self {
        self.takes_input_types = true;
        self
    }

    /// Whether it takes over this input.
    #[must_use]
    pub fn takes(&self, input: &str) -> bool {
        self.takes_all || self.arguments.iter().any(|(name, _)| name == input)
    }

    /// A validator without arguments is never called.
    pub(super) fn is_called(&self) -> bool {
        self.takes_all || self.takes_input_types || !self.arguments.is_empty()
    }

    /// What Python says when required arguments are missing.
    pub(super) fn missing(&self, inputs: &CheckInputs) -> Option<Raised> {
        let missing: Vec<String> = self
            .arguments
            .iter()
            .filter(|(name, required)| *required && !inputs.values.contains_key(name))
            .map(|(name, _)| format!("'{name}'"))
            .collect();
        let listed = match missing.as_slice() {
            [] => return None,
            [one] => one.clone(),
            [one, two] => format!("{one} and {two}"),
            [most @ .., last] => format!("{}, and {last}", most.join(", ")),
        };
        let plural = if missing.len() == 1 { "" } else { "s" };
        Some(Raised::type_error(format!(
            "{}() missing {} required positional argument{plural}: {listed}",
            self.name,
            missing.len()
        )))
    }
}

/// What a validator gets to see of a node.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct CheckInputs {
    /// The inputs it takes over that the node has. Links are null.
    pub values: IndexMap<String, Value>,
    /// The types of linked inputs, for validators that take these.
    pub input_types: IndexMap<String, Value>,
}

/// What a validator says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckResult {
    /// All is well.
    Passed,
    /// Something is wrong; the text says what, when there is one.
    Failed(Option<String>),
    /// The validator failed itself, with a Python exception.
    Raised {
        /// The class of the exception, such as `AttributeError`.
        exception_type: String,
        /// Its text.
        message: String,
    },
}

impl CheckResult {
    /// Something is wrong.
    #[must_use]
    pub fn failed(text: impl Into<String>) -> Self {
        Self::Failed(Some(text.into()))
    }

    /// The validator failed itself.
    #[must_use]
    pub fn raised(exception_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Raised { exception_type: exception_type.into(), message: message.into() }
    }
}

/// A class that exists and cannot be described.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Undescribed {
    /// Whether its nodes are outputs.
    pub output_node: bool,
    /// The class of the exception that describing it raises.
    pub exception_type: String,
    /// The text of that exception.
    pub message: String,
}

impl Undescribed {
    /// A class whose description raises this exception.
    #[must_use]
    pub fn new(output_node: bool, exception_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self { output_node, exception_type: exception_type.into(), message: message.into() }
    }
}
