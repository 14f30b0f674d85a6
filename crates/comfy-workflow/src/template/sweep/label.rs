//! Labels of variants: fit for names of files and for the heads of a grid.

use serde_json::Value;

use crate::assign::value::reading;

/// Longest value in a label, in characters.
const VALUE: usize = 32;

/// Longest label, in bytes: names of files may have 255, with what is put around them.
const LABEL: usize = 150;

/// A label such as `seed=1,cfg=6.5`. Each part is a name, a value, and the place of the value among those of its name. A
/// value that cannot be shown as it is has its place behind it, from 1, which keeps labels apart: `text=a-red-fox~2`.
pub(super) fn label<'a>(
    parts: impl Iterator<Item = (&'a str, Option<&'a Value>, u128)>,
    index: usize,
) -> String {
    let mut label = String::new();
    for (name, value, position) in parts {
        let value = value.map(reading).unwrap_or_default();
        let (text, exact) = clean(&value);
        let place = if exact { String::new() } else { format!("~{}", position + 1) };
        let comma = if label.is_empty() { "" } else { "," };
        label.extend([comma, name, "=", &text, &place]);
    }
    if label.is_empty() {
        return (index + 1).to_string();
    }
    if label.len() > LABEL {
        let end = (0..=LABEL).rev().find(|end| label.is_char_boundary(*end)).unwrap_or(0);
        label.truncate(end);
        label.push_str(&format!("~{}", index + 1));
    }
    label
}

/// The text with nothing in it that a file system or a shell takes amiss, and whether it is still the same.
pub(super) fn clean(text: &str) -> (String, bool) {
    let mut cleaned = String::new();
    for c in text.chars().take(VALUE) {
        if c.is_alphanumeric() || matches!(c, '.' | '_' | '+' | '-') {
            cleaned.push(c);
        } else if !cleaned.ends_with('-') {
            cleaned.push('-');
        }
    }
    let tidy = if cleaned == text { cleaned.trim_end_matches('.') } else { cleaned.trim_matches(['-', '.']) };
    let exact = tidy == text;
    (tidy.to_owned(), exact)
}
