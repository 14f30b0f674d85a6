//! Recorded runs of real servers, played to the client: every job must end as the server's record says.

use std::time::Duration;

use comfy_api_client::protocol::json;
use comfy_api_client::protocol::routes::history::{Ending, HistoryEntry};
use comfy_api_client::protocol::{Message, NodeOutput};
use comfy_api_client::workflow::NodeId;
use comfy_api_client::{Client, ErrorKind, Workflow};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::support::stage::{Act, Manner, Run, Stage, runs_of};
use crate::support::{corpus, in_time};

const MANNERS: [Manner; 5] = [
    Manner { takes_id: true, answers_last: false, has_socket: true },
    Manner { takes_id: true, answers_last: true, has_socket: true },
    Manner { takes_id: false, answers_last: false, has_socket: true },
    Manner { takes_id: false, answers_last: true, has_socket: true },
    Manner { takes_id: true, answers_last: false, has_socket: false },
];

/// How a job ended, in words.
async fn play(run: &Run, manner: Manner) -> String {
    // Some prompts of the record are deliberately odd; what matters here is what the server said of them.
    let workflow = Workflow::from_value(run.prompt.clone())
        .unwrap_or_else(|_| r#"{"1": {"class_type": "EmptyImage", "inputs": {}}}"#.parse().unwrap());
    let stage = Stage::start(run.clone(), manner).await;
    let client = Client::builder(&stage.url).silence(Duration::from_millis(100)).connect().await.unwrap();
    let job = client.submit(&workflow).await.unwrap();
    let mut events = job.events();
    let mut ends = 0;
    while let Some(event) = events.next().await {
        ends += usize::from(matches!(event, Err(_) | Ok(comfy_api_client::Event::Finished)));
    }
    assert_eq!(ends, 1, "{}", run.name);
    match job.outputs().await {
        Ok(outputs) => success(outputs.nodes()).replace(outputs.prompt_id(), &run.id),
        Err(error) => match error.kind() {
            ErrorKind::Execution => format!(
                "error {:?}",
                error.execution().map(|report| (report.node_id.to_string(), report.exception_type.clone()))
            ),
            kind => format!("{kind:?}"),
        },
    }
}

/// How the run ended: as the server's record says, else as its socket did; `None` where a client cannot know.
fn recorded(run: &Run, manner: Manner) -> Option<String> {
    if let Some(history) = &run.history {
        let entry: HistoryEntry = json::from_str(&history.to_string()).unwrap();
        let sends_pictures = run.prompt.to_string().contains("SaveImageWebsocket");
        return Some(match entry.ending() {
            // Pictures that came while nobody knew whose they are, or over no socket, are missed.
            Ending::Success if sends_pictures && !(manner.takes_id && manner.has_socket) => {
                "Incomplete".into()
            }
            Ending::Success => {
                success(entry.outputs.iter().filter_map(|(id, output)| Some((id, output.as_ref()?))))
            }
            Ending::Error(report) => format!(
                "error {:?}",
                report.map(|report| (report.node_id.to_string(), report.exception_type))
            ),
            Ending::Interrupted(_) => "Interrupted".into(),
            other => format!("{other:?}"),
        });
    }
    let hears_all =
        manner.has_socket && manner.takes_id && !run.acts.iter().any(|act| matches!(act, Act::Close));
    let mut end = "Removed".to_owned();
    let mut outputs = Vec::new();
    for act in &run.acts {
        let Act::Text(text) = act else { continue };
        let message = Message::from_slice(text.as_bytes()).unwrap();
        if message.prompt_id() != Some(&run.id) {
            continue;
        }
        match message {
            Message::ExecutionStart(_) => end = "Lost".into(),
            Message::ExecutionSuccess(_) => end = "success".into(),
            Message::ExecutionInterrupted(_) => end = "Interrupted".into(),
            Message::ExecutionError(error) if !error.is_blocked() => {
                end = format!("error {:?}", Some((error.node_id.to_string(), error.exception_type)));
            }
            Message::Executed(executed) => {
                outputs.extend(executed.output.map(|output| (executed.node, output)))
            }
            _ => {}
        }
    }
    if end == "success" {
        end = success(outputs.iter().map(|(id, output)| (id, output)));
    }
    (hears_all || end == "Removed").then_some(end)
}

fn success<'a>(outputs: impl Iterator<Item = (&'a NodeId, &'a NodeOutput)>) -> String {
    let outputs = outputs.filter(|(_, output)| !output.0.is_empty());
    format!(
        "success {}",
        sorted(outputs.map(|(id, output)| format!("{id}={}", Value::Object(output.0.clone()))).collect())
    )
}

fn sorted(mut outputs: Vec<String>) -> String {
    outputs.sort();
    outputs.join(" ")
}

/// Plays all runs in all manners, and returns how many runs there were.
async fn play_all(scenarios: Vec<(String, Value)>) -> usize {
    // These stop or kill the server: the recorded run has no end.
    let endless = |name: &str| name.contains("worker_death") || name.contains("shutdown");
    let runs: Vec<Run> = scenarios
        .iter()
        .filter(|(name, _)| !endless(name))
        .flat_map(|(name, scenario)| runs_of(name, scenario))
        .collect();
    let plays = runs.iter().flat_map(|run| MANNERS.map(|manner| (run, manner)));
    let differences: Vec<String> = futures_util::stream::iter(plays)
        .map(|(run, manner)| async move {
            let expected = recorded(run, manner);
            let ended = tokio::time::timeout(Duration::from_secs(30), play(run, manner))
                .await
                .unwrap_or_else(|_| "never".into());
            expected
                .filter(|expected| *expected != ended)
                .map(|expected| format!("{} {manner:?}\n  recorded {expected}\n  ended    {ended}", run.name))
        })
        .buffer_unordered(48)
        .filter_map(|difference| async { difference })
        .collect()
        .await;
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
    runs.len()
}

#[tokio::test]
async fn a_run_that_was_heard_to_its_success_is_one_although_socket_and_record_are_gone() {
    let message = |kind: &str, data: Value| Act::Text(json!({"type": kind, "data": data}).to_string());
    let output = json!({"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]});
    let acts = [
        message("execution_start", json!({"prompt_id": "ID", "timestamp": 1})),
        message("execution_cached", json!({"prompt_id": "ID", "nodes": [], "timestamp": 1})),
        message("executed", json!({"prompt_id": "ID", "node": "3", "display_node": "3", "output": output})),
        message("execution_success", json!({"prompt_id": "ID", "timestamp": 2})),
        Act::Close,
    ];
    let run = Run {
        name: "heard".into(),
        id: "ID".into(),
        prompt: json!({"3": {"class_type": "SaveImage", "inputs": {}}}),
        answer: json!({"prompt_id": "ID", "number": 0, "node_errors": {}}),
        acts: acts.into(),
        history: None,
        growing: false,
    };
    assert_eq!(in_time(play(&run, MANNERS[0])).await, format!("success 3={output}"));
}

#[tokio::test]
async fn recorded_runs_end_as_they_did() {
    let played = play_all(corpus::fixtures()).await;
    assert!(played >= 8, "{played} runs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_recorded_runs_end_as_they_did() {
    let scenarios = corpus::collection();
    if scenarios.is_empty() {
        return;
    }
    let played = play_all(scenarios).await;
    eprintln!("{played} recorded runs, each in {} manners", MANNERS.len());
    assert!(played >= 300, "{played} runs");
}
