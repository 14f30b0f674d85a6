//! `GET /ws`.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;
use comfy_protocol::json;
use futures_util::SinkExt as _;
use serde_json::{Map, Value as Json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Shared, answer};
use crate::queue::Client;
use crate::sockets::Target;
use crate::state;

/// The longest message that the server takes from a client.
const LONGEST_MESSAGE: usize = 4 << 20;

pub(super) async fn open(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        let wanted = headers.get(header::UPGRADE).and_then(|value| value.to_str().ok()).unwrap_or("None");
        let text = format!("No WebSocket UPGRADE hdr: {wanted}\n Can \"Upgrade\" only to \"WebSocket\".");
        return answer::text(StatusCode::BAD_REQUEST, text);
    };
    let query = uri.query().unwrap_or_default();
    let id = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "clientId");
    let id = id.map(|(_, id)| id.into_owned()).filter(|id| !id.is_empty());
    let id = id.unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string());
    let Shared { state, tasks } = shared;
    upgrade
        .max_message_size(LONGEST_MESSAGE)
        .max_frame_size(LONGEST_MESSAGE)
        .on_upgrade(move |socket| tasks.track_future(converse(socket, id, state)))
}

async fn converse(mut socket: WebSocket, id: String, state: Arc<state::State>) {
    let remaining = state.remaining();
    let mut outgoing = Some(state.sockets().connect(&id, remaining));
    let mut introduced = false;
    loop {
        tokio::select! {
            frame = next(&mut outgoing) => {
                // When a newer socket has taken the id over, nothing more comes: the socket only listens then.
                let Some(frame) = frame else { continue };
                if send(&mut socket, frame, &mut outgoing).await.is_err() {
                    break;
                }
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) if !introduced => {
                    introduced = introduce(&text, &id, &state);
                }
                Some(Ok(Message::Close(_))) => {
                    // Forgotten before the answer is sent: a client that has seen it can come back under the same id.
                    state.sockets().disconnect(&id);
                    let _ = socket.flush().await;
                    return;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
            () = state.stop.cancelled() => {
                let _ = socket.send(Message::Close(None)).await;
                break;
            }
        }
    }
    state.sockets().disconnect(&id);
}

/// What is to be sent next; it never comes when there is nobody left who sends.
async fn next(outgoing: &mut Option<UnboundedReceiver<Message>>) -> Option<Message> {
    let Some(receiver) = outgoing else { return std::future::pending().await };
    let frame = receiver.recv().await;
    if frame.is_none() {
        *outgoing = None;
    }
    frame
}

/// Sends a frame and all that wait behind it at once.
async fn send(
    socket: &mut WebSocket,
    frame: Message,
    outgoing: &mut Option<UnboundedReceiver<Message>>,
) -> Result<(), axum::Error> {
    socket.feed(frame).await?;
    while let Some(frame) = outgoing.as_mut().and_then(|receiver| receiver.try_recv().ok()) {
        socket.feed(frame).await?;
    }
    socket.flush().await
}

/// Reads the first message of a client. Says whether it was one: what is no JSON object does not count.
fn introduce(text: &str, id: &str, state: &state::State) -> bool {
    let Ok(Json::Object(mut message)) = json::from_str(text) else { return false };
    if message.get("type").and_then(Json::as_str) == Some("feature_flags") {
        let flags = match message.remove("data") {
            Some(Json::Object(flags)) => flags,
            _ => Map::new(),
        };
        let features = state.features();
        let mut sockets = state.sockets();
        sockets.set_flags(id, flags);
        sockets.send(Target::Client(Client(Some(id))), || comfy_protocol::Message::FeatureFlags(features.0));
    }
    true
}
