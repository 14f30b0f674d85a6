//! What `POST /prompt` takes and adds, by version, and what becomes of numbers that are not finite.

use comfy_sim::{ServerVersion, Sim};
use serde_json::{Value, json};

use crate::support::{Socket, get, get_json, post, request};

const ID: &str = "00000000-0000-4000-8000-000000000001";

fn prompt() -> Value {
    json!({"1": {"class_type": "PreviewAny", "inputs": {"source": "x"}}})
}

async fn start(version: ServerVersion) -> Sim {
    Sim::builder().version(version).start().await.unwrap()
}

/// Posts a body as it is, with the status and the text of the answer.
async fn send(sim: &Sim, path: &str, body: &str) -> (u16, String) {
    let answer = request(sim, "POST", path, &[], body.as_bytes()).await;
    (answer.status, answer.text())
}

/// Waits until a prompt has run. Its record as it is written.
async fn record(sim: &Sim, id: &str) -> String {
    loop {
        let text = get(sim, &format!("/history/{id}")).await.text();
        if text != "{}" {
            return text;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn older_versions_take_any_prompt_id_as_a_text() {
    for version in [ServerVersion::V0_3_64, ServerVersion::V0_8_0] {
        let sim = start(version).await;
        for (id, text) in [(json!(null), "None"), (json!(["l"]), "['l']"), (json!(5), "5"), (json!(""), "")] {
            let answer = post(&sim, "/prompt", &json!({"prompt": prompt(), "prompt_id": id})).await;
            assert_eq!(answer.json()["prompt_id"], text);
        }
    }
    let sim = start(ServerVersion::V0_30_0).await;
    for id in [json!("x"), json!(""), json!(5), json!("AAAAAAAA-0000-4000-8000-000000000001")] {
        let answer = post(&sim, "/prompt", &json!({"prompt": prompt(), "prompt_id": id})).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["type"]),
            (400, &json!("invalid_prompt_id")),
            "{id}"
        );
    }
    // The refused ones have taken numbers.
    assert_eq!(post(&sim, "/prompt", &json!({"prompt": prompt()})).await.json()["number"], 4);
}

#[tokio::test]
async fn what_is_added_to_a_prompt_and_what_is_hidden_follows_the_version() {
    for version in ServerVersion::ALL {
        let sim = start(version).await;
        let body = json!({
            "prompt": prompt(),
            "prompt_id": ID,
            "client_id": "a",
            "extra_data": {"api_key_comfy_org": "secret", "mine": 1, "create_time": 5},
        });
        let headers = [("Comfy-Usage-Source", "tests")];
        request(&sim, "POST", "/prompt", &headers, body.to_string().as_bytes()).await;
        let record: Value = serde_json::from_str(&record(&sim, ID).await).unwrap();
        let extra = &record[ID]["prompt"][3];
        assert_eq!((&extra["mine"], &extra["client_id"]), (&json!(1), &json!("a")), "{version}");
        assert_eq!(extra.get("api_key_comfy_org"), None, "{version}");
        assert_eq!(extra["create_time"] == 5, version == ServerVersion::V0_3_64, "{version}");
        let source = extra.get("comfy_usage_source");
        assert_eq!(source.is_some(), version == ServerVersion::V0_30_0, "{version}");
    }
}

#[tokio::test]
async fn prompts_are_checked_as_their_version_does() {
    let unknown = json!({"prompt": {"1": {"class_type": "Nope", "inputs": {}}}});
    for (version, kind) in [
        (ServerVersion::V0_3_64, "invalid_prompt"),
        (ServerVersion::V0_8_0, "invalid_prompt"),
        (ServerVersion::V0_30_0, "missing_node_type"),
    ] {
        let sim = start(version).await;
        assert_eq!(post(&sim, "/prompt", &unknown).await.json()["error"]["type"], kind);
        let list = post(&sim, "/prompt", &json!({"prompt": []})).await;
        assert_eq!(list.status, if version == ServerVersion::V0_30_0 { 500 } else { 400 }, "{version}");
        let number = post(&sim, "/prompt", &json!({"prompt": {}, "extra_data": 5})).await;
        assert_eq!(number.status, if version == ServerVersion::V0_30_0 { 500 } else { 400 }, "{version}");
    }
}

#[tokio::test]
async fn numbers_of_prompts_are_read_as_python_reads_them() {
    let sim = Sim::start().await.unwrap();
    for (number, written) in [
        (r#"" 1_0.5 ""#, "10.5"),
        ("true", "1.0"),
        ("NaN", "NaN"),
        (r#""-inf""#, "-Infinity"),
        ("1e999", "Infinity"),
        ("123456789012345678901234567890", "1.2345678901234568e+29"),
    ] {
        let body = format!(r#"{{"prompt": {}, "number": {number}}}"#, prompt());
        let (status, text) = send(&sim, "/prompt", &body).await;
        assert_eq!(status, 200, "{number}");
        assert!(text.contains(&format!(r#""number": {written}, "#)), "{number}: {text}");
    }
    for number in ["null", "[1]", r#""abc""#] {
        let body = format!(r#"{{"prompt": {}, "number": {number}}}"#, prompt());
        assert_eq!(send(&sim, "/prompt", &body).await.0, 500, "{number}");
    }
    for body in ["NaN", r#"{"prompt": NaN}"#, r#"{"prompt": {"1": NaN}}"#] {
        assert_eq!(send(&sim, "/prompt", body).await.0, 500, "{body}");
    }
}

#[tokio::test]
async fn what_json_cannot_hold_comes_back_as_it_was_sent() {
    let sim = Sim::start().await.unwrap();
    let body = format!(
        r#"{{"prompt_id": "{ID}", "client_id": "a", "extra_data": {{"k": [NaN, -Infinity], "\ud800": 36893488147419103232}},
            "prompt": {{"1": {{"class_type": "PreviewAny", "inputs": {{"source": NaN}}}}}}}}"#
    );
    let socket = Socket::open(&sim, "a").await;
    assert_eq!(send(&sim, "/prompt", &body).await.0, 200);
    let record = record(&sim, ID).await;
    assert!(record.contains(r#""inputs": {"source": NaN}"#), "{record}");
    assert!(
        record.contains(r#"{"k": [NaN, -Infinity], "\ud800": 36893488147419103232, "client_id": "a""#),
        "{record}"
    );
    assert!(record.contains(r#""text": ["nan"]"#), "{record}");
    let job = get(&sim, &format!("/api/jobs/{ID}")).await.text();
    assert!(job.contains(r#""inputs": {"source": NaN}"#), "{job}");
    // The records that users get are plain JSON.
    let plain = sim.records().record(ID).unwrap();
    assert_eq!(plain["prompt"][3]["k"], json!([null, null]));
    socket.close().await;
}

#[tokio::test]
async fn a_refusal_echoes_the_number_that_was_refused() {
    let sim = Sim::start().await.unwrap();
    let picture = |width: &str| {
        format!(
            r#"{{"prompt": {{"1": {{"class_type": "EmptyImage", "inputs": {{"width": {width}, "height": 1, "batch_size": 1, "color": 0}}}},
                "2": {{"class_type": "SaveImage", "inputs": {{"images": ["1", 0], "filename_prefix": "x"}}}}}}}}"#
        )
    };
    for (width, message) in [
        ("NaN", "cannot convert float NaN to integer"),
        ("-Infinity", "cannot convert float infinity to integer"),
    ] {
        let (status, text) = send(&sim, "/prompt", &picture(width)).await;
        assert_eq!(status, 400);
        assert!(
            text.contains(&format!(r#""received_value": {width}, "exception_message": "{message}""#)),
            "{text}"
        );
    }
    let (_, text) = send(&sim, "/prompt", &picture("18446744073709551616")).await;
    assert!(text.contains(r#""message": "Value 18446744073709551616 bigger than max of"#), "{text}");
    assert!(text.contains(r#""received_value": 18446744073709551616"#), "{text}");
}

#[tokio::test]
async fn a_client_id_that_cannot_be_looked_up_ends_the_simulator_as_it_ends_the_server() {
    let sim = Sim::start().await.unwrap();
    let mut socket = Socket::open(&sim, "bystander").await;
    let answer = post(&sim, "/prompt", &json!({"prompt": prompt(), "client_id": ["a"]})).await;
    assert_eq!(answer.status, 200);
    while socket.next_frame().await.is_some_and(|frame| !frame.is_close()) {}
    let sim = Sim::start().await.unwrap();
    assert_eq!(
        post(&sim, "/prompt", &json!({"prompt": prompt(), "client_id": 5, "prompt_id": ID})).await.status,
        200
    );
    record(&sim, ID).await;
    assert_eq!(get_json(&sim, "/queue").await, json!({"queue_running": [], "queue_pending": []}));
}
