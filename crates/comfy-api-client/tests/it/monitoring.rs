//! A server that is watched while others use it.

use std::time::Duration;

use comfy_api_client::protocol::routes::history::Ending;
use comfy_api_client::{Client, Monitor, Reach, ServerChange, Tracking, Workflow};
use comfy_sim::{Fault, Kept, Sim};

use crate::support::{TestServer, behaviour, fresh, in_time, picture};

/// What the monitor tells until one of its changes will do, with that one at the end.
async fn until(monitor: &mut Monitor, will_do: impl Fn(&ServerChange) -> bool) -> Vec<ServerChange> {
    in_time(async {
        let mut changes = Vec::new();
        loop {
            let change = monitor.next().await;
            changes.push(change);
            if changes.last().is_some_and(&will_do) {
                return changes;
            }
        }
    })
    .await
}

/// A monitor that knows what the server does.
async fn watching(client: &Client) -> Monitor {
    let mut monitor = client.monitor();
    until(&mut monitor, |change| matches!(change, ServerChange::Reached)).await;
    monitor
}

/// What is told of one job, in order.
fn story(changes: &[ServerChange], id: &str) -> Vec<&'static str> {
    let mut story: Vec<&'static str> = Vec::new();
    for change in changes {
        let word = match change {
            ServerChange::Queued(of) if of == id => "queued",
            ServerChange::Started(of) if of == id => "started",
            ServerChange::Gone(of) if of == id => "gone",
            ServerChange::Ended(job) if job.job.prompt_id == id => match job.ending {
                Ending::Success => "done",
                Ending::Interrupted(_) => "interrupted",
                _ => "failed",
            },
            _ => continue,
        };
        story.push(word);
    }
    story
}

fn is_end_of(change: &ServerChange, id: &str) -> bool {
    match change {
        ServerChange::Ended(job) => job.job.prompt_id == id,
        ServerChange::Gone(of) => of == id,
        _ => false,
    }
}

behaviour! {
    async fn the_jobs_of_others_are_told_from_the_queue_to_their_end(server) {
        let mut monitor = watching(&server.client().await).await;
        let other = server.client().await;
        let first = other.submit(&picture(fresh())).await.unwrap();
        let second = other.submit(&picture(fresh())).await.unwrap();
        let (first, second) = (first.id(), second.id());
        let mut changes = until(&mut monitor, |change| is_end_of(change, &first)).await;
        let ended = monitor.view().ended(&first).unwrap().clone();
        assert_eq!(ended.job.workflow.node("3").unwrap().title(), Some("Save it"));
        assert_eq!(ended.files().count(), 1);
        assert!(ended.milliseconds().is_some());
        if !story(&changes, &second).contains(&"done") {
            changes.extend(until(&mut monitor, |change| is_end_of(change, &second)).await);
        }
        assert_eq!(story(&changes, &first).last(), Some(&"done"));
        assert_eq!(story(&changes, &second).last(), Some(&"done"));
        let stats = monitor.view().stats.as_ref().unwrap();
        assert!(stats.system.ram_total > 0 && !stats.devices.is_empty());
    }
}

#[tokio::test]
async fn what_waits_is_in_order_and_what_was_removed_or_interrupted_is_told_so() {
    let server = TestServer::slow().await;
    let mut monitor = watching(&server.client().await).await;
    let other = server.client().await;
    let runs = other.submit(&picture(fresh())).await.unwrap();
    let waits = other.submit(&picture(fresh())).await.unwrap();
    let next = other.submit(&picture(fresh())).front(true).await.unwrap();
    let mut changes =
        until(&mut monitor, |change| matches!(change, ServerChange::Queued(id) if *id == next.id())).await;
    let view = monitor.view();
    assert_eq!(view.running.iter().map(|it| it.job.prompt_id.clone()).collect::<Vec<_>>(), [runs.id()]);
    assert_eq!(
        view.waiting.iter().map(|it| it.prompt_id.clone()).collect::<Vec<_>>(),
        [next.id(), waits.id()]
    );
    assert!(view.running[0].start_seen && view.job(&waits.id()).is_some());
    waits.cancel().await.unwrap();
    runs.cancel().await.unwrap();
    changes.extend(until(&mut monitor, |change| is_end_of(change, &next.id())).await);
    assert_eq!(story(&changes, &waits.id()), ["queued", "gone"]);
    assert_eq!(story(&changes, &runs.id()), ["queued", "started", "interrupted"]);
    assert_eq!(story(&changes, &next.id()), ["queued", "started", "done"]);
}

#[tokio::test]
async fn what_was_there_before_is_in_the_view_and_is_no_news() {
    let server = TestServer::slow().await;
    let other = server.client().await;
    let done = other.submit(&picture(fresh())).await.unwrap();
    let id = done.id();
    in_time(done).await.unwrap();
    let runs = other.submit(&picture(fresh())).await.unwrap();
    let mut monitor = server.client().await.monitor();
    let changes = until(&mut monitor, |change| is_end_of(change, &runs.id())).await;
    assert_eq!(story(&changes, &runs.id()), ["done"], "neither queued nor started anew");
    assert!(story(&changes, &id).is_empty());
    assert!(monitor.view().ended(&id).is_some());
}

#[tokio::test]
async fn nodes_are_told_of_jobs_that_nobody_in_particular_submitted_and_of_ones_own() {
    let server = TestServer::slow().await;
    let client = server.client().await;
    let mut monitor = watching(&client).await;
    let job = client.submit(&picture(fresh())).await.unwrap();
    let mut most = 0.0_f64;
    until(&mut monitor, |change| is_end_of(change, &job.id())).await;
    let body = serde_json::json!({"prompt": picture(fresh()).to_value()});
    let answer: serde_json::Value = client.post_json("/prompt", &body).await.unwrap();
    let id = answer["prompt_id"].as_str().unwrap().to_owned();
    in_time(async {
        loop {
            let change = monitor.next().await;
            if let Some(running) = monitor.view().running(&id) {
                most = most.max(running.progress.overall(&running.job.workflow).unwrap_or_default());
            }
            if is_end_of(&change, &id) {
                return;
            }
        }
    })
    .await;
    assert!(most > 0.3 && most <= 1.0, "{most}");
}

#[tokio::test]
async fn a_server_is_watched_without_a_socket() {
    let server = TestServer::simulated().await;
    let client = server.builder().tracking(Tracking::Polling).connect().await.unwrap();
    let mut monitor = watching(&client).await;
    let job = server.client().await.submit(&picture(fresh())).await.unwrap();
    let changes = until(&mut monitor, |change| is_end_of(change, &job.id())).await;
    assert_eq!(story(&changes, &job.id()).last(), Some(&"done"));
}

#[tokio::test]
async fn a_server_that_goes_and_comes_back_is_told_of_once_each() {
    let sim = Sim::start().await.unwrap();
    let client = Client::connect(sim.url()).await.unwrap();
    let mut monitor = watching(&client).await;
    sim.fault("http-error:status=502,times=0,path=/queue".parse().unwrap());
    let changes = until(&mut monitor, |change| matches!(change, ServerChange::Lost(_))).await;
    assert!(!changes.iter().any(|change| matches!(change, ServerChange::Reached)));
    assert!(matches!(&monitor.view().reach, Reach::Silent { error, .. } if error.status() == Some(502)));
    sim.clear_faults();
    let changes = until(&mut monitor, |change| matches!(change, ServerChange::Reached)).await;
    assert!(!changes.iter().any(|change| matches!(change, ServerChange::Lost(_))));
    assert!(matches!(monitor.view().reach, Reach::Answers));
}

#[tokio::test]
async fn jobs_that_a_restart_has_lost_are_gone() {
    let sim = Sim::builder().node_delay(Duration::from_secs(600)).start().await.unwrap();
    let client = Client::connect(sim.url()).await.unwrap();
    let mut monitor = watching(&client).await;
    let job = Client::connect(sim.url()).await.unwrap().submit(&picture(fresh())).await.unwrap();
    until(&mut monitor, |change| matches!(change, ServerChange::Started(_))).await;
    sim.fault(Fault::restart(Kept::Lost));
    let changes = until(&mut monitor, |change| is_end_of(change, &job.id())).await;
    assert_eq!(story(&changes, &job.id()), ["gone"]);
}

#[tokio::test]
async fn steps_of_other_peoples_samplers_are_read_from_the_log() {
    let workflow = Workflow::from_value(serde_json::json!({
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": "a lighthouse"}},
        "3": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "4": {"class_type": "KSampler", "inputs": {
            "model": ["1", 0], "positive": ["2", 0], "negative": ["2", 0], "latent_image": ["3", 0], "seed": 1,
            "steps": 8, "cfg": 7, "sampler_name": "euler", "scheduler": "normal", "denoise": 1}},
        "5": {"class_type": "VAEDecode", "inputs": {"samples": ["4", 0], "vae": ["1", 2]}},
        "6": {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "steps"}},
    }))
    .unwrap();
    let sim = Sim::builder().any_model(true).step_time(Duration::from_millis(150)).start().await.unwrap();
    let mut monitor = watching(&Client::connect(sim.url()).await.unwrap()).await;
    let job = Client::connect(sim.url()).await.unwrap().submit(&workflow).await.unwrap();
    let id = job.id();
    let (mut most, mut max) = (0, 0);
    in_time(async {
        while !is_end_of(&monitor.next().await, &id) {
            let steps = monitor.view().running(&id).and_then(|running| running.progress.log.clone());
            if let Some(steps) = steps {
                (most, max) = (steps.value.max(most), steps.max);
            }
        }
    })
    .await;
    assert_eq!(max, 8);
    assert!(most > 0 && most <= 8, "{most}");
}
