//! The server's log, and what the server says of itself.

use comfy_sim::{ServerVersion, Sim};
use serde_json::{Value, json};

use crate::support::{Socket, get, get_json, post, request, submit, three_nodes};

async fn lines(sim: &Sim) -> Vec<String> {
    let raw = get_json(sim, "/internal/logs/raw").await;
    let entries = raw["entries"].as_array().unwrap().iter();
    entries.map(|entry| entry["m"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_is_wrong_with_a_prompt_is_written_into_the_log() {
    let sim = Sim::builder().version(ServerVersion::V0_8_0).start().await.unwrap();
    let mut prompt = three_nodes("x");
    prompt["1"]["inputs"]["width"] = json!(0);
    post(&sim, "/prompt", &json!({"prompt": prompt})).await;
    let lines = lines(&sim).await;
    let start = lines.iter().position(|line| line == "got prompt\n").unwrap();
    assert_eq!(
        lines[start + 1..],
        [
            "Failed to validate prompt for output 3:\n",
            "* EmptyImage 1:\n",
            "  - Value 0 smaller than min of 1: width\n",
            "Output will be ignored\n",
            "invalid prompt: {'type': 'prompt_outputs_failed_validation', 'message': 'Prompt outputs failed validation', \
             'details': '', 'extra_info': {}}\n",
        ]
    );
}

#[tokio::test]
async fn those_who_ask_for_it_hear_of_new_lines() {
    let sim = Sim::start().await.unwrap();
    let mut listener = Socket::open(&sim, "listener").await;
    let mut other = Socket::open(&sim, "other").await;
    let subscribe = async |body: Value| {
        request(&sim, "PATCH", "/internal/logs/subscribe", &[], body.to_string().as_bytes()).await.status
    };
    assert_eq!(subscribe(json!({"clientId": "listener", "enabled": true})).await, 200);
    assert_eq!(subscribe(json!({"clientId": "nobody", "enabled": true})).await, 200);
    for bad in
        [json!({}), json!({"clientId": "listener"}), json!([]), json!({"clientId": [], "enabled": true})]
    {
        assert_eq!(subscribe(bad.clone()).await, 500, "{bad}");
    }
    submit(&sim, "other", three_nodes("x")).await;
    let mut texts = Vec::new();
    while texts.len() < 2 {
        let message = listener.next().await;
        if message["type"] == "logs" {
            assert_eq!(message["data"]["size"], Value::Null);
            texts.push(message["data"]["entries"][0]["m"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(texts[0], "\u{1b}[32m[INFO]\u{1b}[0m got prompt\n");
    assert!(texts[1].starts_with("\u{1b}[32m[INFO]\u{1b}[0m \u{1b}[32mPrompt executed in 0."), "{texts:?}");
    loop {
        let message = other.next().await;
        assert_ne!(message["type"], "logs");
        if message["type"] == "executing" && message["data"]["node"].is_null() {
            break;
        }
    }
    assert_eq!(
        get(&sim, "/internal/logs").await.json().as_str().map(|text| text.contains("got prompt")),
        Some(true)
    );
}

#[tokio::test]
async fn internal_paths_are_a_part_of_their_own() {
    let sim = Sim::start().await.unwrap();
    for (method, path, status, text) in [
        ("GET", "/internal", 404, "404: Not Found"),
        ("POST", "/internal/nope", 404, "404: Not Found"),
        ("GET", "/internal/logs/", 404, "404: Not Found"),
        ("POST", "/internal/logs", 405, "405: Method Not Allowed"),
        ("GET", "/internal/logs/subscribe", 405, "405: Method Not Allowed"),
        ("GET", "/api/internal/logs", 404, ""),
    ] {
        let answer = request(&sim, method, path, &[], b"").await;
        assert_eq!((answer.status, answer.text().as_str()), (status, text), "{method} {path}");
    }
    let answer = request(&sim, "GET", "/internal/logs/subscribe", &[], b"").await;
    assert_eq!(answer.header("allow"), Some("PATCH"));
}

#[tokio::test]
async fn features_follow_version_and_options() {
    let keys = async |sim: &Sim| {
        let features = get_json(sim, "/features").await;
        features.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    let flagged =
        |version| Sim::builder().version(version).feature_flag("foo", "1").feature_flag("assets", "x");
    let sim = flagged(ServerVersion::V0_3_64).start().await.unwrap();
    assert_eq!(keys(&sim).await, "supports_preview_metadata max_upload_size");
    assert_eq!(get_json(&sim, "/system_stats").await["system"]["os"], "posix");
    let sim = flagged(ServerVersion::V0_8_0).start().await.unwrap();
    assert_eq!(keys(&sim).await, "supports_preview_metadata max_upload_size extension");
    let sim = flagged(ServerVersion::V0_30_0)
        .feature_flag("show_signin_button", "true")
        .max_upload_megabytes(1.0)
        .start()
        .await
        .unwrap();
    let features = get(&sim, "/features").await.text();
    assert_eq!(
        features,
        r#"{"supports_preview_metadata": true, "supports_model_type_tags": true, "max_upload_size": 1048576.0, "extension": {"manager": {"supports_v4": true}}, "node_replacements": true, "assets": false, "foo": "1", "show_signin_button": true}"#
    );
    let mut socket = Socket::open(&sim, "a").await;
    socket.send(r#"{"type": "feature_flags", "data": {}}"#).await;
    assert_eq!(socket.next().await["data"]["foo"], "1");
}
