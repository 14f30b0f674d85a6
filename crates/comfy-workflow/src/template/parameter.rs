use std::borrow::Cow;
use std::fmt;

use serde_json::{Number, Value};

use super::{Given, Problem, ProblemKind};
use crate::assign::value::{self, Wanted, shown};
use crate::workflow::clip;

/// Longest name of a parameter, in characters.
pub(super) const LONGEST_NAME: usize = 64;

/// A parameter of a [`Template`](super::Template): what may be given, and the inputs that it goes to.
///
/// What is not declared (type, range, choices, description) comes from the schemas of the inputs when the template is
/// made; [`Template::parameters`](super::Template::parameters) has it filled in.
///
/// ```
/// use comfy_workflow::template::{Parameter, ParameterType};
///
/// let steps = Parameter::new("steps").with_input("KSampler.steps").with_default(20).with_max(50);
/// let style = Parameter::new("style").with_type(ParameterType::String).with_choices(["ink", "oil"]);
/// assert_eq!(steps.default(), Some(&20.into()));
/// assert_eq!(style.choices().len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub(super) name: String,
    pub(super) inputs: Vec<String>,
    pub(super) kind: Option<ParameterType>,
    pub(super) default: Option<Value>,
    pub(super) optional: bool,
    pub(super) min: Option<Value>,
    pub(super) max: Option<Value>,
    pub(super) choices: Vec<Value>,
    pub(super) description: Option<String>,
}

/// What a [`Parameter`] takes. In files, types have the names that ComfyUI gives them: `INT`, `FLOAT`, ….
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParameterType {
    /// `INT`: a whole number from -2^63 to 2^64-1.
    Int,
    /// `FLOAT`: a number. A text such as `7` becomes 7.0.
    Float,
    /// `NUMBER`: a number, whole or not, as it is written. The type of a number of which no schema is known.
    Number,
    /// `STRING`: a text.
    String,
    /// `BOOLEAN`: true or false; as a text also yes, no, on, off, 1 and 0.
    Boolean,
    /// `COMBO`: one of the choices.
    Combo,
    /// `ANY`: any JSON. A text is read as JSON if it is some.
    Any,
}

impl ParameterType {
    const ALL: [Self; 7] =
        [Self::Int, Self::Float, Self::Number, Self::String, Self::Boolean, Self::Combo, Self::Any];

    /// The name in files, such as `INT`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "INT",
            Self::Float => "FLOAT",
            Self::Number => "NUMBER",
            Self::String => "STRING",
            Self::Boolean => "BOOLEAN",
            Self::Combo => "COMBO",
            Self::Any => "ANY",
        }
    }

    /// The type with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::name)
    }

    /// The type of a value of which no schema is known.
    pub(crate) fn of(value: Option<&Value>) -> Self {
        match value {
            Some(Value::Bool(_)) => Self::Boolean,
            Some(Value::Number(_)) => Self::Number,
            Some(Value::String(_)) => Self::String,
            _ => Self::Any,
        }
    }

    /// The type whose values are of both types.
    pub(super) fn narrower(self, other: Self) -> Option<Self> {
        use ParameterType::{Any, Combo, Float, Int, Number};
        match (self, other) {
            (a, b) if a == b => Some(a),
            (Any, kind) | (kind, Any) => Some(kind),
            (Number, kind @ (Float | Int)) | (kind @ (Float | Int), Number) => Some(kind),
            (Float, Int) | (Int, Float) => Some(Int),
            (Self::String, Combo) | (Combo, Self::String) => Some(Combo),
            // The choices decide; those of another type are left out.
            (Combo, kind) | (kind, Combo) => Some(kind),
            _ => None,
        }
    }
}

impl fmt::Display for ParameterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Parameter {
    /// A parameter of this name: a letter or `_`, then letters, digits, `_` and `-`, 64 characters at most. Whether it is
    /// such a name is said when the template is made.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            inputs: Vec::new(),
            kind: None,
            default: None,
            optional: false,
            min: None,
            max: None,
            choices: Vec::new(),
            description: None,
        }
    }

    /// The parameter with one more selector of inputs that it sets; see [`Workflow::select`](crate::Workflow::select).
    #[must_use]
    pub fn with_input(mut self, selector: impl Into<String>) -> Self {
        self.inputs.push(selector.into());
        self
    }

    /// The parameter with a type.
    #[must_use]
    pub fn with_type(self, kind: ParameterType) -> Self {
        Self { kind: Some(kind), ..self }
    }

    /// The parameter with a default, which is used when it is not given.
    #[must_use]
    pub fn with_default(self, value: impl Into<Value>) -> Self {
        Self { default: Some(value.into()).filter(|value| !value.is_null()), ..self }
    }

    /// A parameter that need not be given: its inputs then stay as they are in the workflow.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// The parameter with a smallest number.
    #[must_use]
    pub fn with_min(self, min: impl Into<Value>) -> Self {
        Self { min: Some(min.into()), ..self }
    }

    /// The parameter with a largest number.
    #[must_use]
    pub fn with_max(self, max: impl Into<Value>) -> Self {
        Self { max: Some(max.into()), ..self }
    }

    /// The parameter with a list of the values that it may have.
    #[must_use]
    pub fn with_choices<V: Into<Value>>(self, choices: impl IntoIterator<Item = V>) -> Self {
        Self { choices: choices.into_iter().map(Into::into).collect(), ..self }
    }

    /// The parameter with a description for people.
    #[must_use]
    pub fn with_description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The selectors of the inputs that it sets, besides its placeholders.
    #[must_use]
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// What it takes; [`ParameterType::Any`] as long as neither it nor a schema says more.
    #[must_use]
    pub fn kind(&self) -> ParameterType {
        self.kind.unwrap_or(ParameterType::Any)
    }

    /// The value that is used when none is given.
    #[must_use]
    pub fn default(&self) -> Option<&Value> {
        self.default.as_ref()
    }

    /// Whether it was declared as [`optional`](Self::optional).
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.optional
    }

    /// Whether it must be given: it has no default and is not optional.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.default.is_none() && !self.optional
    }

    /// The smallest number.
    #[must_use]
    pub fn min(&self) -> Option<&Number> {
        number(self.min.as_ref())
    }

    /// The largest number.
    #[must_use]
    pub fn max(&self) -> Option<&Number> {
        number(self.max.as_ref())
    }

    /// The values that it may have; empty when there is no such list.
    #[must_use]
    pub fn choices(&self) -> &[Value] {
        &self.choices
    }

    /// What it is for, in words for people.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// What it takes, in words: `a whole number from 1 to 100`.
    #[must_use]
    pub fn wanted(&self) -> String {
        if !self.choices.is_empty() {
            let named: Vec<String> = self.choices.iter().take(8).map(shown).collect();
            let more = self.choices.len().saturating_sub(8);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            return format!("one of {}{more}", named.join(", "));
        }
        let kind = match self.kind() {
            ParameterType::Int => "a whole number",
            ParameterType::Float | ParameterType::Number => "a number",
            ParameterType::String | ParameterType::Combo => "a text",
            ParameterType::Boolean => "true or false",
            ParameterType::Any => "any value",
        };
        match (self.min(), self.max()) {
            (Some(min), Some(max)) => format!("{kind} from {min} to {max}"),
            (Some(min), None) => format!("{kind} from {min}"),
            (None, Some(max)) => format!("{kind} up to {max}"),
            (None, None) => kind.to_owned(),
        }
    }

    pub(super) fn missing(&self) -> Problem {
        let about = self.description().map(|text| format!(" ({})", clip(text))).unwrap_or_default();
        let reason = format!(" is missing: it takes {}{about}", self.wanted());
        Problem::of(ProblemKind::Missing, &self.name, reason)
    }

    /// The value that is given, in the type of the parameter. The error continues "parameter `x`".
    pub(super) fn take(&self, given: &Given) -> Result<Value, String> {
        let wanted = self.as_wanted();
        let fitting = match given {
            Given::Text(text) => value::from_text(text, &wanted),
            Given::Json(value) => Ok(self.whole(value)),
        };
        let checked = fitting.and_then(|value| value::check(&value, &wanted).map(|()| value));
        checked.map_err(|reason| format!(" {reason}"))
    }

    pub(super) fn as_wanted(&self) -> Wanted<'_> {
        let choices = Cow::Borrowed(self.choices.as_slice());
        Wanted { kind: self.kind(), link: None, min: self.min(), max: self.max(), choices }
    }

    /// Writers of JSON that know no whole numbers, such as models of language, write 20.0 for 20.
    fn whole(&self, value: &Value) -> Value {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match value.as_f64() {
            Some(float)
                if self.kind == Some(ParameterType::Int)
                    && value.is_f64()
                    && float.fract() == 0.0
                    && float.abs() <= EXACT =>
            {
                // In this range the cast is exact.
                Value::from(float as i64)
            }
            _ => value.clone(),
        }
    }
}

fn number(value: Option<&Value>) -> Option<&Number> {
    match value {
        Some(Value::Number(number)) => Some(number),
        _ => None,
    }
}

/// Why a text is no name of a parameter. The sentence continues "parameter `x`".
pub(super) fn check_name(name: &str) -> Result<(), String> {
    if is_name(name) {
        return Ok(());
    }
    Err(format!(
        " has no proper name: it is a letter or `_`, then letters, digits, `_` and `-`, {LONGEST_NAME} characters at most, such as `{}`",
        clip(&proper(name))
    ))
}

/// Whether a text is the name of a parameter.
pub(super) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(is_name_byte)
        && name.len() <= LONGEST_NAME
}

pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// A proper name that is like `name`.
fn proper(name: &str) -> String {
    let kept: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let kept = kept.trim_matches('_');
    if kept.starts_with(|c: char| c.is_ascii_alphabetic()) {
        kept.chars().take(LONGEST_NAME).collect()
    } else {
        "seed".to_owned()
    }
}
