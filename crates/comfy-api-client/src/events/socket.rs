//! The task that owns the WebSocket.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use comfy_protocol::{Frame, Message, route};
use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use http::header::{
    CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::Upgraded;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Raw;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::either::Either;
use tracing::Instrument;
use uuid::Uuid;

use super::ServerEvent;
use super::connection::Connection;
use super::core::Core;
use super::hub::no_socket;
use super::inflate::{EXTENSION, Inflated, inflated};
use crate::http::Http;
use crate::{Error, Result};

/// Servers bound their frames by nothing; pictures and the state of large graphs come as one.
const LARGEST_MESSAGE: usize = 256 << 20;
/// Most messages are far smaller.
const READ_BUFFER: usize = 16 << 10;
/// Pauses between attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How much of a pause is kept even when somebody wants a connection.
const SHORTEST_WAIT: Duration = Duration::from_millis(500);

type Socket = WebSocketStream<Either<Upgraded, Inflated<Upgraded>>>;

/// Keeps a connection while it is wanted: from the first submit on, and again whenever it breaks while jobs wait.
pub(super) async fn run(core: Arc<Core>) {
    let _end = EndOfTask(&core);
    let mut pause = FIRST_PAUSE;
    loop {
        if !core.is_needed() {
            core.wanted.notified().await;
        }
        // A name of its own for every connection. A server keeps one socket per client id and forgets the id when any
        // socket of that id closes, so that a dead one that it still holds would later silence its successor.
        let client_id = Uuid::new_v4().to_string();
        let span = tracing::info_span!("socket", client_id);
        let began = Instant::now();
        match open(&core.http, &client_id).instrument(span.clone()).await {
            Ok(socket) => {
                core.set_connection(Connection::Open(client_id.clone()));
                listen(&core, socket).instrument(span).await;
                core.lose_connection();
            }
            Err(error) => core.set_connection(Connection::Failed(error)),
        }
        if began.elapsed() > LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        }
        // However many want a connection: a server that refuses them is not asked more often than that.
        sleep(jittered(pause.min(SHORTEST_WAIT))).await;
        tokio::select! {
            () = core.wanted.notified() => {}
            () = sleep(jittered(pause.saturating_sub(SHORTEST_WAIT))) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Lets nobody wait for a connection of a task that is no more, such as when its runtime has ended.
struct EndOfTask<'a>(&'a Core);

impl Drop for EndOfTask<'_> {
    fn drop(&mut self) {
        self.0.lose_connection();
    }
}

/// Between three quarters and the whole of a pause, so that many clients do not come back at once.
fn jittered(pause: Duration) -> Duration {
    let random = f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX);
    pause.mul_f64(0.75 + 0.25 * random)
}

/// Connects, waits for the server's greeting and declares what this client understands.
async fn open(http: &Http, client_id: &str) -> Result<Socket> {
    let limit = http.settings().connect_timeout;
    let opened = timeout(limit, async {
        let mut socket = upgrade(http, client_id).await?;
        loop {
            match socket.next().await {
                Some(Ok(Raw::Text(text))) => {
                    if matches!(Message::from_slice(text.as_bytes()), Ok(Message::Status(_))) {
                        break;
                    }
                }
                Some(Ok(Raw::Close(_))) | None => {
                    return Err(no_socket("the server closed the WebSocket at once"));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(broken(error, http)),
            }
        }
        // Understood only as the first message; with it previews name their node and prompt.
        let flags = r#"{"type":"feature_flags","data":{"supports_preview_metadata":true}}"#;
        socket.send(Raw::text(flags)).await.map_err(|error| broken(error, http))?;
        Ok(socket)
    });
    opened.await.unwrap_or_else(|_| {
        Err(no_socket(format!("the WebSocket of {} was not opened within {limit:?}", http.address())))
    })
}

async fn upgrade(http: &Http, client_id: &str) -> Result<Socket> {
    let key = generate_key();
    let mut call = http
        .call(route::SOCKET, &[])
        .query("clientId", client_id)
        .header(CONNECTION, HeaderValue::from_static("Upgrade"))
        .header(UPGRADE, HeaderValue::from_static("websocket"))
        .header(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
        .header(SEC_WEBSOCKET_KEY, HeaderValue::from_str(&key).map_err(|error| broken(error, http))?);
    if http.settings().socket_compression {
        call = call.header(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(EXTENSION));
    }
    let response = call.answer().await?;
    let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
    if response.status() != StatusCode::SWITCHING_PROTOCOLS
        || accepted != Some(derive_accept_key(key.as_bytes()).as_bytes())
    {
        return Err(no_socket(format!("the server refused the WebSocket with {}", response.status())));
    }
    let extension = response.headers().get(SEC_WEBSOCKET_EXTENSIONS).cloned();
    let stream = response.upgrade().await.map_err(|error| broken(error.without_url(), http))?;
    let stream = match extension.as_ref().map(HeaderValue::to_str) {
        None => Either::Left(stream),
        Some(Ok(accepted)) if http.settings().socket_compression && accepted.starts_with(EXTENSION) => {
            Either::Right(inflated(stream, accepted, LARGEST_MESSAGE))
        }
        Some(_) => return Err(no_socket("the server uses an extension of WebSockets that was not offered")),
    };
    let config = WebSocketConfig::default()
        // It is filled with zeros before every read; larger messages make room for themselves.
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE));
    Ok(WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await)
}

fn broken(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>, http: &Http) -> Error {
    no_socket(format!("the WebSocket of {} failed", http.address())).with_source(cause)
}

/// Reads until the connection is closed, broken, or dead.
async fn listen(core: &Core, mut socket: Socket) {
    let every = core.http.settings().ping_interval;
    let patience = every.mul_f64(2.5);
    let mut pings = interval(every);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_heard = Instant::now();
    // The prompt that binary frames without a name belong to.
    let mut running: Option<String> = None;
    loop {
        tokio::select! {
            frame = socket.next() => {
                last_heard = Instant::now();
                match frame {
                    Some(Ok(Raw::Text(text))) => hear(core, &text, &mut running),
                    Some(Ok(Raw::Binary(data))) => hear_frame(core, data, running.as_deref()),
                    Some(Ok(Raw::Close(_))) | None => break,
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        tracing::debug!(%error, "the socket broke");
                        break;
                    }
                }
            }
            _ = pings.tick() => {
                if last_heard.elapsed() > patience {
                    tracing::debug!("the socket is dead: no answer to pings");
                    break;
                }
                // A peer that reads nothing must not hold up this loop.
                if !matches!(timeout(every, socket.send(Raw::Ping(Bytes::new()))).await, Ok(Ok(()))) {
                    break;
                }
            }
        }
    }
}

fn hear(core: &Core, text: &str, running: &mut Option<String>) {
    match Message::from_slice(text.as_bytes()) {
        Ok(message) => {
            if let Message::Executing(executing) = &message {
                *running = executing.node.as_ref().and(executing.prompt_id.clone());
            }
            core.hear(message);
        }
        Err(error) => miss(core, &error),
    }
}

fn hear_frame(core: &Core, data: Bytes, running: Option<&str>) {
    match Frame::decode(data) {
        Ok(frame) => core.hear_frame(frame, running),
        Err(error) => miss(core, &error),
    }
}

/// Something was said that cannot be read.
fn miss(core: &Core, error: &dyn std::error::Error) {
    tracing::debug!(%error, "a message that is none");
    core.say(|| ServerEvent::Unreadable(error.to_string()));
    core.miss_message();
}
