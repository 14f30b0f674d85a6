//! Clients for the tests, as plain as possible: they send what they are told, byte for byte.

use std::time::Duration;

use comfy_sim::Sim;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// Sends a request on a connection of its own.
pub(crate) async fn request(
    sim: &Sim,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let exchange = async {
        let mut stream = TcpStream::connect(sim.address()).await.unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += &format!("Host: {}\r\n", sim.address());
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        // An answer may come before the whole body was taken.
        let _ = stream.write_all(body).await;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        bytes
    };
    let bytes = tokio::time::timeout(PATIENCE, exchange).await.expect("an answer in time");
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(key, value)| (key.into(), value.into()))
        .collect();
    let mut answer = Answer { status, headers, body: bytes[end + 4..].to_vec() };
    if answer.header("transfer-encoding") == Some("chunked") {
        answer.body = joined(&answer.body);
    }
    answer
}

fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = chunks.windows(2).position(|window| window == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&chunks[..end]).unwrap(), 16).unwrap();
        body.extend_from_slice(&chunks[end + 2..end + 2 + length]);
        chunks = chunks.get(end + length + 4..).unwrap_or_default();
    }
    body
}

pub(crate) async fn get(sim: &Sim, path: &str) -> Answer {
    request(sim, "GET", path, &[], b"").await
}

pub(crate) async fn get_json(sim: &Sim, path: &str) -> Value {
    let answer = get(sim, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

pub(crate) async fn post(sim: &Sim, path: &str, body: &Value) -> Answer {
    request(sim, "POST", path, &[("Content-Type", "application/json")], body.to_string().as_bytes()).await
}

/// Posts a prompt and returns its id.
pub(crate) async fn submit(sim: &Sim, client_id: &str, prompt: Value) -> String {
    let answer = post(sim, "/prompt", &json!({"prompt": prompt, "client_id": client_id})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["prompt_id"].as_str().unwrap().to_owned()
}

/// A picture, inverted and saved: `1`, `2`, `3`.
pub(crate) fn three_nodes(prefix: &str) -> Value {
    json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 3368601}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": prefix}},
    })
}

/// A WebSocket client.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Opens a socket and reads the greeting.
    pub(crate) async fn open(sim: &Sim, client_id: &str) -> Self {
        let mut socket = Self::open_path(sim, &format!("/ws?clientId={client_id}")).await;
        let greeting = socket.next().await;
        assert_eq!(greeting["data"]["sid"], client_id);
        socket
    }

    pub(crate) async fn open_path(sim: &Sim, path: &str) -> Self {
        let url = format!("ws://{}{path}", sim.address());
        let (stream, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        Self { stream }
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match self.next_frame().await.expect("an open socket") {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next frame; `None` when the socket has been closed.
    pub(crate) async fn next_frame(&mut self) -> Option<Message> {
        let frame = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("a frame in time");
        frame.map(Result::unwrap)
    }

    /// What comes next, failures included.
    pub(crate) async fn frame(&mut self) -> Option<Result<Message, tokio_tungstenite::tungstenite::Error>> {
        tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("a frame in time")
    }

    /// Passes over what still comes in. Says whether the connection then breaks without a closing frame, and without a
    /// pong before it.
    pub(crate) async fn ends_without_goodbye(&mut self) -> bool {
        loop {
            match self.frame().await {
                Some(Ok(Message::Text(_) | Message::Binary(_))) => {}
                Some(Ok(_)) => return false,
                Some(Err(_)) | None => return true,
            }
        }
    }

    pub(crate) async fn ping(&mut self) {
        self.stream.send(Message::Ping(bytes::Bytes::new())).await.unwrap();
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    /// Closes the socket and waits until the server has done so too. Says how many messages came until then.
    pub(crate) async fn close(mut self) -> usize {
        self.stream.close(None).await.unwrap();
        let mut messages = 0;
        while let Some(Ok(frame)) = self.stream.next().await {
            messages += usize::from(frame.is_text());
        }
        messages
    }

    /// The messages up to and with one that looks like `last`, in short.
    pub(crate) async fn until(&mut self, last: &str) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            heard.push(short(&self.next().await));
            if heard.last().is_some_and(|message| message == last) {
                return heard;
            }
        }
    }
}

/// A message in a few words.
pub(crate) fn short(message: &Value) -> String {
    let data = &message["data"];
    let list = |value: &Value| {
        let mut ids: Vec<_> = value.as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        ids.sort_unstable();
        ids.join(" ")
    };
    match message["type"].as_str().unwrap() {
        "status" => format!("status {}", data["status"]["exec_info"]["queue_remaining"]),
        "execution_start" => "start".into(),
        "execution_cached" => format!("cached [{}]", list(&data["nodes"])),
        "progress_state" => {
            let nodes = data["nodes"].as_object().unwrap().iter();
            let nodes: Vec<_> = nodes
                .map(|(id, node)| {
                    format!("{id} {} {}/{}", node["state"].as_str().unwrap(), node["value"], node["max"])
                })
                .collect();
            format!("progress {}", nodes.join(", "))
        }
        "executing" => format!("executing {}", data["node"].as_str().unwrap_or("null")),
        "executed" => format!("executed {}", data["node"].as_str().unwrap()),
        "execution_success" => "success".into(),
        "execution_error" => format!(
            "error {} {}",
            data["node_id"].as_str().unwrap(),
            data["exception_type"].as_str().unwrap()
        ),
        "execution_interrupted" => {
            format!("interrupted {} after [{}]", data["node_id"].as_str().unwrap(), list(&data["executed"]))
        }
        other => other.into(),
    }
}
