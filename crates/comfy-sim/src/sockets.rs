//! Who listens on the WebSocket, and who is told what.

use axum::extract::ws;
use bytes::Bytes;
use comfy_protocol::{Executing, Message, Status};
use comfy_workflow::NodeId;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::queue::Client;
use crate::wire::to_json;

/// To whom a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    Everyone,
    Client(Client<'a>),
}

impl<'a> Target<'a> {
    /// The prompt's client, or everyone when it has none.
    pub(crate) fn client_or_everyone(client: Option<Client<'a>>) -> Self {
        client.map_or(Self::Everyone, Self::Client)
    }
}

/// The open sockets by client id. Of several sockets with one id only the last one is here: the others stay open but
/// are told nothing. When any of them closes, the id is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    by_id: IndexMap<String, Socket>,
    /// The client whose prompt runs, and the node that it runs.
    current: Option<(String, NodeId)>,
}

#[derive(Debug)]
struct Socket {
    sender: UnboundedSender<ws::Message>,
    flags: Map<String, Json>,
}

impl Sockets {
    /// A socket has been opened. What it is sent waits in the returned channel, the greeting first.
    pub(crate) fn connect(&mut self, id: &str, remaining: u64) -> UnboundedReceiver<ws::Message> {
        let (sender, receiver) = unbounded_channel();
        let greeting = Message::Status(Status::new(remaining, Some(id.to_owned())));
        let _ = sender.send(text(&greeting));
        if let Some((client, node)) = &self.current
            && client == id
        {
            let _ = sender.send(text(&Message::Executing(Executing::new(Some(node.clone()), None))));
        }
        self.by_id.insert(id.to_owned(), Socket { sender, flags: Map::new() });
        receiver
    }

    /// A socket with this id has been closed.
    pub(crate) fn disconnect(&mut self, id: &str) {
        self.by_id.shift_remove(id);
    }

    /// A client has declared what it can do.
    pub(crate) fn set_flags(&mut self, id: &str, flags: Map<String, Json>) {
        if let Some(socket) = self.by_id.get_mut(id) {
            socket.flags = flags;
        }
    }

    /// Whether the client declared `flag` as exactly `true`.
    #[expect(dead_code, reason = "asked by nodes that send previews")]
    pub(crate) fn has_flag(&self, id: &str, flag: &str) -> bool {
        self.by_id.get(id).is_some_and(|socket| socket.flags.get(flag) == Some(&Json::Bool(true)))
    }

    /// The node that runs now, for clients that come back; `None` between prompts.
    pub(crate) fn set_current(&mut self, current: Option<(String, NodeId)>) {
        self.current = current;
    }

    /// Sends a message. It is only made when somebody listens.
    pub(crate) fn send(&self, target: Target<'_>, message: impl FnOnce() -> Message) {
        match target {
            Target::Everyone if self.by_id.is_empty() => {}
            Target::Everyone => {
                let frame = text(&message());
                for socket in self.by_id.values() {
                    let _ = socket.sender.send(frame.clone());
                }
            }
            Target::Client(Client(id)) => {
                if let Some(socket) = id.and_then(|id| self.by_id.get(id)) {
                    let _ = socket.sender.send(text(&message()));
                }
            }
        }
    }

    /// Sends a binary frame.
    #[expect(dead_code, reason = "sent by nodes that show previews or text")]
    pub(crate) fn send_binary(&self, target: Target<'_>, frame: Bytes) {
        for (id, socket) in &self.by_id {
            if target == Target::Everyone || target == Target::Client(Client(Some(id))) {
                let _ = socket.sender.send(ws::Message::Binary(frame.clone()));
            }
        }
    }
}

/// A message as a frame.
pub(crate) fn text(message: &Message) -> ws::Message {
    ws::Message::Text(to_json(message).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(sockets: &Sockets, target: Target<'_>, node: &str) {
        sockets.send(target, || Message::Executing(Executing::new(Some(node.into()), None)));
    }

    fn heard(receiver: &mut UnboundedReceiver<ws::Message>) -> usize {
        std::iter::from_fn(|| receiver.try_recv().ok()).count()
    }

    #[test]
    fn a_newer_socket_takes_the_id_over_and_the_end_of_the_older_one_mutes_it() {
        let mut sockets = Sockets::default();
        let mut old = sockets.connect("a", 0);
        let mut new = sockets.connect("a", 0);
        assert_eq!((heard(&mut old), heard(&mut new)), (1, 1));
        say(&sockets, Target::Everyone, "1");
        say(&sockets, Target::Client(Client(Some("a"))), "1");
        assert_eq!((heard(&mut old), heard(&mut new)), (0, 2));
        sockets.disconnect("a");
        say(&sockets, Target::Everyone, "1");
        assert_eq!((heard(&mut old), heard(&mut new)), (0, 0));
    }

    #[test]
    fn only_the_client_of_the_running_prompt_is_greeted_with_its_node() {
        let mut sockets = Sockets::default();
        sockets.set_current(Some(("a".into(), "7".into())));
        let (mut a, mut b) = (sockets.connect("a", 1), sockets.connect("b", 1));
        assert_eq!((heard(&mut a), heard(&mut b)), (2, 1));
    }
}
