//! OpenEXR: texts are attributes of the type `string` in the head of the file.

use super::source::{Source, Step, Trouble};
use super::texts::{Texts, split_at_zero, utf8_or_latin1};

pub(super) const SIGNATURE: &[u8] = b"\x76\x2f\x31\x01";

/// Longest name of an attribute or of a type, with the zero that ends it.
const LONGEST_NAME: usize = 256;

pub(super) fn read(source: &mut Source<'_>, texts: &mut Texts) -> Step {
    let version = u32::from_le_bytes(source.array(4)?);
    let has_parts = version & 0x1000 != 0;
    let mut at = 8;
    // Each part has a head of its own, and an empty one ends them.
    while head(source, &mut at, texts)? && has_parts {}
    Ok(())
}

/// Whether there was anything in it.
fn head(source: &mut Source<'_>, at: &mut u64, texts: &mut Texts) -> Step<bool> {
    let mut filled = false;
    loop {
        source.step()?;
        let key = name(source, at)?;
        if key.is_empty() {
            return Ok(filled);
        }
        filled = true;
        let kind = name(source, at)?;
        let length = u64::from(u32::from_le_bytes(source.array(*at)?));
        *at += 4;
        if kind == b"string" {
            texts.add(&utf8_or_latin1(&key), utf8_or_latin1(&source.text(*at, length)?));
        }
        *at += length;
    }
}

fn name(source: &mut Source<'_>, at: &mut u64) -> Step<Vec<u8>> {
    let bytes = source.some(*at, LONGEST_NAME)?;
    let Some((name, _)) = split_at_zero(&bytes) else {
        return Err(Trouble::broken(format!("has a name without an end at byte {at}")));
    };
    *at += name.len() as u64 + 1;
    Ok(name.to_vec())
}
