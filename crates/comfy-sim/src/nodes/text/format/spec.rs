//! How a value is to be written: width, side, sign, digits and kind.

use serde_json::Value as Json;

use super::NodeError;
use crate::python::float_text;
use crate::value::Value;

/// A format, in the short language that the server's language has for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spec {
    fill: char,
    side: Option<char>,
    sign: char,
    alternate: bool,
    pub(super) width: usize,
    grouping: Option<char>,
    pub(super) precision: Option<usize>,
    kind: Option<char>,
}

fn invalid() -> NodeError {
    NodeError::value_error("Invalid format specifier")
}

impl Spec {
    pub(super) fn parse(source: &str) -> Result<Self, NodeError> {
        let is_side = |character: char| matches!(character, '<' | '>' | '^' | '=');
        let characters: Vec<char> = source.chars().collect();
        let mut at = 0;
        let peek = |at: usize| characters.get(at).copied();
        let (mut fill, mut side) = (' ', None);
        match (peek(0), peek(1)) {
            (Some(first), Some(second)) if is_side(second) => (fill, side, at) = (first, Some(second), 2),
            (Some(first), _) if is_side(first) => (side, at) = (Some(first), 1),
            _ => {}
        }
        let sign = match peek(at) {
            Some(sign @ ('+' | '-' | ' ')) => {
                at += 1;
                sign
            }
            _ => '-',
        };
        let alternate = peek(at) == Some('#');
        at += usize::from(alternate);
        if peek(at) == Some('0') {
            if side.is_none() {
                (fill, side) = ('0', Some('='));
            }
            at += 1;
        }
        let number = |at: &mut usize| {
            let start = *at;
            while peek(*at).is_some_and(|digit| digit.is_ascii_digit()) {
                *at += 1;
            }
            let digits: String = characters[start..*at].iter().collect();
            if digits.is_empty() { Ok(None) } else { digits.parse().map(Some).map_err(|_| invalid()) }
        };
        let width = number(&mut at)?.unwrap_or(0);
        let grouping = peek(at).filter(|sign| matches!(sign, ',' | '_'));
        at += usize::from(grouping.is_some());
        let precision = match peek(at) {
            Some('.') => {
                at += 1;
                let digits = number(&mut at)?;
                Some(digits.ok_or_else(|| NodeError::value_error("Format specifier missing precision"))?)
            }
            _ => None,
        };
        let kind = peek(at);
        at += usize::from(kind.is_some());
        if at != characters.len() {
            return Err(invalid());
        }
        Ok(Self { fill, side, sign, alternate, width, grouping, precision, kind })
    }

    /// The value, written so.
    pub(super) fn apply(&self, value: &Value) -> Result<String, NodeError> {
        match value {
            Value::Json(Json::String(text)) => self.text(text),
            Value::Json(Json::Bool(flag)) => self.whole(i128::from(*flag)),
            Value::Json(Json::Number(number)) => {
                let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
                match whole {
                    Some(int) => self.whole(int),
                    None => self.float(number.as_f64().unwrap_or(f64::NAN), "float"),
                }
            }
            other => Err(NodeError::type_error(format!(
                "unsupported format string passed to {}.__format__",
                other.type_name()
            ))),
        }
    }

    fn unknown(&self, name: &str) -> NodeError {
        let kind = self.kind.unwrap_or(' ');
        NodeError::value_error(format!("Unknown format code '{kind}' for object of type '{name}'"))
    }

    fn text(&self, text: &str) -> Result<String, NodeError> {
        if !matches!(self.kind, None | Some('s')) {
            return Err(self.unknown("str"));
        }
        if self.side == Some('=') && self.fill != '0' {
            return Err(NodeError::value_error("'=' alignment not allowed in string format specifier"));
        }
        let text: String = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        let side = self.side.filter(|side| *side != '=').unwrap_or('<');
        Ok(self.padded("", &text, side))
    }

    fn whole(&self, int: i128) -> Result<String, NodeError> {
        let size = int.unsigned_abs();
        let (prefix, digits, group) = match self.kind {
            None | Some('d' | 'n') => ("", size.to_string(), 3),
            Some('x') => ("0x", format!("{size:x}"), 4),
            Some('X') => ("0X", format!("{size:X}"), 4),
            Some('o') => ("0o", format!("{size:o}"), 4),
            Some('b') => ("0b", format!("{size:b}"), 4),
            Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => return self.float(int as f64, "int"),
            Some(_) => return Err(self.unknown("int")),
        };
        if self.precision.is_some() {
            return Err(NodeError::value_error("Precision not allowed in integer format specifier"));
        }
        let prefix = if self.alternate { prefix } else { "" };
        let head = format!("{}{prefix}", self.sign_of(int < 0));
        Ok(self.padded(&head, &self.grouped(&digits, group), self.side.unwrap_or('>')))
    }

    fn float(&self, float: f64, name: &str) -> Result<String, NodeError> {
        let size = float.abs();
        let digits = self.precision.unwrap_or(6);
        let body = match self.kind {
            _ if !float.is_finite() => float_text(size),
            None if self.precision.is_none() => float_text(size),
            None => general(size, digits.max(1)),
            Some('f' | 'F') => format!("{size:.digits$}"),
            Some('%') => format!("{:.digits$}%", size * 100.0),
            Some('e') => scientific(size, digits),
            Some('E') => scientific(size, digits).to_uppercase(),
            Some('g' | 'n') => general(size, digits.max(1)),
            Some('G') => general(size, digits.max(1)).to_uppercase(),
            Some(_) => return Err(self.unknown(name)),
        };
        let (whole, rest) = body.split_at(body.find(['.', 'e', 'E', '%']).unwrap_or(body.len()));
        let body = format!("{}{rest}", self.grouped(whole, 3));
        let negative = float.is_sign_negative() && !float.is_nan();
        Ok(self.padded(self.sign_of(negative), &body, self.side.unwrap_or('>')))
    }

    fn sign_of(&self, negative: bool) -> &'static str {
        match (negative, self.sign) {
            (true, _) => "-",
            (false, '+') => "+",
            (false, ' ') => " ",
            _ => "",
        }
    }

    fn grouped(&self, digits: &str, size: usize) -> String {
        let Some(sign) = self.grouping else { return digits.to_owned() };
        let mut result = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(size) {
                result.push(sign);
            }
            result.push(digit);
        }
        result
    }

    fn padded(&self, head: &str, body: &str, side: char) -> String {
        let missing = self.width.saturating_sub(head.chars().count() + body.chars().count());
        let fill = |count: usize| self.fill.to_string().repeat(count);
        match side {
            '<' => format!("{head}{body}{}", fill(missing)),
            '^' => format!("{}{head}{body}{}", fill(missing / 2), fill(missing - missing / 2)),
            '=' => format!("{head}{}{body}", fill(missing)),
            _ => format!("{}{head}{body}", fill(missing)),
        }
    }
}

/// One digit before the point, and an exponent of at least two.
fn scientific(number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    let sign = if power < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", power.unsigned_abs())
}

/// So many digits in all, without zeros at the end; very small and large numbers with an exponent.
fn general(number: f64, digits: usize) -> String {
    let cut = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    let text = scientific(number, digits - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i64 = exponent.parse().unwrap_or(0);
    if number != 0.0 && (power < -4 || power >= digits as i64) {
        return format!("{}e{exponent}", cut(mantissa));
    }
    let after = usize::try_from(digits as i64 - 1 - power).unwrap_or(0);
    cut(&format!("{number:.after$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: impl Into<Json>, spec: &str) -> String {
        Spec::parse(spec).expect("a format").apply(&Value::Json(value.into())).expect("written")
    }

    #[test]
    fn numbers_and_texts_are_written_as_asked_for() {
        assert_eq!(written(-42, "06"), "-00042");
        assert_eq!(written(255, "#x"), "0xff");
        assert_eq!(written(1234567.891, ",.1f"), "1,234,567.9");
        assert_eq!(written(0.0001, "g"), "0.0001");
        assert_eq!(written(1e20, "g"), "1e+20");
        assert_eq!(written(3.0, "+.0e"), "+3e+00");
        assert_eq!(written("abc", "*^7.2"), "**ab***");
        assert!(Spec::parse("5q5").is_err());
    }
}
