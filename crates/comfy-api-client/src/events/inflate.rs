//! Compressed WebSocket messages (`permessage-deflate`, RFC 7692): turns the frames that a server sends into those that
//! it would have sent uncompressed, for a WebSocket that knows nothing of it. What the client sends is small, and stays
//! as it is.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use flate2::{Decompress, FlushDecompress, Status};
use tokio::io::{AsyncRead, AsyncWrite, Join, ReadHalf, WriteHalf};
use tokio_util::codec::{Decoder, FramedRead};
use tokio_util::io::StreamReader;

/// The extension, as it is offered and accepted.
pub(super) const EXTENSION: &str = "permessage-deflate";
/// What the server leaves out at the end of a compressed message.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
const FINAL: u8 = 0x80;
const COMPRESSED: u8 = 0x40;
const OPCODE: u8 = 0x0f;
const CONTROL: u8 = 0x08;

pub(super) type Inflated<S> = Join<StreamReader<FramedRead<ReadHalf<S>, Inflate>, Bytes>, WriteHalf<S>>;

/// The stream of a server that accepted the extension with these parameters; messages of at most `largest` bytes.
pub(super) fn inflated<S: AsyncRead + AsyncWrite>(
    stream: S,
    parameters: &str,
    largest: usize,
) -> Inflated<S> {
    let (read, write) = tokio::io::split(stream);
    let forgets = parameters.contains("server_no_context_takeover");
    let frames = FramedRead::new(read, Inflate::new(forgets, largest));
    tokio::io::join(StreamReader::new(frames), write)
}

/// Reads frames as they come, and gives them uncompressed.
pub(super) struct Inflate {
    decompress: Decompress,
    /// Whether every message is compressed for itself.
    forgets: bool,
    largest: usize,
    /// The opcode and the frames so far of a compressed message.
    message: Option<(u8, BytesMut)>,
}

impl Inflate {
    fn new(forgets: bool, largest: usize) -> Self {
        Self { decompress: Decompress::new(false), forgets, largest, message: None }
    }

    /// The content of a compressed message.
    fn inflate(&mut self, compressed: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::with_capacity(compressed.len().saturating_mul(3).min(self.largest));
        for mut input in [compressed, &TAIL] {
            loop {
                if content.len() == content.capacity() {
                    content.reserve(4096);
                }
                let before = (self.decompress.total_in(), content.len());
                let status = self
                    .decompress
                    .decompress_vec(input, &mut content, FlushDecompress::Sync)
                    .map_err(io::Error::other)?;
                let read = self.decompress.total_in() - before.0;
                input.advance(usize::try_from(read).unwrap_or(input.len()));
                if content.len() > self.largest {
                    return Err(too_large());
                }
                // More may come out than there was room for, even when all was read.
                let stands_still = read == 0 && content.len() == before.1;
                if status == Status::StreamEnd || (input.is_empty() && content.len() < content.capacity()) {
                    break;
                }
                if stands_still && content.len() < content.capacity() {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "compressed message"));
                }
            }
        }
        if self.forgets {
            self.decompress.reset(false);
        }
        Ok(content)
    }
}

impl Decoder for Inflate {
    type Item = Bytes;
    type Error = io::Error;

    fn decode(&mut self, source: &mut BytesMut) -> io::Result<Option<Bytes>> {
        while let Some((header, length)) = header(source) {
            if length > self.largest {
                return Err(too_large());
            }
            if source.len() < header + length {
                return Ok(None);
            }
            let mut frame = source.split_to(header + length);
            let first = frame[0];
            let begins = first & COMPRESSED != 0;
            if first & CONTROL != 0 || (self.message.is_none() && !begins) {
                return Ok(Some(frame.freeze()));
            }
            let payload = frame.split_off(header);
            let (opcode, mut message) =
                self.message.take().unwrap_or_else(|| (first & OPCODE, BytesMut::new()));
            if message.len() + payload.len() > self.largest {
                return Err(too_large());
            }
            message.unsplit(payload);
            if first & FINAL == 0 {
                self.message = Some((opcode, message));
                continue;
            }
            return Ok(Some(whole_frame(opcode, &self.inflate(&message)?)));
        }
        Ok(None)
    }
}

/// The lengths of a frame's header and of its payload, when the header is there. Servers mask nothing.
fn header(source: &[u8]) -> Option<(usize, usize)> {
    let mut rest = source.get(1..)?;
    let short = rest.try_get_u8().ok()? & 0x7f;
    let (extended, length) = match short {
        126 => (2, u64::from(rest.try_get_u16().ok()?)),
        127 => (8, rest.try_get_u64().ok()?),
        length => (0, u64::from(length)),
    };
    Some((2 + extended, usize::try_from(length).unwrap_or(usize::MAX)))
}

/// A message as one uncompressed frame.
fn whole_frame(opcode: u8, content: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(content.len() + 10);
    frame.put_u8(FINAL | opcode);
    match content.len() {
        length @ 0..=125 => frame.put_u8(length as u8),
        length @ 126..=0xffff => {
            frame.put_u8(126);
            frame.put_u16(length as u16);
        }
        length => {
            frame.put_u8(127);
            frame.put_u64(length as u64);
        }
    }
    frame.put_slice(content);
    frame.freeze()
}

fn too_large() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a message is larger than any honest one")
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};
    use proptest::prelude::*;

    use super::*;

    const LARGEST: usize = 1 << 20;

    /// What a server sends for messages: each compressed, and cut into frames of this size.
    fn sent(messages: &[Vec<u8>], size: usize, forgets: bool) -> Vec<u8> {
        let mut compress = Compress::new(Compression::fast(), false);
        let mut wire = Vec::new();
        for message in messages {
            let mut compressed = Vec::with_capacity(message.len() * 2 + 100);
            compress.compress_vec(message, &mut compressed, FlushCompress::Sync).unwrap();
            compressed.truncate(compressed.len() - TAIL.len());
            if forgets {
                compress.reset();
            }
            let frames: Vec<&[u8]> = compressed.chunks(size).collect();
            for (index, frame) in frames.iter().enumerate() {
                let first = if index == 0 { COMPRESSED | 1 } else { 0 };
                let last = if index + 1 == frames.len() { FINAL } else { 0 };
                let mut whole = whole_frame(0, frame).to_vec();
                whole[0] = first | last;
                wire.extend(whole);
                // A pong in the middle of a message.
                wire.extend([FINAL | 10, 0]);
            }
        }
        wire
    }

    /// What comes out when the wire is read in pieces.
    fn received(wire: &[u8], pieces: usize, forgets: bool) -> Vec<Vec<u8>> {
        let mut inflate = Inflate::new(forgets, LARGEST);
        let (mut source, mut messages) = (BytesMut::new(), Vec::new());
        for piece in wire.chunks(pieces) {
            source.extend_from_slice(piece);
            while let Some(frame) = inflate.decode(&mut source).unwrap() {
                let (header, length) = header(&frame).unwrap();
                assert_eq!((frame[0] & COMPRESSED, frame.len()), (0, header + length));
                if frame[0] & CONTROL == 0 {
                    messages.push(frame[header..].to_vec());
                }
            }
        }
        messages
    }

    #[test]
    fn small_messages_that_blow_up_are_refused() {
        let wire = sent(&[vec![0; LARGEST + 1]], usize::MAX, false);
        assert!(wire.len() < 10_000);
        let error = Inflate::new(false, LARGEST).decode(&mut BytesMut::from(&wire[..])).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let huge = [FINAL | 1, 127, 255, 255, 255, 255, 255, 255, 255, 255];
        assert!(Inflate::new(false, LARGEST).decode(&mut BytesMut::from(&huge[..])).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn messages_come_out_as_they_were(
            messages in proptest::collection::vec("[ab{}:]{0,300}|x{60000,70000}", 1..6),
            size in 1usize..5000, pieces in 1usize..5000, forgets: bool,
        ) {
            let messages: Vec<Vec<u8>> = messages.into_iter().map(String::into_bytes).filter(|m| !m.is_empty()).collect();
            let wire = sent(&messages, size, forgets);
            prop_assert_eq!(received(&wire, pieces, forgets), messages);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut inflate = Inflate::new(false, LARGEST);
            let mut source = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = inflate.decode(&mut source) {}
        }
    }
}
