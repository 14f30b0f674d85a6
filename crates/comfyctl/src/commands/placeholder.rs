//! `{}` in the values of `--set`, where they are for each picture of a folder.

use std::path::Path;

use serde_json::Value;

const NAME: &str = "{}";
const STEM: &str = "{.}";

/// Whether a text has a placeholder.
pub(super) fn is_in(text: &str) -> bool {
    text.contains(NAME) || text.contains(STEM)
}

/// The text with the name of the picture in it. What is put in is not looked through again.
pub(super) fn filled(text: &str, picture: &Path) -> String {
    let name = picture.file_name().unwrap_or_default().to_string_lossy();
    let stem = picture.file_stem().unwrap_or_default().to_string_lossy();
    let mut filled = String::new();
    let mut rest = text;
    while let Some(place) = rest.find('{') {
        let (before, from) = rest.split_at(place);
        filled.push_str(before);
        rest = if let Some(after) = from.strip_prefix(NAME) {
            filled.push_str(&name);
            after
        } else if let Some(after) = from.strip_prefix(STEM) {
            filled.push_str(&stem);
            after
        } else {
            filled.push('{');
            &from[1..]
        };
    }
    filled.push_str(rest);
    filled
}

/// JSON with the name of the picture in its texts.
pub(super) fn filled_json(value: &Value, picture: &Path) -> Value {
    match value {
        Value::String(text) => Value::String(filled(text, picture)),
        Value::Array(items) => items.iter().map(|item| filled_json(item, picture)).collect(),
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(key, item)| (key.clone(), filled_json(item, picture))).collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_put_in_once_and_other_braces_stay() {
        let picture = Path::new("in/a {} {.}.png");
        assert_eq!(filled("{} of {.}, {day|night} {", picture), "a {} {.}.png of a {} {.}, {day|night} {");
        assert_eq!(filled_json(&json!({"{}": ["{.}", 1]}), picture), json!({"{}": ["a {} {.}", 1]}));
        assert!(is_in("x{.}") && is_in("{}") && !is_in("{day|night}"));
    }
}
