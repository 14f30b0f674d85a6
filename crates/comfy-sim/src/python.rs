//! Values as the server's language prints and judges them.

use std::fmt::Write as _;

use comfy_protocol::json::exact;
use serde_json::{Number, Value as Json};

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
        Json::String(string) if exact::token(string).is_none() => string.clone(),
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
        Json::String(string) => match exact::token(string) {
            None => string_repr(string),
            Some("NaN") => "nan".to_owned(),
            Some("Infinity") => "inf".to_owned(),
            Some("-Infinity") => "-inf".to_owned(),
            Some(digits) => digits.to_owned(),
        },
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
            '"' | '\'' => text.push(character),
            hidden if !is_printable(hidden) => {
                let code = exact::surrogate(hidden).map_or(u32::from(hidden), u32::from);
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

/// `isprintable()`, which the standard library knows through its own escaping. A letter stands before the character, since
/// combining marks are escaped only at the start of a text.
fn is_printable(character: char) -> bool {
    character == ' ' || ['a', character].iter().collect::<String>().escape_debug().nth(1) == Some(character)
}

/// Name of the Python class that a JSON value becomes.
pub(crate) fn type_name(json: &Json) -> &'static str {
    match json {
        Json::Null => "NoneType",
        Json::Bool(_) => "bool",
        Json::Number(number) if number.is_f64() => "float",
        Json::Number(_) => "int",
        Json::String(string) => match exact::token(string) {
            None => "str",
            Some("NaN" | "Infinity" | "-Infinity") => "float",
            Some(_) => "int",
        },
        Json::Array(_) => "list",
        Json::Object(_) => "dict",
    }
}

/// What `float()` makes of a value; `None` where it fails.
pub(crate) fn float(value: &Json) -> Option<f64> {
    match value {
        Json::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Json::String(text) if exact::token(text).is_none() => plain_digits(text)?.parse().ok(),
        other => exact::as_f64(other),
    }
}

/// What `int()` makes of a text, held to the range of the type; `None` where it fails.
pub(crate) fn int(text: &str) -> Option<i128> {
    let text = plain_digits(text)?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let limit = if text.starts_with('-') { i128::MIN } else { i128::MAX };
    Some(text.parse().unwrap_or(limit))
}

/// Without the space around it, and without the underscores that may stand between two digits.
fn plain_digits(text: &str) -> Option<String> {
    let text = text
        .trim_matches(|character: char| character.is_whitespace() || ('\x1c'..='\x1f').contains(&character));
    let is_digit = |at: Option<usize>| {
        at.and_then(|at| text.as_bytes().get(at)).is_some_and(|byte| byte.is_ascii_digit())
    };
    let fits = text.match_indices('_').all(|(at, _)| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)));
    fits.then(|| text.replace('_', ""))
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
    fn values_are_printed_like_python_objects() {
        assert_eq!(
            python_text(&json!({"a": [1, "it's", "x"], "b": null})),
            r#"{'a': [1, "it's", 'x'], 'b': None}"#
        );
        assert_eq!(python_text(&json!("as it is")), "as it is");
        assert_eq!(string_repr("both ' and \""), r#"'both \' and "'"#);
        assert_eq!(string_repr("a\n\u{1}ü\u{200b}"), "'a\\n\\x01ü\\u200b'");
        assert_eq!(string_repr("\u{378}\u{a0}\u{2028}e\u{301}😀"), "'\\u0378\\xa0\\u2028e\u{301}😀'");
    }

    #[test]
    fn numbers_that_json_cannot_hold_are_printed_too() {
        let value = exact::from_slice(br#"[NaN, -Infinity, 18446744073709551616, "\ud800"]"#).expect("read");
        assert_eq!(python_text(&value), "[nan, -inf, 18446744073709551616, '\\ud800']");
        assert_eq!(python_text(&value[0]), "nan");
        assert_eq!(
            (type_name(&value[1]), type_name(&value[2]), type_name(&value[3])),
            ("float", "int", "str")
        );
    }

    #[test]
    fn texts_are_numbers_where_they_are_to_python() {
        for (text, expected) in
            [(" 1_0.5\n", 10.5), ("-3.5", -3.5), ("1e3", 1000.0), ("-iNF", f64::NEG_INFINITY)]
        {
            assert_eq!(float(&json!(text)), Some(expected), "{text}");
        }
        assert!(float(&json!("nan")).is_some_and(f64::is_nan));
        assert_eq!(float(&json!(true)), Some(1.0));
        for text in ["", "abc", "1__0", "_1", "1_", "1_e5", "0x1"] {
            assert_eq!(float(&json!(text)), None, "{text}");
        }
        assert_eq!(float(&json!([1])), None);
        assert_eq!(
            (int(" +1_0 "), int("-0"), int("1.5"), int(""), int("+")),
            (Some(10), Some(0), None, None, None)
        );
        assert_eq!(int(&"9".repeat(50)), Some(i128::MAX));
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
