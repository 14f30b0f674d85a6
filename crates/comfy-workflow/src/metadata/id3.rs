//! ID3v2, the tags of MP3: texts of the user (TXXX) and comments (COMM), in the versions 2.2 to 2.4.

use super::source::{Source, Step};
use super::texts::{Texts, split_at_zero, utf8_or_latin1, utf16};

/// Most frames that are looked at.
const MOST_FRAMES: usize = 4000;

/// Reads the tag at the beginning of a file. What is broken in it is passed over.
pub(super) fn read_file(source: &mut Source<'_>, texts: &mut Texts) -> Step {
    if let Some(length) = tag_length(&source.some(0, 10)?) {
        read(&source.text(0, length)?, texts);
    }
    Ok(())
}

/// The length of the tag with which a file begins, with its head; the sound follows.
pub(super) fn tag_length(head: &[u8]) -> Option<u64> {
    match head {
        [b'I', b'D', b'3', _, _, _, a, b, c, d, ..] => Some(10 + u64::from(synchsafe([*a, *b, *c, *d]))),
        _ => None,
    }
}

/// Reads a tag with its head.
pub(super) fn read(tag: &[u8], texts: &mut Texts) {
    let Some((&[b'I', b'D', b'3', version @ 2..=4, _, flags, a, b, c, d], rest)) =
        tag.split_first_chunk::<10>()
    else {
        return;
    };
    let body = rest.get(..synchsafe([a, b, c, d]) as usize).unwrap_or(rest);
    let unsynchronised = flags & 0x80 != 0;
    let body = if unsynchronised && version < 4 { synchronised(body) } else { body.to_vec() };
    let mut rest = body.as_slice();
    if flags & 0x40 != 0 && version > 2 {
        rest = after_extended_head(rest, version);
    }
    for _ in 0..MOST_FRAMES {
        let Some((frame, next)) = Frame::first(rest, version) else { return };
        frame.read(texts);
        rest = next;
    }
}

struct Frame {
    id: Vec<u8>,
    content: Vec<u8>,
}

impl Frame {
    /// The first frame, and what comes after it.
    fn first(bytes: &[u8], version: u8) -> Option<(Self, &[u8])> {
        let (id, length, flags, rest) = if version == 2 {
            let (&[a, b, c, x, y, z], rest) = bytes.split_first_chunk::<6>()?;
            (vec![a, b, c], u32::from_be_bytes([0, x, y, z]), 0, rest)
        } else {
            let (&[a, b, c, d, w, x, y, z, _, flags], rest) = bytes.split_first_chunk::<10>()?;
            let length = [w, x, y, z];
            let length = if version == 4 { synchsafe(length) } else { u32::from_be_bytes(length) };
            (vec![a, b, c, d], length, flags, rest)
        };
        if id.first() == Some(&0) {
            // Filling.
            return None;
        }
        let (content, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        let frame = |content: Vec<u8>| Some((Self { id: id.clone(), content }, rest));
        match (version, flags) {
            (4, flags) if flags & 0x0C != 0 => frame(Vec::new()),
            (3, flags) if flags & 0xC0 != 0 => frame(Vec::new()),
            (4, flags) => {
                // A group and a length may stand before the content.
                let skipped = usize::from(flags & 0x40 != 0) + if flags & 0x01 != 0 { 4 } else { 0 };
                let content = content.get(skipped..).unwrap_or_default();
                frame(if flags & 0x02 != 0 { synchronised(content) } else { content.to_vec() })
            }
            (_, flags) => frame(content.get(usize::from(flags & 0x20 != 0)..).unwrap_or_default().to_vec()),
        }
    }

    fn read(&self, texts: &mut Texts) {
        let Some((&encoding, content)) = self.content.split_first() else { return };
        match self.id.as_slice() {
            b"TXXX" | b"TXX" => {
                if let Some((key, text)) = pair(encoding, content) {
                    texts.add(&key, text);
                }
            }
            b"COMM" | b"COM" => {
                // A language of three letters stands before it.
                if let Some((key, text)) = content.get(3..).and_then(|content| pair(encoding, content)) {
                    texts.add(if key.is_empty() { "comment" } else { &key }, text);
                }
            }
            b"TIT2" | b"TT2" => texts.add("title", decoded(encoding, content)),
            _ => {}
        }
    }
}

/// A name, a zero, and the text.
fn pair(encoding: u8, bytes: &[u8]) -> Option<(String, String)> {
    let (key, text) = match encoding {
        1 | 2 => {
            let end = 2 * bytes.chunks_exact(2).position(|unit| unit == [0, 0])?;
            (bytes.get(..end)?, bytes.get(end + 2..)?)
        }
        _ => split_at_zero(bytes)?,
    };
    Some((decoded(encoding, key), decoded(encoding, text)))
}

fn decoded(encoding: u8, bytes: &[u8]) -> String {
    match encoding {
        1 => utf16(bytes, false),
        2 => utf16(bytes, true),
        _ => utf8_or_latin1(bytes),
    }
}

/// A number in four bytes of seven bits.
fn synchsafe(bytes: [u8; 4]) -> u32 {
    bytes.into_iter().fold(0, |number, byte| (number << 7) | u32::from(byte & 0x7F))
}

/// The bytes without the zeros that were put after every 0xFF, so that no player takes them for sound.
fn synchronised(bytes: &[u8]) -> Vec<u8> {
    let mut last = 0;
    let keep = |byte: &u8| {
        let put_in = last == 0xFF && *byte == 0;
        last = *byte;
        !put_in
    };
    bytes.iter().copied().filter(keep).collect()
}

fn after_extended_head(bytes: &[u8], version: u8) -> &[u8] {
    let Some((length, _)) = bytes.split_first_chunk::<4>() else { return bytes };
    // Only the newer version counts the four bytes of the length itself.
    let length = match version {
        4 => synchsafe(*length) as usize,
        _ => u32::from_be_bytes(*length) as usize + 4,
    };
    bytes.get(length..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(version: u8, flags: u8, frames: &[u8]) -> Vec<u8> {
        let length = frames.len();
        let mut tag =
            vec![b'I', b'D', b'3', version, 0, flags, 0, 0, (length >> 7) as u8, (length & 0x7F) as u8];
        tag.extend_from_slice(frames);
        tag
    }

    fn found(tag: &[u8]) -> Vec<(String, String)> {
        let mut texts = Texts::default();
        read(tag, &mut texts);
        texts.found.into_iter().collect()
    }

    #[test]
    fn texts_of_the_user_are_found_in_every_version_and_encoding() {
        let expected = [("prompt".to_owned(), "{\"ö\"}".to_owned())];
        let latin1 = b"\0\0\x0d\0prompt\0{\"\xf6\"}";
        assert_eq!(found(&tag(2, 0, &[b"TXX".as_slice(), latin1].concat())), expected);
        let wide: Vec<u8> =
            "\u{feff}prompt\0\u{feff}{\"ö\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = (wide.len() + 1) as u8;
        assert_eq!(found(&tag(3, 0, &[b"TXXX\0\0\0", &[length][..], b"\0\0\x01", &wide].concat())), expected);
        let utf8 = "prompt\0{\"ö\"}".as_bytes();
        let length = (utf8.len() + 1) as u8;
        let frame = [b"TXXX\0\0\0", &[length][..], b"\0\0\x03", utf8].concat();
        assert_eq!(found(&tag(4, 0, &frame)), expected);
        let extended = [b"\0\0\0\x06\0\0".as_slice(), &frame].concat();
        assert_eq!(found(&tag(4, 0x40, &extended)), expected);
    }

    #[test]
    fn comments_have_a_language_and_filling_is_no_frame() {
        let frames = b"COMM\0\0\0\x0a\0\0\x03eng\0hello\0\0\0\0\0\0\0\0\0\0\0\0";
        assert_eq!(found(&tag(4, 0, frames)), [("comment".to_owned(), "hello".to_owned())]);
        assert_eq!(found(&tag(4, 0, b"COMM\0\0\x7f\x0a\0\0\x03eng\0hello")), []);
    }

    #[test]
    fn zeros_after_0xff_are_taken_out() {
        assert_eq!(synchronised(b"\xff\0\xff\0\0a\0"), b"\xff\xff\0a\0");
        assert_eq!(
            found(&tag(3, 0x80, b"TXXX\0\0\0\x06\0\0\0k\0a\xff\0b")),
            [("k".to_owned(), "aÿb".to_owned())]
        );
    }
}
