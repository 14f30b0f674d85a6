//! Values of inputs: from texts that people write, and whether they fit a schema.

use serde_json::{Number, Value};

use crate::Link;
use crate::schema::{InputSpec, InputType};
use crate::select::nearest;
use crate::workflow::clip;

/// Reads a text as the type that `spec` asks for, else as that of the present value. The error continues "input `x` …".
pub(super) fn from_text(
    text: &str,
    present: Option<&Value>,
    spec: Option<&InputSpec>,
) -> Result<Value, String> {
    match spec.map(|spec| (&spec.kind, spec)) {
        Some((InputType::Int, _)) => {
            integer(text).ok_or_else(|| format!("takes a whole number, not `{}`", clip(text)))
        }
        Some((InputType::Float, _)) => number(text),
        Some((InputType::Boolean, _)) => boolean(text),
        Some((InputType::String, _)) => Ok(Value::String(text.to_owned())),
        Some((InputType::Combo | InputType::DynamicCombo(_), spec)) => Ok(choice(text, spec)),
        _ => match present {
            Some(Value::Bool(_)) => boolean(text),
            Some(Value::Number(_)) => integer(text).map_or_else(|| number(text), Ok),
            Some(Value::String(_)) => Ok(Value::String(text.to_owned())),
            _ => Ok(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))),
        },
    }
}

/// Whether a value fits a schema. The error continues "input `x` …".
pub(super) fn check(value: &Value, spec: Option<&InputSpec>) -> Result<(), String> {
    let Some(spec) = spec.filter(|_| Link::from_value(value).is_none()) else {
        return Ok(());
    };
    let wrong = |wanted: &str| {
        // A number as a text would read like the number.
        let text = if value.is_string() { "the text " } else { "" };
        Err(format!("takes {wanted}, not {text}{}", shown(value)))
    };
    match &spec.kind {
        InputType::Int if !(value.is_i64() || value.is_u64()) => wrong("a whole number"),
        InputType::Float if !value.is_number() => wrong("a number"),
        InputType::Boolean if !value.is_boolean() => wrong("true or false"),
        InputType::String if !value.is_string() => wrong("a text"),
        InputType::Int | InputType::Float => check_range(value, spec),
        InputType::Combo => check_choice(value, spec),
        InputType::Link(types) => {
            Err(format!("takes a link from an output of type {}, not {}", types.join(" or "), shown(value)))
        }
        _ => Ok(()),
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
fn choice(text: &str, spec: &InputSpec) -> Value {
    let chosen = spec.choices().iter().find(|choice| reading(choice) == text);
    chosen.cloned().unwrap_or_else(|| Value::String(text.to_owned()))
}

/// How a value reads to a person: texts without quotes.
fn reading(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn check_range(value: &Value, spec: &InputSpec) -> Result<(), String> {
    let Value::Number(number) = value else { return Ok(()) };
    let beyond = |limit: Option<&Number>, order| {
        limit.filter(|limit| compare(number, limit) == Some(order)).map(Number::to_string)
    };
    if let Some(min) = beyond(spec.min(), std::cmp::Ordering::Less) {
        return Err(format!("must be at least {min}, and {number} is smaller"));
    }
    if let Some(max) = beyond(spec.max(), std::cmp::Ordering::Greater) {
        return Err(format!("must be at most {max}, and {number} is larger"));
    }
    Ok(())
}

/// Compares whole numbers exactly: those of seeds have more digits than a float.
fn compare(a: &Number, b: &Number) -> Option<std::cmp::Ordering> {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

fn check_choice(value: &Value, spec: &InputSpec) -> Result<(), String> {
    let choices = spec.choices();
    // Lists of files show the top level only, and lists that are fetched from elsewhere are empty.
    let open = [
        "image_upload",
        "video_upload",
        "audio_upload",
        "file_upload",
        "image_folder",
        "remote",
        "remote_combo",
    ];
    let is_open = open.iter().any(|option| spec.options.contains_key(option));
    if is_open || choices.is_empty() || spec.multiselect() || choices.contains(value) {
        return Ok(());
    }
    let texts: Vec<String> = choices.iter().map(reading).collect();
    let hint = nearest(&reading(value), texts.iter().map(String::as_str));
    Err(format!("has no choice {}{hint}", shown(value)))
}

fn shown(value: &Value) -> String {
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
