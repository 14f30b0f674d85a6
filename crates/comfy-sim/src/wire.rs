//! JSON as the server writes it: a blank after `,` and `:`, everything outside ASCII escaped, floats as in Python. The
//! stand-ins of [`exact`] become the bare tokens and the lone surrogates that they stand for.

use std::io;

use comfy_protocol::json::exact;
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter};

use crate::python;

/// Writes `value` as the server would.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    write(value, Python::default())
}

/// Writes `value` on many lines, indented by four blanks.
pub(crate) fn to_indented_json<T: Serialize + ?Sized>(value: &T) -> String {
    write(value, Python { indented: true, ..Python::default() })
}

fn write<T: Serialize + ?Sized>(value: &T, formatter: Python) -> String {
    let mut bytes = Vec::with_capacity(256);
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    if let Err(error) = value.serialize(&mut writer) {
        tracing::error!(%error, "an answer could not be written as JSON");
        return "null".to_owned();
    }
    String::from_utf8(bytes).unwrap_or_default()
}

#[derive(Default)]
struct Python {
    indented: bool,
    depth: usize,
    /// Whether the list or object that ends now has anything in it.
    filled: bool,
    is_key: bool,
    string: Text,
}

/// How much of a text is written.
#[derive(Debug, Default)]
enum Text {
    /// No text is being written, or its first quote is.
    #[default]
    Begun,
    /// It begins here.
    Ahead,
    /// It begins with what may be a stand-in for this number, and is one if nothing follows.
    Held(String),
}

impl Python {
    fn begin<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        writer.write_all(bracket)
    }

    fn gap<W: ?Sized + io::Write>(&self, writer: &mut W, first: bool) -> io::Result<()> {
        match (self.indented, first) {
            (false, true) => Ok(()),
            (false, false) => writer.write_all(b", "),
            (true, true) => self.new_line(writer),
            (true, false) => writer.write_all(b",").and_then(|()| self.new_line(writer)),
        }
    }

    /// Writes what was held back of a text, since more of it follows.
    fn begin_text<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        match std::mem::take(&mut self.string) {
            Text::Begun => Ok(()),
            Text::Ahead => writer.write_all(b"\""),
            Text::Held(token) => write!(writer, "\"\\ufdd0{token}"),
        }
    }

    fn end<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.indented && self.filled {
            self.new_line(writer)?;
        }
        writer.write_all(bracket)
    }

    fn new_line<W: ?Sized + io::Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(b"    "))
    }
}

impl Formatter for Python {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"[")
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.gap(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"]")
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"{")
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.is_key = true;
        self.gap(writer, first)
    }

    fn end_object_key<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.is_key = false;
        Ok(())
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"}")
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(python::float_text(value).as_bytes())
    }

    fn begin_string<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.string = Text::Ahead;
        Ok(())
    }

    fn end_string<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        match std::mem::take(&mut self.string) {
            Text::Begun => writer.write_all(b"\""),
            Text::Ahead => writer.write_all(b"\"\""),
            Text::Held(token) => writer.write_all(token.as_bytes()),
        }
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        self.begin_text(writer)?;
        match escape {
            CharEscape::Quote => writer.write_all(b"\\\""),
            CharEscape::ReverseSolidus => writer.write_all(b"\\\\"),
            CharEscape::Solidus => writer.write_all(b"/"),
            CharEscape::Backspace => writer.write_all(b"\\b"),
            CharEscape::FormFeed => writer.write_all(b"\\f"),
            CharEscape::LineFeed => writer.write_all(b"\\n"),
            CharEscape::CarriageReturn => writer.write_all(b"\\r"),
            CharEscape::Tab => writer.write_all(b"\\t"),
            CharEscape::AsciiControl(byte) => write!(writer, "\\u{byte:04x}"),
        }
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if matches!(self.string, Text::Ahead)
            && !self.is_key
            && let Some(token) = exact::token(fragment)
        {
            self.string = Text::Held(token.to_owned());
            return Ok(());
        }
        self.begin_text(writer)?;
        // What needs a backslash has been taken out by the caller; left are DEL and what is no ASCII.
        let mut rest = fragment;
        while let Some(at) = rest.find(|character: char| !(' '..='~').contains(&character)) {
            let (plain, tail) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let Some(character) = tail.chars().next() else { break };
            if let Some(unit) = exact::surrogate(character) {
                write!(writer, "\\u{unit:04x}")?;
                rest = &tail[character.len_utf8()..];
                continue;
            }
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &tail[character.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_looks_as_the_server_writes_it() {
        let value = json!({"a": [1, 2.0, 1e-5, 1e16], "ü😀\u{7f}": "\"\n\u{1}/", "b": {}, "c": [], "d": [[null, true]]});
        let text = r#"{"a": [1, 2.0, 1e-05, 1e+16], "\u00fc\ud83d\ude00\u007f": "\"\n\u0001/", "b": {}, "c": [], "d": [[null, true]]}"#;
        assert_eq!(to_json(&value), text);
    }

    #[test]
    fn stand_ins_become_what_they_stand_for() {
        let text = r#"{"a": [NaN, -Infinity, Infinity], "b": 18446744073709551616, "\ud800": "\udfff x \ud83d", "c": ""}"#;
        assert_eq!(to_json(&exact::from_slice(text.as_bytes()).expect("read")), text);
    }

    #[test]
    fn what_a_client_makes_to_look_like_a_stand_in_stays_json() {
        let value = json!({"\u{fdd0}NaN": "\u{fdd0}NaN\n", "a": "\u{fdd0}evil", "b": ["\u{fdd0}1, 2", "x\u{fdd0}NaN"]});
        let text = to_json(&value);
        assert_eq!(
            text,
            r#"{"\ufdd0NaN": "\ufdd0NaN\n", "a": "\ufdd0evil", "b": ["\ufdd01, 2", "x\ufdd0NaN"]}"#
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value);
    }

    #[test]
    fn large_integers_keep_all_digits() {
        assert_eq!(to_json(&json!([u64::MAX, i64::MIN])), "[18446744073709551615, -9223372036854775808]");
    }

    #[test]
    fn indented_json_has_one_item_per_line() {
        let text = to_indented_json(&json!({"a": 1.5, "b": ["ü", null, []], "c": {}}));
        assert_eq!(
            text,
            "{\n    \"a\": 1.5,\n    \"b\": [\n        \"\\u00fc\",\n        null,\n        []\n    ],\n    \"c\": {}\n}"
        );
    }
}
