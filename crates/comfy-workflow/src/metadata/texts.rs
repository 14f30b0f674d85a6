//! The texts of a file, and how their bytes are read.

use std::io::Read;

use indexmap::IndexMap;

/// Most bytes of a single text, unpacked. Workflows with whole pictures in their inputs have some megabytes.
pub(super) const MOST_BYTES: usize = 32 << 20;

/// Most texts of a file that are kept.
const MOST_TEXTS: usize = 1000;

/// Longest name of a text, in characters.
const LONGEST_KEY: usize = 200;

/// The texts found so far, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) found: IndexMap<String, String>,
    bytes: usize,
    unpacked: usize,
    /// Texts that were left out because of a limit.
    pub(super) left_out: usize,
}

impl Texts {
    /// Keeps a text. The second of a name is kept as `name (2)`.
    pub(super) fn add(&mut self, key: &str, text: String) {
        let key: String = key.trim().chars().take(LONGEST_KEY).collect();
        self.bytes = self.bytes.saturating_add(text.len());
        if self.found.len() >= MOST_TEXTS || self.bytes > 2 * MOST_BYTES {
            self.left_out += 1;
            return;
        }
        if !self.found.contains_key(&key) {
            self.found.insert(key, text);
            return;
        }
        let free = (2..=MOST_TEXTS + 1).map(|number| format!("{key} ({number})"));
        if let Some(key) = free.into_iter().find(|key| !self.found.contains_key(key)) {
            self.found.insert(key, text);
        }
    }

    /// What zlib packed. Counted as left out where it is broken, or larger than texts may be.
    pub(super) fn inflated(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let most = MOST_BYTES.min((2 * MOST_BYTES).saturating_sub(self.unpacked));
        let mut unpacked = Vec::new();
        let read = flate2::read::ZlibDecoder::new(bytes).take(most as u64 + 1).read_to_end(&mut unpacked);
        self.unpacked = self.unpacked.saturating_add(unpacked.len());
        if read.is_ok() && unpacked.len() <= most {
            return Some(unpacked);
        }
        self.left_out += 1;
        None
    }
}

/// UTF-8 where it is that, else Latin-1; without what ends a C string.
pub(super) fn utf8_or_latin1(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let bytes = bytes.get(..end).unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// UTF-16; the byte order mark decides, and without one the zeros of ASCII, or else `big_endian`.
pub(super) fn utf16(bytes: &[u8], big_endian: bool) -> String {
    let (bytes, big_endian) = match bytes {
        [0xFE, 0xFF, rest @ ..] => (rest, true),
        [0xFF, 0xFE, rest @ ..] => (rest, false),
        [0, low, ..] if *low != 0 => (bytes, true),
        [high, 0, ..] if *high != 0 => (bytes, false),
        _ => (bytes, big_endian),
    };
    let units = bytes.chunks_exact(2).map(|pair| match *pair {
        [high, low] if big_endian => u16::from_be_bytes([high, low]),
        [low, high] => u16::from_le_bytes([low, high]),
        _ => 0,
    });
    let text: String = char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{FFFD}')).collect();
    text.trim_end_matches('\0').to_owned()
}

/// The bytes before the first zero, and those after it.
pub(super) fn split_at_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == 0)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_in_the_encodings_that_programs_write() {
        assert_eq!(utf8_or_latin1("Größe 大\0\0".as_bytes()), "Größe 大");
        assert_eq!(utf8_or_latin1(b"Gr\xf6\xdfe"), "Größe");
        let wide = |text: &str, big: bool| -> Vec<u8> {
            text.encode_utf16()
                .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
                .collect()
        };
        for big in [true, false] {
            // What is said of the order is wrong as often as not.
            assert_eq!(utf16(&wide("{\"a\": \"大😀\"}", big), true), "{\"a\": \"大😀\"}");
            assert_eq!(utf16(&wide("\u{feff}大", big), !big), "大");
        }
        assert_eq!(utf16(&[0x59], true), "");
    }

    #[test]
    fn a_name_that_is_there_twice_is_kept_twice() {
        let mut texts = Texts::default();
        for text in ["a", "b", "c"] {
            texts.add("comment", text.to_owned());
        }
        assert_eq!(texts.found.keys().collect::<Vec<_>>(), ["comment", "comment (2)", "comment (3)"]);
    }

    #[test]
    fn too_many_texts_are_counted_and_not_kept() {
        let mut texts = Texts::default();
        (0..MOST_TEXTS + 5).for_each(|index| texts.add(&index.to_string(), String::new()));
        assert_eq!((texts.found.len(), texts.left_out), (MOST_TEXTS, 5));
        texts = Texts::default();
        (0..3).for_each(|_| texts.add("large", "x".repeat(MOST_BYTES)));
        assert_eq!((texts.found.len(), texts.left_out), (2, 1));
    }
}
