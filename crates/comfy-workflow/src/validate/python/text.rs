use std::fmt::Write as _;

use serde_json::{Number, Value};

use crate::json::exact;

/// How deep nested values are printed.
const DEPTH: usize = 128;

/// `str(value)`.
pub(in crate::validate) fn str(value: &Value) -> String {
    match value {
        Value::String(text) if exact::token(text).is_none() => text.clone(),
        other => repr(other),
    }
}

/// `repr(value)`.
pub(in crate::validate) fn repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(&mut out, value, DEPTH);
    out
}

fn write_repr(out: &mut String, value: &Value, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else {
        out.push_str("...");
        return;
    };
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(number) => out.push_str(&number_repr(number)),
        Value::String(text) => match exact::token(text) {
            None => write_text(out, text),
            Some(token) => out.push_str(match token {
                "NaN" => "nan",
                "Infinity" => "inf",
                "-Infinity" => "-inf",
                digits => digits,
            }),
        },
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_repr(out, item, depth);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (index, (key, item)) in map.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_text(out, key);
                out.push_str(": ");
                write_repr(out, item, depth);
            }
            out.push('}');
        }
    }
}

fn number_repr(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float_repr(float),
        _ => number.to_string(),
    }
}

/// `repr(float)`: the shortest digits, with an exponent below 1e-4 and from 1e16 on.
pub(in crate::validate) fn float_repr(float: f64) -> String {
    if float.is_nan() {
        return "nan".into();
    }
    if float.is_infinite() {
        return if float > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let scientific = format!("{float:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(power @ (..-4 | 16..)) => {
            let sign = if power < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", power.unsigned_abs())
        }
        _ => {
            let plain = float.to_string();
            if plain.contains('.') { plain } else { format!("{plain}.0") }
        }
    }
}

fn write_text(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            c if u32::from(c) >= 0x80 && printable(c) => out.push(c),
            c => {
                let code = exact::surrogate(c).map_or(u32::from(c), u32::from);
                // Writing into a text does not fail.
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
}

/// `c.isprintable()`, which the standard library knows through its own escaping. A letter stands before `c`, since
/// combining marks are escaped only at the start of a text.
fn printable(c: char) -> bool {
    let mut buffer = String::from("a");
    buffer.push(c);
    buffer.escape_debug().nth(1) == Some(c)
}
