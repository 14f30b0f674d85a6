//! The bare loop: what running jobs takes at the least, written directly on reqwest and tungstenite.
//!
//! It believes all that the server says, and waits for ever when a message is lost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt as _;
use futures_util::future::try_join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio_tungstenite::tungstenite::Message as Raw;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

use crate::Failure;
use crate::measure::{Measure, Measured};

/// Submits at the same time, as many as the client has.
const MOST_SUBMITS: usize = 64;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Deserialize)]
struct Message {
    r#type: String,
    #[serde(default)]
    data: Data,
}

#[derive(Deserialize, Default)]
struct Data {
    prompt_id: Option<String>,
    node: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    outputs: HashMap<String, HashMap<String, Value>>,
}

/// Jobs one after the other.
pub(crate) async fn sequential(url: &str, jobs: u32) -> Result<Measured, Failure> {
    let http = reqwest::Client::new();
    let client_id = Uuid::new_v4().to_string();
    let mut socket = open(url, &client_id).await?;
    let measure = Measure::start()?;
    for job in 0..jobs {
        let prompt_id = submit(&http, url, &client_id, job).await?;
        while let Some(message) = socket.next().await {
            if ended(&message?)?.is_some_and(|id| id == prompt_id) {
                break;
            }
        }
        outputs(&http, url, &prompt_id).await?;
    }
    measure.stop()
}

/// Jobs at once.
pub(crate) async fn concurrent(url: &str, jobs: u32) -> Result<Measured, Failure> {
    let http = reqwest::Client::new();
    let client_id = Uuid::new_v4().to_string();
    let socket = open(url, &client_id).await?;
    let measure = Measure::start()?;
    let waiting = Arc::new(Mutex::new(HashMap::new()));
    let reader = tokio::spawn(read(socket, Arc::clone(&waiting)));
    let submits = Semaphore::new(MOST_SUBMITS);
    let run = async |job| {
        let (done, end) = oneshot::channel();
        let turn = submits.acquire().await?;
        let prompt_id = Uuid::new_v4().to_string();
        waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(prompt_id.clone(), done);
        post(&http, url, &client_id, &prompt_id, job).await?;
        drop(turn);
        end.await?;
        outputs(&http, url, &prompt_id).await
    };
    try_join_all((0..jobs).map(run)).await?;
    reader.abort();
    measure.stop()
}

async fn read(
    mut socket: Socket,
    waiting: Arc<Mutex<HashMap<String, oneshot::Sender<()>>>>,
) -> Result<(), Failure> {
    while let Some(message) = socket.next().await {
        if let Some(id) = ended(&message?)?
            && let Some(done) = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)
        {
            let _ = done.send(());
        }
    }
    Ok(())
}

async fn open(url: &str, client_id: &str) -> Result<Socket, Failure> {
    let (socket, _) =
        connect_async(format!("{}/ws?clientId={client_id}", url.replacen("http", "ws", 1))).await?;
    Ok(socket)
}

async fn submit(http: &reqwest::Client, url: &str, client_id: &str, job: u32) -> Result<String, Failure> {
    let prompt_id = Uuid::new_v4().to_string();
    post(http, url, client_id, &prompt_id, job).await?;
    Ok(prompt_id)
}

async fn post(
    http: &reqwest::Client,
    url: &str,
    client_id: &str,
    prompt_id: &str,
    job: u32,
) -> Result<(), Failure> {
    let body = json!({"prompt": workflow(job), "client_id": client_id, "prompt_id": prompt_id});
    let answer = http.post(format!("{url}/prompt")).json(&body).send().await?.error_for_status()?;
    answer.bytes().await?;
    Ok(())
}

/// The prompt that a message says has left the worker.
fn ended(message: &Raw) -> Result<Option<String>, Failure> {
    let Raw::Text(text) = message else { return Ok(None) };
    let message: Message = serde_json::from_str(text)?;
    Ok(message.data.prompt_id.filter(|_| message.r#type == "executing" && message.data.node.is_none()))
}

async fn outputs(http: &reqwest::Client, url: &str, prompt_id: &str) -> Result<(), Failure> {
    let answer = http.get(format!("{url}/history/{prompt_id}")).send().await?.error_for_status()?;
    let mut history: HashMap<String, Entry> = answer.json().await?;
    let entry = history.remove(prompt_id).ok_or("no record")?;
    let files = entry.outputs.values().filter_map(|output| output.get("images")?.as_array());
    if files.map(Vec::len).sum::<usize>() == 1 { Ok(()) } else { Err("a job has no output".into()) }
}

/// A picture of a colour of its own for every job of every process, so that the server has something to compute.
pub(crate) fn workflow(job: u32) -> Value {
    let color = std::process::id().wrapping_mul(7919).wrapping_add(job) % 0xff_ffff;
    json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": color}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    })
}
