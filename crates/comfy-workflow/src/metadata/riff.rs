//! RIFF: WebP, whose texts are in EXIF and XMP, and WAV, whose texts are in a list `INFO` and in ID3.

use super::source::{Source, Step, Trouble};
use super::texts::{Texts, utf8_or_latin1};
use super::{exif, id3};

pub(super) fn read(source: &mut Source<'_>, texts: &mut Texts) -> Step {
    chunks(source, 12, |source, kind, start, length| {
        match kind {
            b"EXIF" => exif::read(&source.text(start, length)?, texts),
            b"XMP " => texts.add("xmp", utf8_or_latin1(&source.text(start, length)?)),
            b"id3 " | b"ID3 " => id3::read(&source.text(start, length)?, texts),
            b"LIST" if length >= 4 && source.array(start)? == *b"INFO" => {
                info(&source.text(start + 4, length - 4)?, texts);
            }
            _ => {}
        }
        Ok(())
    })
}

/// The length in the file's head is not asked: files that were joined or cut are read as far as they go.
fn chunks(
    source: &mut Source<'_>,
    mut at: u64,
    mut take: impl FnMut(&mut Source<'_>, &[u8; 4], u64, u64) -> Step,
) -> Step {
    while at + 8 <= source.length() {
        source.step()?;
        let head: [u8; 8] = source.array(at)?;
        let [a, b, c, d, length @ ..] = head;
        let length = u64::from(u32::from_le_bytes(length));
        if at + 8 + length > source.length() {
            return Err(Trouble::cut(at));
        }
        take(source, &[a, b, c, d], at + 8, length)?;
        at += 8 + length + length % 2;
    }
    Ok(())
}

/// Texts such as `ICMT`, a comment.
fn info(mut list: &[u8], texts: &mut Texts) {
    while let Some((head, rest)) = list.split_at_checked(8) {
        let (key, length) = head.split_at(4);
        let length = <[u8; 4]>::try_from(length).map_or(0, u32::from_le_bytes) as usize;
        let Some((text, _)) = rest.split_at_checked(length) else { return };
        let key = match key {
            b"ICMT" => "comment".to_owned(),
            b"INAM" => "title".to_owned(),
            key => utf8_or_latin1(key),
        };
        texts.add(&key, utf8_or_latin1(text));
        list = rest.get(length + length % 2..).unwrap_or_default();
    }
}
