//! HTTP messages and WebSocket frames as bytes, as far as the fault layer has to tell them apart.

use std::io::{self, ErrorKind};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// A request or an answer: its head with the empty line, and its body.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    pub(crate) head: Bytes,
    pub(crate) body: Bytes,
}

impl Http {
    /// The first line.
    pub(crate) fn line(&self) -> String {
        let end = self.head.windows(2).position(|pair| pair == b"\r\n").unwrap_or(self.head.len());
        String::from_utf8_lossy(&self.head[..end]).into_owned()
    }

    pub(crate) fn is_submit(&self) -> bool {
        self.line().starts_with("POST /api/prompt ")
    }

    pub(crate) fn is_upgrade(&self) -> bool {
        self.line().starts_with("GET /ws")
    }

    pub(crate) fn is_success(&self) -> bool {
        self.line().split(' ').nth(1) == Some("200")
    }
}

/// The next message of a connection; `None` at its end. May be dropped while it waits.
pub(crate) async fn next_http(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> io::Result<Option<Http>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let length = body_length(&buffer[..end])?;
            if buffer.len() >= end + 4 + length {
                let head = buffer.split_to(end + 4).freeze();
                return Ok(Some(Http { head, body: buffer.split_to(length).freeze() }));
            }
        }
        if stream.read_buf(buffer).await? == 0 {
            return if buffer.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
        }
    }
}

fn body_length(head: &[u8]) -> io::Result<usize> {
    let head = String::from_utf8_lossy(head);
    let value = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    if value("transfer-encoding").is_some() {
        return Err(io::Error::new(ErrorKind::InvalidData, "bodies in chunks are not known here"));
    }
    let length = value("content-length").map(|length| length.parse());
    length.unwrap_or(Ok(0)).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

/// An answer of a proxy.
pub(crate) fn answer(status: &str, extra: &str) -> Vec<u8> {
    let body = "<html>the proxy has no server</html>";
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n{extra}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
const CLOSE: u8 = 8;

/// A WebSocket frame of a server, which does not mask.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) whole: Bytes,
    header: usize,
}

impl Frame {
    pub(crate) fn new(kind: u8, payload: &[u8]) -> Self {
        let mut whole = vec![0x80 | kind];
        match payload.len() {
            length @ ..126 => whole.push(length as u8),
            length @ ..0x1_0000 => {
                whole.push(126);
                whole.extend((length as u16).to_be_bytes());
            }
            length => {
                whole.push(127);
                whole.extend((length as u64).to_be_bytes());
            }
        }
        let header = whole.len();
        whole.extend(payload);
        Self { kind, whole: whole.into(), header }
    }

    pub(crate) fn close() -> Self {
        Self::new(CLOSE, &1001_u16.to_be_bytes())
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.whole[self.header..]
    }

    pub(crate) fn is_message(&self) -> bool {
        matches!(self.kind, TEXT | BINARY)
    }
}

/// The next frame of a server; `None` at the end. May be dropped while it waits.
pub(crate) async fn next_frame(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> io::Result<Option<Frame>> {
    loop {
        if let Some((header, length)) = frame_length(buffer)
            && buffer.len() >= header + length
        {
            let kind = buffer[0] & 0x0f;
            return Ok(Some(Frame { kind, whole: buffer.split_to(header + length).freeze(), header }));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// The lengths of a frame's header and payload, where enough of it is there to tell.
fn frame_length(buffer: &[u8]) -> Option<(usize, usize)> {
    let mut rest = buffer.get(2..)?;
    match buffer[1] & 0x7f {
        126 if rest.len() >= 2 => Some((4, usize::from(rest.get_u16()))),
        127 if rest.len() >= 8 => Some((10, usize::try_from(rest.get_u64()).ok()?)),
        126 | 127 => None,
        length => Some((2, usize::from(length))),
    }
}
