//! The items of AVIF and HEIF: which of them are EXIF or XMP, and where they are.

use super::bmff::Atom;
use super::exif;
use super::source::{Source, Step, Trouble};
use super::texts::{Texts, utf8_or_latin1};

/// Most items that are looked at. A large picture is cut into some hundred.
const MOST_ITEMS: usize = 10_000;

/// Largest tables of items, in bytes.
const MOST_BYTES: u64 = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exif,
    Xmp,
}

/// What the tables of a file say.
#[derive(Debug, Default)]
pub(super) struct Items {
    kinds: Vec<(u32, Kind)>,
    /// Id, place, length.
    places: Vec<(u32, u64, u64)>,
}

impl Items {
    /// The table `iinf`.
    pub(super) fn read_kinds(&mut self, source: &mut Source<'_>, table: &Atom) -> Step {
        let version = source.array::<1>(table.start)?;
        let mut at = table.start + if version == [0] { 6 } else { 8 };
        let mut count = 0;
        while at + 8 <= table.end && count < MOST_ITEMS {
            let entry = Atom::at(source, at, table.end)?;
            let length = (entry.end - entry.start).min(300);
            let bytes = source.text(entry.start, length)?;
            let mut fields = Fields(&bytes);
            if let (Some(version @ 2..), Some(_)) = (fields.number(1), fields.number(3)) {
                let id = fields.number(if version == 2 { 2 } else { 4 }).unwrap_or_default();
                let kind = fields.0.get(2..6).unwrap_or_default();
                let is_xmp = fields.0.windows(19).any(|window| window == b"application/rdf+xml");
                let kind = match kind {
                    b"Exif" => Some(Kind::Exif),
                    b"mime" if is_xmp => Some(Kind::Xmp),
                    _ => None,
                };
                self.kinds.extend(u32::try_from(id).ok().zip(kind));
            }
            at = entry.end;
            count += 1;
        }
        Ok(())
    }

    /// The table `iloc`.
    pub(super) fn read_places(&mut self, source: &mut Source<'_>, table: &Atom) -> Step {
        let length = table.end - table.start;
        if length > MOST_BYTES {
            return Err(Trouble::broken(format!("has a table of {length} bytes at byte {}", table.start)));
        }
        let bytes = source.text(table.start, length)?;
        // A table that ends too early tells where those items are that it names.
        let _ = self.places_in(&mut Fields(&bytes));
        Ok(())
    }

    fn places_in(&mut self, fields: &mut Fields<'_>) -> Option<()> {
        let version = fields.number(1)?;
        fields.number(3)?;
        let sizes = fields.number(2)? as usize;
        let [offset, length, base, index] =
            [sizes >> 12, sizes >> 8, sizes >> 4, sizes].map(|size| size & 15);
        let wide = if version < 2 { 2 } else { 4 };
        let count = fields.number(wide)?;
        for _ in 0..count.min(MOST_ITEMS as u64) {
            let id = u32::try_from(fields.number(wide)?).ok()?;
            let method = if version > 0 { fields.number(2)? & 15 } else { 0 };
            fields.number(2)?;
            let base = fields.number(base)?;
            let extents = fields.number(2)?;
            if extents > 1 && offset + length == 0 {
                return None;
            }
            for extent in 0..extents {
                if version > 0 {
                    fields.number(index)?;
                }
                let place = base.checked_add(fields.number(offset)?)?;
                let length = fields.number(length)?;
                // Texts in several pieces, or elsewhere than in the file itself, nobody writes.
                if method == 0 && extent == 0 && extents == 1 {
                    self.places.push((id, place, length));
                }
            }
        }
        Some(())
    }

    /// Reads the items that hold texts.
    pub(super) fn read(&self, source: &mut Source<'_>, texts: &mut Texts) -> Step {
        for (id, kind) in &self.kinds {
            let Some((_, place, length)) = self.places.iter().find(|(item, ..)| item == id) else { continue };
            let bytes = source.text(*place, *length)?;
            match kind {
                Kind::Xmp => texts.add("xmp", utf8_or_latin1(&bytes)),
                // A number says how far behind it the directory begins.
                Kind::Exif => {
                    let skipped = Fields(&bytes).number(4).and_then(|skipped| usize::try_from(skipped).ok());
                    let start = skipped.and_then(|skipped| skipped.checked_add(4));
                    exif::read(start.and_then(|start| bytes.get(start..)).unwrap_or_default(), texts);
                }
            }
        }
        Ok(())
    }
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    /// The next number, of so many bytes; of none it is 0.
    fn number(&mut self, size: usize) -> Option<u64> {
        let (bytes, rest) = self.0.split_at_checked(size).filter(|_| size <= 8)?;
        self.0 = rest;
        Some(bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }
}
