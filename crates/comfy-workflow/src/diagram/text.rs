//! Texts of a drawing: how wide they are, what fits, and what may stand in XML.

use std::borrow::Cow;

use serde_json::Value;
use unicode_width::UnicodeWidthChar;

/// Most characters of a text that are looked at. No node shows more, and files hold whole books.
const LONGEST: usize = 4_000;

/// The width of a text, in pixels, in a proportional font of `size` pixels. No font is at hand where this runs, so the
/// widths are those of the widest of the common ones.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// The advance of a character in em.
fn advance(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' | '.' | ',' | ':' | ';' | ' ' | 'I' => 0.33,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '{' | '}' | '/' | '\\' | '-' | '!' => 0.41,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '&' => 0.93,
        'A'..='Z' => 0.70,
        '0'..='9' => 0.635,
        ' '..='~' => 0.605,
        _ => match c.width() {
            Some(0) | None => 0.0,
            Some(1) => 0.64,
            Some(_) => 1.05,
        },
    }
}

/// What of a text fits, with an ellipsis in place of the rest.
pub(super) fn fit(text: &str, size: f64, room: f64) -> Cow<'_, str> {
    let mut used = 0.0;
    // Where to cut if the whole does not fit.
    let mut cut = 0;
    for (at, c) in text.char_indices() {
        used += advance(c) * size;
        if used > room {
            return match cut {
                0 if room < size => Cow::Borrowed(""),
                _ => Cow::Owned(format!("{}…", text[..cut].trim_end())),
            };
        }
        if used + 0.95 * size <= room {
            cut = at + c.len_utf8();
        }
    }
    Cow::Borrowed(text)
}

/// Breaks a text into at most `most` lines that fit; the last ends in an ellipsis when there would be more.
pub(super) fn wrap(text: &str, size: f64, room: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.split('\n') {
        if lines.len() > most {
            break;
        }
        let mut line = String::new();
        let mut used = 0.0;
        for word in paragraph.trim_end().split_inclusive(' ') {
            let wide = width(word.trim_end(), size);
            if used + wide > room && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                used = 0.0;
                if lines.len() > most {
                    break;
                }
            }
            // A word that is longer than a line is broken anywhere.
            for c in word.chars() {
                let wide = advance(c) * size;
                if used + wide > room && !line.is_empty() && c != ' ' {
                    lines.push(std::mem::take(&mut line));
                    used = 0.0;
                }
                line.push(c);
                used += wide;
            }
        }
        lines.push(line);
    }
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let kept = last.trim_end();
            let kept = if width(kept, size) + 0.95 * size > room {
                fit(kept, size, room - size)
            } else {
                kept.into()
            };
            *last = format!("{}…", kept.trim_end_matches('…'));
        }
    }
    lines
}

/// A value on one line.
pub(super) fn one_line(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let words = text.chars().take(LONGEST).collect::<String>();
            words.split_whitespace().collect::<Vec<_>>().join(" ")
        }
        other => clipped(&other.to_string(), LONGEST),
    }
}

/// The first `most` characters of a text.
pub(super) fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A text from a file as it may stand in XML: escaped, without what XML forbids and what would turn the direction of the
/// text around it.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' => escaped.push(' '),
            '\n' => escaped.push('\n'),
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' => {}
            '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            c if c.is_control() => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A text in the simple markup of notes, and whether it is a heading: `# Title` is one, `[text](address)` is its text.
pub(super) fn plain(line: &str) -> (String, bool) {
    let line = line.trim_end();
    let bare = line.trim_start_matches('#');
    let heading = bare.len() < line.len() && bare.starts_with(' ');
    let mut rest = if heading { bare.trim_start() } else { line };
    let mut plain = String::new();
    while let Some(open) = rest.find('[') {
        let (before, link) = rest.split_at(open);
        let label = link.find("](").and_then(|close| Some((close, close + link[close..].find(')')?)));
        match label {
            Some((close, end)) if !link[1..close].contains('[') => {
                plain.push_str(before.strip_suffix('!').unwrap_or(before));
                plain.push_str(&link[1..close]);
                rest = &link[end + 1..];
            }
            _ => {
                plain.push_str(before);
                plain.push('[');
                rest = &link[1..];
            }
        }
    }
    plain.push_str(rest);
    (plain.replace("**", "").replace('`', ""), heading)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        assert_eq!(fit("short", 10.0, 100.0), "short");
        let cut = fit("a rather long name of a node", 10.0, 100.0);
        assert!(cut.ends_with('…') && width(&cut, 10.0) <= 100.0, "{cut}");
        assert_eq!(fit("anything", 10.0, 1.0), "");
        assert!(fit("漢字漢字漢字", 10.0, 40.0).chars().count() <= 4);
    }

    #[test]
    fn long_words_are_broken_and_surplus_lines_dropped() {
        let lines = wrap("one two three\nfour", 10.0, 60.0, 5);
        assert_eq!(lines, ["one two ", "three", "four"]);
        let lines = wrap(&"x".repeat(100), 10.0, 60.0, 3);
        assert_eq!(lines.len(), 3);
        assert!(lines[2].ends_with('…'));
        assert!(lines.iter().all(|line| width(line, 10.0) <= 60.0), "{lines:?}");
        assert!(wrap("\n\n", 10.0, 60.0, 3).is_empty());
    }

    #[test]
    fn only_what_xml_allows_is_written() {
        assert_eq!(
            escape("<a href=\"x\">&\u{0}\u{1b}\u{202e}é"),
            "&lt;a href=&quot;x&quot;&gt;&amp;\u{fffd}\u{fffd}é"
        );
    }

    #[test]
    fn values_come_on_one_line() {
        assert_eq!(one_line(&json!("a\n  b\tc")), "a b c");
        assert_eq!(one_line(&json!({"a": [1, 2.5]})), r#"{"a":[1,2.5]}"#);
    }

    #[test]
    fn the_markup_of_notes_becomes_plain_text() {
        assert_eq!(plain("## Model **links**"), ("Model links".into(), true));
        assert_eq!(
            plain("- [a.safetensors](https://x/y) [b] #no"),
            ("- a.safetensors [b] #no".into(), false)
        );
    }
}
