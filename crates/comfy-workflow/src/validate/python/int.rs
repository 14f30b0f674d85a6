use std::cmp::Ordering;
use std::fmt;

use serde_json::{Number, Value};

/// An integer of any size, in decimal: servers quote such numbers but do little else with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::validate) struct Int {
    negative: bool,
    /// Without leading zeros; "0" for zero, which is never negative.
    digits: String,
}

impl Int {
    /// From a sign and ASCII digits.
    pub(super) fn from_digits(negative: bool, digits: &str) -> Self {
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Self { negative: false, digits: "0".into() };
        }
        Self { negative, digits: digits.to_owned() }
    }

    /// From an optional minus and ASCII digits; nothing for what is anything else.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_integer.then(|| Self::from_digits(digits.len() < text.len(), digits))
    }

    /// The integer of a JSON number that is written as one and fits 64 bits.
    pub(super) fn from_json(number: &Number) -> Option<Self> {
        if let Some(int) = number.as_i64() {
            return Some(Self::from(i128::from(int)));
        }
        number.as_u64().map(|int| Self::from(i128::from(int)))
    }

    /// A float without its fraction; nothing for infinities and not-a-number.
    pub(super) fn from_float(float: f64) -> Option<Self> {
        // Rust prints all digits of a float, however large it is.
        let text = float.is_finite().then(|| format!("{:.0}", float.trunc().abs()))?;
        Some(Self::from_digits(float < 0.0, &text))
    }

    /// As JSON: exact up to 64 bits, the nearest float beyond, null beyond that.
    pub(super) fn to_json(&self) -> Value {
        let text = self.to_string();
        if let Ok(int) = text.parse::<i64>() {
            return Value::from(int);
        }
        if let Ok(int) = text.parse::<u64>() {
            return Value::from(int);
        }
        text.parse::<f64>().map_or(Value::Null, Value::from)
    }
}

impl From<i128> for Int {
    fn from(int: i128) -> Self {
        Self::from_digits(int < 0, &int.unsigned_abs().to_string())
    }
}

impl fmt::Display for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        f.write_str(&self.digits)
    }
}

impl Ord for Int {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |left: &Self, right: &Self| {
            left.digits.len().cmp(&right.digits.len()).then_with(|| left.digits.cmp(&right.digits))
        };
        match (self.negative, other.negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Int {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
