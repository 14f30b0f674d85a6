//! Refusals, and the server's lists of what is wrong with a request.

use axum::http::StatusCode;
use serde_json::{Map, Value as Json, json};

use super::super::answer::{self, Refusal};

pub(super) fn refuse(status: StatusCode, code: &str, message: &str, details: Json) -> Refusal {
    let error = json!({"error": {"code": code, "message": message, "details": details}});
    answer::json_with(status, &error).into()
}

/// What is wrong with the fields of a request, in the order in which the server looks at them.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Json>);

impl Problems {
    fn add(&mut self, kind: &str, place: &[Json], message: &str, input: &Json, context: Option<Json>) {
        let mut problem = Map::new();
        problem.insert("type".into(), kind.into());
        problem.insert("loc".into(), place.into());
        problem.insert("msg".into(), message.into());
        problem.insert("input".into(), input.clone());
        if let Some(context) = context {
            problem.insert("ctx".into(), context);
        }
        problem.insert("url".into(), format!("https://errors.pydantic.dev/2.14/v/{kind}").into());
        self.0.push(Json::Object(problem));
    }

    /// Something that the server's own check refuses.
    pub(super) fn value(&mut self, place: &[Json], error: &str, input: &Json) {
        let message = format!("Value error, {error}");
        self.add("value_error", place, &message, input, Some(json!({"error": error})));
    }

    pub(super) fn missing(&mut self, field: &str, input: &Json) {
        self.add("missing", &[field.into()], "Field required", input, None);
    }

    /// The body is no object.
    pub(super) fn no_object(&mut self, class: &str, input: &Json) {
        let message = format!("Input should be a valid dictionary or instance of {class}");
        self.add("model_type", &[], &message, input, Some(json!({"class_name": class})));
    }

    /// A field that has to be a text of at most `longest` characters; null and absence are left alone.
    pub(super) fn text(&mut self, field: &str, value: Option<&Json>, longest: usize) -> Option<String> {
        match value {
            None | Some(Json::Null) => None,
            Some(Json::String(text)) => {
                if text.chars().count() > longest {
                    let message = format!("String should have at most {longest} characters");
                    let context = json!({"max_length": longest});
                    self.add("string_too_long", &[field.into()], &message, &json!(text), Some(context));
                }
                Some(text.clone())
            }
            Some(other) => {
                self.string_type(&[field.into()], other);
                None
            }
        }
    }

    pub(super) fn string_type(&mut self, place: &[Json], input: &Json) {
        self.add("string_type", place, "Input should be a valid string", input, None);
    }

    /// A field that has to be an object; null and absence are left alone.
    pub(super) fn object(&mut self, field: &str, value: Option<&Json>) -> Option<Map<String, Json>> {
        match value {
            None | Some(Json::Null) => None,
            Some(Json::Object(object)) => Some(object.clone()),
            Some(other) => {
                let message = "Input should be a valid dictionary";
                self.add("dict_type", &[field.into()], message, other, None);
                None
            }
        }
    }

    pub(super) fn list_type(&mut self, field: &str, input: &Json) {
        self.add("list_type", &[field.into()], "Input should be a valid list", input, None);
    }

    pub(super) fn too_short(&mut self, field: &str, input: &Json) {
        let message = "List should have at least 1 item after validation, not 0";
        let context = json!({"field_type": "List", "min_length": 1, "actual_length": 0});
        self.add("too_short", &[field.into()], message, input, Some(context));
    }

    /// A text of a query that must not be empty.
    pub(super) fn empty_text(&mut self, field: &str) {
        let message = "String should have at least 1 character";
        let context = json!({"min_length": 1});
        self.add("string_too_short", &[field.into()], message, &json!(""), Some(context));
    }

    /// A number of a query between two bounds.
    pub(super) fn number(&mut self, field: &str, value: &Json, bounds: (i64, Option<i64>)) -> Option<i64> {
        let place = [Json::from(field)];
        let Some(text) = value.as_str() else {
            self.add("int_type", &place, "Input should be a valid integer", value, None);
            return None;
        };
        let Ok(number) = text.trim().parse::<i64>() else {
            let message = "Input should be a valid integer, unable to parse string as an integer";
            self.add("int_parsing", &place, message, value, None);
            return None;
        };
        match bounds {
            (least, _) if number < least => {
                let message = format!("Input should be greater than or equal to {least}");
                self.add("greater_than_equal", &place, &message, value, Some(json!({"ge": least})));
                None
            }
            (_, Some(most)) if number > most => {
                let message = format!("Input should be less than or equal to {most}");
                self.add("less_than_equal", &place, &message, value, Some(json!({"le": most})));
                None
            }
            _ => Some(number),
        }
    }

    /// One of some words.
    pub(super) fn word(&mut self, field: &str, value: &Json, words: &[&str]) -> Option<String> {
        if let Some(word) = value.as_str().filter(|word| words.contains(word)) {
            return Some(word.to_owned());
        }
        let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
        let expected = match quoted.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        };
        let message = format!("Input should be {expected}");
        self.add("literal_error", &[field.into()], &message, value, Some(json!({"expected": expected})));
        None
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, field: &str, value: &Json) -> Option<bool> {
        let word = value.as_str().unwrap_or_default().to_ascii_lowercase();
        match word.as_str() {
            "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
            "0" | "off" | "f" | "false" | "n" | "no" => Some(false),
            _ => {
                let message = "Input should be a valid boolean, unable to interpret input";
                self.add("bool_parsing", &[field.into()], message, value, None);
                None
            }
        }
    }

    /// Refuses if there are any.
    pub(super) fn check(self, code: &str, message: &str) -> Result<(), Refusal> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(refuse(StatusCode::BAD_REQUEST, code, message, json!({"errors": self.0})))
    }

    /// Refuses if there are any, with all of them in the message.
    pub(super) fn check_in_message(self) -> Result<(), Refusal> {
        if self.0.is_empty() {
            return Ok(());
        }
        let message = format!("Validation failed: {}", Json::Array(self.0));
        Err(refuse(StatusCode::BAD_REQUEST, "INVALID_BODY", &message, json!({})))
    }
}
