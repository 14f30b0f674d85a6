use comfy_sim::Sim;
use serde_json::{Value, json};

use crate::support::{Socket, get_json, request, short, submit, three_nodes};

/// A run of `three_nodes` with nothing known, as recorded in `basic_run`.
const WHOLE_RUN: [&str; 17] = [
    "status 1",
    "status 1",
    "start",
    "cached []",
    "progress 1 running 0.0/1.0",
    "executing 1",
    "progress 1 finished 1.0/1.0",
    "progress 1 finished 1.0/1.0, 2 running 0.0/1.0",
    "executing 2",
    "progress 1 finished 1.0/1.0, 2 finished 1.0/1.0",
    "progress 1 finished 1.0/1.0, 2 finished 1.0/1.0, 3 running 0.0/1.0",
    "executing 3",
    "executed 3",
    "progress 1 finished 1.0/1.0, 2 finished 1.0/1.0, 3 finished 1.0/1.0",
    "success",
    "status 0",
    "executing null",
];

#[tokio::test]
async fn a_run_tells_its_messages_in_the_recorded_order() {
    let sim = Sim::start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("demo")).await;
    assert_eq!(socket.until("executing null").await, WHOLE_RUN);
}

#[tokio::test]
async fn a_known_result_is_only_reported() {
    let sim = Sim::start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("demo")).await;
    socket.until("executing null").await;
    let id = submit(&sim, "a", three_nodes("demo")).await;
    let known = [
        "status 1",
        "status 1",
        "start",
        "cached [1 2 3]",
        "executed 3",
        "progress 3 finished 1/1",
        "success",
        "status 0",
        "executing null",
    ];
    assert_eq!(socket.until("executing null").await, known);
    let entry = get_json(&sim, &format!("/history/{id}")).await[&id].clone();
    assert_eq!(entry["outputs"]["3"]["images"][0]["filename"], "demo_00001_.png");

    submit(&sim, "a", three_nodes("other")).await;
    let heard = socket.until("executing null").await;
    assert_eq!(heard[3..6], ["cached [1 2]", "progress 3 running 0.0/1.0", "executing 3"]);
}

#[tokio::test]
async fn results_that_a_prompt_does_not_have_are_forgotten_when_it_starts() {
    let sim = Sim::start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    let other = json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 7}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    });
    for prompt in [three_nodes("a"), other, three_nodes("a")] {
        submit(&sim, "a", prompt).await;
        assert!(socket.until("executing null").await.contains(&"cached []".to_owned()));
    }
}

#[tokio::test]
async fn a_result_is_known_under_any_id() {
    let sim = Sim::start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    let empty =
        json!({"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 7}});
    let twice = json!({
        "a": empty,
        "b": empty,
        "c": {"class_type": "PreviewImage", "inputs": {"images": ["a", 0]}},
        "d": {"class_type": "SaveImage", "inputs": {"images": ["b", 0], "filename_prefix": "d"}},
    });
    submit(&sim, "a", twice).await;
    let heard = socket.until("executing null").await;
    let told: Vec<_> =
        heard.iter().filter(|message| message.starts_with("execut")).map(String::as_str).collect();
    // The second of the two equal nodes is not run, and reported as done without an output.
    assert_eq!(
        told,
        [
            "executing b",
            "executing d",
            "executed d",
            "executed a",
            "executing c",
            "executed c",
            "executing null"
        ]
    );
}

#[tokio::test]
async fn freeing_the_memory_forgets_all_results() {
    let sim = Sim::start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("demo")).await;
    socket.until("executing null").await;
    crate::support::post(&sim, "/free", &json!({"unload_models": true})).await;
    submit(&sim, "a", three_nodes("demo")).await;
    assert!(socket.until("executing null").await.contains(&"cached [1 2 3]".to_owned()));
    crate::support::post(&sim, "/free", &json!({"free_memory": true})).await;
    submit(&sim, "a", three_nodes("demo")).await;
    assert!(socket.until("executing null").await.contains(&"cached []".to_owned()));
}

#[tokio::test]
async fn a_node_that_fails_ends_its_prompt_with_a_report() {
    let sim = Sim::start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    let form = "--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"bad.png\"\r\n\r\nno picture\r\n--b--\r\n";
    let headers = [("Content-Type", "multipart/form-data; boundary=b")];
    let stored = request(&sim, "POST", "/upload/image", &headers, form.as_bytes()).await;
    assert_eq!(stored.json()["name"], "bad.png");
    let prompt = json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 1}},
        "4": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "maybe"}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "bad.png"}},
        "5": {"class_type": "ImageInvert", "inputs": {"image": ["2", 0]}},
        "6": {"class_type": "ImageInvert", "inputs": {"image": ["5", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "never"}},
    });
    let id = submit(&sim, "a", prompt).await;
    let mut error = Value::Null;
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last| last != "executing null") {
        let message = socket.next().await;
        heard.push(short(&message));
        if message["type"] == "execution_error" {
            error = message["data"].clone();
        }
    }
    assert_eq!(
        heard[heard.len() - 4..],
        ["executing 2", "error 2 PIL.UnidentifiedImageError", "status 0", "executing null"]
    );
    assert_eq!(error["node_type"], "LoadImage");
    assert_eq!(error["current_inputs"], json!({"image": ["bad.png"]}));
    assert!(error["exception_message"].as_str().unwrap().ends_with("bad.png'\n"));
    assert_eq!(error["executed"], json!(["1", "4"]));

    let entry = get_json(&sim, &format!("/history/{id}")).await[&id].clone();
    assert_eq!(entry["status"]["status_str"], "error");
    assert_eq!(entry["status"]["completed"], false);
    assert_eq!(entry["status"]["messages"][2], json!(["execution_error", error]));
    assert_eq!(entry["outputs"].as_object().unwrap().keys().collect::<Vec<_>>(), ["4"]);
    assert_eq!(entry["meta"]["4"]["real_node_id"], "4");
}

#[tokio::test]
async fn output_nodes_run_before_nodes_that_lead_further_away() {
    let sim = Sim::start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    let empty = |color: u32| json!({"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": color}});
    let of =
        |class: &str, input: &str, from: &str| json!({"class_type": class, "inputs": {input: [from, 0]}});
    let prompt = json!({
        "1": empty(1), "2": of("ImageInvert", "image", "1"), "3": of("ImageInvert", "image", "2"), "4": of("PreviewImage", "images", "3"),
        "5": empty(2), "6": of("PreviewImage", "images", "5"),
        "7": empty(3), "8": of("ImageInvert", "image", "7"), "9": of("PreviewImage", "images", "8"),
    });
    submit(&sim, "a", prompt).await;
    let heard = socket.until("executing null").await;
    let ran: Vec<_> = heard.iter().filter_map(|message| message.strip_prefix("executing ")).collect();
    assert_eq!(ran, ["5", "6", "7", "8", "9", "1", "2", "3", "4", "null"]);
}

#[tokio::test]
async fn a_prompt_that_ends_a_real_worker_ends_this_one_too() {
    let sim = Sim::start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    let mut prompt = three_nodes("x");
    prompt["3"]["inputs"]["unknown"] = json!(["no such node", 0]);
    let id = submit(&sim, "a", prompt).await;
    assert_eq!(socket.until("cached []").await, ["status 1", "status 1", "start", "cached []"]);
    submit(&sim, "a", three_nodes("y")).await;
    assert_eq!(short(&socket.next().await), "status 2");
    let queue = get_json(&sim, "/queue").await;
    assert_eq!(queue["queue_running"][0][1], json!(id));
    assert_eq!(queue["queue_pending"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_report_of_a_failed_node_shows_what_the_server_filled_in() {
    let sim = Sim::start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    let prompt = json!({"1": {"class_type": "PreviewImage", "inputs": {"images": 5}}});
    submit(&sim, "a", prompt).await;
    let mut message = Value::Null;
    while message["type"] != "execution_error" {
        message = socket.next().await;
    }
    let printed = "{'1': {'class_type': 'PreviewImage', 'inputs': {'images': 5}}}";
    let inputs = json!({"images": [5], "prompt": [printed], "extra_pnginfo": [null]});
    assert_eq!(message["data"]["current_inputs"].to_string(), inputs.to_string());
}

#[tokio::test]
async fn a_picture_of_impossible_size_fails_and_the_next_prompt_runs() {
    let sim = Sim::start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    // Numbers that come along a link are not held to the limits of the input.
    for (batch, side) in [(4096, 16384), (0, i64::MAX), (1, i64::MAX)] {
        let number = |value: i64| json!({"class_type": "PrimitiveInt", "inputs": {"value": value}});
        let prompt = json!({
            "b": number(batch), "s": number(side),
            "1": {"class_type": "EmptyImage", "inputs": {"width": ["s", 0], "height": ["s", 0], "batch_size": ["b", 0], "color": 0}},
            "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "bilinear", "width": ["s", 0], "height": ["s", 0], "crop": "center"}},
            "3": {"class_type": "PreviewAny", "inputs": {"source": ["2", 0]}},
        });
        submit(&sim, "a", prompt).await;
        let heard = socket.until("executing null").await;
        assert!(heard.contains(&"error 1 RuntimeError".to_owned()), "{heard:?}");
    }
    submit(&sim, "a", three_nodes("x")).await;
    assert!(socket.until("executing null").await.contains(&"success".to_owned()));
}
