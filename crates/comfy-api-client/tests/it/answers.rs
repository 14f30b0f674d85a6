//! A server that answers the questions about a job in turn as a test wrote them, and has no WebSocket.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Json, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use comfy_api_client::{Client, ErrorKind, Outputs, Result};
use serde_json::{Value, json};

use crate::support::{in_time, picture};

type Answer = (u16, Value);

struct Script {
    queue: Vec<Answer>,
    history: Vec<Answer>,
    asked: Mutex<(usize, usize)>,
    id: Mutex<String>,
}

impl Script {
    /// The next answer, with the prompt's id in place of `ID`; the last one again and again.
    fn tell(&self, answers: &[Answer], asked: usize) -> (StatusCode, Json<Value>) {
        let (status, body) = &answers[asked.min(answers.len() - 1)];
        let body = body.to_string().replace("ID", &self.id.lock().unwrap());
        (StatusCode::from_u16(*status).unwrap(), Json(serde_json::from_str(&body).unwrap()))
    }
}

fn next(count: &mut usize) -> usize {
    *count += 1;
    *count - 1
}

async fn run(queue: Vec<Answer>, history: Vec<Answer>) -> Result<Outputs> {
    let script = Arc::new(Script { queue, history, asked: Mutex::default(), id: Mutex::default() });
    let submit = async |State(script): State<Arc<Script>>, Json(body): Json<Value>| {
        *script.id.lock().unwrap() = body["prompt_id"].as_str().unwrap().to_owned();
        Json(json!({"prompt_id": body["prompt_id"], "number": 0, "node_errors": {}}))
    };
    let queue = async |State(script): State<Arc<Script>>| {
        let asked = next(&mut script.asked.lock().unwrap().0);
        script.tell(&script.queue, asked)
    };
    let history = async |State(script): State<Arc<Script>>| {
        let asked = next(&mut script.asked.lock().unwrap().1);
        script.tell(&script.history, asked)
    };
    let router = Router::new()
        .route("/api/prompt", post(submit).get(async || Json(json!({"exec_info": {"queue_remaining": 0}}))))
        .route("/api/queue", get(queue))
        .route("/api/history/{id}", get(history))
        .with_state(script);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let client = Client::builder(address).give_up_after(Duration::from_secs(4)).connect().await.unwrap();
    let result = in_time(async { client.submit(&picture(1)).await.unwrap().await }).await;
    server.abort();
    result
}

fn running() -> Answer {
    (200, json!({"queue_running": [[0, "ID", {}, {}, []]], "queue_pending": []}))
}

fn waiting() -> Answer {
    (200, json!({"queue_running": [], "queue_pending": [[0, "ID", {}, {}, []]]}))
}

fn empty() -> Answer {
    (200, json!({"queue_running": [], "queue_pending": []}))
}

fn nothing() -> Answer {
    (200, json!({}))
}

fn record() -> Answer {
    let outputs = json!({"3": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}});
    let status = json!({"status_str": "success", "completed": true, "messages": []});
    (200, json!({"ID": {"prompt": [0, "ID", {}, {}, []], "outputs": outputs, "status": status, "meta": {}}}))
}

fn bad_gateway() -> Answer {
    (502, json!("bad gateway"))
}

#[tokio::test]
async fn a_job_ends_with_its_record() {
    let outputs = run(vec![waiting(), running(), empty()], vec![record()]).await.unwrap();
    assert_eq!(outputs.files().count(), 1);
}

#[tokio::test]
async fn a_proxy_that_loses_its_server_for_a_while_ends_no_job() {
    let queue = vec![running(), bad_gateway(), bad_gateway(), bad_gateway(), empty()];
    let history = vec![bad_gateway(), bad_gateway(), bad_gateway(), bad_gateway(), record()];
    assert_eq!(run(queue, history).await.unwrap().files().count(), 1);
}

#[tokio::test]
async fn a_job_that_is_missing_once_is_asked_for_again() {
    assert_eq!(run(vec![empty()], vec![nothing(), record()]).await.unwrap().files().count(), 1);
}

#[tokio::test]
async fn a_job_that_waited_and_is_gone_was_removed_and_one_that_ran_is_lost() {
    assert_eq!(run(vec![waiting(), empty()], vec![nothing()]).await.unwrap_err().kind(), ErrorKind::Removed);
    assert_eq!(run(vec![running(), empty()], vec![nothing()]).await.unwrap_err().kind(), ErrorKind::Lost);
}

#[tokio::test]
async fn a_server_that_fails_on_a_record_for_good_is_said_to() {
    let error =
        run(vec![running(), empty()], vec![(500, json!("Server got itself in trouble"))]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Status, "{error}");
    assert!(error.to_string().contains("fails on the record"), "{error}");
}

#[tokio::test]
async fn a_server_that_fails_on_its_queue_but_has_the_record_is_believed() {
    let trouble = || (500, json!("Server got itself in trouble"));
    let outputs = run(vec![running(), trouble()], vec![nothing(), nothing(), nothing(), record()]).await;
    assert_eq!(outputs.unwrap().files().count(), 1);
}

#[tokio::test]
async fn a_job_that_waited_behind_a_proxy_that_lost_its_server_is_lost() {
    let error = run(vec![waiting(), bad_gateway(), empty()], vec![nothing()]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost, "{error}");
}

#[tokio::test]
async fn a_server_that_tells_nonsense_for_good_is_given_up() {
    let error = run(vec![running(), (200, json!("hello"))], vec![nothing()]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
    assert!(error.prompt_id().is_some());
}
