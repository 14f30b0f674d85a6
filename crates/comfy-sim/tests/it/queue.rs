use std::time::Duration;

use comfy_sim::Sim;
use serde_json::{Value, json};

use crate::support::{Socket, get_json, post, short, submit, three_nodes};

/// A simulator with one prompt that runs and does not end, and a socket that has heard of it.
async fn busy() -> (Sim, Socket, String) {
    let sim = Sim::builder().node_delay(Duration::from_secs(3600)).start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    let id = submit(&sim, "a", three_nodes("running")).await;
    socket.until("executing 1").await;
    (sim, socket, id)
}

fn ids(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|item| item[1].as_str().unwrap()).collect()
}

#[tokio::test]
async fn waiting_prompts_are_deleted_without_a_word_to_their_client() {
    let (sim, mut socket, running) = busy().await;
    let mut waiting = Vec::new();
    for count in 2..5 {
        waiting.push(submit(&sim, "a", three_nodes("x")).await);
        assert_eq!(short(&socket.next().await), format!("status {count}"));
    }
    for untouched in [json!(["no-such"]), json!([running]), json!("abc"), json!([])] {
        assert_eq!(post(&sim, "/queue", &json!({"delete": untouched})).await.status, 200);
    }
    post(&sim, "/queue", &json!({"delete": [waiting[1], "x", waiting[0]]})).await;
    assert_eq!([short(&socket.next().await), short(&socket.next().await)], ["status 3", "status 2"]);
    let queue = get_json(&sim, "/queue").await;
    assert_eq!(ids(&queue["queue_pending"]), [waiting[2].as_str()]);
    post(&sim, "/queue", &json!({"delete": [waiting[2]]})).await;
    // The last one is told twice.
    assert_eq!([short(&socket.next().await), short(&socket.next().await)], ["status 1", "status 1"]);
    assert_eq!(get_json(&sim, &format!("/history/{}", waiting[0])).await, json!({}));
    assert_eq!(get_json(&sim, "/prompt").await, json!({"exec_info": {"queue_remaining": 1}}));
}

#[tokio::test]
async fn clearing_the_queue_leaves_the_running_prompt() {
    let (sim, mut socket, running) = busy().await;
    submit(&sim, "a", three_nodes("x")).await;
    submit(&sim, "a", three_nodes("y")).await;
    socket.until("status 3").await;
    post(&sim, "/queue", &json!({"clear": true})).await;
    assert_eq!(short(&socket.next().await), "status 1");
    let queue = get_json(&sim, "/queue").await;
    assert_eq!(ids(&queue["queue_running"]), [running.as_str()]);
    assert_eq!(queue["queue_pending"], json!([]));
}

#[tokio::test]
async fn prompts_run_by_their_number_and_in_front_of_others() {
    let (sim, _socket, _) = busy().await;
    let mut posted = Vec::new();
    for extra in [json!({}), json!({"number": 0.5}), json!({"front": true}), json!({"number": "-7"})] {
        let mut body = json!({"prompt": three_nodes("x"), "client_id": "a"});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let answer = post(&sim, "/prompt", &body).await;
        posted
            .push(answer.text().split("\"number\": ").nth(1).unwrap().split(',').next().unwrap().to_owned());
    }
    assert_eq!(posted, ["1", "0.5", "-2", "-7.0"]);
    let queue = get_json(&sim, "/queue").await;
    let mut order = Vec::new();
    for _ in 0..4 {
        let pending = get_json(&sim, "/queue").await["queue_pending"].clone();
        // What waits is a heap: its first entry runs next.
        order.push(pending[0][0].to_string());
        post(&sim, "/queue", &json!({"delete": [pending[0][1]]})).await;
    }
    assert_eq!(order, ["-7.0", "-2", "0.5", "1"]);
    let item = &queue["queue_pending"][0];
    assert_eq!(item[2], three_nodes("x"));
    assert_eq!(item[3]["client_id"], "a");
    assert!(item[3]["create_time"].is_u64());
    assert_eq!(item[4], json!(["3"]));
}

#[tokio::test]
async fn every_change_of_the_queue_is_told_to_everyone() {
    let sim = Sim::start().await.unwrap();
    let mut bystander = Socket::open(&sim, "b").await;
    submit(&sim, "a", three_nodes("x")).await;
    assert_eq!(bystander.until("status 0").await, ["status 1", "status 1", "status 0"]);
}

#[tokio::test]
async fn what_nobody_is_to_see_is_kept_out_of_the_queue() {
    let (sim, _socket, _) = busy().await;
    let extra =
        json!({"api_key_comfy_org": "secret", "auth_token_comfy_org": "secret", "kept": 1, "create_time": 1});
    post(&sim, "/prompt", &json!({"prompt": three_nodes("x"), "extra_data": extra})).await;
    let item = get_json(&sim, "/queue").await["queue_pending"][0].clone();
    assert_eq!(item[3]["kept"], 1);
    assert_ne!(item[3]["create_time"], 1);
    assert!(!item.to_string().contains("secret"));
}

#[tokio::test]
async fn a_refused_prompt_uses_up_a_number_and_is_told_to_nobody() {
    let sim = Sim::start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    let id = json!({"prompt": three_nodes("x"), "prompt_id": "AAAAAAAA-2222-4333-8444-555555555555"});
    assert_eq!(post(&sim, "/prompt", &id).await.json()["error"]["type"], "invalid_prompt_id");
    assert_eq!(post(&sim, "/prompt", &json!({})).await.json()["error"]["type"], "no_prompt");
    assert_eq!(
        post(&sim, "/prompt", &json!({"prompt": {}})).await.json()["error"]["type"],
        "prompt_no_outputs"
    );
    let own = "11111111-2222-4333-8444-555555555555";
    let accepted = post(&sim, "/prompt", &json!({"prompt": three_nodes("x"), "prompt_id": own})).await;
    assert_eq!(accepted.text(), format!(r#"{{"prompt_id": "{own}", "number": 3, "node_errors": {{}}}}"#));
    assert_eq!(short(&socket.next().await), "status 1");
}
