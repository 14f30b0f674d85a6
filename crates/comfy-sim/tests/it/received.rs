//! What a simulator tells about the requests it got, and time and ids that are the same every time.

use std::time::{Duration, UNIX_EPOCH};

use comfy_sim::{Clock, Fault, Kept, Sim};
use serde_json::{Value, json};

use crate::support::{Socket, get, get_json, post, request, submit, three_nodes};

#[tokio::test]
async fn the_requests_of_a_client_can_be_looked_at() {
    let sim = Sim::start().await.unwrap();
    let requests = sim.requests();
    request(&sim, "GET", "/api/history?max_items=3", &[("X-Mine", "yes")], b"").await;
    submit(&sim, "a", three_nodes("x")).await;
    post(&sim, "/api/prompt", &json!({"prompt": {}})).await;
    let all = requests.all();
    let lines: Vec<_> = all
        .iter()
        .map(|request| format!("{} {} {:?}", request.method, request.path, request.status))
        .collect();
    assert_eq!(lines, ["GET /api/history Some(200)", "POST /prompt Some(200)", "POST /api/prompt Some(400)"]);
    assert_eq!(all[0].parameter("max_items").as_deref(), Some("3"));
    assert_eq!(all[0].header("x-mine"), Some("yes"));
    assert_eq!(all[1].json().unwrap()["client_id"], "a");
    assert_eq!(requests.prompts(), [three_nodes("x"), json!({})]);
    requests.clear();
    sim.fault(Fault::restart(Kept::Lost));
    get(&sim, "/queue").await;
    sim.shutdown().await;
    assert_eq!(requests.to("GET", "/queue").len(), 1);
    assert_eq!(requests.count(), 1);
}

#[tokio::test]
async fn a_test_can_wait_for_requests() {
    let sim = Sim::start().await.unwrap();
    let requests = sim.requests();
    let waiting = tokio::spawn(async move { requests.wait_for(2, "POST", "/interrupt").await });
    for _ in 0..2 {
        post(&sim, "/interrupt", &json!({})).await;
    }
    let found = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
    assert_eq!(found.len(), 2);
}

#[tokio::test]
async fn of_a_long_body_the_start_is_kept_and_the_length_told() {
    let sim = Sim::start().await.unwrap();
    let long = format!("{{\"text\": \"{}\"}}", "x".repeat(1 << 20));
    request(&sim, "POST", "/history", &[], long.as_bytes()).await;
    let request = &sim.requests().all()[0];
    assert_eq!(request.body_length, long.len() as u64);
    assert_eq!(request.body.len(), 256 << 10);
    assert_eq!(request.json(), None);
}

async fn run(seed: u64) -> Value {
    let start = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let sim = Sim::builder()
        .clock(Clock::Virtual(start))
        .seed(seed)
        .node_delay(Duration::from_secs(60))
        .start()
        .await
        .unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("x")).await;
    socket.until("executing null").await;
    assert!(sim.advance(Duration::from_secs(3600)));
    submit(&sim, "a", three_nodes("y")).await;
    socket.until("executing null").await;
    get_json(&sim, "/history").await
}

#[tokio::test]
async fn with_a_clock_and_a_seed_of_their_own_two_runs_are_the_same_and_take_no_time() {
    let history = run(7).await;
    assert_eq!(history, run(7).await);
    assert_ne!(history.as_object().unwrap().keys().next(), run(8).await.as_object().unwrap().keys().next());
    let mut entries = history.as_object().unwrap().values();
    let first = &entries.next().unwrap()["status"]["messages"];
    assert_eq!(first[0][1]["timestamp"], 1_700_000_000_000_u64);
    assert_eq!(first[2][1]["timestamp"], 1_700_000_180_000_u64);
    let second = &entries.next().unwrap()["status"]["messages"];
    assert_eq!(second[0][1]["timestamp"], 1_700_003_780_000_u64);
}
