//! JSON as the server writes it: a blank after `,` and `:`, everything outside ASCII escaped, floats as in Python.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

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
        self.gap(writer, first)
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

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // What needs a backslash has been taken out by the caller; left are DEL and what is no ASCII.
        let mut rest = fragment;
        while let Some(at) = rest.find(|character: char| !(' '..='~').contains(&character)) {
            let (plain, tail) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let Some(character) = tail.chars().next() else { break };
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
