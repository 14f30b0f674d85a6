//! What is wrong with a text that is no JSON, in the words of the server's reader.

use comfy_protocol::json;
use serde_json::Value as Json;

/// Reads JSON.
///
/// # Errors
/// Such as `Expecting value: line 1 column 1 (char 0)`.
pub(crate) fn parse(text: &str) -> Result<Json, String> {
    json::from_str(text).map_err(|_| {
        let characters: Vec<char> = text.chars().collect();
        let mut reader = Reader { text: &characters, at: 0 };
        let (what, at) = reader.document().err().unwrap_or(("Expecting value", 0));
        let before = &characters[..at.min(characters.len())];
        let line = before.iter().filter(|character| **character == '\n').count() + 1;
        let column = before.iter().rev().take_while(|character| **character != '\n').count() + 1;
        format!("{what}: line {line} column {column} (char {at})")
    })
}

/// A text that is known to be no JSON. Lists and objects deeper than this are not looked into.
const DEEPEST: usize = 200;

struct Reader<'a> {
    text: &'a [char],
    at: usize,
}

type Found = Result<(), (&'static str, usize)>;

impl Reader<'_> {
    fn next(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, wanted: char) -> bool {
        let is_there = self.next() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn blanks(&mut self) {
        while self.next().is_some_and(|character| " \t\r\n".contains(character)) {
            self.at += 1;
        }
    }

    fn document(&mut self) -> Found {
        self.blanks();
        self.value(0)?;
        self.blanks();
        if self.at < self.text.len() { Err(("Extra data", self.at)) } else { Ok(()) }
    }

    fn value(&mut self, depth: usize) -> Found {
        let start = self.at;
        match self.next() {
            _ if depth > DEEPEST => Err(("Expecting value", start)),
            Some('{') => self.object(depth),
            Some('[') => self.list(depth),
            Some('"') => self.string(),
            _ => self.word().then_some(()).ok_or(("Expecting value", start)),
        }
    }

    /// A number or one of the words.
    fn word(&mut self) -> bool {
        for word in ["true", "false", "null", "NaN", "Infinity", "-Infinity"] {
            if self.text[self.at..].iter().take(word.len()).copied().eq(word.chars()) {
                self.at += word.len();
                return true;
            }
        }
        self.take('-');
        if !self.take('0') && self.digits() == 0 {
            return false;
        }
        let whole = self.at;
        if self.take('.') && self.digits() == 0 {
            self.at = whole;
        }
        let number = self.at;
        if (self.take('e') || self.take('E')) && {
            let _ = self.take('+') || self.take('-');
            self.digits() == 0
        } {
            self.at = number;
        }
        true
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.next().is_some_and(|character| character.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Found {
        let start = self.at;
        self.at += 1;
        loop {
            let at = self.at;
            self.at += 1;
            match self.text.get(at) {
                None => return Err(("Unterminated string starting at", start)),
                Some('"') => return Ok(()),
                Some('\\') => {
                    let escaped = self.text.get(self.at).copied();
                    self.at += 1;
                    match escaped {
                        None => return Err(("Unterminated string starting at", start)),
                        Some('u') => {
                            let digits = self.text.get(self.at..self.at + 4).unwrap_or_default();
                            if digits.len() < 4 || !digits.iter().all(char::is_ascii_hexdigit) {
                                return Err(("Invalid \\uXXXX escape", at + 1));
                            }
                            self.at += 4;
                        }
                        Some(character) if "\"\\/bfnrt".contains(character) => {}
                        Some(_) => return Err(("Invalid \\escape", at)),
                    }
                }
                Some(character) if u32::from(*character) < 0x20 => {
                    return Err(("Invalid control character at", at));
                }
                Some(_) => {}
            }
        }
    }

    fn list(&mut self, depth: usize) -> Found {
        self.at += 1;
        self.blanks();
        if self.take(']') {
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            self.blanks();
            if self.take(']') {
                return Ok(());
            }
            if !self.take(',') {
                return Err(("Expecting ',' delimiter", self.at));
            }
            self.blanks();
        }
    }

    fn object(&mut self, depth: usize) -> Found {
        self.at += 1;
        self.blanks();
        if self.take('}') {
            return Ok(());
        }
        loop {
            if self.next() != Some('"') {
                return Err(("Expecting property name enclosed in double quotes", self.at));
            }
            self.string()?;
            self.blanks();
            if !self.take(':') {
                return Err(("Expecting ':' delimiter", self.at));
            }
            self.blanks();
            self.value(depth + 1)?;
            self.blanks();
            if self.take('}') {
                return Ok(());
            }
            if !self.take(',') {
                return Err(("Expecting ',' delimiter", self.at));
            }
            self.blanks();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_json_is_judged_as_python_judges_it() {
        for (text, message) in [
            ("", "Expecting value: line 1 column 1 (char 0)"),
            ("bad", "Expecting value: line 1 column 1 (char 0)"),
            ("{bad", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
            ("{\"a\":1,}", "Expecting property name enclosed in double quotes: line 1 column 8 (char 7)"),
            ("{\"a\" 1}", "Expecting ':' delimiter: line 1 column 6 (char 5)"),
            ("[1 2]", "Expecting ',' delimiter: line 1 column 4 (char 3)"),
            ("[1,\n]", "Expecting value: line 2 column 1 (char 4)"),
            ("{} x", "Extra data: line 1 column 4 (char 3)"),
            ("\"a", "Unterminated string starting at: line 1 column 1 (char 0)"),
            ("\"\\q\"", "Invalid \\escape: line 1 column 2 (char 1)"),
            ("01", "Extra data: line 1 column 2 (char 1)"),
        ] {
            assert_eq!(parse(text).unwrap_err(), message, "{text}");
        }
        assert_eq!(parse("[1.5e3, NaN]").map(|value| value.is_array()), Ok(true));
    }
}
