//! JSON and texts in the form that the server's language gives them.

use std::fmt::Write as _;

use serde_json::{Number, Value as Json};

/// JSON as `json.dumps` writes it: a blank after `,` and `:`, everything outside ASCII escaped.
pub(crate) fn python_json(json: &Json) -> String {
    let mut text = String::new();
    write_json(json, None, 0, &mut text);
    text
}

/// JSON as `json.dumps(…, indent=4)` writes it.
pub(crate) fn python_json_indented(json: &Json) -> String {
    let mut text = String::new();
    write_json(json, Some(4), 0, &mut text);
    text
}

fn write_json(json: &Json, indent: Option<usize>, depth: usize, text: &mut String) {
    match json {
        Json::Null => text.push_str("null"),
        Json::Bool(true) => text.push_str("true"),
        Json::Bool(false) => text.push_str("false"),
        Json::Number(number) => text.push_str(&number_text(number)),
        Json::String(string) => write_json_string(string, text),
        Json::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                write_gap(at == 0, indent, depth + 1, text);
                write_json(item, indent, depth + 1, text);
            }
            write_end(items.is_empty(), indent, depth, text);
            text.push(']');
        }
        Json::Object(entries) => {
            text.push('{');
            for (at, (key, item)) in entries.iter().enumerate() {
                write_gap(at == 0, indent, depth + 1, text);
                write_json_string(key, text);
                text.push_str(": ");
                write_json(item, indent, depth + 1, text);
            }
            write_end(entries.is_empty(), indent, depth, text);
            text.push('}');
        }
    }
}

fn write_gap(first: bool, indent: Option<usize>, depth: usize, text: &mut String) {
    match indent {
        None if first => {}
        None => text.push_str(", "),
        Some(indent) => {
            text.push_str(if first { "\n" } else { ",\n" });
            text.extend(std::iter::repeat_n(' ', indent * depth));
        }
    }
}

fn write_end(empty: bool, indent: Option<usize>, depth: usize, text: &mut String) {
    if let (false, Some(indent)) = (empty, indent) {
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', indent * depth));
    }
}

fn write_json_string(string: &str, text: &mut String) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='~' => text.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    // Writing into a String cannot fail.
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text.push('"');
}

/// A number as Python writes it.
pub(crate) fn number_text(number: &Number) -> String {
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (None, None, Some(float)) => float_text(float),
        _ => number.to_string(),
    }
}

/// A float as `repr` writes it: the shortest digits that read back the same, an exponent of two digits below 1e-4
/// and from 1e16 on.
pub(crate) fn float_text(float: f64) -> String {
    if float.is_nan() {
        return "nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    if float == 0.0 || (-4..16).contains(&power) {
        let plain = format!("{float}");
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", power.unsigned_abs())
}

/// The value as `str()` gives it.
pub(crate) fn python_text(json: &Json) -> String {
    match json {
        Json::String(string) => string.clone(),
        other => python_repr(other),
    }
}

/// The value as `repr()` gives it.
pub(crate) fn python_repr(json: &Json) -> String {
    match json {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(number) => number_text(number),
        Json::String(string) => string_repr(string),
        Json::Array(items) => {
            format!("[{}]", items.iter().map(python_repr).collect::<Vec<_>>().join(", "))
        }
        Json::Object(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, item)| format!("{}: {}", string_repr(key), python_repr(item)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// A text as `repr` quotes it: single quotes unless only single quotes occur in it.
pub(crate) fn string_repr(string: &str) -> String {
    let quote = if string.contains('\'') && !string.contains('"') { '"' } else { '\'' };
    let mut text = String::from(quote);
    for character in string.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            same if same == quote => text.extend(['\\', same]),
            hidden if is_hidden(hidden) => {
                let code = u32::from(hidden);
                let _ = match code {
                    0..=0xff => write!(text, "\\x{code:02x}"),
                    0x100..=0xffff => write!(text, "\\u{code:04x}"),
                    _ => write!(text, "\\U{code:08x}"),
                };
            }
            plain => text.push(plain),
        }
    }
    text.push(quote);
    text
}

/// Characters that `repr` does not print: controls, invisible formatting, blanks other than the space.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || (character.is_whitespace() && character != ' ')
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(character, '\u{e000}'..='\u{f8ff}' | '\u{e0001}'..='\u{e007f}' | '\u{f0000}'..)
}

/// Name of the Python class that a JSON value becomes.
pub(crate) fn type_name(json: &Json) -> &'static str {
    match json {
        Json::Null => "NoneType",
        Json::Bool(_) => "bool",
        Json::Number(number) if number.is_f64() => "float",
        Json::Number(_) => "int",
        Json::String(_) => "str",
        Json::Array(_) => "list",
        Json::Object(_) => "dict",
    }
}

/// Whether a value counts as true where a condition is asked for.
pub(crate) fn is_true(json: &Json) -> bool {
    match json {
        Json::Null => false,
        Json::Bool(flag) => *flag,
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::String(string) => !string.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(entries) => !entries.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_written_with_blanks_and_in_ascii() {
        let json =
            json!({"a": [1, 2.0, 1e-9, "ü😀\u{7f}\"\\\n/"], "b": {}, "c": [], "d": null, "e": [true, false]});
        assert_eq!(
            python_json(&json),
            r#"{"a": [1, 2.0, 1e-09, "\u00fc\ud83d\ude00\u007f\"\\\n/"], "b": {}, "c": [], "d": null, "e": [true, false]}"#
        );
    }

    #[test]
    fn control_characters_have_their_short_escapes() {
        assert_eq!(python_json(&json!("\u{8}\u{c}\r\t\u{1}")), r#""\b\f\r\t\u0001""#);
    }

    #[test]
    fn indented_json_has_one_item_per_line() {
        let text = python_json_indented(&json!({"a": 1.5, "b": ["ü", null], "c": {}}));
        assert_eq!(
            text,
            "{\n    \"a\": 1.5,\n    \"b\": [\n        \"\\u00fc\",\n        null\n    ],\n    \"c\": {}\n}"
        );
    }

    #[test]
    fn floats_are_written_like_repr() {
        let cases = [
            (0.1, "0.1"),
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (100.0, "100.0"),
            (1e-9, "1e-09"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1e22, "1e+22"),
            (1.5e300, "1.5e+300"),
            (123_456.789, "123456.789"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (float, text) in cases {
            assert_eq!(float_text(float), text);
        }
    }

    #[test]
    fn large_integers_keep_all_digits() {
        assert_eq!(python_json(&json!([u64::MAX, i64::MIN])), "[18446744073709551615, -9223372036854775808]");
    }

    #[test]
    fn values_are_printed_like_python_objects() {
        assert_eq!(
            python_text(&json!({"a": [1, "it's", "x"], "b": null})),
            r#"{'a': [1, "it's", 'x'], 'b': None}"#
        );
        assert_eq!(python_text(&json!("as it is")), "as it is");
        assert_eq!(string_repr("both ' and \""), r#"'both \' and "'"#);
        assert_eq!(string_repr("a\n\u{1}ü\u{200b}"), "'a\\n\\x01ü\\u200b'");
    }

    #[test]
    fn truth_is_that_of_python() {
        for yes in [json!(true), json!(-1), json!(0.5), json!("false"), json!([0]), json!({"a": 0})] {
            assert!(is_true(&yes), "{yes}");
        }
        for no in [json!(null), json!(false), json!(0), json!(-0.0), json!(""), json!([]), json!({})] {
            assert!(!is_true(&no), "{no}");
        }
    }
}
