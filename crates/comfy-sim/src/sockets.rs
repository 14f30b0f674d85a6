//! Who listens on the WebSocket, and who is told what.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::ws;
use comfy_protocol::{Executing, Message, Status};
use comfy_workflow::NodeId;
use indexmap::IndexMap;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::queue::Client;
use crate::wire::to_json;

/// How many bytes may wait for a client that does not read them. With more it is cut off.
const MOST_WAITING: usize = 64 << 20;

/// To whom a message goes.
#[derive(Debug, Clone, Copy)]
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
    by_id: IndexMap<String, Incoming>,
    /// The client whose prompt runs, and the node that it runs.
    current: Option<(String, NodeId)>,
}

/// What a client has declared about previews.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Previews {
    /// Nothing: it gets pictures alone.
    Plain,
    /// It wants to be told whose the pictures are.
    WithMetadata,
    /// Its features are no object, but this type of Python: the server fails when it looks for one in them.
    Broken(&'static str),
}

/// Where the frames for a socket go in.
#[derive(Debug)]
struct Incoming {
    previews: Previews,
    sender: UnboundedSender<ws::Message>,
    waiting: Arc<AtomicUsize>,
    cut: CancellationToken,
}

/// Where the frames for a socket come out.
#[derive(Debug)]
pub(crate) struct Outgoing {
    receiver: UnboundedReceiver<ws::Message>,
    waiting: Arc<AtomicUsize>,
    cut: CancellationToken,
}

impl Sockets {
    /// A socket has been opened. What it is sent waits in what is returned, the greeting first.
    pub(crate) fn connect(&mut self, id: &str, remaining: u64) -> Outgoing {
        let (sender, receiver) = unbounded_channel();
        let (waiting, cut) = (Arc::<AtomicUsize>::default(), CancellationToken::new());
        let incoming =
            Incoming { previews: Previews::Plain, sender, waiting: Arc::clone(&waiting), cut: cut.clone() };
        incoming.send(text(&Message::Status(Status::new(remaining, Some(id.to_owned())))));
        if let Some((client, node)) = &self.current
            && client == id
        {
            incoming.send(text(&Message::Executing(Executing::new(Some(node.clone()), None))));
        }
        self.by_id.insert(id.to_owned(), incoming);
        Outgoing { receiver, waiting, cut }
    }

    /// A socket with this id has been closed.
    pub(crate) fn disconnect(&mut self, id: &str) {
        self.by_id.shift_remove(id);
    }

    /// Whether there is a socket with this id that is told anything.
    pub(crate) fn is_open(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// The node that runs now, for clients that come back; `None` between prompts.
    pub(crate) fn set_current(&mut self, current: Option<(String, NodeId)>) {
        self.current = current;
    }

    /// What the client of a socket has declared about previews.
    pub(crate) fn set_previews(&mut self, id: &str, previews: Previews) {
        if let Some(socket) = self.by_id.get_mut(id) {
            socket.previews = previews;
        }
    }

    /// What the client takes for previews.
    pub(crate) fn previews(&self, id: &str) -> Previews {
        self.by_id.get(id).map_or(Previews::Plain, |socket| socket.previews.clone())
    }

    /// Sends a frame.
    pub(crate) fn send_frame(&self, target: Target<'_>, frame: ws::Message) {
        match target {
            Target::Everyone => self.by_id.values().for_each(|socket| socket.send(frame.clone())),
            Target::Client(Client(id)) => {
                if let Some(socket) = id.and_then(|id| self.by_id.get(id)) {
                    socket.send(frame);
                }
            }
        }
    }

    /// Sends a message. It is only made when somebody listens.
    pub(crate) fn send(&self, target: Target<'_>, message: impl FnOnce() -> Message) {
        match target {
            Target::Everyone if self.by_id.is_empty() => {}
            Target::Everyone => {
                let frame = text(&message());
                self.by_id.values().for_each(|socket| socket.send(frame.clone()));
            }
            Target::Client(Client(id)) => {
                if let Some(socket) = id.and_then(|id| self.by_id.get(id)) {
                    socket.send(text(&message()));
                }
            }
        }
    }
}

impl Incoming {
    fn send(&self, frame: ws::Message) {
        let length = length(&frame);
        if self.waiting.fetch_add(length, Ordering::Relaxed) + length > MOST_WAITING {
            self.cut.cancel();
        } else {
            // Nobody receives any more when the socket has just been closed.
            let _ = self.sender.send(frame);
        }
    }
}

impl Outgoing {
    /// What is to be sent next. Nothing ever comes when a newer socket has taken the id over.
    pub(crate) async fn next(&mut self) -> ws::Message {
        match self.receiver.recv().await {
            Some(frame) => self.taken(frame),
            None => std::future::pending().await,
        }
    }

    /// What is to be sent next, when it is there already.
    pub(crate) fn try_next(&mut self) -> Option<ws::Message> {
        let frame = self.receiver.try_recv().ok()?;
        Some(self.taken(frame))
    }

    /// Cancelled when the client leaves too much unread.
    pub(crate) fn cut(&self) -> CancellationToken {
        self.cut.clone()
    }

    fn taken(&self, frame: ws::Message) -> ws::Message {
        self.waiting.fetch_sub(length(&frame), Ordering::Relaxed);
        frame
    }
}

fn length(frame: &ws::Message) -> usize {
    match frame {
        ws::Message::Text(text) => text.len(),
        ws::Message::Binary(bytes) => bytes.len(),
        _ => 0,
    }
}

/// A message as a frame.
fn text(message: &Message) -> ws::Message {
    ws::Message::Text(to_json(message).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(sockets: &Sockets, target: Target<'_>, node: &str) {
        sockets.send(target, || Message::Executing(Executing::new(Some(node.into()), None)));
    }

    fn heard(outgoing: &mut Outgoing) -> usize {
        std::iter::from_fn(|| outgoing.try_next()).count()
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
    #[test]
    fn a_client_that_leaves_too_much_unread_is_cut_off_and_others_are_not() {
        let mut sockets = Sockets::default();
        let (mut reader, sleeper) = (sockets.connect("reader", 0), sockets.connect("sleeper", 0));
        let long = "x".repeat(MOST_WAITING / 8);
        for _ in 0..8 {
            assert!(!sleeper.cut().is_cancelled());
            say(&sockets, Target::Everyone, &long);
            heard(&mut reader);
        }
        assert!(sleeper.cut().is_cancelled());
        assert!(!reader.cut().is_cancelled());
        assert_eq!(sleeper.receiver.len(), 8);
    }
}
