//! Values of inputs: from texts that people write, and whether they are what is wanted.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::schema::{InputSpec, InputType};
use crate::select::nearest;
use crate::template::ParameterType;
use crate::workflow::clip;

/// What an input takes by its schema, or a parameter by its declaration.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) kind: ParameterType,
    /// The types of a link, where only a link will do.
    pub(crate) link: Option<&'a [String]>,
    pub(crate) min: Option<&'a Number>,
    pub(crate) max: Option<&'a Number>,
    /// The values there are; empty when there is no such list.
    pub(crate) choices: Cow<'a, [Value]>,
}

impl<'a> Wanted<'a> {
    /// What an input with this schema takes: anything when there is no schema.
    pub(crate) fn of(spec: Option<&'a InputSpec>) -> Self {
        let kind = match spec.map(|spec| (&spec.kind, spec)) {
            Some((InputType::Int, _)) => ParameterType::Int,
            Some((InputType::Float, _)) => ParameterType::Float,
            Some((InputType::Boolean, _)) => ParameterType::Boolean,
            Some((InputType::String, _)) => ParameterType::String,
            Some((InputType::DynamicCombo(_), _)) => ParameterType::Combo,
            Some((InputType::Combo, spec)) if spec.is_fetched() || spec.multiselect() => ParameterType::Any,
            Some((InputType::Combo, spec)) if spec.lists_a_folder() => ParameterType::String,
            Some((InputType::Combo, _)) => ParameterType::Combo,
            _ => ParameterType::Any,
        };
        let choices = match spec.map(|spec| (&spec.kind, spec)) {
            Some((InputType::DynamicCombo(options), _)) => {
                options.iter().map(|option| Value::String(option.key.clone())).collect()
            }
            Some((InputType::Combo, spec)) if kind == ParameterType::Combo => Cow::Borrowed(spec.choices()),
            _ => Cow::Borrowed(&[][..]),
        };
        let link = match spec.map(|spec| &spec.kind) {
            Some(InputType::Link(types)) => Some(types.as_slice()),
            _ => None,
        };
        Self { kind, link, min: spec.and_then(|s| s.min()), max: spec.and_then(|s| s.max()), choices }
    }

    /// Where the schema leaves the type open, that of the present value.
    pub(crate) fn or_present(mut self, present: Option<&Value>) -> Self {
        if self.kind == ParameterType::Any {
            self.kind = ParameterType::of(present);
        }
        self
    }
}

/// Reads a text as what is wanted. The error continues "input `x` …".
pub(crate) fn from_text(text: &str, wanted: &Wanted<'_>) -> Result<Value, String> {
    match wanted.kind {
        ParameterType::Int => {
            integer(text).ok_or_else(|| format!("takes a whole number, not `{}`", clip(text)))
        }
        ParameterType::Float => number(text),
        ParameterType::Number => integer(text).map_or_else(|| number(text), Ok),
        ParameterType::Boolean => boolean(text),
        ParameterType::String => Ok(Value::String(text.to_owned())),
        ParameterType::Combo => Ok(choice(text, &wanted.choices)),
        ParameterType::Any => {
            Ok(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())))
        }
    }
}

/// Whether a value is what is wanted. The error continues "input `x` …".
pub(crate) fn check(value: &Value, wanted: &Wanted<'_>) -> Result<(), String> {
    let wrong = |wanted: &str| {
        // A number as a text would read like the number.
        let text = if value.is_string() { "the text " } else { "" };
        Err(format!("takes {wanted}, not {text}{}", shown(value)))
    };
    if let Some(types) = wanted.link {
        return wrong(&format!("a link from an output of type {}", types.join(" or ")));
    }
    match wanted.kind {
        ParameterType::Int if !(value.is_i64() || value.is_u64()) => wrong("a whole number"),
        ParameterType::Float | ParameterType::Number if !value.is_number() => wrong("a number"),
        ParameterType::Boolean if !value.is_boolean() => wrong("true or false"),
        ParameterType::String if !value.is_string() => wrong("a text"),
        _ => check_range(value, wanted).and_then(|()| check_choice(value, &wanted.choices)),
    }
}

fn integer(text: &str) -> Option<Value> {
    let text = text.trim();
    text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<u64>().map(Value::from)).ok()
}

fn number(text: &str) -> Result<Value, String> {
    let parsed = text.trim().parse::<f64>().ok().and_then(Number::from_f64);
    parsed.map(Value::Number).ok_or_else(|| format!("takes a number, not `{}`", clip(text)))
}

fn boolean(text: &str) -> Result<Value, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(Value::Bool(true)),
        "false" | "no" | "off" | "0" => Ok(Value::Bool(false)),
        _ => Err(format!("takes true or false, not `{}`", clip(text))),
    }
}

/// The choice that reads as `text`; choices may be numbers and booleans.
fn choice(text: &str, choices: &[Value]) -> Value {
    let chosen = choices.iter().find(|choice| reading(choice) == text);
    chosen.cloned().unwrap_or_else(|| Value::String(text.to_owned()))
}

/// How a value reads to a person: texts without quotes.
pub(crate) fn reading(value: &Value) -> Cow<'_, str> {
    value.as_str().map_or_else(|| Cow::Owned(value.to_string()), Cow::Borrowed)
}

fn check_range(value: &Value, wanted: &Wanted<'_>) -> Result<(), String> {
    let Value::Number(number) = value else { return Ok(()) };
    let beyond = |limit: Option<&Number>, order| {
        limit.filter(|limit| compare(number, limit) == Some(order)).map(Number::to_string)
    };
    if let Some(min) = beyond(wanted.min, Ordering::Less) {
        return Err(format!("must be at least {min}, and {number} is smaller"));
    }
    if let Some(max) = beyond(wanted.max, Ordering::Greater) {
        return Err(format!("must be at most {max}, and {number} is larger"));
    }
    Ok(())
}

/// Compares whole numbers exactly: those of seeds have more digits than a float.
pub(crate) fn compare(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

fn check_choice(value: &Value, choices: &[Value]) -> Result<(), String> {
    if choices.is_empty() || choices.contains(value) {
        return Ok(());
    }
    let texts: Vec<_> = choices.iter().map(reading).collect();
    let hint = nearest(&reading(value), texts.iter().map(AsRef::as_ref));
    Err(format!("has no choice {}{hint}", shown(value)))
}

pub(crate) fn shown(value: &Value) -> String {
    format!("`{}`", clip(&reading(value)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::schema::Schemas;
    use crate::{ErrorKind, Workflow};

    fn schemas() -> Schemas {
        Schemas::from_value(json!({"K": {"input": {
            "required": {
                "seed": ["INT", {"min": 0, "max": 18446744073709551615u64}],
                "cfg": ["FLOAT", {"min": 0.0, "max": 100.0}],
                "on": ["BOOLEAN"],
                "method": [["euler", "heun", 2]],
                "image": [["a.png"], {"image_upload": true}],
                "model": ["MODEL"],
            },
            "optional": {"text": ["STRING"]},
        }, "output": [], "name": "K"}}))
        .unwrap()
    }

    fn workflow() -> Workflow {
        let inputs =
            json!({"seed": 1, "cfg": 8, "on": true, "method": "euler", "image": "a.png", "model": ["2", 0]});
        Workflow::from_value(json!({"1": {"class_type": "K", "inputs": inputs}, "2": {"class_type": "X", "inputs": {"n": 1, "t": "a", "f": null}}})).unwrap()
    }

    fn set(selector: &str, text: &str) -> String {
        let mut workflow = workflow();
        match workflow.set_text(selector, text, &schemas()) {
            Ok(()) => workflow.get(selector).unwrap().to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_text_takes_the_type_of_the_schema() {
        assert_eq!(set("1.seed", "18446744073709551615"), "18446744073709551615");
        assert_eq!(set("1.cfg", "7"), "7.0");
        assert_eq!(set("1.on", "false"), "false");
        assert_eq!(set("1.method", "2"), "2");
        assert_eq!(set("1.method", "heun"), "\"heun\"");
        assert_eq!(set("1.image", "sub/other.png"), "\"sub/other.png\"");
    }

    #[test]
    fn an_input_that_only_the_schema_knows_can_be_set() {
        assert_eq!(set("1.text", "42"), "\"42\"");
    }

    #[test]
    fn without_a_schema_a_text_takes_the_type_of_the_present_value() {
        assert_eq!(set("2.n", "42"), "42");
        assert_eq!(set("2.n", "0.5"), "0.5");
        assert_eq!(set("2.t", "42"), "\"42\"");
        assert_eq!(set("2.f", "[1]"), "[1]");
        assert_eq!(set("2.f", "word"), "\"word\"");
    }

    #[test]
    fn what_does_not_fit_is_an_error_that_says_what_does() {
        assert_eq!(set("1.seed", "1.5"), "input `seed` of node 1 (K) takes a whole number, not `1.5`");
        assert_eq!(set("1.seed", "-1"), "input `seed` of node 1 (K) must be at least 0, and -1 is smaller");
        assert_eq!(
            set("1.cfg", "1e3"),
            "input `cfg` of node 1 (K) must be at most 100.0, and 1000.0 is larger"
        );
        assert_eq!(set("1.on", "maybe"), "input `on` of node 1 (K) takes true or false, not `maybe`");
        assert_eq!(
            set("1.method", "euler_a"),
            "input `method` of node 1 (K) has no choice `euler_a`; did you mean `euler`?"
        );
        assert_eq!(set("1.txt", "a"), "node 1 (K) has no input `txt`; did you mean `text`?");
        let error = workflow().set_text("1.model", "x", &schemas()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Linked);
    }

    #[test]
    fn a_value_is_checked_and_not_converted() {
        let mut workflow = workflow();
        let error = workflow.set_checked("1.seed", "42", &schemas()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        workflow.set_checked("1.seed", json!(["2", 0]), &schemas()).unwrap();
        assert_eq!(workflow.get("1.seed").unwrap(), &json!(["2", 0]));
    }
}
