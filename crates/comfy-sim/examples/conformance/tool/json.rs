//! Reading JSON as Python reads it: any integer, any escaped character and, where asked for, NaN and infinities.

use serde_json::Value;

/// A JSON text without NaN and infinities.
pub(crate) fn strict(text: &str) -> Option<Value> {
    read(text, false)
}

/// A JSON text that may have NaN and infinities in it.
pub(crate) fn lenient(text: &str) -> Option<Value> {
    read(text, true)
}

fn read(text: &str, constants: bool) -> Option<Value> {
    serde_json::from_str(&tame(text, constants)?).ok()
}

/// The text with what serde_json has no value for replaced by a string of its own.
fn tame(text: &str, constants: bool) -> Option<String> {
    let mut tamed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest)?,
            'N' | 'I' | '-' | '0'..='9' => {
                rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(rest.len())
            }
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        match token {
            "NaN" | "Infinity" | "-Infinity" if constants => {
                tamed.push_str(&format!("\"<{token}>\""));
            }
            "NaN" | "Infinity" | "-Infinity" => return None,
            _ if first == '"' => push_string(&mut tamed, token),
            _ if is_too_long(token) => tamed.push_str(&format!("\"<{token}>\"")),
            _ => tamed.push_str(token),
        }
    }
    Some(tamed)
}

/// Whether it is an integer that no type of Rust's holds.
fn is_too_long(token: &str) -> bool {
    token.len() > 18
        && token.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit())
        && token.parse::<i64>().is_err()
        && token.parse::<u64>().is_err()
}

fn string_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Copies a string; half a pair of surrogates stays visible as it is written.
fn push_string(tamed: &mut String, token: &str) {
    let mut rest = token;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        tamed.push_str(before);
        let length = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                tamed.push('\\');
                6
            }
            _ => 1 + escape.chars().nth(1).map_or(0, char::len_utf8),
        };
        let half = length == 6;
        tamed.push_str(if half { "\\" } else { &escape[..length] });
        if half {
            tamed.push_str(&escape[1..6]);
        }
        rest = &escape[length..];
    }
    tamed.push_str(rest);
}

/// The number of a `\uXXXX` at the beginning.
fn unit(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_python_reads_is_read() {
        let big =
            lenient(r#"{"a": [NaN, -Infinity, 18446744073709551616, 1.5, "NaN \ud800 \" \ud83d\ude00 \\"]}"#);
        let big = big.expect("read");
        assert_eq!(big["a"][0], json!("<NaN>"));
        assert_eq!(big["a"][1], json!("<-Infinity>"));
        assert_eq!(big["a"][2], json!("<18446744073709551616>"));
        assert_eq!(big["a"][4], json!("NaN \\ud800 \" 😀 \\"));
        assert_eq!(strict("[NaN]"), None);
        assert_eq!(strict("[18446744073709551615]"), Some(json!([u64::MAX])));
    }
}
