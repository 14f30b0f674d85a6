use std::time::Duration;

use comfy_sim::Sim;
use serde_json::json;

use crate::support::{Socket, get_json, post, request, submit, three_nodes};

/// A simulator whose nodes never end by themselves while a test runs.
async fn slow() -> Sim {
    Sim::builder().node_delay(Duration::from_secs(3600)).start().await.unwrap()
}

#[tokio::test]
async fn an_interrupt_ends_the_running_prompt() {
    let sim = slow().await;
    let mut socket = Socket::open(&sim, "a").await;
    let id = submit(&sim, "a", three_nodes("x")).await;
    socket.until("executing 1").await;
    assert_eq!(request(&sim, "POST", "/interrupt", &[], b"").await.status, 200);
    let ending = ["interrupted 1 after []", "status 0", "executing null"];
    assert_eq!(socket.until("executing null").await, ending);
    let entry = get_json(&sim, &format!("/history/{id}")).await[&id].clone();
    assert_eq!(entry["status"]["status_str"], "error");
    assert_eq!(entry["status"]["messages"][2][0], "execution_interrupted");
    assert_eq!(entry["outputs"], json!({}));
}

#[tokio::test]
async fn nodes_that_ran_before_an_interrupt_stay_known() {
    let sim = Sim::builder().node_delay(Duration::from_millis(50)).start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("x")).await;
    socket.until("executing 2").await;
    post(&sim, "/interrupt", &json!({})).await;
    let heard = socket.until("executing null").await;
    assert!(heard.iter().any(|message| message.starts_with("interrupted ")), "{heard:?}");
    submit(&sim, "a", three_nodes("x")).await;
    let cached = socket.until("executing null").await;
    assert!(cached.iter().any(|message| message.starts_with("cached [1")), "{cached:?}");
}

#[tokio::test]
async fn an_interrupt_that_names_a_prompt_leaves_all_others_alone() {
    let sim = slow().await;
    let mut socket = Socket::open(&sim, "a").await;
    let running = submit(&sim, "a", three_nodes("x")).await;
    socket.until("executing 1").await;
    let waiting = submit(&sim, "a", three_nodes("y")).await;
    socket.until("status 2").await;
    for other in [json!("no-such"), json!(waiting), json!(5), json!(["x"])] {
        assert_eq!(post(&sim, "/interrupt", &json!({"prompt_id": other})).await.status, 200);
    }
    let queue = get_json(&sim, "/queue").await;
    assert_eq!(queue["queue_running"][0][1], json!(running));
    post(&sim, "/interrupt", &json!({"prompt_id": running})).await;
    let heard = socket.until("executing 1").await;
    assert_eq!(heard[..4], ["interrupted 1 after []", "status 1", "executing null", "status 1"]);
}

#[tokio::test]
async fn an_interrupt_with_nothing_running_is_forgotten() {
    let sim = Sim::start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    post(&sim, "/interrupt", &json!({})).await;
    submit(&sim, "a", three_nodes("x")).await;
    assert!(socket.until("executing null").await.contains(&"success".to_owned()));
}

#[tokio::test]
async fn everyone_hears_of_the_interrupt_of_a_prompt_without_client() {
    let sim = slow().await;
    let mut socket = Socket::open(&sim, "bystander").await;
    post(&sim, "/prompt", &json!({"prompt": three_nodes("x")})).await;
    socket.until("progress 1 running 0.0/1.0").await;
    post(&sim, "/interrupt", &json!({})).await;
    assert_eq!(socket.until("status 0").await, ["interrupted 1 after []", "status 0"]);
}
