//! `GET /ws`.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;
use comfy_protocol::json;
use futures_util::SinkExt as _;
use serde_json::Value as Json;

use super::{Shared, answer};
use crate::queue::Client;
use crate::sockets::{Outgoing, Target};
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
    let Shared { state, sockets } = shared;
    upgrade
        .max_message_size(LONGEST_MESSAGE)
        .max_frame_size(LONGEST_MESSAGE)
        .on_upgrade(move |socket| sockets.track_future(converse(socket, id, state)))
}

async fn converse(mut socket: WebSocket, id: String, state: Arc<state::State>) {
    // In one step, so that no change of the queue falls between the greeting and the first message.
    let outgoing = state.queue(|queue| state.sockets().connect(&id, queue.remaining()));
    let cut = outgoing.cut();
    if cut.run_until_cancelled(talk(&mut socket, outgoing, &id, &state)).await.is_none() {
        tracing::debug!(id, "a client that does not read is cut off");
        state.sockets().disconnect(&id);
    }
}

/// Sends and listens until the socket is closed.
async fn talk(socket: &mut WebSocket, mut outgoing: Outgoing, id: &str, state: &state::State) {
    let mut introduced = false;
    loop {
        tokio::select! {
            frame = outgoing.next() => {
                if send(socket, frame, &mut outgoing).await.is_err() {
                    break;
                }
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) if !introduced => {
                    introduced = introduce(&text, id, state);
                }
                Some(Ok(Message::Close(_))) => {
                    // Forgotten before the answer is sent: a client that has seen it can come back under the same id.
                    state.sockets().disconnect(id);
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
    state.sockets().disconnect(id);
}

/// Sends a frame and all that wait behind it at once.
async fn send(socket: &mut WebSocket, frame: Message, outgoing: &mut Outgoing) -> Result<(), axum::Error> {
    socket.feed(frame).await?;
    while let Some(frame) = outgoing.try_next() {
        socket.feed(frame).await?;
    }
    socket.flush().await
}

/// Reads the first message of a client. Says whether it was one: what is no JSON object does not count.
fn introduce(text: &str, id: &str, state: &state::State) -> bool {
    let Ok(Json::Object(message)) = json::from_str(text) else { return false };
    if message.get("type").and_then(Json::as_str) == Some("feature_flags") {
        let wanted = message.get("data").and_then(|data| data.get("supports_preview_metadata"));
        state.sockets().set_preview_metadata(id, wanted == Some(&Json::Bool(true)));
        let features = || comfy_protocol::Message::FeatureFlags(state.features().0);
        state.sockets().send(Target::Client(Client(Some(id))), features);
    }
    true
}
