//! A server that plays one recorded run to a client, byte for byte but for the prompt's id.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Json, State};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine;
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot};

/// One recorded run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) name: String,
    /// The prompt's id in the record.
    pub(crate) id: String,
    pub(crate) prompt: Value,
    pub(crate) answer: Value,
    pub(crate) acts: VecDeque<Act>,
    pub(crate) history: Option<Value>,
    /// Whether others queue up behind it, one more at every question.
    pub(crate) growing: bool,
}

/// What the server does on the socket.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Text(String),
    Binary(Vec<u8>),
    Close,
    /// The server's worker dies: nothing more comes, and the server goes on answering.
    Die,
}

/// How a run is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    /// Whether the server takes the id that the client chose, as real ones do, or answers with its own.
    pub(crate) takes_id: bool,
    /// Whether the answer to the submit comes after all messages, or before them.
    pub(crate) answers_last: bool,
    pub(crate) has_socket: bool,
}

pub(crate) struct Stage {
    pub(crate) url: String,
    _stop: oneshot::Sender<()>,
}

struct Play {
    run: Run,
    manner: Manner,
    state: Mutex<Progress>,
    /// There is something to play.
    posted: Notify,
    played: Notify,
    asked: AtomicUsize,
}

#[derive(Default)]
struct Progress {
    /// The prompt's id in this play.
    id: Option<String>,
    left: Option<VecDeque<Act>>,
    started: bool,
    done: bool,
}

impl Stage {
    pub(crate) async fn start(run: Run, manner: Manner) -> Self {
        let play = Arc::new(Play {
            run,
            manner,
            state: Mutex::default(),
            posted: Notify::new(),
            played: Notify::new(),
            asked: AtomicUsize::new(0),
        });
        let mut router = Router::new()
            .route(
                "/api/prompt",
                post(submit).get(|| async { Json(json!({"exec_info": {"queue_remaining": 0}})) }),
            )
            .route("/api/queue", get(queue))
            .route("/api/history/{id}", get(history));
        if manner.has_socket {
            router = router.route("/ws", get(socket));
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let server = axum::serve(listener, router.with_state(play));
        tokio::spawn(async move {
            tokio::select! {
                result = server => result.unwrap(),
                _ = stopped => {}
            }
        });
        Self { url, _stop: stop }
    }
}

impl Play {
    fn is_played(&self) -> bool {
        self.state.lock().unwrap().done
    }

    fn next(&self) -> Option<Act> {
        let mut state = self.state.lock().unwrap();
        let act = state.left.as_mut()?.pop_front();
        state.started |= matches!(&act, Some(Act::Text(text)) if text.contains("execution_start") && text.contains(&self.run.id));
        if act.is_none() {
            state.done = true;
            self.played.notify_one();
        }
        act
    }

    fn id(&self) -> String {
        self.state.lock().unwrap().id.clone().unwrap()
    }

    fn with_id(&self, value: &Value) -> Value {
        replaced(value, &self.run.id, &self.id())
    }
}

/// `value` with every text and key `from` turned into `to`.
fn replaced(value: &Value, from: &str, to: &str) -> Value {
    match value {
        Value::String(text) if text == from => to.into(),
        Value::Array(items) => items.iter().map(|item| replaced(item, from, to)).collect(),
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| {
                (if key == from { to.to_owned() } else { key.clone() }, replaced(value, from, to))
            };
            Value::Object(map.iter().map(entry).collect())
        }
        other => other.clone(),
    }
}

async fn submit(State(play): State<Arc<Play>>, Json(body): Json<Value>) -> Json<Value> {
    assert!(body["client_id"].is_string(), "every prompt carries a client id");
    let id = if play.manner.takes_id { body["prompt_id"].as_str().unwrap() } else { &play.run.id };
    {
        let mut state = play.state.lock().unwrap();
        state.id = Some(id.to_owned());
        state.left = Some(if play.manner.has_socket { play.run.acts.clone() } else { VecDeque::new() });
    }
    play.posted.notify_one();
    if !play.manner.has_socket {
        play.next();
    }
    if play.manner.answers_last && play.manner.has_socket {
        play.played.notified().await;
    }
    Json(play.with_id(&play.run.answer))
}

async fn queue(State(play): State<Arc<Play>>) -> Json<Value> {
    let (id, started) = {
        let state = play.state.lock().unwrap();
        (state.id.clone(), state.started)
    };
    let item = match id {
        Some(id) if !play.is_played() => vec![json!([0, id, {}, {}, []])],
        _ => Vec::new(),
    };
    let (running, mut pending) = if started { (item, Vec::new()) } else { (Vec::new(), item) };
    if play.run.growing {
        let others = play.asked.fetch_add(1, Ordering::SeqCst) + 2;
        pending.extend((0..others).map(|n| json!([n + 1, format!("other{n}"), {}, {}, []])));
    }
    Json(json!({"queue_running": running, "queue_pending": pending}))
}

async fn history(State(play): State<Arc<Play>>) -> Json<Value> {
    match &play.run.history {
        Some(entry) if play.is_played() => Json(json!({ play.id(): play.with_id(entry) })),
        _ => Json(json!({})),
    }
}

async fn socket(State(play): State<Arc<Play>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| play_on(socket, play))
}

async fn play_on(mut socket: WebSocket, play: Arc<Play>) {
    let greeting =
        json!({"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 0}}, "sid": "x"}});
    if socket.send(Message::text(greeting.to_string())).await.is_err() {
        return;
    }
    if play.state.lock().unwrap().id.is_none() {
        play.posted.notified().await;
    }
    while let Some(act) = play.next() {
        let sent = match act {
            Act::Text(text) => socket.send(Message::text(play.retold(text))).await,
            Act::Binary(bytes) => socket.send(Message::binary(play.retold_binary(bytes))).await,
            Act::Die => {
                while let Some(Ok(_)) = socket.recv().await {}
                return;
            }
            Act::Close => {
                let _ = socket.send(Message::Close(None)).await;
                // A connection that is dropped with something unread loses what was sent before.
                while let Some(Ok(_)) = socket.recv().await {}
                return;
            }
        };
        // A server goes on whether anybody listens or not.
        let _ = sent;
    }
    // The socket stays open, as a server's does.
    while let Some(Ok(_)) = socket.recv().await {}
}

impl Play {
    fn retold(&self, text: String) -> String {
        let id = self.id();
        match serde_json::from_str::<Value>(&text) {
            // An id such as `None` or `7` can stand in other places too, so only whole texts are replaced.
            Ok(value) => python_style(&replaced(&value, &self.run.id, &id)),
            Err(_) => text.replace(&self.run.id, &id),
        }
    }

    /// The metadata of a preview hold the id; both ids have the same length where that matters.
    fn retold_binary(&self, bytes: Vec<u8>) -> Vec<u8> {
        let id = self.id();
        let (from, to) = (self.run.id.as_bytes(), id.as_bytes());
        if from.len() != to.len() {
            return bytes;
        }
        let mut bytes = bytes;
        let places: Vec<usize> = bytes
            .windows(from.len())
            .enumerate()
            .filter(|(_, window)| *window == from)
            .map(|(index, _)| index)
            .collect();
        for place in places {
            bytes[place..place + to.len()].copy_from_slice(to);
        }
        bytes
    }
}

/// JSON with the blanks and escapes of Python's writer, as the record was on the wire.
fn python_style(value: &Value) -> String {
    struct Python;
    impl serde_json::ser::Formatter for Python {
        fn begin_array_value<W: ?Sized + std::io::Write>(
            &mut self,
            writer: &mut W,
            first: bool,
        ) -> std::io::Result<()> {
            if first { Ok(()) } else { writer.write_all(b", ") }
        }
        fn begin_object_key<W: ?Sized + std::io::Write>(
            &mut self,
            writer: &mut W,
            first: bool,
        ) -> std::io::Result<()> {
            if first { Ok(()) } else { writer.write_all(b", ") }
        }
        fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
            writer.write_all(b": ")
        }
        fn write_string_fragment<W: ?Sized + std::io::Write>(
            &mut self,
            writer: &mut W,
            fragment: &str,
        ) -> std::io::Result<()> {
            for c in fragment.chars() {
                if c.is_ascii() {
                    write!(writer, "{c}")?;
                } else {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
            Ok(())
        }
    }
    let mut text = Vec::new();
    serde::Serialize::serialize(value, &mut serde_json::Serializer::with_formatter(&mut text, Python))
        .unwrap();
    String::from_utf8(text).unwrap()
}

/// The runs of a recorded scenario: one for every prompt that was accepted and whose end, if it has one, was recorded.
pub(crate) fn runs_of(name: &str, scenario: &Value) -> Vec<Run> {
    let steps: Vec<&Value> = scenario["steps"].as_array().unwrap().iter().collect();
    let time = |step: &Value| step["t_sent_ms"].as_f64().or(step["t_ms"].as_f64()).unwrap();
    let mut runs = Vec::new();
    for post in
        steps.iter().filter(|step| step["request"]["method"] == "POST" && step["response"]["status"] == 200)
    {
        let (body, answer) = (&post["request"]["body"]["json"], &post["response"]["body"]["json"]);
        let path = post["request"]["path"].as_str().unwrap_or_default();
        let id = answer["prompt_id"].as_str().filter(|id| path.ends_with("/prompt") && !id.is_empty());
        let Some(id) = id else { continue };
        let conns: Vec<&Value> = steps
            .iter()
            .filter(|step| {
                step["kind"] == "ws_open"
                    && body["client_id"]
                        .as_str()
                        .is_some_and(|client| client_of(step) == Some(client.to_owned()))
            })
            .map(|step| &step["conn"])
            .collect();
        let mut acts = VecDeque::new();
        for step in steps
            .iter()
            .filter(|step| conns.contains(&&step["conn"]) && step["t_ms"].as_f64() >= Some(time(post)))
        {
            match step["kind"].as_str().unwrap() {
                "ws_text" => {
                    let text =
                        step["text"].as_str().map_or_else(|| python_style(&step["json"]), str::to_owned);
                    let data = &step["json"]["data"];
                    let is_end = step["json"]["type"] == "executing"
                        && data["node"].is_null()
                        && data["prompt_id"] == id;
                    acts.push_back(Act::Text(text));
                    if is_end {
                        break;
                    }
                }
                "ws_binary" => {
                    let frame = base64::engine::general_purpose::STANDARD
                        .decode(step["binary_base64"].as_str().unwrap());
                    acts.push_back(Act::Binary(frame.unwrap()));
                }
                "ws_close" => acts.push_back(Act::Close),
                _ => {}
            }
        }
        // At the end the recording itself hung up, not a network in the middle of the run.
        while matches!(acts.back(), Some(Act::Close)) {
            acts.pop_back();
        }
        let history = steps
            .iter()
            .rev()
            .filter(|step| step["request"]["path"].as_str().is_some_and(|path| path.contains("/history")))
            .find_map(|step| {
                let body = &step["response"]["body"];
                let read = body["text"]
                    .as_str()
                    .and_then(|text| comfy_api_client::protocol::json::from_str::<Value>(text).ok());
                read.as_ref().unwrap_or(&body["json"]).get(id).cloned()
            });
        runs.push(Run {
            name: format!("{name} {id}"),
            id: id.to_owned(),
            prompt: body["prompt"].clone(),
            answer: answer.clone(),
            acts,
            history,
            growing: false,
        });
    }
    // A prompt whose id was used twice has two lives and one record.
    let ids: Vec<String> = runs.iter().map(|run| run.id.clone()).collect();
    runs.retain(|run| ids.iter().filter(|id| **id == run.id).count() == 1);
    runs
}

fn client_of(open: &Value) -> Option<String> {
    Some(open["request"]["path"].as_str()?.split_once("clientId=")?.1.to_owned())
}
