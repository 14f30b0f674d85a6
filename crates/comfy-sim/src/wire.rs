//! JSON as the server writes it: a blank after `,` and `:`, everything outside ASCII escaped, floats as in Python.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

use crate::python;

/// Writes `value` as the server would.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    let mut bytes = Vec::with_capacity(256);
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, Python);
    if let Err(error) = value.serialize(&mut writer) {
        tracing::error!(%error, "an answer could not be written as JSON");
        return "null".to_owned();
    }
    String::from_utf8(bytes).unwrap_or_default()
}

struct Python;

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
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
        let value = json!({"a": [1, 2.0, 1e-5, 1e16], "ü😀\u{7f}": "\"\n\u{1}", "b": {}, "c": [], "d": [[null, true]]});
        let text = r#"{"a": [1, 2.0, 1e-05, 1e+16], "\u00fc\ud83d\ude00\u007f": "\"\n\u0001", "b": {}, "c": [], "d": [[null, true]]}"#;
        assert_eq!(to_json(&value), text);
        assert_eq!(to_json(&value), python::python_json(&value));
    }
}
