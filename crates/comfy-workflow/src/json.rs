//! Reading JSON as ComfyUI servers and their users write it.
//!
//! Servers write with Python's `json`, which emits the bare tokens `NaN`, `Infinity` and `-Infinity` and lone UTF-16
//! surrogates. None of them is JSON; all of them occur in answers, messages and saved workflows. Reading puts `null`
//! for such a number and U+FFFD for such a surrogate. Integers up to 2^64-1 stay exact. Where that is too little, [`exact`]
//! keeps them all.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

pub mod exact;
mod replace;

pub use replace::{Start, replace_values};

/// Longest excerpt of a document that an error shows, in characters.
const EXCERPT: usize = 80;

/// Why a document could not be read: what is wrong, where, and the text around it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}{}", at(path), near(excerpt))]
#[non_exhaustive]
pub struct JsonError {
    /// What is wrong, with line and column.
    pub message: String,
    /// Where in the document, such as `nodes[3].inputs`; empty when the document as a whole is no JSON.
    pub path: String,
    /// The text around the place, clipped; control characters are escaped.
    pub excerpt: String,
    /// Whether the text is no JSON at all, rather than JSON of another shape than expected.
    pub syntax: bool,
}

fn at(path: &str) -> String {
    if path.is_empty() || path == "." { String::new() } else { format!(" in `{path}`") }
}

fn near(excerpt: &str) -> String {
    if excerpt.is_empty() { String::new() } else { format!(", near `{excerpt}`") }
}

/// Reads `bytes` as a `T`.
///
/// # Errors
/// The text is no JSON even with the tolerance described above, is nested deeper than 128 levels, or is not a `T`.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    match strict(bytes) {
        Err(error) if error.syntax => match repaired(bytes) {
            Cow::Owned(fixed) => strict(&fixed),
            Cow::Borrowed(_) => Err(error),
        },
        result => result,
    }
}

/// Reads `text` as a `T`; see [`from_slice`].
///
/// # Errors
/// As [`from_slice`].
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, JsonError> {
    from_slice(text.as_bytes())
}

fn strict<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    match serde_json::from_slice(bytes) {
        Ok(value) => Ok(value),
        Err(error) if error.is_data() => tracked(bytes),
        Err(error) => Err(describe(bytes, &error, String::new())),
    }
}

/// Keeps track of the path for the error's sake, which makes reading several times slower.
fn tracked<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        describe(bytes, error.inner(), path)
    })?;
    reader.end().map_err(|error| describe(bytes, &error, String::new()))?;
    Ok(value)
}

fn describe(bytes: &[u8], error: &serde_json::Error, path: String) -> JsonError {
    let syntax = error.is_syntax() || error.is_eof();
    JsonError {
        message: if error.is_eof() {
            format!("it ends too early at line {} column {}", error.line(), error.column())
        } else {
            error.to_string()
        },
        path: if syntax { String::new() } else { path },
        excerpt: excerpt(bytes, error.line(), error.column()),
        syntax,
    }
}

/// The text around a line and column (from 1), clipped and with control characters escaped.
fn excerpt(bytes: &[u8], line: usize, column: usize) -> String {
    let Some(row) = bytes.split(|byte| *byte == b'\n').nth(line.saturating_sub(1)) else {
        return String::new();
    };
    let start = column.saturating_sub(EXCERPT / 2).min(row.len());
    let end = (start + EXCERPT).min(row.len());
    let text = String::from_utf8_lossy(&row[start..end]);
    text.trim()
        .chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}

/// `bytes` with the tokens of Python's writer that are no JSON replaced; borrowed when there are none.
fn repaired(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut fixed: Vec<u8> = Vec::new();
    let mut copied = 0;
    let mut position = 0;
    let mut in_string = false;
    while position < bytes.len() {
        let rest = &bytes[position..];
        let (skip, replacement): (usize, Option<&[u8]>) = match rest[0] {
            b'"' => {
                in_string = !in_string;
                (1, None)
            }
            b'\\' if in_string => escape(rest),
            _ if in_string => (1, None),
            b'N' if rest.starts_with(b"NaN") => (3, Some(b"null")),
            b'I' if rest.starts_with(b"Infinity") => (8, Some(b"null")),
            b'-' if rest.starts_with(b"-Infinity") => (9, Some(b"null")),
            _ => (1, None),
        };
        if let Some(replacement) = replacement {
            fixed.extend_from_slice(&bytes[copied..position]);
            fixed.extend_from_slice(replacement);
            copied = position + skip;
        }
        position += skip;
    }
    if copied == 0 {
        return Cow::Borrowed(bytes);
    }
    fixed.extend_from_slice(&bytes[copied.min(bytes.len())..]);
    Cow::Owned(fixed)
}

/// Length of the escape at the start of `rest`, and what to put for it when it is half of a surrogate pair.
fn escape(rest: &[u8]) -> (usize, Option<&'static [u8]>) {
    match code_unit(rest) {
        Some(0xD800..=0xDBFF) if matches!(code_unit(&rest[6..]), Some(0xDC00..=0xDFFF)) => (12, None),
        Some(0xD800..=0xDFFF) => (6, Some(b"\\ufffd")),
        _ => (2.min(rest.len()), None),
    }
}

fn code_unit(rest: &[u8]) -> Option<u16> {
    let digits = rest.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn bare_python_numbers_become_null() {
        let value: Value =
            from_str(r#"{"a": NaN, "b": [Infinity, -Infinity, 1e-09], "c": "NaN \" Infinity"}"#).unwrap();
        assert_eq!(value, json!({"a": null, "b": [null, null, 1e-9], "c": "NaN \" Infinity"}));
    }

    #[test]
    fn integers_up_to_the_largest_u64_stay_exact() {
        let value: Value = from_str("[18446744073709551615, -9223372036854775808]").unwrap();
        assert_eq!(value.to_string(), "[18446744073709551615,-9223372036854775808]");
    }

    #[test]
    fn lone_surrogates_become_the_replacement_character_and_pairs_stay() {
        let value: Value = from_str(r#"["\ud83d\ude00", "\ud83d", "\ude00x", "\\ud83d"]"#).unwrap();
        assert_eq!(value, json!(["😀", "\u{fffd}", "\u{fffd}x", "\\ud83d"]));
    }

    #[test]
    fn an_error_names_path_place_and_excerpt() {
        #[derive(Debug, serde::Deserialize)]
        struct Item {
            #[serde(rename = "n")]
            _n: u8,
        }
        let error = from_str::<Vec<Item>>(r#"[{"n": 1}, {"n": "two"}]"#).unwrap_err();
        assert_eq!(error.path, "[1].n");
        assert!(error.to_string().contains("near `"), "{error}");
        assert!(!error.syntax);
        assert!(from_str::<Value>("<html>").unwrap_err().syntax);
        let cut = from_str::<Value>(r#"{"a": "#).unwrap_err();
        assert_eq!(cut.to_string(), r#"it ends too early at line 1 column 6, near `{"a":`"#);
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        let deep = "[".repeat(100_000);
        assert!(from_str::<Value>(&deep).unwrap_err().message.contains("recursion"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = from_slice::<Value>(&bytes);
        }

        #[test]
        fn no_text_of_json_tokens_makes_the_reader_panic(text in r#"([\[\]{},:"\\]|NaN|-?Infinity|\\u[dD][89ab][0-9]{0,2}|1|é){0,40}"#) {
            let _ = from_str::<Value>(&text);
        }

        #[test]
        fn valid_json_is_read_as_serde_json_reads_it(text in r#"("[a-zN]{0,5}"|[0-9]{1,4}|true)"#) {
            let strict: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
            prop_assert_eq!(from_str::<Value>(&text).unwrap_or(Value::Null), strict);
        }
    }
}
