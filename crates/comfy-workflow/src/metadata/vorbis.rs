//! Comments of the kind that Vorbis has brought: in FLAC, and in Ogg with Opus, Vorbis, Theora, Speex or FLAC.

use indexmap::IndexMap;

use super::source::{Source, Step, Trouble};
use super::texts::{MOST_BYTES, Texts, utf8_or_latin1};

/// Most streams of an Ogg file that are followed.
const MOST_STREAMS: usize = 16;

/// The blocks of a FLAC file, from byte 4 on.
pub(super) fn read_flac(source: &mut Source<'_>, texts: &mut Texts) -> Step {
    // Some programs put ID3 before it.
    let mut at = match source.array(0)? {
        [b'f', b'L', b'a', b'C'] => 4,
        _ => {
            super::id3::read_file(source, texts)?;
            super::id3::tag_length(&source.some(0, 10)?).unwrap_or_default() + 4
        }
    };
    loop {
        source.step()?;
        let [kind, a, b, c]: [u8; 4] = source.array(at)?;
        let length = u64::from(u32::from_be_bytes([0, a, b, c]));
        if kind & 0x7F == 4 {
            comments(&source.text(at + 4, length)?, texts);
        }
        at += 4 + length;
        if kind & 0x80 != 0 {
            return Ok(());
        }
    }
}

/// A vendor, a count, and as many texts of the form `KEY=text`, each with its length before it.
pub(super) fn comments(block: &[u8], texts: &mut Texts) {
    let mut rest = block;
    if prefixed(&mut rest).is_none() || rest.len() < 4 {
        return;
    }
    // The count is not asked: there are as many texts as there are.
    rest = rest.get(4..).unwrap_or_default();
    while let Some(text) = prefixed(&mut rest) {
        if let Some((key, text)) = utf8_or_latin1(text).split_once('=') {
            texts.add(key, text.to_owned());
        }
    }
}

/// Takes bytes with their length before them.
fn prefixed<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (bytes, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = after;
    Some(bytes)
}

/// The second packet of every stream of an Ogg file.
pub(super) fn read_ogg(source: &mut Source<'_>, texts: &mut Texts) -> Step {
    let mut streams: IndexMap<u32, Stream> = IndexMap::new();
    let mut at = 0;
    while at < source.length() {
        source.step()?;
        let page: [u8; 27] = source.array(at)?;
        let [b'O', b'g', b'g', b'S', _, flags, _, _, _, _, _, _, _, _, a, b, c, d, .., count] = page else {
            return Err(Trouble::broken(format!("has no page at byte {at}, where one has to be")));
        };
        let serial = u32::from_le_bytes([a, b, c, d]);
        let lengths = source.some(at + 27, usize::from(count))?;
        let start = at + 27 + u64::from(count);
        at = start + lengths.iter().copied().map(u64::from).sum::<u64>();
        if flags & 2 != 0 {
            if streams.len() < MOST_STREAMS {
                streams.insert(serial, Stream::default());
            }
        } else if streams.values().all(|stream| stream.packets > 1) {
            // All streams begin before any of them goes on.
            return Ok(());
        }
        if let Some(stream) = streams.get_mut(&serial) {
            stream.page(source, start, &lengths, texts)?;
        }
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Stream {
    packets: usize,
    packet: Vec<u8>,
}

impl Stream {
    fn page(&mut self, source: &mut Source<'_>, at: u64, lengths: &[u8], texts: &mut Texts) -> Step {
        if self.packets > 1 {
            return Ok(());
        }
        let body = source.text(at, lengths.iter().copied().map(u64::from).sum())?;
        let mut rest = body.as_slice();
        for &length in lengths {
            let (piece, after) = rest.split_at_checked(usize::from(length)).unwrap_or_default();
            rest = after;
            if self.packets == 1 {
                if self.packet.len() > MOST_BYTES {
                    return Err(Trouble::broken(format!("has a text at byte {at} which is too long")));
                }
                self.packet.extend_from_slice(piece);
            }
            // A packet goes on as long as its pieces are of full length.
            if length < 255 {
                self.packets += 1;
            }
        }
        if self.packets > 1 {
            self.read(texts);
        }
        Ok(())
    }

    fn read(&mut self, texts: &mut Texts) {
        let packet = std::mem::take(&mut self.packet);
        // FLAC has the head of a block there, and Speex nothing.
        let heads: [&[u8]; 3] = [b"OpusTags", b"\x03vorbis", b"\x81theora"];
        let head = heads.into_iter().find_map(|head| packet.strip_prefix(head));
        let block = head.or(match packet.as_slice() {
            [0x04 | 0x84, _, _, _, block @ ..] => Some(block),
            _ => None,
        });
        comments(block.unwrap_or(&packet), texts);
    }
}
