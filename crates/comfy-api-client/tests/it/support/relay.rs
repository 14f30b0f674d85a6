//! A relay between a client and a server that mistreats the WebSocket.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

/// What happens to a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// It is cut after this many messages of the server.
    CutAfter(usize),
    /// Nothing more comes through it after this many messages, while both ends stay open.
    SilentAfter(usize),
    /// It is left alone.
    Fair,
}

/// A running relay.
pub(crate) struct Relay {
    pub(crate) url: String,
    shared: Arc<Shared>,
    task: AbortHandle,
}

struct Shared {
    server: String,
    treatment: Treatment,
    /// Whether every socket is mistreated, or only the first.
    always: bool,
    sockets: AtomicUsize,
    messages: AtomicUsize,
    /// Client ids of the sockets that are open at the server.
    open: Mutex<Vec<String>>,
    twice: AtomicUsize,
}

impl Relay {
    pub(crate) async fn start(server: &str, treatment: Treatment, always: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            server: server.trim_start_matches("http://").to_owned(),
            treatment,
            always,
            sockets: AtomicUsize::new(0),
            messages: AtomicUsize::new(0),
            open: Mutex::default(),
            twice: AtomicUsize::new(0),
        });
        let accepting = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&accepting)));
            }
        });
        Self { url, shared, task: task.abort_handle() }
    }

    /// Messages of the server that came through sockets.
    pub(crate) fn messages(&self) -> usize {
        self.shared.messages.load(Ordering::SeqCst)
    }

    pub(crate) fn sockets(&self) -> usize {
        self.shared.sockets.load(Ordering::SeqCst)
    }

    /// How often a socket came under a client id that the server still had one for.
    pub(crate) fn sockets_of_one_id(&self) -> usize {
        self.shared.twice.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    if pass_until_socket(&mut stream, &shared.server).await {
        relay_socket(stream, shared).await;
    }
}

/// Passes the requests of a connection on to the server, up to one that asks for a WebSocket. Returns whether there was
/// one, which is then still to be read.
pub(crate) async fn pass_until_socket(client: &mut TcpStream, server: &str) -> bool {
    let Ok(mut server) = TcpStream::connect(server).await else { return false };
    let (mut head, mut answer) = ([0; 7], vec![0; 65536]);
    let mut request = vec![0; 65536];
    loop {
        tokio::select! {
            peeked = client.peek(&mut head) => {
                match peeked {
                    Ok(length) if length > 0 && head[..length] == b"GET /ws"[..length] => {
                        if length == head.len() {
                            return true;
                        }
                        tokio::task::yield_now().await;
                        continue;
                    }
                    Ok(1..) => {}
                    _ => return false,
                }
                let Ok(length @ 1..) = client.read(&mut request).await else { return false };
                if server.write_all(&request[..length]).await.is_err() {
                    return false;
                }
            }
            read = server.read(&mut answer) => {
                let Ok(length @ 1..) = read else { return false };
                if client.write_all(&answer[..length]).await.is_err() {
                    return false;
                }
            }
        }
    }
}

async fn relay_socket(stream: TcpStream, shared: Arc<Shared>) {
    let mut path = String::new();
    #[expect(clippy::result_large_err, reason = "the signature is the library's")]
    let note_path = |request: &Request, response: Response| {
        path = request.uri().to_string();
        Ok(response)
    };
    let Ok(mut client) = tokio_tungstenite::accept_hdr_async(stream, note_path).await else { return };
    let Ok((mut server, _)) = tokio_tungstenite::client_async(
        format!("ws://{}{path}", shared.server),
        TcpStream::connect(&shared.server).await.unwrap(),
    )
    .await
    else {
        return;
    };
    let id = path.rsplit('=').next().unwrap_or_default().to_owned();
    {
        let mut open = shared.open.lock().await;
        if open.contains(&id) {
            shared.twice.fetch_add(1, Ordering::SeqCst);
        }
        open.push(id.clone());
    }
    let first = shared.sockets.fetch_add(1, Ordering::SeqCst) == 0;
    let treatment = if first || shared.always { shared.treatment } else { Treatment::Fair };
    let mut count = 0;
    loop {
        match treatment {
            Treatment::CutAfter(most) if count >= most => {
                // The client's side goes at once and without a word; the server keeps its own for a while, as it does
                // when a network breaks between them.
                drop(client);
                let mut rest = [0; 1024];
                let _ = tokio::time::timeout(std::time::Duration::from_secs(2), async {
                    while server.get_mut().read(&mut rest).await.is_ok_and(|length| length > 0) {}
                })
                .await;
                break;
            }
            Treatment::SilentAfter(most) if count >= most => {
                while let Some(Ok(_)) = server.next().await {}
                break;
            }
            _ => {}
        }
        tokio::select! {
            message = server.next() => match message {
                Some(Ok(message)) => {
                    if !message.is_ping() && !message.is_pong() {
                        count += 1;
                        shared.messages.fetch_add(1, Ordering::SeqCst);
                    }
                    if client.send(message).await.is_err() { break }
                }
                _ => break,
            },
            message = client.next() => match message {
                Some(Ok(message)) => if server.send(message).await.is_err() { break },
                _ => break,
            },
        }
    }
    drop(server);
    let mut open = shared.open.lock().await;
    if let Some(index) = open.iter().position(|other| *other == id) {
        open.remove(index);
    }
}
