//! JPEG: texts in EXIF, in XMP and in comments, all of them before the picture.

use super::exif;
use super::source::{Source, Step, Trouble};
use super::texts::{Texts, utf8_or_latin1};

const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

pub(super) fn read(source: &mut Source<'_>, texts: &mut Texts) -> Step {
    let mut at = 2;
    loop {
        source.step()?;
        let [mark, kind]: [u8; 2] = source.array(at)?;
        if mark != 0xFF {
            return Err(Trouble::broken(format!("has no marker at byte {at}, where one has to be")));
        }
        match kind {
            // Filling.
            0xFF => at += 1,
            // Marks without content.
            0x01 | 0xD0..=0xD8 => at += 2,
            // The picture, or the end.
            0xDA | 0xD9 => return Ok(()),
            _ => {
                let length = u64::from(u16::from_be_bytes(source.array(at + 2)?));
                let Some(content) = length.checked_sub(2) else {
                    return Err(Trouble::broken(format!("has a part without a length at byte {at}")));
                };
                match kind {
                    0xE1 => application(&source.text(at + 4, content)?, texts),
                    0xFE => texts.add("comment", utf8_or_latin1(&source.text(at + 4, content)?)),
                    _ => {}
                }
                at += 2 + length;
            }
        }
    }
}

fn application(bytes: &[u8], texts: &mut Texts) {
    match bytes.strip_prefix(XMP) {
        Some(xmp) => texts.add("xmp", utf8_or_latin1(xmp)),
        None => exif::read(bytes, texts),
    }
}
