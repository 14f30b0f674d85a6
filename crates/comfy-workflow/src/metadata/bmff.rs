//! Boxes: MP4, M4V, M4A and QuickTime, whose texts are in `moov/udta/meta` or `moov/meta`, by numbered keys (as PyAV writes
//! them), by the names of iTunes, or as QuickTime's own; and AVIF and HEIF, whose texts are in EXIF and XMP.

use super::source::{Source, Step, Trouble};
use super::texts::{Texts, utf8_or_latin1, utf16};
use super::{Container, items};

/// How deep boxes may lie inside boxes.
const DEPTH: usize = 6;

/// Most keys that are kept.
const MOST_KEYS: usize = 1000;

/// A box, as its inventors called it first: its kind, and where its content begins and ends.
pub(super) struct Atom {
    pub(super) kind: [u8; 4],
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Atom {
    /// The box at `at`, inside something that ends at `end`.
    pub(super) fn at(source: &mut Source<'_>, at: u64, end: u64) -> Step<Self> {
        source.step()?;
        let [a, b, c, d, kind @ ..]: [u8; 8] = source.array(at)?;
        let (start, length) = match u32::from_be_bytes([a, b, c, d]) {
            // To the end of the file.
            0 => (at + 8, end.saturating_sub(at)),
            1 => (at + 16, u64::from_be_bytes(source.array(at + 8)?)),
            length => (at + 8, u64::from(length)),
        };
        let own = at.checked_add(length).filter(|own| *own >= start);
        let Some(own) = own else {
            return Err(Trouble::broken(format!("has a box of {length} bytes at byte {at}")));
        };
        if own > end {
            return Err(Trouble::cut(at));
        }
        Ok(Self { kind, start, end: own })
    }
}

/// Which container a file is that begins with a box `ftyp`, or with one of the boxes of older QuickTime.
pub(super) fn container(head: &[u8]) -> Option<Container> {
    match head.get(4..8)? {
        b"ftyp" => {}
        b"moov" | b"mdat" | b"wide" | b"skip" => return Some(Container::QuickTime),
        _ => return None,
    }
    Some(match head.get(8..12)? {
        b"qt  " => Container::QuickTime,
        b"avif" | b"avis" => Container::Avif,
        b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" => Container::Heif,
        b"mif1" | b"msf1" | b"miaf" => {
            let is_avif = head.get(16..).unwrap_or_default().chunks_exact(4).any(|brand| brand == b"avif");
            if is_avif { Container::Avif } else { Container::Heif }
        }
        _ => Container::Mp4,
    })
}

pub(super) fn read(source: &mut Source<'_>, texts: &mut Texts) -> Step {
    let end = source.length();
    boxes(source, 0, end, 0, texts)
}

fn boxes(source: &mut Source<'_>, mut at: u64, end: u64, depth: usize, texts: &mut Texts) -> Step {
    while at + 8 <= end {
        let part = Atom::at(source, at, end)?;
        match &part.kind {
            b"moov" | b"udta" | b"trak" | b"moof" | b"traf" if depth < DEPTH => {
                boxes(source, part.start, part.end, depth + 1, texts)?;
            }
            b"meta" => meta(source, &part, texts)?,
            // A text of QuickTime, such as ©cmt: a length, a language, the text.
            [0xA9, name @ ..] if part.end - part.start >= 4 => {
                let [a, b, _, _]: [u8; 4] = source.array(part.start)?;
                let length = u64::from(u16::from_be_bytes([a, b])).min(part.end - part.start - 4);
                let text = source.text(part.start + 4, length)?;
                texts.add(&short_name(name), utf8_or_latin1(&text));
            }
            _ => {}
        }
        at = part.end;
    }
    Ok(())
}

fn meta(source: &mut Source<'_>, meta: &Atom, texts: &mut Texts) -> Step {
    // Four bytes of version and flags come first, but not in QuickTime.
    let is_bare = source.some(meta.start + 4, 4)? == b"hdlr";
    let mut at = if is_bare { meta.start } else { meta.start + 4 };
    let mut keys = Vec::new();
    let mut items = items::Items::default();
    while at + 8 <= meta.end {
        let part = Atom::at(source, at, meta.end)?;
        match &part.kind {
            b"keys" => keys = read_keys(source, &part)?,
            b"ilst" => list(source, &part, &keys, texts)?,
            b"iinf" => items.read_kinds(source, &part)?,
            b"iloc" => items.read_places(source, &part)?,
            _ => {}
        }
        at = part.end;
    }
    items.read(source, texts)
}

/// The names of the entries of a list, which has their numbers.
fn read_keys(source: &mut Source<'_>, keys: &Atom) -> Step<Vec<String>> {
    let mut names = Vec::new();
    let mut at = keys.start + 8;
    while at + 8 <= keys.end && names.len() < MOST_KEYS {
        let key = Atom::at(source, at, keys.end)?;
        names.push(utf8_or_latin1(&source.text(key.start, key.end - key.start)?));
        at = key.end;
    }
    Ok(names)
}

fn list(source: &mut Source<'_>, list: &Atom, keys: &[String], texts: &mut Texts) -> Step {
    let mut at = list.start;
    while at + 8 <= list.end {
        let entry = Atom::at(source, at, list.end)?;
        let number = u32::from_be_bytes(entry.kind) as usize;
        let mut key = match number.checked_sub(1).and_then(|place| keys.get(place)) {
            Some(key) => key.clone(),
            None => short_name(entry.kind.strip_prefix(&[0xA9]).unwrap_or(&entry.kind)),
        };
        let mut inner = entry.start;
        while inner + 8 <= entry.end {
            let part = Atom::at(source, inner, entry.end)?;
            let length = part.end - part.start;
            match &part.kind {
                // The name of an entry `----`.
                b"name" if length > 4 => key = utf8_or_latin1(&source.text(part.start + 4, length - 4)?),
                // A kind and a locale stand before the text.
                b"data" if length > 8 => {
                    let kind = u32::from_be_bytes(source.array(part.start)?);
                    if matches!(kind, 0..=2) {
                        let bytes = source.text(part.start + 8, length - 8)?;
                        texts.add(&key, if kind == 2 { utf16(&bytes, true) } else { utf8_or_latin1(&bytes) });
                    }
                }
                _ => {}
            }
            inner = part.end;
        }
        at = entry.end;
    }
    Ok(())
}

fn short_name(name: &[u8]) -> String {
    match name {
        b"cmt" => "comment".to_owned(),
        b"nam" => "title".to_owned(),
        b"des" | b"desc" => "description".to_owned(),
        b"too" | b"swr" => "encoder".to_owned(),
        name => utf8_or_latin1(name),
    }
}
