//! Whether two plans are the same, and in what they differ.

use std::path::Path;

use serde_json::{Map, Value};

use crate::{Error, ErrorKind, Result};

/// An error that says in what two plans differ, if they do.
pub(super) fn same(path: &Path, before: &Map<String, Value>, now: &Map<String, Value>) -> Result<()> {
    let mut lines = Vec::new();
    differences("", before, now, &mut lines);
    if lines.is_empty() {
        return Ok(());
    }
    let message = format!("the journal {} is of another batch\n{}", path.display(), lines.join("\n"));
    Err(Error::new(ErrorKind::Conflict, message)
        .with_hint("run the batch as it was, or start anew with another journal"))
}

/// A line for everything that differs, also within objects.
fn differences(within: &str, before: &Map<String, Value>, now: &Map<String, Value>, lines: &mut Vec<String>) {
    let new = now.keys().filter(|key| !before.contains_key(*key));
    for key in before.keys().chain(new) {
        let what = format!("{within}{}", crate::text::one_line(key, 100));
        match (before.get(key), now.get(key)) {
            (before, now) if before == now => {}
            (Some(Value::Object(before)), Some(Value::Object(now))) => {
                differences(&format!("{what}: "), before, now, lines);
            }
            // Nobody reads those.
            (Some(before), Some(now)) if is_digest(before) && is_digest(now) => {
                lines.push(format!("{what}: it has changed"));
            }
            (before, now) => lines.push(format!("{what}: was {}, is {}", shown(before), shown(now))),
        }
    }
}

/// Whether a value can only stand for a content: 256 bits as hexadecimal digits.
fn is_digest(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(Value::String(text)) => crate::text::one_line(text, 100),
        Some(value) => crate::text::one_line(&value.to_string(), 100),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn contents_are_said_to_have_changed_without_their_digests() {
        let plan = |digit: &str, color: u32| {
            let digest = digit.repeat(64);
            let plan = json!({"workflow": digest, "files": {"a.png": digest, "b.png": "c"}, "color": color});
            plan.as_object().cloned().unwrap()
        };
        assert!(same(Path::new("j"), &plan("a", 1), &plan("a", 1)).is_ok());
        let error = same(Path::new("j"), &plan("a", 1), &plan("b", 2)).unwrap_err();
        assert_eq!(
            error.message(),
            "the journal j is of another batch\n\
             workflow: it has changed\n\
             files: a.png: it has changed\n\
             color: was 1, is 2"
        );
    }
}
