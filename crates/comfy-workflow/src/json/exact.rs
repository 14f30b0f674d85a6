//! JSON values that keep what [`serde_json`] cannot hold.
//!
//! Python's reader takes `NaN`, `Infinity`, `-Infinity`, integers of any size and lone UTF-16 surrogates, and its writer gives
//! them back. Whoever plays a server has to do the same. Here they become *stand-ins*: a number becomes a text that begins with
//! U+FDD0, a character that Unicode keeps from interchange, followed by the number as it is written; a lone surrogate becomes
//! a character of the last 2048 of Unicode's private area. A writer turns them back with [`token`] and [`surrogate`].
//!
//! A client that sends such a text itself gets the number back in its place, and for such a character the surrogate.

use std::borrow::Cow;

use serde_json::Value;

use super::{JsonError, code_unit, strict};

/// With it a text begins that stands for a number.
const MARK: char = '\u{FDD0}';

/// The character that stands for the surrogate U+D800.
const FIRST_SURROGATE: u32 = 0x10_F800;

/// Most digits that Python reads into an integer.
const MOST_DIGITS: usize = 4300;

/// Reads a document with stand-ins for what a [`Value`] cannot hold.
///
/// # Errors
/// The text is no JSON to Python either, or is nested deeper than 128 levels.
pub fn from_slice(bytes: &[u8]) -> Result<Value, JsonError> {
    strict(&with_stand_ins(bytes))
}

/// A float, or the stand-in for one that is not finite.
#[must_use]
pub fn float(float: f64) -> Value {
    if float.is_finite() {
        return Value::from(float);
    }
    let token = match float {
        _ if float.is_nan() => "NaN",
        _ if float > 0.0 => "Infinity",
        _ => "-Infinity",
    };
    Value::from(format!("{MARK}{token}"))
}

/// An integer in decimal digits: a number as far as 64 bits go, a stand-in beyond.
#[must_use]
pub fn integer(digits: &str) -> Value {
    let number = digits.parse::<i64>().map(Value::from).or_else(|_| digits.parse::<u64>().map(Value::from));
    number.unwrap_or_else(|_| Value::from(format!("{MARK}{digits}")))
}

/// The number that a text stands for, as it is written in a document; `None` for texts that stand for themselves.
#[must_use]
pub fn token(text: &str) -> Option<&str> {
    let token = text.strip_prefix(MARK)?;
    let is_integer = {
        let digits = token.strip_prefix('-').unwrap_or(token);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0')
    };
    (is_integer || matches!(token, "NaN" | "Infinity" | "-Infinity")).then_some(token)
}

/// The number that a value stands for, as it is written in a document; `None` for values that stand for themselves.
#[must_use]
pub fn stand_in(value: &Value) -> Option<&str> {
    token(value.as_str()?)
}

/// The value of a number or of the stand-in for one. Integers beyond 64 bits lose digits.
#[must_use]
pub fn as_f64(value: &Value) -> Option<f64> {
    match stand_in(value) {
        None => value.as_f64(),
        // The texts of floats in Rust differ from those of Python in letter case only.
        Some(token) => token.parse().ok(),
    }
}

/// The lone surrogate that a character stands for.
#[must_use]
pub fn surrogate(character: char) -> Option<u16> {
    let offset = u32::from(character).checked_sub(FIRST_SURROGATE)?;
    u16::try_from(0xD800 + offset).ok()
}

/// The value without stand-ins: null for floats that are not finite, the nearest float for large integers, and U+FFFD for
/// lone surrogates, as [`super::from_slice`] reads them.
#[must_use]
pub fn without_stand_ins(value: Value) -> Value {
    match value {
        Value::String(text) => match token(&text) {
            Some(token) => token.parse::<f64>().map_or(Value::Null, Value::from),
            None => Value::String(plain(text)),
        },
        Value::Array(items) => items.into_iter().map(without_stand_ins).collect(),
        Value::Object(map) => {
            map.into_iter().map(|(key, item)| (plain(key), without_stand_ins(item))).collect()
        }
        other => other,
    }
}

fn plain(text: String) -> String {
    if text.chars().all(|character| surrogate(character).is_none()) {
        return text;
    }
    text.chars()
        .map(|character| if surrogate(character).is_some() { '\u{FFFD}' } else { character })
        .collect()
}

/// `bytes` with stand-ins; borrowed when there are none.
fn with_stand_ins(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut fixed: Vec<u8> = Vec::new();
    let mut copied = 0;
    let mut position = 0;
    let mut in_string = false;
    while let Some(&byte) = bytes.get(position) {
        let rest = bytes.get(position..).unwrap_or_default();
        let (length, replacement) = match byte {
            b'"' => {
                in_string = !in_string;
                (1, None)
            }
            b'\\' if in_string => escape(rest),
            _ if in_string => (1, None),
            b'N' | b'I' | b'-' | b'0'..=b'9' => number(rest),
            _ => (1, None),
        };
        if let Some(replacement) = replacement {
            fixed.extend_from_slice(bytes.get(copied..position).unwrap_or_default());
            fixed.extend_from_slice(replacement.as_bytes());
            copied = position + length;
        }
        position += length;
    }
    if copied == 0 {
        return Cow::Borrowed(bytes);
    }
    fixed.extend_from_slice(bytes.get(copied..).unwrap_or_default());
    Cow::Owned(fixed)
}

/// Length of the number at the start of `rest`, and what to put for it when a [`Value`] cannot hold it.
fn number(rest: &[u8]) -> (usize, Option<String>) {
    for token in ["NaN", "Infinity", "-Infinity"] {
        if rest.starts_with(token.as_bytes()) {
            return (token.len(), Some(format!("\"{MARK}{token}\"")));
        }
    }
    let length =
        rest.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')).count();
    let token = std::str::from_utf8(rest.get(..length).unwrap_or_default()).unwrap_or_default();
    (length.max(1), replaced(token))
}

fn replaced(token: &str) -> Option<String> {
    let magnitude = token.strip_prefix('-').unwrap_or(token);
    let is_integer = magnitude.bytes().all(|byte| byte.is_ascii_digit());
    if token == "-0" {
        // An integer to Python, which knows no negative zero among these.
        return Some("0".to_owned());
    }
    if is_integer {
        let fits = magnitude.len() < 19 || token.parse::<i64>().is_ok() || token.parse::<u64>().is_ok();
        let readable = !magnitude.starts_with('0') && magnitude.len() <= MOST_DIGITS;
        return (!fits && readable).then(|| format!("\"{MARK}{token}\""));
    }
    if magnitude.len() < 5 || !token.parse::<f64>().is_ok_and(f64::is_infinite) {
        return None;
    }
    // Whether it is a number to JSON too does not depend on its exponent, which alone makes it too large to be read; without
    // one, the many digits before the point do.
    let (mantissa, exponent) = magnitude.split_once(['e', 'E']).unwrap_or((magnitude, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_json = digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && digits(fraction)
        && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    let sign = if token.starts_with('-') { "-" } else { "" };
    is_json.then(|| format!("\"{MARK}{sign}Infinity\""))
}

/// Length of the escape at the start of `rest`, and what to put for it when it is half of a surrogate pair.
fn escape(rest: &[u8]) -> (usize, Option<String>) {
    match code_unit(rest) {
        Some(0xD800..=0xDBFF) if matches!(rest.get(6..).and_then(code_unit), Some(0xDC00..=0xDFFF)) => {
            (12, None)
        }
        Some(unit @ 0xD800..=0xDFFF) => {
            let character = char::from_u32(FIRST_SURROGATE + u32::from(unit) - 0xD800);
            (6, character.map(String::from))
        }
        _ => (2.min(rest.len()), None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Value {
        from_slice(text.as_bytes()).expect("JSON to Python")
    }

    #[test]
    fn numbers_that_json_cannot_hold_are_kept_as_they_are_written() {
        let value = read(
            r#"{"NaN": NaN, "b": [Infinity, -Infinity, 1e999, -1.5E+400], "c": "NaN", "d": 18446744073709551616}"#,
        );
        let found: Vec<_> = value["b"].as_array().expect("a list").iter().map(stand_in).collect();
        assert_eq!(found, [Some("Infinity"), Some("-Infinity"), Some("Infinity"), Some("-Infinity")]);
        assert_eq!(stand_in(&value["NaN"]), Some("NaN"));
        assert_eq!(stand_in(&value["c"]), None);
        assert_eq!(stand_in(&value["d"]), Some("18446744073709551616"));
        assert!(as_f64(&value["NaN"]).is_some_and(f64::is_nan));
        assert_eq!(as_f64(&value["b"][1]), Some(f64::NEG_INFINITY));
        assert_eq!(as_f64(&value["d"]), Some(18_446_744_073_709_551_616.0));
    }

    #[test]
    fn other_numbers_are_read_as_ever() {
        let value = read("[18446744073709551615, -9223372036854775808, 1.50, 1e5, -0, -0.0]");
        assert_eq!(value.to_string(), "[18446744073709551615,-9223372036854775808,1.5,100000.0,0,-0.0]");
    }

    #[test]
    fn what_is_no_number_to_python_is_none_here() {
        for text in
            ["NaNN", "-NaN", "+1", "01e999", "1.e999", ".1e999", "1e", "-", "00000000000000000000001", "nan"]
        {
            assert!(from_slice(text.as_bytes()).is_err(), "{text}");
        }
        assert!(from_slice("9".repeat(MOST_DIGITS).as_bytes()).is_ok());
    }

    #[test]
    fn lone_surrogates_are_kept_and_pairs_are_characters() {
        let value = read(r#"["\ud83d\ude00", "\ud83dx", "\udfff\ud800", "\\ud83d"]"#);
        assert_eq!(value[0], json!("😀"));
        assert_eq!(value[3], json!("\\ud83d"));
        let units: Vec<_> = value[2].as_str().expect("a text").chars().map(surrogate).collect();
        assert_eq!(units, [Some(0xDFFF), Some(0xD800)]);
        assert_eq!(surrogate('😀'), None);
        assert_eq!(surrogate('\u{10F7FF}'), None);
    }

    #[test]
    fn only_what_was_read_as_a_number_stands_for_one() {
        for text in ["", "\u{FDD0}", "\u{FDD0}x", "\u{FDD0}01", "\u{FDD0}-", "\u{FDD0}1, 2", "NaN"] {
            assert_eq!(token(text), None, "{text:?}");
        }
        assert_eq!(float(1.5), json!(1.5));
        assert_eq!(stand_in(&float(f64::NAN)), Some("NaN"));
        assert_eq!(integer("-5"), json!(-5));
        assert_eq!(stand_in(&integer("-9223372036854775809")), Some("-9223372036854775809"));
    }

    #[test]
    fn values_can_do_without_stand_ins() {
        let text = r#"{"\ud800": [NaN, "\udfff", 1e999, 36893488147419103232]}"#;
        let value = without_stand_ins(read(text));
        assert_eq!(value, json!({"\u{fffd}": [null, "\u{fffd}", null, 36_893_488_147_419_103_232.0_f64]}));
    }

    proptest! {
        #[test]
        fn no_text_of_json_tokens_makes_the_reader_panic(text in r#"([\[\]{},:"\\]|NaN|-?Infinity|\\u[dD][89ab][0-9]{0,2}|-|1|e9|\.|é){0,40}"#) {
            let _ = from_slice(text.as_bytes());
        }
    }
}
