//! The file that declares a template.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Template;
use super::parameter::{Parameter, ParameterType};
use super::problem::{Problem, ProblemKind};
use crate::assign::value::shown;
use crate::schema::Schemas;
use crate::select::nearest;
use crate::workflow::clip;
use crate::{Error, ErrorKind, Workflow, json};

const KEYS: [&str; 3] = ["workflow", "description", "parameters"];
const PARAMETER_KEYS: [&str; 8] =
    ["input", "type", "default", "optional", "min", "max", "choices", "description"];

/// A small file beside a workflow, in TOML or JSON, that declares the parameters of a [`Template`].
///
/// ```
/// use comfy_workflow::Workflow;
/// use comfy_workflow::schema::Schemas;
/// use comfy_workflow::template::TemplateFile;
/// use serde_json::json;
///
/// let file = TemplateFile::from_slice(br#"
///     workflow = "render.json"
///     description = "A picture of one colour"
///
///     [parameters.size]
///     input = ["1.width", "1.height"]
///     type = "INT"
///     default = 512
///     min = 64
///     max = 2048
/// "#)?;
/// assert_eq!(file.workflow(), Some("render.json")); // to be opened by whoever opened the file
///
/// let workflow: Workflow = r#"{"1": {"class_type": "EmptyImage", "inputs": {"width": 1, "height": 1}}}"#.parse()?;
/// let template = file.into_template(workflow, &Schemas::new())?;
/// assert_eq!(template.fill(json!({"size": 96}))?.get("1.height")?, 96);
/// # Ok::<(), comfy_workflow::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TemplateFile {
    workflow: Option<String>,
    description: Option<String>,
    parameters: Vec<Parameter>,
}

impl TemplateFile {
    /// A file that declares these parameters.
    #[must_use]
    pub fn new(parameters: impl IntoIterator<Item = Parameter>) -> Self {
        Self { parameters: parameters.into_iter().collect(), ..Self::default() }
    }

    /// The file with the path of its workflow.
    #[must_use]
    pub fn with_workflow(self, path: impl Into<String>) -> Self {
        Self { workflow: Some(path.into()), ..self }
    }

    /// The file with a description of what the workflow makes.
    #[must_use]
    pub fn with_description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// Reads a file: JSON if it begins with a brace, else TOML.
    ///
    /// # Errors
    /// [`ErrorKind::Template`] with all [problems](Error::problems): the file is neither, has unknown keys, or values of
    /// another type under known ones.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Error> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let value = if bytes.trim_ascii_start().starts_with(b"{") {
            json::from_slice(bytes).map_err(|error| syntax(format!("the template is no JSON: {error}")))?
        } else {
            from_toml(bytes)?
        };
        Self::from_value(value)
    }

    /// Takes what a file says from a JSON value.
    ///
    /// # Errors
    /// As [`from_slice`](Self::from_slice).
    pub fn from_value(value: Value) -> Result<Self, Error> {
        let mut problems = Vec::new();
        let mut file = Self::default();
        let mut table = match value {
            Value::Object(table) => table,
            other => return Err(syntax(format!("the template is {}, not an object", shown(&other)))),
        };
        let is_node = |value: &Value| value.get("class_type").is_some();
        if table.values().any(is_node) || table.get("nodes").is_some_and(Value::is_array) {
            let message = "the template is a workflow itself; a template names its workflow and declares the parameters";
            return Err(syntax(message.to_owned()));
        }
        check_keys(&table, &KEYS, "the template", None, &mut problems);
        let mut reader = Reader { table: &mut table, parameter: None, problems: &mut problems };
        file.workflow = reader.text("workflow");
        file.description = reader.text("description");
        for (name, declared) in reader.object("parameters").unwrap_or_default() {
            match declared {
                Value::Object(table) => file.parameters.push(parameter(name, table, &mut problems)),
                other => {
                    let reason =
                        format!(" is {}, not a table such as {{ input = \"3.seed\" }}", shown(&other));
                    problems.push(Problem::of(ProblemKind::Syntax, &name, reason));
                }
            }
        }
        if problems.is_empty() { Ok(file) } else { Err(Error::of_problems(ErrorKind::Template, problems)) }
    }

    /// The path of the workflow, as the file says it: relative to the file.
    #[must_use]
    pub fn workflow(&self) -> Option<&str> {
        self.workflow.as_deref()
    }

    /// What the workflow makes, in words for people.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The declared parameters.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The template of `workflow` with these parameters.
    ///
    /// # Errors
    /// Those of [`Template::new`].
    pub fn into_template(self, workflow: Workflow, schemas: &Schemas) -> Result<Template, Error> {
        let template = Template::new(workflow, self.parameters, schemas)?;
        Ok(Template { description: self.description, ..template })
    }

    /// The file as JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut table = Map::new();
        let text = |text: &Option<String>| text.clone().map(Value::String);
        put(&mut table, "workflow", text(&self.workflow));
        put(&mut table, "description", text(&self.description));
        let parameters = self.parameters.iter().map(|parameter| (parameter.name.clone(), written(parameter)));
        table.insert("parameters".into(), Value::Object(parameters.collect()));
        Value::Object(table)
    }

    /// The file as TOML.
    ///
    /// # Errors
    /// [`ErrorKind::Template`] when a default or a choice holds a null, which TOML does not have.
    pub fn to_toml(&self) -> Result<String, Error> {
        toml::to_string(&self.to_value()).map_err(|error| {
            syntax(format!("the template cannot be written as TOML: {error}; write it as JSON"))
        })
    }
}

/// The parameters with all that the schemas said of them, so that the template can be used without schemas.
impl From<&Template> for TemplateFile {
    fn from(template: &Template) -> Self {
        let file = Self::new(template.parameters().cloned());
        Self { description: template.description.clone(), ..file }
    }
}

fn syntax(message: String) -> Error {
    Error::of_problems(ErrorKind::Template, vec![Problem::new(ProblemKind::Syntax, message)])
}

fn from_toml(bytes: &[u8]) -> Result<Value, Error> {
    let no_toml = |message: String| syntax(format!("the template is no TOML: {message}"));
    let text = std::str::from_utf8(bytes).map_err(|error| no_toml(error.to_string()))?;
    let read = toml::Deserializer::parse(text).and_then(Value::deserialize);
    let mut value = read.map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        no_toml(format!("{} at line {line} column {column}", quotable(error.message())))
    })?;
    dates_as_texts(&mut value);
    Ok(value)
}

/// A message that quotes the file, short and without control characters.
fn quotable(message: &str) -> String {
    let shown = message.chars().take(200).map(|c| match c {
        '"' | '\'' => c.to_string(),
        c => c.escape_debug().to_string(),
    });
    shown.collect()
}

/// JSON has no dates; serde is given a table with one secret key for each.
fn dates_as_texts(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(dates_as_texts),
        Value::Object(entries) => match entries.get_mut("$__toml_private_datetime") {
            Some(date) => *value = date.take(),
            None => entries.values_mut().for_each(dates_as_texts),
        },
        _ => {}
    }
}

fn parameter(name: String, mut table: Map<String, Value>, problems: &mut Vec<Problem>) -> Parameter {
    let place = format!("parameter `{}`", clip(&name));
    check_keys(&table, &PARAMETER_KEYS, &place, Some(&name), problems);
    let mut reader = Reader { table: &mut table, parameter: Some(&name), problems };
    let inputs = match reader.table.remove("input") {
        None => Vec::new(),
        Some(Value::String(selector)) => vec![selector],
        Some(Value::Array(selectors)) if selectors.iter().all(Value::is_string) => {
            selectors.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        Some(other) => reader.wrong("input", &other, "a selector such as \"3.seed\" or a list of them"),
    };
    let kind = reader.text("type").and_then(|text| {
        let kind = ParameterType::from_name(&text);
        if kind.is_none() {
            let hint = nearest(&text, ParameterType::names());
            let reason = format!(" has an unknown type `{}`{hint}", clip(&text));
            reader.problems.push(Problem::of(ProblemKind::Syntax, &name, reason));
        }
        kind
    });
    let default = match reader.table.remove("default") {
        Some(Value::Null) => {
            reader.wrong("default", &Value::Null, "a value; leave it out, or say `optional = true`")
        }
        default => default,
    };
    let optional = match reader.table.remove("optional") {
        None => false,
        Some(Value::Bool(optional)) => optional,
        Some(other) => reader.wrong("optional", &other, "true or false"),
    };
    let choices = match reader.table.remove("choices") {
        None => Vec::new(),
        Some(Value::Array(choices)) if !choices.is_empty() => choices,
        Some(other) => reader.wrong("choices", &other, "a list of values"),
    };
    let (min, max) = (reader.table.remove("min"), reader.table.remove("max"));
    let description = reader.text("description");
    Parameter { name, inputs, kind, default, optional, min, max, choices, description }
}

/// A table whose keys are taken out one by one.
struct Reader<'a> {
    table: &'a mut Map<String, Value>,
    parameter: Option<&'a str>,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn text(&mut self, key: &str) -> Option<String> {
        match self.table.remove(key)? {
            Value::String(text) => Some(text),
            other => self.wrong(key, &other, "a text"),
        }
    }

    fn object(&mut self, key: &str) -> Option<Map<String, Value>> {
        match self.table.remove(key)? {
            Value::Object(table) => Some(table),
            other => self.wrong(key, &other, "a table"),
        }
    }

    fn wrong<T: Default>(&mut self, key: &str, found: &Value, wanted: &str) -> T {
        let reason = format!("`{key}` is {}, not {wanted}", shown(found));
        self.problems.push(match self.parameter {
            Some(name) => Problem::of(ProblemKind::Syntax, name, format!(": {reason}")),
            None => Problem::new(ProblemKind::Syntax, format!("the template: {reason}")),
        });
        T::default()
    }
}

fn check_keys(
    table: &Map<String, Value>,
    known: &[&str],
    place: &str,
    parameter: Option<&str>,
    problems: &mut Vec<Problem>,
) {
    for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
        let hint = nearest(key, known.iter().copied());
        let message = format!("{place} has an unknown key `{}`{hint}", clip(key));
        let problem = Problem::new(ProblemKind::Syntax, message);
        problems.push(Problem { name: parameter.map(str::to_owned), ..problem });
    }
}

fn put(table: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        table.insert(key.to_owned(), value);
    }
}

fn written(parameter: &Parameter) -> Value {
    let mut table = Map::new();
    let input = match parameter.inputs.as_slice() {
        [] => None,
        [one] => Some(Value::String(one.clone())),
        several => Some(several.iter().cloned().map(Value::String).collect()),
    };
    put(&mut table, "input", input);
    put(&mut table, "type", parameter.kind.map(|kind| kind.name().into()));
    put(&mut table, "default", parameter.default.clone());
    put(&mut table, "optional", parameter.optional.then_some(Value::Bool(true)));
    put(&mut table, "min", parameter.min.clone());
    put(&mut table, "max", parameter.max.clone());
    put(
        &mut table,
        "choices",
        Some(parameter.choices.clone()).filter(|list| !list.is_empty()).map(Value::Array),
    );
    put(&mut table, "description", parameter.description.clone().map(Value::String));
    Value::Object(table)
}
