//! `{{name}}` inside the texts of inputs.

use serde_json::Value;

use super::parameter::{LONGEST_NAME, is_name, is_name_byte};
use crate::assign::value::reading;
use crate::{Target, Workflow};

/// A placeholder `{{name}}` in a text of an input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Placeholder {
    /// The name between the braces.
    pub name: String,
    /// The input.
    pub target: Target,
    /// Whether the input is this placeholder and nothing else, so that it takes a value of any type.
    pub is_whole_input: bool,
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    /// `{{'{{'}}`, which stands for `{{`.
    Escape,
    Placeholder(&'t str),
}

impl Workflow {
    /// The placeholders `{{name}}` in the texts of inputs, also in those inside of lists and objects, in document order.
    /// See [`template`](crate::template) for what is one.
    #[must_use]
    pub fn placeholders(&self) -> Vec<Placeholder> {
        let mut found = Vec::new();
        for (id, node) in self.nodes() {
            for (input, value) in &node.inputs {
                let is_whole_input = value.as_str().is_some_and(|text| alone(text).is_some());
                visit(value, &mut |text| {
                    for name in pieces(text).filter_map(Piece::name) {
                        let target = Target { node: id.clone(), input: input.clone() };
                        found.push(Placeholder { name: name.to_owned(), target, is_whole_input });
                    }
                });
            }
        }
        found
    }
}

/// The inputs that filling rewrites: those with placeholders or escapes.
pub(super) fn places(workflow: &Workflow) -> Vec<Target> {
    let mut places = Vec::new();
    for (id, node) in workflow.nodes() {
        for (input, value) in &node.inputs {
            let mut is_place = false;
            visit(value, &mut |text| is_place |= pieces(text).any(|piece| !matches!(piece, Piece::Text(_))));
            if is_place {
                places.push(Target { node: id.clone(), input: input.clone() });
            }
        }
    }
    places
}

/// The value with the values of `lookup` for its placeholders. Those it does not know stay.
pub(super) fn substitute<'v>(value: &Value, lookup: &impl Fn(&str) -> Option<&'v Value>) -> Value {
    match value {
        Value::String(text) => match alone(text).and_then(lookup) {
            Some(value) => value.clone(),
            None => Value::String(substitute_text(text, lookup)),
        },
        Value::Array(items) => items.iter().map(|item| substitute(item, lookup)).collect(),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.clone(), substitute(value, lookup)));
            Value::Object(entries.collect())
        }
        other => other.clone(),
    }
}

/// What is put for a placeholder is not looked through for placeholders again.
fn substitute_text<'v>(text: &str, lookup: &impl Fn(&str) -> Option<&'v Value>) -> String {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Escape => filled.push_str("{{"),
            Piece::Placeholder(name) => match lookup(name) {
                Some(value) => filled.push_str(&reading(value)),
                None => filled.extend(["{{", name, "}}"]),
            },
        }
    }
    filled
}

impl<'t> Piece<'t> {
    fn name(self) -> Option<&'t str> {
        if let Self::Placeholder(name) = self { Some(name) } else { None }
    }
}

/// The name, if the text is one placeholder and nothing else.
fn alone(text: &str) -> Option<&str> {
    let mut pieces = pieces(text);
    let name = pieces.next()?.name()?;
    pieces.next().is_none().then_some(name)
}

fn visit<'v>(value: &'v Value, see: &mut impl FnMut(&'v str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        Value::Object(entries) => entries.values().for_each(|value| visit(value, see)),
        _ => {}
    }
}

/// The text with its placeholders and escapes protected from being taken for dynamic prompts, which are resolved next.
pub(crate) fn protected(text: &str) -> String {
    let piece = |piece: Piece<'_>| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Escape => r"\{\{'\{\{'\}\}".to_owned(),
        Piece::Placeholder(name) => format!(r"\{{\{{{name}\}}\}}"),
    };
    pieces(text).map(piece).collect()
}

/// Cuts a text at its placeholders and escapes. All that is neither stays text, with however many braces.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    let mut found: Option<(Piece<'_>, &str)> = None;
    std::iter::from_fn(move || {
        if let Some((piece, after)) = found.take() {
            rest = after;
            return Some(piece);
        }
        if rest.is_empty() {
            return None;
        }
        // A placeholder may begin at any two braces of a row of them: `{{{name}}}` is one in braces.
        let mut from = 0;
        while let Some(at) = rest[from..].find("{{").map(|at| from + at) {
            if let Some((piece, length)) = token(&rest[at..]) {
                let after = &rest[at + length..];
                if at == 0 {
                    rest = after;
                    return Some(piece);
                }
                found = Some((piece, after));
                return Some(Piece::Text(&rest[..at]));
            }
            from = at + 1;
        }
        Some(Piece::Text(std::mem::take(&mut rest)))
    })
}

/// The placeholder or escape at the start of `text`, which begins with two braces, and its length.
fn token(text: &str) -> Option<(Piece<'_>, usize)> {
    let blank = |text: &str| text.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let start = 2 + blank(&text[2..]);
    let inner = &text[start..];
    let (piece, length) = if inner.starts_with("'{{'") || inner.starts_with("\"{{\"") {
        (Piece::Escape, 4)
    } else {
        let length = inner.bytes().take(LONGEST_NAME + 1).take_while(|byte| is_name_byte(*byte)).count();
        let name = &inner[..length];
        (is_name(name).then_some(Piece::Placeholder(name))?, length)
    };
    let after = &inner[length..];
    let end = start + length + blank(after);
    text[end..].starts_with("}}").then_some((piece, end + 2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn filled(text: &str) -> Value {
        let (a, n) = (json!("fox"), json!(18446744073709551615_u64));
        substitute(&json!(text), &|name| match name {
            "a" => Some(&a),
            "n" => Some(&n),
            _ => None,
        })
    }

    #[test]
    fn placeholders_are_found_anywhere_in_a_text() {
        assert_eq!(filled("{{a}} and {{ a }}, {{n}}"), "fox and fox, 18446744073709551615");
        assert_eq!(filled("é{{a}}é"), "éfoxé");
        assert_eq!(filled("{{a}}{{a}}"), "foxfox");
    }

    #[test]
    fn a_placeholder_alone_takes_the_type_of_the_value() {
        assert_eq!(filled("{{n}}"), json!(18446744073709551615_u64));
        assert_eq!(filled(" {{n}}"), " 18446744073709551615");
    }

    #[test]
    fn an_escape_stands_for_two_braces() {
        assert_eq!(filled("{{'{{'}}a}}"), "{{a}}");
        assert_eq!(filled("{{\"{{\"}}{{a}}}}"), "{{fox}}");
        assert_eq!(filled("{{'{{'}}"), "{{");
    }

    #[test]
    fn dynamic_prompts_and_other_braces_stay() {
        for text in [
            "{a|b}",
            "{{a|b}|c}",
            "{{a}|b}",
            "{ {a} }",
            "{{}}",
            "{{1a}}",
            "{{a b}}",
            "{{a\n}}",
            "{{a",
            "{{",
            "{\"x\": {\"y\": 1}}",
            "{{é}}",
            "{{other}}",
            "\\{{",
        ] {
            assert_eq!(filled(text), text);
        }
        assert_eq!(filled("{red|{{a}}}"), "{red|fox}");
        assert_eq!(filled("{{{a}}}"), "{fox}");
        assert_eq!(filled("{{a|b} {{a}}"), "{{a|b} fox");
    }

    #[test]
    fn what_is_put_in_is_not_looked_through_again() {
        let value = json!("{{b}}");
        assert_eq!(substitute(&json!("<{{a}}>"), &|_| Some(&value)), "<{{b}}>");
    }

    proptest! {
        #[test]
        fn pieces_never_panic_and_lose_nothing(text in r#"(\{|\}|'|"| |a|-|é|1|\{\{a\}\}){0,30}"#) {
            let text: String = text;
            let mut at = 0;
            for piece in pieces(&text) {
                match piece {
                    Piece::Text(piece) => {
                        prop_assert!(text[at..].starts_with(piece) && !piece.is_empty());
                        at += piece.len();
                    }
                    Piece::Escape | Piece::Placeholder(_) => {
                        let (same, length) = token(&text[at..]).unwrap();
                        prop_assert_eq!(same, piece);
                        at += length;
                    }
                }
            }
            prop_assert_eq!(at, text.len());
        }

        #[test]
        fn a_text_without_two_braces_stays(text in "[^{]{0,20}") {
            prop_assert_eq!(filled(&text), json!(text));
        }
    }
}
