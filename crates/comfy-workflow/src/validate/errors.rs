use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::Report;
use crate::NodeId;

/// The body of a refusal (HTTP 400): what is wrong with the prompt as a whole, and with its nodes.
///
/// Reading one is tolerant: missing keys get defaults, `error` may be a mere text, unknown keys are kept in `extra`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Rejection {
    /// What is wrong with the prompt as a whole. Of little use when nodes have errors of their own.
    pub error: ErrorDetail,
    /// What is wrong with which node. May be empty.
    pub node_errors: NodeErrors,
    /// Keys that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The errors of nodes, by node id.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct NodeErrors(IndexMap<NodeId, NodeError>);

/// What is wrong with a node.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NodeError {
    /// What is wrong; at least one entry.
    pub errors: Vec<ErrorDetail>,
    /// Output nodes that do not run because of it. Servers also list some that have nothing to do with it.
    pub dependent_outputs: Vec<NodeId>,
    /// The node's class.
    pub class_type: String,
    /// Keys that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One error.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ErrorDetail {
    /// What kind of error it is.
    #[serde(rename = "type")]
    pub kind: ErrorType,
    /// A general sentence.
    pub message: String,
    /// What in particular: often just the input's name.
    pub details: String,
    /// Particulars by name; which ones depends on the kind.
    pub extra_info: Map<String, Value>,
    /// Keys that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

macro_rules! error_types {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// The kinds of errors that servers report.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorType {
            $($(#[$doc])* $variant,)*
            /// A kind that this crate does not know, by its name. Empty when the server gave none.
            Other(String),
        }

        impl ErrorType {
            /// The server's name for it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(name) => name,
                }
            }
        }

        impl From<&str> for ErrorType {
            fn from(name: &str) -> Self {
                match name {
                    $($text => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }
    };
}

error_types! {
    /// The request has no prompt.
    NoPrompt = "no_prompt",
    /// The prompt id is not a UUID in the usual form.
    InvalidPromptId = "invalid_prompt_id",
    /// A node has no class, or one that the server does not have (before 0.30.0).
    InvalidPrompt = "invalid_prompt",
    /// A node has no class, or one that the server does not have (since 0.30.0).
    MissingNodeType = "missing_node_type",
    /// No output node, or none among those asked for.
    PromptNoOutputs = "prompt_no_outputs",
    /// No output node is in order; the nodes' errors say why.
    PromptOutputsFailedValidation = "prompt_outputs_failed_validation",
    /// A required input is missing.
    RequiredInputMissing = "required_input_missing",
    /// A list that is no link.
    BadLinkedInput = "bad_linked_input",
    /// A link from an output of another type.
    ReturnTypeMismatch = "return_type_mismatch",
    /// A value that cannot be converted to the input's type.
    InvalidInputType = "invalid_input_type",
    /// A number below the minimum.
    ValueSmallerThanMin = "value_smaller_than_min",
    /// A number above the maximum.
    ValueBiggerThanMax = "value_bigger_than_max",
    /// A value that is none of the choices.
    ValueNotInList = "value_not_in_list",
    /// The node's own check refused a value.
    CustomValidationFailed = "custom_validation_failed",
    /// Checking an output node failed, often because of a broken link.
    ExceptionDuringValidation = "exception_during_validation",
    /// Checking a node that feeds others failed, often because of a broken link.
    ExceptionDuringInnerValidation = "exception_during_inner_validation",
    /// The node is part of a cycle of links.
    DependencyCycle = "dependency_cycle",
    /// The name of an input inside a dynamic one is wrong.
    InvalidDynamicInput = "invalid_dynamic_input",
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Rejection {
    /// A refusal of the prompt as a whole.
    #[must_use]
    pub fn new(error: ErrorDetail) -> Self {
        Self { error, node_errors: NodeErrors::default(), extra: Map::new() }
    }

    /// Reads the body of an answer. Nothing when it is no report of this kind at all.
    #[must_use]
    pub fn from_value(value: Value) -> Option<Self> {
        let Value::Object(mut map) = value else { return None };
        let error = map.remove("error");
        let node_errors = map.remove("node_errors");
        if error.is_none() && node_errors.is_none() {
            return None;
        }
        Some(Self {
            error: ErrorDetail::read(error.unwrap_or_default()),
            node_errors: NodeErrors::read(node_errors.unwrap_or_default()),
            extra: map,
        })
    }

    /// The report for people. `Display` shows it too, without titles.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        Report::new(Some(&self.error), &self.node_errors)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report().fmt(f)
    }
}

impl<'de> Deserialize<'de> for Rejection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value(value)
            .ok_or_else(|| serde::de::Error::custom("expected an error report of a ComfyUI server"))
    }
}

impl NodeErrors {
    fn read(value: Value) -> Self {
        // `[]` is how some proxies and PHP-minded servers write an empty map.
        let Value::Object(map) = value else { return Self::default() };
        Self(map.into_iter().map(|(id, error)| (NodeId::from(id), NodeError::read(error))).collect())
    }

    pub(super) fn entry(&mut self, id: &str, class_type: &str) -> &mut NodeError {
        self.0
            .entry(NodeId::from(id))
            .or_insert_with(|| NodeError { class_type: class_type.to_owned(), ..NodeError::default() })
    }

    /// The errors of a node.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&NodeError> {
        self.0.get(id)
    }

    /// All nodes with errors, in the server's order (which means nothing).
    pub fn iter(&self) -> impl Iterator<Item = (&NodeId, &NodeError)> {
        self.0.iter()
    }

    /// How many nodes have errors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no node has errors.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The report for people. `Display` shows it too, without titles.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        Report::new(None, self)
    }
}

impl fmt::Display for NodeErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report().fmt(f)
    }
}

impl<'de> Deserialize<'de> for NodeErrors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::read)
    }
}

impl NodeError {
    fn read(value: Value) -> Self {
        let mut map = match value {
            Value::Object(map) => map,
            // An error list without the rest, or an error alone.
            Value::Array(errors) => Map::from_iter([("errors".to_owned(), Value::Array(errors))]),
            Value::Null => Map::new(),
            other => Map::from_iter([("errors".to_owned(), Value::Array(vec![other]))]),
        };
        let list = |value: Option<Value>| match value {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        Self {
            errors: list(map.remove("errors")).into_iter().map(ErrorDetail::read).collect(),
            dependent_outputs: list(map.remove("dependent_outputs"))
                .into_iter()
                .map(|id| NodeId::from(text(id)))
                .collect(),
            class_type: map.remove("class_type").map(text).unwrap_or_default(),
            extra: map,
        }
    }
}

impl<'de> Deserialize<'de> for NodeError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::read)
    }
}

impl ErrorDetail {
    /// An error with these words and no particulars.
    #[must_use]
    pub fn new(kind: ErrorType, message: impl Into<String>, details: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            details: details.into(),
            extra_info: Map::new(),
            extra: Map::new(),
        }
    }

    /// The error with one more particular.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.extra_info.insert(key.to_owned(), value.into());
        self
    }

    fn read(value: Value) -> Self {
        let mut map = match value {
            Value::Object(map) => map,
            Value::Null => Map::new(),
            other => return Self::new(ErrorType::Other(String::new()), text(other), ""),
        };
        let kind = map.remove("type").map(text).unwrap_or_default();
        Self {
            kind: ErrorType::from(kind.as_str()),
            message: map.remove("message").map(text).unwrap_or_default(),
            details: map.remove("details").map(text).unwrap_or_default(),
            extra_info: match map.remove("extra_info") {
                Some(Value::Object(info)) => info,
                Some(Value::Null) | None => Map::new(),
                Some(other) => Map::from_iter([("extra_info".to_owned(), other)]),
            },
            extra: map,
        }
    }

    /// The input concerned. For [`ErrorType::ExceptionDuringInnerValidation`] it is an input of a node that this one feeds.
    #[must_use]
    pub fn input_name(&self) -> Option<&str> {
        self.extra_info.get("input_name").and_then(Value::as_str)
    }

    /// The value that was refused.
    #[must_use]
    pub fn received_value(&self) -> Option<&Value> {
        self.extra_info.get("received_value")
    }

    /// The description of the input, `[type, options]`. Servers leave it out for long lists of choices.
    #[must_use]
    pub fn input_config(&self) -> Option<&Value> {
        self.extra_info.get("input_config").filter(|config| !config.is_null())
    }

    /// The link concerned, `[node id, slot]`.
    #[must_use]
    pub fn linked_node(&self) -> Option<crate::Link<'_>> {
        self.extra_info.get("linked_node").and_then(crate::Link::from_value)
    }

    /// The class of the Python exception behind it.
    #[must_use]
    pub fn exception_type(&self) -> Option<&str> {
        self.extra_info.get("exception_type").and_then(Value::as_str)
    }
}

impl<'de> Deserialize<'de> for ErrorDetail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::read)
    }
}

/// A text as it is; anything else as JSON, null as nothing.
fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
