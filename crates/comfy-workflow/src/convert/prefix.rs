//! Patterns in the names of files to save: `%date:yyyy-MM-dd%` and `%KSampler.seed%`.

use std::collections::HashSet;

use serde_json::Value;

use super::LocalTime;
use super::live::{Kind, Live, LiveNode};
use super::script::javascript_text;

/// Classes in whose `filename_prefix` the editor (1.58.1) fills patterns in.
const SAVERS: [&str; 20] = [
    "SaveImage",
    "SaveVideo",
    "SaveAnimatedWEBP",
    "SaveWEBM",
    "SaveAudio",
    "SaveAudioMP3",
    "SaveAudioOpus",
    "SaveAudioAdvanced",
    "SaveGLB",
    "SaveAnimatedPNG",
    "CLIPSave",
    "VAESave",
    "ModelSave",
    "LoraSave",
    "SaveLatent",
    "SaveSVGNode",
    "SaveImageAdvanced",
    "Save3DAdvanced",
    "SaveGaussianSplat",
    "SavePointCloud",
];

/// Whether patterns are filled in into this input.
pub(super) fn applies(class_type: &str, input: &str) -> bool {
    input == "filename_prefix" && SAVERS.contains(&class_type)
}

/// The text with its patterns filled in, and those that could not be.
pub(super) fn fill(text: &str, live: &Live<'_>, now: Option<LocalTime>) -> (String, Vec<String>) {
    let mut filled = String::new();
    let mut missing = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('%') {
        let after = &rest[start + 1..];
        let Some(length) = after.find('%') else { break };
        filled.push_str(&rest[..start]);
        if length == 0 {
            // The second sign may start a pattern.
            filled.push('%');
            rest = after;
            continue;
        }
        let pattern = &after[..length];
        let value = match pattern.strip_prefix("date:") {
            Some(format) => now.map(|now| date(format, now)),
            None => named(pattern, live),
        };
        match value {
            Some(value) => filled.push_str(&value),
            None => {
                if pattern.starts_with("date:") || pattern.contains('.') {
                    missing.push(format!("%{pattern}%"));
                }
                filled.push('%');
                filled.push_str(pattern);
                filled.push('%');
            }
        }
        rest = &after[length + 1..];
    }
    filled.push_str(rest);
    (filled, missing)
}

/// The value of a widget: `Name.widget`, Name being the name that a node has for this purpose, else a title.
fn named(pattern: &str, live: &Live<'_>) -> Option<String> {
    let (name, widget) = pattern.split_once('.').filter(|(_, widget)| !widget.contains('.'))?;
    let property = |node: &&LiveNode<'_>| {
        let own = node.source.properties.get("Node name for S&R").and_then(Value::as_str);
        own.unwrap_or(node.class_type) == name
    };
    let title = |node: &&LiveNode<'_>| match (node.source.title.as_deref(), node.kind) {
        (Some(title), _) => title == name,
        (None, Kind::Known(schema)) => schema.title() == name,
        (None, _) => false,
    };
    let mut nodes = all_nodes(live).into_iter();
    let node = nodes.clone().find(property).or_else(|| nodes.find(title))?;
    let value = node.widgets.iter().find(|candidate| candidate.name == widget)?.value.as_ref()?;
    let safe = |c: char| {
        if matches!(c, '/' | '?' | '<' | '>' | '\\' | ':' | '*' | '|' | '"') || c.is_control() {
            '_'
        } else {
            c
        }
    };
    Some(javascript_text(value).chars().map(safe).collect())
}

/// All nodes, those inside a subgraph behind the node that stands for it. Each definition is gone through once.
fn all_nodes<'l, 'a>(live: &'l Live<'a>) -> Vec<&'l LiveNode<'a>> {
    let (mut nodes, mut seen) = (Vec::new(), HashSet::new());
    let mut todo: Vec<_> = live.graphs.first().map(|root| root.nodes.iter()).into_iter().collect();
    while let Some(rest) = todo.last_mut() {
        let Some(node) = rest.next() else {
            todo.pop();
            continue;
        };
        nodes.push(node);
        if let Kind::Host(definition) = node.kind
            && seen.insert(definition)
        {
            todo.push(live.graphs[definition].nodes.iter());
        }
    }
    nodes
}

/// A date in a format of the tokens `d`, `dd`, `M`, `MM`, `yy`, `yyyy`, `h`, `hh`, `m`, `mm`, `s` and `ss`; other letters stay.
fn date(format: &str, now: LocalTime) -> String {
    let mut text = String::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        let length = rest.len() - rest.trim_start_matches(c).len();
        let (token, after) = rest.split_at(match c {
            'd' | 'M' | 'h' | 'm' | 's' => length.min(2),
            'y' if length >= 2 => length.min(4),
            _ => c.len_utf8(),
        });
        let year = format!("{:04}", now.year);
        match token {
            "d" => text.push_str(&now.day.to_string()),
            "dd" => text.push_str(&format!("{:02}", now.day)),
            "M" => text.push_str(&now.month.to_string()),
            "MM" => text.push_str(&format!("{:02}", now.month)),
            "yy" => text.push_str(year.get(year.len().saturating_sub(2)..).unwrap_or_default()),
            "yyyy" => text.push_str(&year),
            "h" => text.push_str(&now.hour.to_string()),
            "hh" => text.push_str(&format!("{:02}", now.hour)),
            "m" => text.push_str(&now.minute.to_string()),
            "mm" => text.push_str(&format!("{:02}", now.minute)),
            "s" => text.push_str(&now.second.to_string()),
            "ss" => text.push_str(&format!("{:02}", now.second)),
            other => text.push_str(other),
        }
        rest = after;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_by_their_tokens() {
        let now = LocalTime { year: 2025, month: 1, day: 2, hour: 3, minute: 4, second: 5 };
        assert_eq!(date("yyyy-MM-dd", now), "2025-01-02");
        assert_eq!(date("d.M.yy h:m:s hhmmss", now), "2.1.25 3:4:5 030405");
        assert_eq!(date("yü", now), "yü");
        // Three are no token. Seen in the editor.
        assert_eq!(date("yyy yyyyy MMM", now), "yyy 2025y 011");
    }
}
