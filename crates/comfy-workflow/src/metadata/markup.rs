//! JSON inside of markup: in the `<metadata>` of SVG, and anywhere in XMP.

use std::borrow::Cow;

use serde_json::Value;

use super::source::{Source, Step, Trouble};
use super::texts::{MOST_BYTES, Texts, utf8_or_latin1};
use crate::json;

/// Most places of a text that are tried.
const MOST_PLACES: usize = 32;

/// Whether a text is an SVG drawing, by its beginning.
pub(super) fn is_svg(head: &[u8]) -> bool {
    let head = utf8_or_latin1(head);
    let mut rest = head.trim_start();
    loop {
        // What may stand before the drawing.
        let end = match rest {
            _ if rest.starts_with("<?") => "?>",
            _ if rest.starts_with("<!--") => "-->",
            _ if rest.starts_with("<!DOCTYPE svg") => return true,
            _ => break,
        };
        match rest.split_once(end) {
            Some((_, after)) => rest = after.trim_start(),
            None => return false,
        }
    }
    rest.strip_prefix("<svg")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '>' | ':' | '/')))
        || rest.starts_with("<svg:svg")
}

/// The texts of the `<metadata>` elements of a drawing.
pub(super) fn read_svg(source: &mut Source<'_>, texts: &mut Texts) -> Step {
    let length = source.length().min(MOST_BYTES as u64);
    let text = utf8_or_latin1(&source.text(0, length)?);
    for (at, tag) in text.match_indices("<metadata").take(MOST_PLACES) {
        let content = text.get(at + tag.len()..).unwrap_or_default();
        let Some((_, content)) = content.split_once('>') else { continue };
        // ComfyUI does not mind that its JSON may hold what ends it.
        let value = match content.trim_start().strip_prefix("<![CDATA[") {
            Some(content) => first_json(content.trim_start()).map(|(value, _)| value),
            None => embedded(content.split("</metadata").next().unwrap_or_default()).into_iter().next(),
        };
        if let Some(value) = value {
            texts.add("metadata", value.to_string());
        }
    }
    if source.length() > length {
        return Err(Trouble::broken(format!("is larger than {MOST_BYTES} bytes, and was read to there")));
    }
    Ok(())
}

/// The JSON objects that are texts or attributes of a piece of markup.
pub(super) fn embedded(markup: &str) -> Vec<Value> {
    let plain = unescaped(markup);
    let mut found = Vec::new();
    let mut at = 0;
    for _ in 0..MOST_PLACES {
        let Some(place) = plain.get(at..).and_then(|rest| rest.find('{')) else { break };
        let (before, rest) = plain.split_at(at + place);
        at += place + 1;
        let before = before.trim_end();
        if (before.is_empty() || before.ends_with(['>', '"', '\'', '[']))
            && let Some((value, length)) = first_json(rest)
        {
            found.push(value);
            at += length - 1;
        }
    }
    found
}

/// The JSON object with which a text begins, whatever follows it, and its length.
fn first_json(text: &str) -> Option<(Value, usize)> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' if !in_string => depth += 1,
            b'}' if !in_string => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    let object = text.get(..=at)?;
                    return Some((json::from_str(object).ok()?, object.len()));
                }
            }
            _ => {}
        }
    }
    None
}

/// The text that markup stands for.
fn unescaped(markup: &str) -> Cow<'_, str> {
    if !markup.contains('&') {
        return Cow::Borrowed(markup);
    }
    let mut plain = String::with_capacity(markup.len());
    let mut rest = markup;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let name = after.split(';').next().filter(|name| name.len() < 10);
        let character = name.and_then(|name| match name {
            "quot" => Some('"'),
            "apos" => Some('\''),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            name => {
                let number = name.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(digits) => u32::from_str_radix(digits, 16),
                    None => number.parse(),
                };
                char::from_u32(code.ok()?)
            }
        });
        match (character, name) {
            (Some(character), Some(name)) => {
                plain.push(character);
                rest = after.get(name.len() + 1..).unwrap_or_default();
            }
            _ => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn drawings_are_told_by_their_first_element() {
        for text in [
            "<svg>",
            "\n<svg xmlns='x'>",
            "\u{feff}<?xml version='1.0'?>\n<!-- a -->\n<svg/>",
            "<!DOCTYPE svg PUBLIC>",
            "<svg:svg xmlns:svg='x'>",
        ] {
            assert!(is_svg(text.as_bytes()), "{text}");
        }
        for text in ["", "<svgx>", "<html><svg>", "<?xml", "<?xml version='1.0'?><rss>"] {
            assert!(!is_svg(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn json_is_found_in_texts_and_attributes() {
        let markup = r#"<a b="{&quot;c&quot;: &quot;&amp;amp; &#246; &#x5927; &nbsp;&quot;}"> x {y} <d>{"e": [1, {}]}</d></a>"#;
        assert_eq!(embedded(markup), [json!({"c": "&amp; ö 大 &nbsp;"}), json!({"e": [1, {}]})]);
        for text in ["&&amp;&#xffffffff;{", "{\\", "}", "{\"", ">{{}", "x{}"] {
            assert_eq!(embedded(text), Vec::<Value>::new(), "{text}");
        }
        assert_eq!(
            first_json(r#"{"a": NaN, "}\"": "]]>"} x"#).unwrap(),
            (json!({"a": null, "}\"": "]]>"}), 24)
        );
    }
}
