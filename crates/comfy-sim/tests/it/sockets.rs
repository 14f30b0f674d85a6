use std::time::Duration;

use comfy_sim::Sim;
use serde_json::json;

use crate::support::{Socket, get_json, post, short, submit, three_nodes};

#[tokio::test]
async fn a_socket_without_an_id_is_given_one() {
    let sim = Sim::start().await.unwrap();
    for path in ["/ws", "/ws?clientId=", "/api/ws"] {
        let greeting = Socket::open_path(&sim, path).await.next().await;
        let sid = greeting["data"]["sid"].as_str().unwrap();
        assert_eq!(sid.len(), 32);
        assert_eq!(greeting["data"]["status"], json!({"exec_info": {"queue_remaining": 0}}));
    }
}

#[tokio::test]
async fn messages_about_a_prompt_go_to_its_client_alone() {
    let sim = Sim::start().await.unwrap();
    let (mut a, mut b) = (Socket::open(&sim, "a").await, Socket::open(&sim, "b").await);
    submit(&sim, "a", three_nodes("x")).await;
    a.until("executing null").await;
    assert_eq!(b.until("status 0").await, ["status 1", "status 1", "status 0"]);
    submit(&sim, "nobody", three_nodes("y")).await;
    assert_eq!(a.until("status 0").await, ["status 1", "status 1", "status 0"]);
}

#[tokio::test]
async fn progress_of_a_prompt_without_client_goes_to_everyone() {
    let sim = Sim::start().await.unwrap();
    let mut bystander = Socket::open(&sim, "b").await;
    post(&sim, "/prompt", &json!({"prompt": three_nodes("x")})).await;
    let heard = bystander.until("status 0").await;
    assert_eq!(heard.iter().filter(|message| message.starts_with("progress ")).count(), 6);
    assert_eq!(heard.len(), 9);
}

#[tokio::test]
async fn a_newer_socket_takes_over_and_the_end_of_the_older_one_mutes_it() {
    let sim = Sim::start().await.unwrap();
    let mut first = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("one")).await;
    first.until("executing null").await;
    let mut second = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("two")).await;
    second.until("executing null").await;
    first.close().await;
    let mut bystander = Socket::open(&sim, "b").await;
    let id = submit(&sim, "a", three_nodes("three")).await;
    bystander.until("status 0").await;
    assert!(get_json(&sim, &format!("/history/{id}")).await[&id].is_object());
    assert_eq!(second.close().await, 0);
    let mut third = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("four")).await;
    assert!(third.until("executing null").await.contains(&"success".to_owned()));
}

#[tokio::test]
async fn who_comes_back_during_a_run_is_told_the_node_and_nothing_else() {
    let sim = Sim::builder().node_delay(Duration::from_secs(3600)).start().await.unwrap();
    let mut before = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("x")).await;
    before.until("executing 1").await;
    before.close().await;
    let mut after = Socket::open(&sim, "a").await;
    assert_eq!(after.next().await, json!({"type": "executing", "data": {"node": "1"}}));
    let mut other = Socket::open(&sim, "b").await;
    post(&sim, "/interrupt", &json!({})).await;
    assert_eq!(after.until("executing null").await, ["interrupted 1 after []", "status 0", "executing null"]);
    assert_eq!(short(&other.next().await), "status 0");
    let mut idle = Socket::open(&sim, "a").await;
    submit(&sim, "b", three_nodes("y")).await;
    assert_eq!(short(&idle.next().await), "status 1");
}

#[tokio::test]
async fn features_are_told_to_a_client_whose_first_message_asks() {
    let sim = Sim::start().await.unwrap();
    let features = get_json(&sim, "/features").await;
    let asking = json!({"type": "feature_flags", "data": {"supports_preview_metadata": true}}).to_string();

    let mut socket = Socket::open(&sim, "a").await;
    for noise in ["not json", "[]", "5"] {
        socket.send(noise).await;
    }
    socket.send(&asking).await;
    assert_eq!(socket.next().await, json!({"type": "feature_flags", "data": features}));
    socket.send(&asking).await;

    let mut late = Socket::open(&sim, "b").await;
    late.send(r#"{"type": "hello"}"#).await;
    late.send(&asking).await;

    // Neither the second question nor the one after another message is answered.
    submit(&sim, "c", three_nodes("x")).await;
    assert_eq!(short(&socket.next().await), "status 1");
    assert_eq!(short(&late.next().await), "status 1");
}
