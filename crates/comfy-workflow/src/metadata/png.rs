//! PNG, animated too: texts in the chunks tEXt, zTXt, iTXt and eXIf, and in `comf`, which ComfyUI uses for animations.

use super::exif;
use super::source::{Source, Step, Trouble};
use super::texts::{Texts, split_at_zero, utf8_or_latin1};

pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

pub(super) fn read(source: &mut Source<'_>, texts: &mut Texts) -> Step {
    let mut at = SIGNATURE.len() as u64;
    while at < source.length() {
        source.step()?;
        let head: [u8; 8] = source.array(at)?;
        let [a, b, c, d, kind @ ..] = head;
        let length = u64::from(u32::from_be_bytes([a, b, c, d]));
        let start = at + 8;
        match &kind {
            b"tEXt" | b"comf" => pair(&source.text(start, length)?, texts),
            b"zTXt" => packed(&source.text(start, length)?, texts),
            b"iTXt" => international(&source.text(start, length)?, texts),
            b"eXIf" => exif::read(&source.text(start, length)?, texts),
            b"IEND" => return Ok(()),
            _ => {}
        }
        // A checksum follows.
        at = start + length + 4;
    }
    Err(Trouble::cut(at.min(source.length())))
}

fn pair(bytes: &[u8], texts: &mut Texts) {
    if let Some((key, text)) = split_at_zero(bytes) {
        texts.add(&utf8_or_latin1(key), utf8_or_latin1(text));
    }
}

fn packed(bytes: &[u8], texts: &mut Texts) {
    if let Some((key, [0, rest @ ..])) = split_at_zero(bytes)
        && let Some(text) = texts.inflated(rest)
    {
        texts.add(&utf8_or_latin1(key), utf8_or_latin1(&text));
    }
}

/// Key, whether it is packed and how, language, translated key, text.
fn international(bytes: &[u8], texts: &mut Texts) {
    let parts = || {
        let (key, rest) = split_at_zero(bytes)?;
        let (flags, rest) = rest.split_at_checked(2)?;
        let (_, rest) = split_at_zero(rest)?;
        let (_, text) = split_at_zero(rest)?;
        Some((utf8_or_latin1(key), flags, text))
    };
    let Some((key, flags, text)) = parts() else { return };
    let key = if key == "XML:com.adobe.xmp" { "xmp".to_owned() } else { key };
    match flags {
        [0, _] => texts.add(&key, utf8_or_latin1(text)),
        [1, 0] => {
            if let Some(text) = texts.inflated(text) {
                texts.add(&key, utf8_or_latin1(&text));
            }
        }
        _ => texts.left_out += 1,
    }
}
