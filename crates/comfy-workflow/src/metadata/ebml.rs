//! EBML: Matroska and WebM, whose texts are tags.

use super::source::{Source, Step, Trouble};
use super::texts::{Texts, utf8_or_latin1};

pub(super) const SIGNATURE: &[u8] = b"\x1A\x45\xDF\xA3";

const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1F43_B675;
const INFO: u32 = 0x1549_A966;
const TITLE: u32 = 0x7BA9;
const TAGS: u32 = 0x1254_C367;
const TAG: u32 = 0x7373;
const SIMPLE_TAG: u32 = 0x67C8;
const TAG_NAME: u32 = 0x45A3;
const TAG_STRING: u32 = 0x4487;
const TAG_BINARY: u32 = 0x4485;

/// How deep tags may lie inside tags.
const DEPTH: usize = 8;

pub(super) fn read(source: &mut Source<'_>, texts: &mut Texts) -> Step {
    let mut at = 0;
    while at < source.length() {
        source.step()?;
        let (id, length, start) = element(source, at)?;
        let end = length.map(|length| start.saturating_add(length));
        match (id, end) {
            // Their parts are read as if they stood by themselves, so that streams without lengths are no exception.
            (SEGMENT, _) | (CLUSTER, None) => at = start,
            (_, None) => {
                return Err(Trouble::broken(format!("has a part without a length at byte {at}")));
            }
            (TAGS | INFO, Some(end)) => {
                tags(source, start, end, 0, texts)?;
                at = end;
            }
            (_, Some(end)) => at = end,
        }
    }
    if at > source.length() { Err(Trouble::cut(source.length())) } else { Ok(()) }
}

/// The parts of tags; a name and a text are siblings.
fn tags(source: &mut Source<'_>, mut at: u64, end: u64, depth: usize, texts: &mut Texts) -> Step {
    let mut name = None;
    let mut text = None;
    while at < end {
        source.step()?;
        let (id, length, start) = element(source, at)?;
        let Some(length) = length.filter(|length| start.saturating_add(*length) <= end) else {
            return Err(Trouble::broken(format!("has a tag at byte {at} which is longer than the tags")));
        };
        match id {
            TAG | SIMPLE_TAG if depth < DEPTH => tags(source, start, start + length, depth + 1, texts)?,
            TAG_NAME => name = Some(utf8_or_latin1(&source.text(start, length)?)),
            TAG_STRING | TAG_BINARY => text = Some(utf8_or_latin1(&source.text(start, length)?)),
            TITLE => texts.add("title", utf8_or_latin1(&source.text(start, length)?)),
            _ => {}
        }
        at = start + length;
    }
    if let (Some(name), Some(text)) = (name, text) {
        texts.add(&name, text);
    }
    Ok(())
}

/// Id, length where there is one, and where the content begins.
fn element(source: &mut Source<'_>, at: u64) -> Step<(u32, Option<u64>, u64)> {
    let head = source.some(at, 12)?;
    let parts = || {
        let first = *head.first()?;
        let id_length = first.leading_zeros() as usize + 1;
        let id = head.get(..id_length).filter(|_| id_length <= 4)?;
        let id = id.iter().fold(0, |id, byte| (id << 8) | u32::from(*byte));
        let first = *head.get(id_length)?;
        let length_length = first.leading_zeros() as usize + 1;
        let bytes = head.get(id_length..id_length + length_length).filter(|_| length_length <= 8)?;
        let length = bytes.iter().fold(0_u64, |length, byte| (length << 8) | u64::from(*byte));
        // The mark of the length of the length.
        let mask = (1_u64 << (7 * length_length)) - 1;
        let length = length & mask;
        Some((id, (length != mask).then_some(length), at + (id_length + length_length) as u64))
    };
    parts().ok_or_else(|| match head.len() {
        12 => Trouble::broken(format!("has no part at byte {at}, where one has to be")),
        _ => Trouble::cut(at),
    })
}

/// Whether a file says of itself that it is WebM rather than Matroska.
pub(super) fn is_webm(head: &[u8]) -> bool {
    head.windows(7).any(|window| window == b"\x42\x82\x84webm")
}
