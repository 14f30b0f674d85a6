//! The sockets of a scenario, and what came over them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::exchange::read_head;
use super::frames;
use super::scenario::Payload;

/// How long a server may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// How many frames of each socket there are, or are awaited.
pub(crate) type Counts = BTreeMap<String, usize>;

/// The frames of all sockets, as what of them is compared.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    frames: Mutex<BTreeMap<String, Vec<String>>>,
    news: Notify,
}

impl Inbox {
    fn push(&self, conn: &str, frame: String) {
        self.frames
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(conn.to_owned())
            .or_default()
            .push(frame);
        self.news.notify_waiters();
    }

    /// Everything that came.
    pub(crate) fn frames(&self) -> BTreeMap<String, Vec<String>> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many frames have come; returns how many each socket lacked when `patience` was at its end.
    pub(crate) async fn settle(&self, wanted: &Counts, patience: Duration) -> Counts {
        let deadline = Instant::now() + patience;
        loop {
            let news = self.news.notified();
            let lacking = self.lacking(wanted);
            if lacking.is_empty() || tokio::time::timeout_at(deadline, news).await.is_err() {
                return lacking;
            }
        }
    }

    fn lacking(&self, wanted: &Counts) -> Counts {
        let frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        let have = |conn: &str| frames.get(conn).map_or(0, Vec::len);
        let lacking = wanted.iter().map(|(conn, wanted)| (conn.clone(), wanted.saturating_sub(have(conn))));
        lacking.filter(|(_, lacking)| *lacking > 0).collect()
    }
}

/// An open socket.
#[derive(Debug)]
pub(crate) struct Socket {
    sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    reader: JoinHandle<()>,
}

impl Socket {
    /// Opens a socket; its frames go to the inbox under the name `conn`. `Err` is the status of a refusal.
    pub(crate) async fn open(
        host: &str,
        path: &str,
        headers: &[(String, String)],
        conn: &str,
        inbox: &Arc<Inbox>,
    ) -> anyhow::Result<Result<Self, u16>> {
        let mut stream = TcpStream::connect(host).await?;
        // Small messages are not to wait for each other.
        stream.set_nodelay(true)?;
        let mut head = format!(
            "GET {path} HTTP/1.1\r\nAccept: */*\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        );
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += &format!("Host: {host}\r\n");
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).await?;
        let (answer, rest) = read_head(&mut stream, Vec::new()).await?;
        if answer.status != 101 {
            return Ok(Err(answer.status));
        }
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let stream = WebSocketStream::from_partially_read(stream, rest, Role::Client, Some(config)).await;
        let (sink, frames) = stream.split();
        let reader = tokio::spawn(read(frames, conn.to_owned(), Arc::clone(inbox)));
        Ok(Ok(Self { sink, reader }))
    }

    /// Sends a frame. A socket that the server has closed takes none.
    pub(crate) async fn send(&mut self, payload: Payload) {
        let message = match payload {
            Payload::Text(text) => Message::text(text),
            Payload::Binary(bytes) => Message::binary(bytes),
        };
        let _ = self.sink.send(message).await;
    }

    /// Closes it, and waits until the server has too.
    pub(crate) async fn close(mut self) {
        let _ = self.sink.send(Message::Close(None)).await;
        if tokio::time::timeout(GOODBYE, &mut self.reader).await.is_err() {
            self.reader.abort();
        }
    }
}

async fn read(mut frames: SplitStream<WebSocketStream<TcpStream>>, conn: String, inbox: Arc<Inbox>) {
    while let Some(Ok(message)) = frames.next().await {
        let payload = match message {
            Message::Text(text) => Payload::Text(text.as_str().to_owned()),
            Message::Binary(bytes) => Payload::Binary(bytes.into()),
            _ => continue,
        };
        inbox.push(&conn, frames::key(&payload));
    }
}
