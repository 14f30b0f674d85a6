//! What recorded servers said that the simulator does not say.

use std::collections::VecDeque;
use std::time::Duration;

use comfy_api_client::{Client, ErrorKind, Event, Place, Workflow};
use futures_util::StreamExt;

use crate::support::stage::{Act, Manner, Run, Stage, runs_of};
use crate::support::{corpus, in_time};

const MANNER: Manner = Manner { takes_id: true, answers_last: false, has_socket: true };

fn runs(scenario: &str) -> Vec<Run> {
    let scenarios = corpus::fixtures();
    let (name, recorded) = scenarios.iter().find(|(name, _)| name == scenario).unwrap();
    runs_of(name, recorded)
}

async fn events_of(run: &Run) -> (Vec<Event>, comfy_api_client::Result<comfy_api_client::Outputs>) {
    let stage = Stage::start(run.clone(), MANNER).await;
    let client = Client::connect(&stage.url).await.unwrap();
    let workflow = Workflow::from_value(run.prompt.clone()).unwrap();
    let job = client.submit(&workflow).await.unwrap();
    let events = job.events().filter_map(|event| std::future::ready(event.ok())).collect().await;
    (events, job.await)
}

#[tokio::test]
async fn pictures_that_come_over_the_socket_are_outputs() {
    in_time(async {
        let mut with_pictures = 0;
        for run in runs("0.30.0/save_image_websocket") {
            let frames = run.acts.iter().filter(|act| matches!(act, Act::Binary(_))).count();
            let (events, outputs) = events_of(&run).await;
            let outputs = outputs.unwrap();
            assert_eq!(outputs.socket_images().count(), frames, "{}", run.name);
            assert!(outputs.socket_images().all(|image| image.bytes().starts_with(b"\x89PNG")));
            let folder = tempfile::tempdir().unwrap();
            let saved = outputs.save_all(folder.path()).await.unwrap();
            assert_eq!(saved.len(), frames);
            for (image, file) in outputs.socket_images().zip(&saved) {
                let name = format!("{}_{:05}_.png", image.node, image.index + 1);
                assert_eq!(file.path.file_name().unwrap().to_str(), Some(name.as_str()));
                assert_eq!(std::fs::read(&file.path).unwrap(), image.bytes().as_ref());
            }
            assert_eq!(events.iter().filter(|event| matches!(event, Event::SocketImage(_))).count(), frames);
            with_pictures += usize::from(frames > 0);
        }
        assert!(with_pictures >= 2);
    })
    .await;
}

#[tokio::test]
async fn previews_name_their_node() {
    in_time(async {
        let mut previews = 0;
        for run in runs("0.30.0/previews_metadata") {
            let (events, _) = events_of(&run).await;
            for event in &events {
                if let Event::Preview(preview) = event {
                    assert!(preview.node.is_some());
                    assert!(preview.content_type.starts_with("image/"));
                    previews += 1;
                }
            }
        }
        assert!(previews > 0);
    })
    .await;
}

#[tokio::test]
async fn texts_of_nodes_and_messages_of_packs_are_events() {
    in_time(async {
        let (mut texts, mut others) = (0, 0);
        for run in runs("0.30.0/text_and_custom_events") {
            let (events, _) = events_of(&run).await;
            texts += events.iter().filter(|event| matches!(event, Event::Text(..))).count();
            others += events.iter().filter(|event| matches!(event, Event::Other(_))).count();
        }
        assert!(texts > 0, "{texts} texts and {others} others");
    })
    .await;
}

/// The first recorded run, after `count` messages of which the worker dies.
fn dying_after(count: usize) -> Run {
    let mut run = runs("0.30.0/basic_run").remove(0);
    run.acts = run.acts.into_iter().take(count).chain([Act::Die]).collect::<VecDeque<_>>();
    run.history = None;
    run
}

async fn stall_of(run: Run) -> (comfy_api_client::Stall, Vec<Event>) {
    let stage = Stage::start(run.clone(), MANNER).await;
    let client = Client::builder(&stage.url)
        .silence(Duration::from_millis(50))
        .stall_after(Duration::from_millis(150))
        .job_timeout(Duration::from_secs(2))
        .connect()
        .await
        .unwrap();
    let job = client.submit(&Workflow::from_value(run.prompt).unwrap()).await.unwrap();
    let mut events = job.events();
    let (mut stalls, mut others) = (Vec::new(), Vec::new());
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Stalled(stall)) => stalls.push(stall),
            Ok(other) => others.push(other),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Timeout),
        }
    }
    assert!(stalls.len() >= 2, "it is told again: {stalls:?}");
    assert!(stalls.windows(2).all(|pair| pair[1].quiet_for > pair[0].quiet_for));
    (stalls.remove(0), others)
}

#[tokio::test]
async fn a_job_whose_server_has_a_dead_worker_is_told_to_be_stalled_and_times_out() {
    in_time(async {
        // `execution_start` and `execution_cached` came, as when a link leads to a node that is not there.
        let (stall, _) = stall_of(dying_after(4)).await;
        assert!(stall.quiet_for >= Duration::from_millis(150));
        assert_eq!((&stall.place, &stall.node), (&Place::Running, &None));
        assert!(stall.to_string().contains("none of its nodes has begun"), "{stall}");
    })
    .await;
}

#[tokio::test]
async fn a_job_that_waits_for_a_dead_worker_is_told_to_be_stalled() {
    in_time(async {
        let (stall, others) = stall_of(dying_after(1)).await;
        assert!(matches!(&stall.place, Place::Waiting { running, .. } if running.is_empty()));
        assert!(stall.to_string().contains("while nothing runs"), "{stall}");
        assert!(others.iter().any(|event| matches!(event, Event::Queued(queued) if queued.position == 1)));
    })
    .await;
}

#[tokio::test]
async fn others_that_queue_up_behind_a_dead_worker_are_no_sign_of_life() {
    in_time(async {
        let run = dying_after(1);
        let stage = Stage::start(Run { growing: true, ..run.clone() }, MANNER).await;
        let client = Client::builder(&stage.url)
            .silence(Duration::from_millis(50))
            .stall_after(Duration::from_millis(200))
            .connect()
            .await
            .unwrap();
        let job = client.submit(&Workflow::from_value(run.prompt).unwrap()).await.unwrap();
        let (mut events, mut positions) = (job.events(), 0);
        loop {
            match events.next().await.unwrap().unwrap() {
                Event::Stalled(stall) => {
                    let Place::Waiting { queued, .. } = stall.place else { panic!("it waits") };
                    assert!(queued.position == 1 && queued.waiting > 2, "{queued:?}");
                    break;
                }
                Event::Queued(_) => positions += 1,
                _ => {}
            }
        }
        assert_eq!(positions, 1, "its position has not changed");
    })
    .await;
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_a_gap_after_which_the_server_tells_where_the_job_is() {
    in_time(async {
        let mut run = dying_after(4);
        run.acts.insert(3, Act::Text("no message".into()));
        let stage = Stage::start(run.clone(), MANNER).await;
        let client = Client::builder(&stage.url).silence(Duration::from_millis(50)).connect().await.unwrap();
        let job = client.submit(&Workflow::from_value(run.prompt).unwrap()).await.unwrap();
        let mut events = job.events();
        let mut seen = Vec::new();
        while seen.len() < 2 {
            match events.next().await.unwrap().unwrap() {
                Event::Gap => seen.push("gap"),
                Event::Recovered => seen.push("recovered"),
                _ => {}
            }
        }
        assert_eq!(seen, ["gap", "recovered"]);
    })
    .await;
}

#[tokio::test]
async fn pictures_that_were_missed_are_said_to_be() {
    in_time(async {
        let run = runs("0.30.0/save_image_websocket").remove(0);
        let stage = Stage::start(run.clone(), Manner { has_socket: false, ..MANNER }).await;
        let client = Client::connect(&stage.url).await.unwrap();
        let job = client.submit(&Workflow::from_value(run.prompt).unwrap()).await.unwrap();
        let error = job.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incomplete);
        assert!(error.to_string().contains("save_image_websocket_node"), "{error}");
    })
    .await;
}
