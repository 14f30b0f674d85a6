//! What a client may ask for without bringing the simulator down.

use comfy_sim::Sim;
use serde_json::{Value as Json, json};

use crate::support::*;

/// The exception that a prompt ends with; an empty text when it ends well.
async fn exception(sim: &Sim, prompt: Json) -> String {
    let id = submit(sim, "limits", prompt).await;
    let path = format!("/history/{id}");
    let record = loop {
        let mut record = get_json(sim, &path).await;
        if !record[&id].is_null() {
            break record[&id].take();
        }
        tokio::task::yield_now().await;
    };
    let messages = record["status"]["messages"].as_array().cloned().unwrap_or_default();
    let error = messages.iter().find(|message| message[0] == "execution_error");
    error.map(|error| error[1]["exception_type"].as_str().unwrap_or_default().to_owned()).unwrap_or_default()
}

fn shown(class: &str, inputs: Json) -> Json {
    json!({
        "1": {"class_type": class, "inputs": inputs},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
    })
}

#[tokio::test]
async fn an_expression_of_any_depth_is_computed_or_refused() {
    let sim = Sim::start().await.unwrap();
    let sum = |terms: usize| format!("1{}", "+1".repeat(terms));
    let expressions = [
        (sum(100), ""),
        (sum(900), ""),
        (sum(100_000), "RecursionError"),
        (format!("values{}", "[0]".repeat(100_000)), "RecursionError"),
        (format!("{}1", "not ".repeat(50_000)), "RecursionError"),
        (format!("{}2", "1 and ".repeat(50_000)), "RecursionError"),
        (format!("{}2", "0 or ".repeat(50_000)), "RecursionError"),
    ];
    for (expression, ends) in expressions {
        let prompt = shown("ComfyMathExpression", json!({"expression": expression, "values.a": 1}));
        assert_eq!(exception(&sim, prompt).await, ends, "{}", &expression[..20]);
    }
}

#[tokio::test]
async fn texts_do_not_grow_without_end() {
    let sim = Sim::start().await.unwrap();
    let mut doubled = serde_json::Map::new();
    doubled
        .insert("0".into(), json!({"class_type": "PrimitiveString", "inputs": {"value": "x".repeat(1_000)}}));
    for at in 1..=40 {
        let half = json!([(at - 1).to_string(), 0]);
        let inputs = json!({"string_a": half, "string_b": half, "delimiter": ""});
        doubled.insert(at.to_string(), json!({"class_type": "StringConcatenate", "inputs": inputs}));
    }
    doubled.insert("end".into(), json!({"class_type": "PreviewAny", "inputs": {"source": ["40", 0]}}));
    assert_eq!(exception(&sim, doubled.into()).await, "MemoryError");
    let (long, replacement) = ("a".repeat(1 << 20), "b".repeat(100 << 10));
    let replace = shown("StringReplace", json!({"string": long, "find": "a", "replace": replacement}));
    assert_eq!(exception(&sim, replace).await, "MemoryError");
    let pattern = json!({
        "string": &long[..10_000], "regex_pattern": "", "replace": replacement, "case_insensitive": false,
        "multiline": false, "dotall": false, "count": 0,
    });
    assert_eq!(exception(&sim, shown("RegexReplace", pattern)).await, "MemoryError");
}

#[tokio::test]
async fn who_sends_too_much_hears_it_after_sending_all() {
    let sim = Sim::builder().max_upload_megabytes(1.0).start().await.unwrap();
    for path in ["/prompt", "/upload/image"] {
        let answer = request(&sim, "POST", path, &[], &vec![b' '; 24 << 20]).await;
        assert!(
            matches!((path, answer.status), ("/prompt", 413) | ("/upload/image", 400 | 413)),
            "{path}: {}",
            answer.status
        );
    }
}

#[tokio::test]
async fn a_fault_that_is_no_json_is_refused_in_words() {
    let sim = Sim::start().await.unwrap();
    let answer = request(&sim, "POST", "/simulator/faults", &[], b"restart").await;
    assert_eq!(answer.status, 400);
    assert!(answer.json()["error"].as_str().is_some_and(|error| error.contains("no JSON")));
}
