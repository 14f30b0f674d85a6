//! EXIF: the texts of a TIFF directory. ComfyUI writes `prompt:{…}` as the camera's model, and `workflow:{…}` and whatever
//! else came along as its maker and in the tags before it.

use super::texts::{Texts, utf8_or_latin1, utf16};

/// Most entries that are looked at, over all directories.
const MOST_ENTRIES: usize = 4000;

/// Reads a block of EXIF, with or without the words `Exif\0\0` before it. What is broken in it is passed over.
pub(super) fn read(block: &[u8], texts: &mut Texts) {
    let tiff = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    let big_endian = match tiff {
        [b'M', b'M', 0, 42, ..] => true,
        [b'I', b'I', 42, 0, ..] => false,
        _ => return,
    };
    let mut reader = Tiff { bytes: tiff, big_endian, left: MOST_ENTRIES, given: 0 };
    if let Some(first) = reader.long(4) {
        reader.directory(first, true, texts);
    }
}

struct Tiff<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    left: usize,
    /// Bytes of texts taken so far. Entries may all point to the same bytes; an honest file has no more texts than bytes.
    given: usize,
}

impl Tiff<'_> {
    fn short(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn long(&self, at: usize) -> Option<usize> {
        let bytes = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        let long = if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        usize::try_from(long).ok()
    }

    fn directory(&mut self, at: usize, outermost: bool, texts: &mut Texts) {
        let count = self.short(at).unwrap_or_default();
        for index in 0..usize::from(count) {
            if self.left == 0 {
                texts.left_out += 1;
                return;
            }
            self.left -= 1;
            let Some(entry) = at.checked_add(2 + 12 * index) else { return };
            let (Some(tag), Some(kind), Some(count), Some(value)) =
                (self.short(entry), self.short(entry + 2), self.long(entry + 4), self.long(entry + 8))
            else {
                return;
            };
            match (tag, kind) {
                // The directory with the details of a photograph.
                (0x8769, 4) if outermost => self.directory(value, false, texts),
                // Bytes, ASCII, undefined and UTF-8.
                (_, 1 | 2 | 7 | 129) => {
                    let start = if count <= 4 { entry + 8 } else { value };
                    if let Some(bytes) = start.checked_add(count).and_then(|end| self.bytes.get(start..end)) {
                        self.value(tag, kind, bytes, texts);
                    }
                }
                _ => {}
            }
        }
    }

    fn value(&mut self, tag: u16, kind: u16, bytes: &[u8], texts: &mut Texts) {
        let name = name(tag);
        if name.is_none() && !matches!(kind, 2 | 129) {
            return;
        }
        self.given += bytes.len();
        if self.given > self.bytes.len() {
            texts.left_out += 1;
            return;
        }
        let text = match tag {
            0x9286 => self.comment(bytes),
            0x9C9B..=0x9C9F => utf16(bytes, false),
            _ => utf8_or_latin1(bytes),
        };
        match labelled(&text) {
            Some((key, text)) => texts.add(key, text.to_owned()),
            None => texts.add(&name.map_or_else(|| format!("exif 0x{tag:04x}"), str::to_owned), text),
        }
    }

    /// Eight bytes say in which encoding the rest is.
    fn comment(&self, bytes: &[u8]) -> String {
        match bytes.split_at_checked(8) {
            Some((b"UNICODE\0", text)) => utf16(text, self.big_endian),
            Some((b"ASCII\0\0\0" | b"\0\0\0\0\0\0\0\0" | b"JIS\0\0\0\0\0", text)) => utf8_or_latin1(text),
            _ => utf8_or_latin1(bytes),
        }
    }
}

/// A text such as `workflow:{…}`, which carries its name with it.
fn labelled(text: &str) -> Option<(&str, &str)> {
    let (key, rest) = text.split_once(':')?;
    let is_name = !key.is_empty()
        && key.len() <= 64
        && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '));
    let rest = rest.trim_start();
    (is_name && rest.starts_with(['{', '[', '"'])).then_some((key, rest))
}

fn name(tag: u16) -> Option<&'static str> {
    Some(match tag {
        0x010E => "ImageDescription",
        0x010F => "Make",
        0x0110 => "Model",
        0x0131 => "Software",
        0x013B => "Artist",
        0x8298 => "Copyright",
        0x9286 => "UserComment",
        0x9C9B => "XPTitle",
        0x9C9C => "XPComment",
        0x9C9D => "XPAuthor",
        0x9C9E => "XPKeywords",
        0x9C9F => "XPSubject",
        _ => return None,
    })
}
