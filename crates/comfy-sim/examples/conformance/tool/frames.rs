//! What of a frame is compared.

use serde_json::Value;

use super::json;
use super::normal::{canonical, without_ids};
use super::scenario::Payload;

/// A text that is the same for frames that say the same.
pub(crate) fn key(payload: &Payload) -> String {
    match payload {
        Payload::Text(text) => match json::strict(text) {
            Some(value) => canonical(&value),
            None => format!("text {}", without_ids(text)),
        },
        Payload::Binary(data) => {
            binary_key(data).unwrap_or_else(|| format!("broken binary of {} bytes", data.len()))
        }
    }
}

/// Pictures are compared by their format only, texts and descriptions of pictures in full.
fn binary_key(data: &[u8]) -> Option<String> {
    let number = |at: usize| Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?));
    Some(match number(0)? {
        1 => format!("binary 1 format {}", number(4)?),
        3 => format!("binary 3 {} {}", String::from_utf8_lossy(&data[8..]), number(4)?),
        4 => {
            let end = 8_usize.checked_add(usize::try_from(number(4)?).ok()?)?;
            let description: Value = json::lenient(std::str::from_utf8(data.get(8..end)?).ok()?)?;
            format!("binary 4 {}", canonical(&description))
        }
        event => format!("binary {event}"),
    })
}
