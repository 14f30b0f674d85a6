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
use crate::faults::SocketFault;
use crate::python::type_name;
use crate::queue::Client;
use crate::sockets::{Outgoing, Previews, Target};
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
    let Shared { state, sockets, severed } = shared;
    let id = id.unwrap_or_else(|| state.new_id().simple().to_string());
    // Before the answer, so that a client which has it misses nothing of what it submits next. In one step, so that no
    // change of the queue falls between the greeting and the first message.
    let outgoing = state.queue(|queue| state.sockets().connect(&id, queue.remaining()));
    let (unopened, failed_id) = (Arc::clone(&state), id.clone());
    upgrade
        .max_message_size(LONGEST_MESSAGE)
        .max_frame_size(LONGEST_MESSAGE)
        .on_failed_upgrade(move |_| unopened.sockets().disconnect(&failed_id))
        .on_upgrade(move |socket| {
            sockets.track_future(async move {
                severed.run_until_cancelled(converse(socket, outgoing, id, state)).await;
            })
        })
}

async fn converse(mut socket: WebSocket, outgoing: Outgoing, id: String, state: Arc<state::State>) {
    let cut = outgoing.cut();
    if cut.run_until_cancelled(talk(&mut socket, outgoing, &id, &state)).await.is_none() {
        tracing::debug!(id, "a client that does not read is cut off");
        state.sockets().disconnect(&id);
    }
}

/// Sends and listens until the socket is closed.
async fn talk(socket: &mut WebSocket, mut outgoing: Outgoing, id: &str, state: &state::State) {
    let mut introduced = false;
    let mut sent = 0;
    loop {
        tokio::select! {
            frame = outgoing.next() => match send(socket, frame, &mut outgoing, &mut sent, state).await {
                Ok(None) => {}
                Ok(Some(SocketFault::Cut)) | Err(_) => break,
                Ok(Some(SocketFault::Silent(until))) => {
                    // Nothing is read either: whoever asks gets no answer.
                    tokio::select! {
                        () = async { loop { outgoing.next().await; } } => {}
                        () = until.cancelled() => {}
                        () = state.stop.cancelled() => {}
                    }
                    break;
                }
            },
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
                if !state.has_died() {
                    let _ = socket.send(Message::Close(None)).await;
                }
                break;
            }
        }
    }
    state.sockets().disconnect(id);
}

/// Sends a frame and all that wait behind it at once, up to where a fault strikes.
async fn send(
    socket: &mut WebSocket,
    frame: Message,
    outgoing: &mut Outgoing,
    sent: &mut u64,
    state: &state::State,
) -> Result<Option<SocketFault>, axum::Error> {
    let mut next = Some(frame);
    let mut fault = None;
    while let (Some(frame), None) = (next, &fault) {
        if *sent == 0 {
            fault = state.lasting.faults.at_message(0);
            if fault.is_some() {
                break;
            }
        }
        socket.feed(frame).await?;
        *sent += 1;
        fault = state.lasting.faults.at_message(*sent);
        next = if fault.is_none() { outgoing.try_next() } else { None };
    }
    socket.flush().await?;
    Ok(fault)
}

/// Reads the first message of a client. Says whether it was one: what is no JSON object does not count.
fn introduce(text: &str, id: &str, state: &state::State) -> bool {
    let Ok(Json::Object(message)) = json::from_str(text) else { return false };
    if message.get("type").and_then(Json::as_str) == Some("feature_flags") {
        let previews = match message.get("data") {
            Some(Json::Object(data)) if data.get("supports_preview_metadata") == Some(&Json::Bool(true)) => {
                Previews::WithMetadata
            }
            None | Some(Json::Object(_)) => Previews::Plain,
            Some(other) => Previews::Broken(type_name(other)),
        };
        state.sockets().set_previews(id, previews);
        let features = || comfy_protocol::Message::FeatureFlags(state.features().0);
        state.sockets().send(Target::Client(Client(Some(id))), features);
    }
    true
}
