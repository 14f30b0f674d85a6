//! An error report in words for people.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::errors::{ErrorDetail, ErrorType, NodeError, NodeErrors};
use super::near::nearest;
use crate::NodeId;
use crate::schema::{Comparisons, Schemas};
use crate::workflow::{clip, plain};

/// Longest text of a server that a line shows, in characters.
const LONGEST: usize = 800;

/// Most choices that a line names.
const CHOICES: usize = 8;

/// The titles that the user gave to nodes.
#[derive(Debug, Clone, Default)]
pub struct Titles(HashMap<NodeId, String>);

impl Titles {
    /// No titles.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The titles in the `_meta` of a prompt's nodes.
    #[must_use]
    pub fn from_prompt(prompt: &Value) -> Self {
        let nodes = prompt.as_object().into_iter().flatten();
        Self(
            nodes
                .filter_map(|(id, node)| {
                    let title = node.get("_meta")?.get("title")?.as_str()?;
                    Some((NodeId::from(id.as_str()), title.to_owned()))
                })
                .collect(),
        )
    }

    /// Adds a title.
    pub fn insert(&mut self, id: impl Into<NodeId>, title: impl Into<String>) {
        self.0.insert(id.into(), title.into());
    }

    /// The title of a node.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }
}

/// An error report for people: one line per problem. Made by [`Rejection::report`](super::Rejection::report) and
/// [`NodeErrors::report`].
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    error: Option<&'a ErrorDetail>,
    node_errors: &'a NodeErrors,
    titles: Option<&'a Titles>,
    schemas: Option<&'a Schemas>,
    comparisons: Option<&'a Comparisons>,
}

/// One problem. `Display` shows all of it: `node 3 "Sampler" (KSampler): input steps: value 0 is ...`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Line {
    /// What kind of problem it is, by the server's name for it.
    pub kind: Option<ErrorType>,
    /// The node, when the problem is one of a node.
    pub node: Option<NodeId>,
    /// The node's title.
    pub title: Option<String>,
    /// The node's class.
    pub class_type: Option<String>,
    /// The input, when the problem is one of an input.
    pub input: Option<String>,
    /// What is wrong.
    #[serde(rename = "message")]
    pub text: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, title, class_type, input, .. } = self;
        write_place(f, node.as_ref(), title.as_deref(), class_type.as_deref(), input.as_deref())?;
        f.write_str(&self.text)
    }
}

/// Writes where a problem is, as far as that is known: `node 3 "Sampler" (KSampler): input steps: `.
pub(crate) fn write_place(
    f: &mut fmt::Formatter<'_>,
    node: Option<&NodeId>,
    title: Option<&str>,
    class_type: Option<&str>,
    input: Option<&str>,
) -> fmt::Result {
    if let Some(node) = node {
        write!(f, "node {}", clip(node.as_str()))?;
        if let Some(title) = title {
            write!(f, " \"{}\"", clip(title))?;
        }
        if let Some(class_type) = class_type {
            write!(f, " ({})", clip(class_type))?;
        }
        f.write_str(": ")?;
    }
    match input {
        Some(input) => write!(f, "input {}: ", clip(input)),
        None => Ok(()),
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.lines().iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{line}")?;
        }
        Ok(())
    }
}

impl<'a> Report<'a> {
    pub(super) fn new(error: Option<&'a ErrorDetail>, node_errors: &'a NodeErrors) -> Self {
        Self { error, node_errors, titles: None, schemas: None, comparisons: None }
    }

    /// Names nodes with these titles.
    #[must_use]
    pub fn titles(mut self, titles: &'a Titles) -> Self {
        self.titles = Some(titles);
        self
    }

    /// Uses these descriptions to name what is allowed where the report does not say it, and what may have been meant.
    #[must_use]
    pub fn schemas(mut self, schemas: &'a Schemas) -> Self {
        self.schemas = Some(schemas);
        self
    }

    /// Bounds how many names are compared for suggestions.
    pub(super) fn comparisons(mut self, comparisons: &'a Comparisons) -> Self {
        self.comparisons = Some(comparisons);
        self
    }

    /// The problems, those of the prompt as a whole first.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        // When nodes have errors of their own, this kind only repeats them.
        let repeats = |error: &ErrorDetail| {
            error.kind == ErrorType::PromptOutputsFailedValidation && !self.node_errors.is_empty()
        };
        lines.extend(self.error.filter(|error| !repeats(error)).map(|error| self.whole(error)));
        for (id, node) in self.node_errors.iter() {
            lines.extend(node.errors.iter().map(|error| self.of_node(id, node, error)));
            if node.errors.is_empty() {
                lines.push(Line {
                    text: "refused without a reason".into(),
                    ..self.line(id, &node.class_type)
                });
            }
        }
        if lines.is_empty() && self.error.is_some() {
            lines.push(Line { text: "refused without a reason".into(), ..Line::default() });
        }
        lines
    }

    fn line(&self, id: &NodeId, class_type: &str) -> Line {
        Line {
            node: Some(id.clone()),
            title: self.titles.and_then(|titles| titles.get(id.as_str())).map(str::to_owned),
            class_type: Some(class_type.to_owned()).filter(|class_type| !class_type.is_empty()),
            ..Line::default()
        }
    }

    fn whole(&self, error: &ErrorDetail) -> Line {
        let text = match &error.kind {
            ErrorType::MissingNodeType | ErrorType::InvalidPrompt => return self.class(error),
            ErrorType::PromptNoOutputs => "no output node to run, such as SaveImage".to_owned(),
            ErrorType::PromptOutputsFailedValidation if error.details.is_empty() => {
                "no output node passed the server's checks, and the server gives no reason; links may form a cycle".to_owned()
            }
            _ => words(error),
        };
        Line { kind: Some(error.kind.clone()), text, ..Line::default() }
    }

    /// A node whose class is missing or unknown. Older servers say which node only in the text.
    fn class(&self, error: &ErrorDetail) -> Line {
        let text_of = |key: &str| error.extra_info.get(key).and_then(Value::as_str);
        let quoted = || error.details.strip_prefix("Node ID '#")?.strip_suffix('\'');
        let Some(id) = text_of("node_id").or_else(quoted) else {
            return Line { kind: Some(error.kind.clone()), text: words(error), ..Line::default() };
        };
        let older =
            || error.message.strip_prefix("Cannot execute because node ")?.strip_suffix(" does not exist.");
        let class_type = text_of("class_type").or_else(older);
        let mut line = self.line(&NodeId::from(id), class_type.unwrap_or_default());
        line.kind = Some(error.kind.clone());
        let own_title = text_of("node_title").filter(|title| !title.is_empty() && Some(*title) != class_type);
        line.title = line.title.or_else(|| own_title.map(str::to_owned));
        line.text = match class_type {
            None => "has no class_type".to_owned(),
            Some(name) => {
                let similar =
                    self.schemas.and_then(|schemas| schemas.similar(name)).filter(|other| *other != name);
                let hint =
                    similar.map(|similar| format!("; did you mean {}?", clip(similar))).unwrap_or_default();
                format!("the server has no such class; a custom node may be missing{hint}")
            }
        };
        line
    }

    pub(super) fn of_node(&self, id: &NodeId, node: &NodeError, error: &ErrorDetail) -> Line {
        let mut line = self.line(id, &node.class_type);
        // An inner exception speaks of an input of the node that this one feeds.
        if error.kind != ErrorType::ExceptionDuringInnerValidation {
            line.input = error.input_name().map(str::to_owned);
        }
        line.text = self.problem(node, error).unwrap_or_else(|| words(error));
        line.kind = Some(error.kind.clone());
        line
    }

    /// What is wrong, for the kinds whose particulars are known; nothing when these are not there.
    fn problem(&self, node: &NodeError, error: &ErrorDetail) -> Option<String> {
        let received = || error.received_value().map(value);
        let option = |key: &str| error.input_config().and_then(|config| config.get(1)?.get(key)).map(value);
        Some(match &error.kind {
            ErrorType::RequiredInputMissing => {
                error.input_name()?;
                "required, but missing".to_owned()
            }
            ErrorType::BadLinkedInput => {
                format!(
                    "{} is no link; a link is [\"node id\", output number], and a list as a value is {{\"__value__\": [...]}}",
                    received()?
                )
            }
            ErrorType::ReturnTypeMismatch => {
                let link = error.linked_node()?;
                let wanted = match error.input_config()?.get(0)? {
                    Value::String(name) => clip(name),
                    choices => format!("one of {}", list(choices.as_array()?)),
                };
                let given = match error.extra_info.get("received_type")? {
                    Value::String(name) => clip(name),
                    choices => format!("one of {}", list(choices.as_array()?)),
                };
                format!("takes {wanted}, but output {} of node {} gives {given}", link.slot, clip(link.node))
            }
            ErrorType::InvalidInputType => {
                let wanted = match error.input_config()?.get(0)?.as_str()? {
                    "INT" => "a whole number".to_owned(),
                    "FLOAT" => "a number".to_owned(),
                    other => clip(other),
                };
                format!("{} is not {wanted}", received()?)
            }
            ErrorType::ValueSmallerThanMin => {
                format!("value {} is smaller than the minimum {}", received()?, option("min")?)
            }
            ErrorType::ValueBiggerThanMax => {
                format!("value {} is bigger than the maximum {}", received()?, option("max")?)
            }
            ErrorType::ValueNotInList => self.not_in_list(node, error)?,
            ErrorType::CustomValidationFailed => {
                let name = error.input_name()?;
                match error.details.strip_prefix(name)?.strip_prefix(" - ") {
                    Some(text) => one_line(text),
                    None => "refused by the node's own check".to_owned(),
                }
            }
            ErrorType::ExceptionDuringValidation | ErrorType::ExceptionDuringInnerValidation => {
                exception(error)?
            }
            ErrorType::DependencyCycle => format!("part of a cycle of links: {}", one_line(&error.details)),
            _ => return None,
        })
    }

    fn not_in_list(&self, node: &NodeError, error: &ErrorDetail) -> Option<String> {
        let name = error.input_name()?;
        let received = error.received_value()?;
        let quoted = error.input_config().and_then(|config| match config.get(0)? {
            Value::Array(choices) => Some(choices),
            _ => config.get(1)?.get("options")?.as_array(),
        });
        let described = || {
            let none = Map::new();
            let schema = self.schemas?.get(&node.class_type)?;
            // The values of the node are not at hand, so only declared inputs are found.
            Some(schema.input_for(name, &none)?.spec.choices().to_vec())
        };
        let choices = quoted.cloned().or_else(described);
        let wrong = value(received);
        let Some(choices) = choices else {
            let length =
                error.details.rsplit_once("(list of length ").and_then(|(_, rest)| rest.strip_suffix(')'));
            return Some(match length {
                Some(length) => format!("{wrong} is none of the {} choices", clip(length)),
                None => format!("{wrong} is none of the choices"),
            });
        };
        if choices.is_empty() {
            return Some(format!("{wrong} is no choice; the server has none"));
        }
        let unbounded = Comparisons::default();
        let names = self.comparisons.unwrap_or(&unbounded).of(choices.iter().filter_map(Value::as_str));
        let near = received.as_str().map(|text| nearest(text, names));
        let near = near.and_then(|near| near.first().copied());
        let hint = near.map(|near| format!("; did you mean \"{}\"?", clip(near))).unwrap_or_default();
        Some(format!("{wrong} is not one of {}{hint}", list(&choices)))
    }
}

fn exception(error: &ErrorDetail) -> Option<String> {
    let kind = error.exception_type()?;
    Some(match kind {
        "KeyError" if error.details == "'inputs'" => "the node has no inputs".to_owned(),
        // The text is the id as Python quotes it, so one without quotes is no text.
        "KeyError" => match error.details.strip_prefix(['\'', '"']) {
            Some(id) => {
                let id = id.strip_suffix(['\'', '"']).unwrap_or(id);
                format!("a link leads to node {}, which is not in the workflow", clip(id))
            }
            None => format!("a link leads to {}, but node ids are texts", clip(&error.details)),
        },
        "IndexError" => "a link leads to an output that its node does not have".to_owned(),
        "RecursionError" => "the chain of links is too long for the server".to_owned(),
        "" => return None,
        kind => format!("the server failed while checking it: {}: {}", clip(kind), one_line(&error.details)),
    })
}

/// The server's own words.
fn words(error: &ErrorDetail) -> String {
    let parts: Vec<String> = [error.message.as_str(), error.details.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(one_line)
        .collect();
    match parts.as_slice() {
        [] if error.kind.as_str().is_empty() => "refused without a reason".to_owned(),
        [] => one_line(error.kind.as_str()),
        [message, details] if message == details => message.clone(),
        parts => parts.join(": "),
    }
}

pub(super) fn value(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", clip(text)),
        other => clip(&other.to_string()),
    }
}

/// The first few choices, and how many more there are.
pub(super) fn list(choices: &[Value]) -> String {
    let mut text = choices.iter().take(CHOICES).map(value).collect::<Vec<_>>().join(", ");
    if choices.len() > CHOICES {
        text.push_str(&format!(", ... ({} in all)", choices.len()));
    }
    text
}

fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let text = lines.join("; ");
    let end = text.char_indices().nth(LONGEST).map_or(text.len(), |(end, _)| end);
    plain(&text[..end])
}

#[cfg(test)]
mod tests;
