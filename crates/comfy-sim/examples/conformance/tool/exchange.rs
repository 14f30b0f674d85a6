//! A client that sends what it is told, byte for byte. Libraries would tidy up the odd paths that were recorded.

use std::io::Read as _;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use flate2::read::{GzDecoder, ZlibDecoder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The content type without its parameters.
    pub(crate) fn kind(&self) -> &str {
        self.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default()
    }
}

/// Sends a request on a connection of its own to `host` (`127.0.0.1:8188`) and reads the answer.
///
/// # Errors
/// The connection was dropped, or what came is no HTTP.
pub(crate) async fn exchange(
    host: &str,
    method: &str,
    path: &str,
    headers: &[(String, String)],
    body: Option<&[u8]>,
) -> anyhow::Result<Answer> {
    let has = |name: &str| headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
    let mut message = format!("{method} {path} HTTP/1.1\r\n");
    if !has("host") {
        message += &format!("Host: {host}\r\n");
    }
    if !has("accept") {
        message += "Accept: */*\r\n";
    }
    for (name, value) in headers {
        message += &format!("{name}: {value}\r\n");
    }
    if body.is_some() && !has("content-type") {
        message += "Content-Type: application/octet-stream\r\n";
    }
    if body.is_some() || !matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE") {
        message += &format!("Content-Length: {}\r\n", body.map_or(0, <[u8]>::len));
    }
    message += "\r\n";
    let exchange = async {
        let (mut reading, mut writing) = TcpStream::connect(host).await?.into_split();
        let write = async {
            // A server that refuses a body answers before it has the whole.
            let _ = writing.write_all(message.as_bytes()).await;
            let _ = writing.write_all(body.unwrap_or_default()).await;
        };
        let read = read_answer(&mut reading, method);
        tokio::pin!(write, read);
        tokio::select! {
            biased;
            answer = &mut read => answer,
            () = &mut write => read.await,
        }
    };
    tokio::time::timeout(PATIENCE, exchange).await.context("no answer for a minute")?
}

/// Reads the head of an answer; what came after it is returned too.
pub(crate) async fn read_head(
    stream: &mut (impl tokio::io::AsyncRead + Unpin),
    mut bytes: Vec<u8>,
) -> anyhow::Result<(Answer, Vec<u8>)> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 128];
        let mut head = httparse::Response::new(&mut headers);
        if let httparse::Status::Complete(length) = head.parse(&bytes)? {
            let headers = head
                .headers
                .iter()
                .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()));
            let answer =
                Answer { status: head.code.unwrap_or(0), headers: headers.collect(), body: Vec::new() };
            return Ok((answer, bytes.split_off(length)));
        }
        ensure!(stream.read_buf(&mut bytes).await? > 0, "the connection was dropped");
    }
}

async fn read_answer(
    stream: &mut (impl tokio::io::AsyncRead + Unpin),
    method: &str,
) -> anyhow::Result<Answer> {
    let (mut answer, mut rest) = read_head(stream, Vec::new()).await?;
    while answer.status == 100 {
        (answer, rest) = read_head(stream, rest).await?;
    }
    if method == "HEAD" || matches!(answer.status, 101 | 204 | 304) {
        return Ok(answer);
    }
    let chunked =
        answer.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    if chunked {
        rest = read_chunks(stream, rest).await?;
    } else if let Some(length) = answer.header("content-length") {
        let length: usize = length.parse()?;
        while rest.len() < length {
            ensure!(stream.read_buf(&mut rest).await? > 0, "the connection was dropped in the body");
        }
        rest.truncate(length);
    } else {
        stream.read_to_end(&mut rest).await?;
    }
    answer.body = unpacked(rest, answer.header("content-encoding"))?;
    Ok(answer)
}

async fn read_chunks(
    stream: &mut (impl tokio::io::AsyncRead + Unpin),
    mut bytes: Vec<u8>,
) -> anyhow::Result<Vec<u8>> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        match httparse::parse_chunk_size(&bytes[at..]) {
            Err(_) => bail!("a broken chunk"),
            Ok(httparse::Status::Complete((head, length))) => {
                let (start, length) = (at + head, usize::try_from(length)?);
                if length == 0 {
                    return Ok(body);
                }
                if let Some(chunk) = bytes.get(start..start + length + 2) {
                    body.extend_from_slice(&chunk[..length]);
                    at = start + length + 2;
                    continue;
                }
            }
            Ok(httparse::Status::Partial) => {}
        }
        ensure!(stream.read_buf(&mut bytes).await? > 0, "the connection was dropped in the body");
    }
}

fn unpacked(body: Vec<u8>, coding: Option<&str>) -> anyhow::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    match coding {
        _ if body.is_empty() => return Ok(body),
        Some("gzip") => GzDecoder::new(body.as_slice()).read_to_end(&mut unpacked)?,
        Some("deflate") => ZlibDecoder::new(body.as_slice()).read_to_end(&mut unpacked)?,
        _ => return Ok(body),
    };
    Ok(unpacked)
}
