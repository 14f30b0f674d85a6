use std::borrow::Cow;

use serde_json::Value;

use super::{Int, Raised, repr, type_name};
use crate::json::exact;

/// Most digits that Python reads into an integer.
const MAX_DIGITS: usize = 4300;

/// The zeros of all scripts whose digits Python reads (Unicode category Nd, ten in a row each).
#[rustfmt::skip]
const ZEROS: [u32; 66] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20,
    0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900,
    0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0,
    0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8,
    0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// `int(value)`.
pub(in crate::validate) fn int(value: &Value) -> Result<Int, Raised> {
    match value {
        Value::Bool(flag) => Ok(Int::from(i128::from(*flag))),
        Value::Number(number) => Int::from_json(number)
            .or_else(|| number.as_f64().and_then(Int::from_float))
            .ok_or_else(|| Raised::new("OverflowError", "cannot convert float infinity to integer")),
        Value::String(text) => match exact::token(text) {
            None => int_of_text(text),
            Some("NaN") => Err(Raised::new("ValueError", "cannot convert float NaN to integer")),
            Some(token) => Int::from_text(token)
                .ok_or_else(|| Raised::new("OverflowError", "cannot convert float infinity to integer")),
        },
        other => Err(Raised::type_error(format!(
            "int() argument must be a string, a bytes-like object or a real number, not '{}'",
            type_name(other)
        ))),
    }
}

fn int_of_text(text: &str) -> Result<Int, Raised> {
    let ascii = ascii_digits(text);
    let (negative, digits) = sign(&ascii);
    let Some(digits) = join_digits(digits) else {
        // The quotation is cut at 200 characters, with no mark.
        let quoted: String = repr(&Value::from(text)).chars().take(200).collect();
        return Err(Raised::new("ValueError", format!("invalid literal for int() with base 10: {quoted}")));
    };
    if digits.len() > MAX_DIGITS {
        return Err(Raised::new(
            "ValueError",
            format!(
                "Exceeds the limit ({MAX_DIGITS} digits) for integer string conversion: value has {} digits; \
                 use sys.set_int_max_str_digits() to increase the limit",
                digits.len()
            ),
        ));
    }
    Ok(Int::from_digits(negative, &digits))
}

/// `float(value)`.
pub(in crate::validate) fn float(value: &Value) -> Result<f64, Raised> {
    match value {
        Value::Bool(flag) => Ok(f64::from(u8::from(*flag))),
        Value::Number(number) => Ok(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => match exact::token(text) {
            None => float_of_text(text).ok_or_else(|| {
                Raised::new("ValueError", format!("could not convert string to float: {}", repr(value)))
            }),
            Some(token) => match token.parse() {
                Ok(float) if f64::is_infinite(float) && !token.contains("Infinity") => {
                    Err(Raised::new("OverflowError", "int too large to convert to float"))
                }
                float => Ok(float.unwrap_or(f64::NAN)),
            },
        },
        other => Err(Raised::type_error(format!(
            "float() argument must be a string or a real number, not '{}'",
            type_name(other)
        ))),
    }
}

fn float_of_text(text: &str) -> Option<f64> {
    let ascii = ascii_digits(text);
    let (negative, rest) = sign(&ascii);
    let magnitude = match rest.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => f64::INFINITY,
        "nan" => f64::NAN,
        decimal => {
            let (mantissa, exponent) = match decimal.split_once('e') {
                Some((mantissa, exponent)) => (mantissa, Some(exponent)),
                None => (decimal, None),
            };
            let (whole, fraction) = match mantissa.split_once('.') {
                Some((whole, fraction)) => (whole, fraction),
                None => (mantissa, ""),
            };
            if whole.is_empty() && fraction.is_empty() {
                return None;
            }
            let part =
                |digits: &str| if digits.is_empty() { Some(String::new()) } else { join_digits(digits) };
            let mut plain = format!("{}.{}", part(whole)?, part(fraction)?);
            if let Some(exponent) = exponent {
                let (minus, digits) = sign(exponent);
                plain = format!("{plain}e{}{}", if minus { "-" } else { "" }, join_digits(digits)?);
            }
            plain.parse().ok()?
        }
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// `bool(value)`.
pub(in crate::validate) fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// Without the white space around it, and with the digits of other scripts as ASCII digits.
fn ascii_digits(text: &str) -> Cow<'_, str> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c));
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| decimal(c).unwrap_or(c)).collect())
}

fn decimal(c: char) -> Option<char> {
    let zero = ZEROS.iter().rev().find(|zero| **zero <= u32::from(c))?;
    char::from_digit(u32::from(c) - zero, 10)
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Digits with single underscores between them, without these; nothing when it is anything else.
fn join_digits(text: &str) -> Option<String> {
    let parts = text.split('_').map(|part| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then_some(part)
    });
    parts.collect()
}
