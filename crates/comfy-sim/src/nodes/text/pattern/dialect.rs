//! From the patterns of the server's language to those of the library here, and templates of replacements.

use fancy_regex::{Captures, Regex};

use super::NodeError;

/// A pattern for the library here. Where the two dialects mean different things by the same text, the meaning is
/// kept.
pub(super) fn translate(source: &str, many_lines: bool) -> Result<String, String> {
    let mut result = String::with_capacity(source.len() + 8);
    let characters: Vec<char> = source.chars().collect();
    let mut at = 0;
    // Where the set of characters that is open began; a `]` right there is a member.
    let mut set: Option<usize> = None;
    while let Some(&character) = characters.get(at) {
        let next = characters.get(at + 1).copied();
        at += 1;
        match (set, character) {
            (_, '\\') => {
                let Some(next) = next else { return Err("bad escape (end of pattern)".to_owned()) };
                at += 1;
                match next {
                    'Z' if set.is_none() => result.push_str(r"\z"),
                    '0' => result.push_str(r"\x00"),
                    'b' if set.is_some() => result.push_str(r"\x08"),
                    letter if letter.is_ascii_alphabetic() && !"abBdDfnrsStuUvwWxAN".contains(letter) => {
                        return Err(format!("bad escape \\{letter} at position {}", at - 2));
                    }
                    letter if letter.is_ascii_alphanumeric() => result.extend(['\\', letter]),
                    other => push_literal(other, &mut result),
                }
            }
            (None, '[') => {
                result.push('[');
                if next == Some('^') {
                    result.push('^');
                    at += 1;
                }
                set = Some(at);
            }
            (None, '$') if !many_lines => result.push_str(r"(?=\n?\z)"),
            (None, '{') => match quantifier(&characters[at..]) {
                // Without a lower bound it is 0.
                Some(true) => result.push_str("{0"),
                Some(false) => result.push('{'),
                None => result.push_str(r"\{"),
            },
            (Some(start), ']') if at > start + 1 => {
                result.push(']');
                set = None;
            }
            (Some(_), '[' | ']' | '&' | '~') => push_literal(character, &mut result),
            (_, other) => result.push(other),
        }
    }
    match set {
        Some(start) => Err(format!("unterminated character set at position {}", start.saturating_sub(1))),
        None => Ok(result),
    }
}

fn push_literal(character: char, result: &mut String) {
    if character.is_ascii_punctuation() {
        result.push('\\');
    }
    result.push(character);
}

/// Whether what follows a brace makes it a number of repetitions, and one without a lower bound.
fn quantifier(rest: &[char]) -> Option<bool> {
    let end = rest.iter().position(|&character| character == '}')?;
    let text: String = rest[..end].iter().collect();
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once(',') {
        Some((low, high)) if digits(low) && digits(high) && text != "," => Some(low.is_empty()),
        None if !text.is_empty() && digits(&text) => Some(false),
        _ => None,
    }
}

/// A replacement: text, and groups of the match.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
}

impl Template {
    /// Reads `\1`, `\g<1>`, `\g<name>` and the escapes of control characters.
    pub(super) fn parse(source: &str, pattern: &Regex) -> Result<Self, NodeError> {
        let error = |text: String| NodeError::new("re.error", text);
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = source.char_indices().peekable();
        let mut group = |number: usize, at: usize, text: &mut String| {
            if number >= pattern.captures_len() {
                return Err(error(format!("invalid group reference {number} at position {at}")));
            }
            pieces.push(Piece::Text(std::mem::take(text)));
            pieces.push(Piece::Group(number));
            Ok(())
        };
        while let Some((at, character)) = rest.next() {
            if character != '\\' {
                text.push(character);
                continue;
            }
            match rest.next() {
                None => return Err(error(format!("bad escape (end of pattern) at position {at}"))),
                Some((_, 'g')) => {
                    let name = source[at + 2..].strip_prefix('<').and_then(|rest| rest.split_once('>'));
                    let Some((name, _)) = name else {
                        return Err(error(format!("missing < at position {}", at + 2)));
                    };
                    rest.nth(name.chars().count() + 1);
                    let number = name
                        .parse()
                        .ok()
                        .or_else(|| pattern.capture_names().position(|known| known == Some(name)));
                    let number = number
                        .ok_or_else(|| NodeError::index_error(format!("unknown group name '{name}'")))?;
                    group(number, at + 3, &mut text)?;
                }
                Some((_, '0')) => text.push('\0'),
                Some((_, digit @ '1'..='9')) => {
                    let mut number = digit.to_digit(10).unwrap_or(0) as usize;
                    if let Some(next) = rest.peek().and_then(|(_, next)| next.to_digit(10)) {
                        number = number * 10 + next as usize;
                        rest.next();
                    }
                    group(number, at + 1, &mut text)?;
                }
                Some((_, letter)) if letter.is_ascii_alphabetic() => {
                    let control =
                        "abfnrtv".find(letter).map(|index| "\x07\x08\x0c\n\r\t\x0b".as_bytes()[index]);
                    let control =
                        control.ok_or_else(|| error(format!("bad escape \\{letter} at position {at}")))?;
                    text.push(char::from(control));
                }
                Some((_, '\\')) => text.push('\\'),
                Some((_, other)) => text.extend(['\\', other]),
            }
        }
        pieces.push(Piece::Text(text));
        Ok(Self(pieces))
    }

    /// Adds the replacement of a match; a group that took no part is empty.
    pub(super) fn expand(&self, found: &Captures<'_>, result: &mut String) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => result.push_str(text),
                Piece::Group(number) => {
                    result.push_str(found.get(*number).map_or("", |part| part.as_str()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_else_is_translated() {
        let translated = |source| translate(source, false).expect("a pattern");
        assert_eq!(translated("a$"), r"a(?=\n?\z)");
        assert_eq!(translate("a$", true).expect("a pattern"), "a$");
        assert_eq!(translated("[[a]"), r"[\[a]");
        assert_eq!(translated("[]a]"), r"[\]a]");
        assert_eq!(translated("a{,3}b{c}"), r"a{0,3}b\{c}");
        assert!(translate("[a", false).is_err());
        assert!(translate(r"\q", false).is_err());
    }

    #[test]
    fn templates_name_groups() {
        let pattern = Regex::new("(a)(?P<n>b)").expect("a pattern");
        let found = pattern.captures("ab").expect("matched").expect("found");
        let mut result = String::new();
        Template::parse(r"\2\g<1>-\g<n>\n\\", &pattern).expect("a template").expand(&found, &mut result);
        assert_eq!(result, "ba-b\n\\");
        assert!(Template::parse(r"\3", &pattern).is_err());
        assert!(Template::parse(r"\q", &pattern).is_err());
    }
}
