//! Differences in words for people.

use std::fmt;

use serde_json::Value;

use super::{Change, ChangeKind, Difference, Given};
use crate::Link;
use crate::workflow::clip;

/// Longest value that a line shows whole, in characters.
const LONGEST: usize = 60;
/// How much of a long text is shown before the place where it differs.
const LEAD: usize = 16;

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = None;
        for (index, change) in self.changes.iter().enumerate() {
            let line = if index > 0 { "\n" } else { "" };
            let node = (&change.before, &change.after);
            match &change.kind {
                ChangeKind::Added => write!(f, "{line}+ {}", Head(change))?,
                ChangeKind::Removed => write!(f, "{line}- {}", Head(change))?,
                kind => {
                    if last != Some(node) {
                        write!(f, "{line}~ {}", Head(change))?;
                    }
                    write!(f, "\n    {kind}")?;
                }
            }
            last = Some(node);
        }
        Ok(())
    }
}

/// How a line names a node: `node 3, now 5 "Title" (Class)`.
struct Head<'a>(&'a Change);

impl fmt::Display for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { before, after, title, class_type, .. } = self.0;
        match (before, after) {
            (Some(before), Some(after)) if before != after => {
                write!(f, "node {}, now {}", clip(before.as_str()), clip(after.as_str()))?;
            }
            (Some(id), _) | (None, Some(id)) => write!(f, "node {}", clip(id.as_str()))?,
            (None, None) => f.write_str("a node")?,
        }
        if let Some(title) = title {
            write!(f, " \"{}\"", clip(title))?;
        }
        write!(f, " ({})", clip(class_type))
    }
}

/// One change, without the node: `seed: 1 -> 2`.
impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added => f.write_str("added"),
            Self::Removed => f.write_str("removed"),
            Self::Class { from, to } => write!(f, "class {} -> {}", clip(from), clip(to)),
            Self::Title { from, to } => write!(f, "title \"{}\" -> \"{}\"", clip(from), clip(to)),
            Self::Mode { from, to } => write!(f, "mode {} -> {}", clip(from), clip(to)),
            Self::Input { input, from, to } => {
                let texts = |given: &Option<Given>| {
                    given.as_ref().and_then(|given| given.value.as_str().map(str::to_owned))
                };
                let skip = match (texts(from), texts(to)) {
                    (Some(from), Some(to)) => common(&from, &to),
                    _ => 0,
                };
                let show = |given: &Option<Given>| {
                    given.as_ref().map_or_else(|| "(nothing)".to_owned(), |given| shown(given, skip))
                };
                write!(f, "{}: {} -> {}", clip(input), show(from), show(to))
            }
        }
    }
}

/// How many characters two long texts have in common at their beginning, but for a lead.
fn common(from: &str, to: &str) -> usize {
    if from.chars().count().max(to.chars().count()) <= LONGEST {
        return 0;
    }
    let common = from.chars().zip(to.chars()).take_while(|(a, b)| a == b).count();
    common.saturating_sub(LEAD)
}

/// A value, or what a link comes from.
fn shown(given: &Given, skip: usize) -> String {
    if let (Some(link), Some(source)) = (Link::from_value(&given.value), &given.source) {
        return format!("{source} output {}", link.slot);
    }
    let (text, quote) = match &given.value {
        Value::String(text) => (text.clone(), "\""),
        other => (other.to_string(), ""),
    };
    let mut rest = text.chars().skip(skip);
    let mut shown = String::from(if skip > 0 { "…" } else { "" });
    for c in rest.by_ref().take(LONGEST) {
        match c {
            '\'' => shown.push(c),
            '"' if quote.is_empty() => shown.push(c),
            c => shown.extend(c.escape_debug()),
        }
    }
    if rest.next().is_some() {
        shown.push('…');
    }
    format!("{quote}{shown}{quote}")
}
