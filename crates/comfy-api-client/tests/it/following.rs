//! Following jobs: what their events tell, and asking for prompts by their ids.

use std::time::Duration;

use comfy_api_client::protocol::Message;
use comfy_api_client::{
    Cancellation, Client, ConnectionStatus, ErrorKind, Event, Job, JobState, ServerEvent, Tracking,
};
use futures_util::StreamExt;
use serde_json::json;

use crate::support::{TestServer, behaviour, fresh, long_work, picture, uuid};

/// Reads events until one is of a kind.
async fn until(job: &Job, wanted: impl Fn(&Event) -> bool) -> Event {
    let mut events = job.events();
    loop {
        let event = events.next().await.expect("the event comes before the end").unwrap();
        if wanted(&event) {
            return event;
        }
    }
}

async fn until_it_runs(job: &Job) {
    until(job, |event| matches!(event, Event::NodeStarted(node) if node.as_str().starts_with("long"))).await;
}

behaviour! {
    async fn a_job_that_waits_tells_its_position(server) {
        let client = server.client().await;
        let running = client.submit(&long_work(fresh(), 40)).await.unwrap();
        until_it_runs(&running).await;
        let first = client.submit(&picture(fresh())).await.unwrap();
        let second = client.submit(&picture(fresh())).await.unwrap();
        for (job, position) in [(&first, 1), (&second, 2)] {
            let event = until(job, |event| matches!(event, Event::Queued(_))).await;
            let Event::Queued(queued) = event else { unreachable!() };
            assert_eq!((queued.position, queued.waiting), (position, 2));
        }
        running.cancel().await.unwrap();
        first.await.unwrap();
        second.await.unwrap();
    }
}

behaviour! {
    async fn every_node_that_begins_is_told_to_be_done(server) {
        let client = server.client().await;
        let job = client.submit(&picture(fresh())).await.unwrap();
        let events: Vec<Event> = job.events().map(Result::unwrap).collect().await;
        let finished: Vec<&str> = events
            .iter()
            .filter_map(|event| match event { Event::NodeFinished(node) => Some(node.as_str()), _ => None })
            .collect();
        assert_eq!(finished, ["1", "2", "3"]);
        assert!(!events.iter().any(|event| matches!(event, Event::Gap | Event::Recovered | Event::Stalled(_))));
    }
}

behaviour! {
    async fn a_prompt_can_be_asked_for_from_its_submit_to_its_end(server) {
        let client = server.builder().tracking(Tracking::Manual).connect().await.unwrap();
        assert!(matches!(client.fetch("no such prompt").await.unwrap(), JobState::Unknown));
        let running = client.submit(&long_work(fresh(), 40)).await.unwrap();
        let waiting = client.submit(&picture(fresh())).await.unwrap();
        let JobState::Waiting(queued) = client.fetch(&waiting.id()).await.unwrap() else { panic!("it waits") };
        // The long one may still have to leave the queue itself.
        assert!(queued.position == queued.waiting && queued.waiting <= 2);
        while !matches!(client.fetch(&running.id()).await.unwrap(), JobState::Running) {
            tokio::task::yield_now().await;
        }
        running.cancel().await.unwrap();
        let ended = |id: String| {
            let client = &client;
            async move {
                loop {
                    let state = client.fetch(&id).await.unwrap();
                    if state.is_ended() {
                        return state;
                    }
                    tokio::task::yield_now().await;
                }
            }
        };
        assert!(matches!(ended(running.id()).await, JobState::Failed(error) if error.kind() == ErrorKind::Interrupted));
        assert_eq!(ended(waiting.id()).await.outputs().unwrap().files().count(), 1);
        assert!(matches!(client.status(), ConnectionStatus::Idle), "no socket was opened");
        // A job that nobody followed is followed once it is awaited.
        assert_eq!(waiting.await.unwrap().files().count(), 1);
    }
}

behaviour! {
    async fn a_prompt_of_somebody_else_is_followed_by_its_id(server) {
        let (submitter, other) = (server.client().await, server.client().await);
        let running = submitter.submit(&long_work(fresh(), 40)).await.unwrap();
        until_it_runs(&running).await;
        let waiting = submitter.submit(&picture(fresh())).await.unwrap();
        let job = other.job(&waiting.id()).await.unwrap();
        assert_eq!(job.id(), waiting.id());
        running.cancel().await.unwrap();
        assert_eq!(job.await.unwrap().files().count(), 1);
        // Also when it has ended before it is asked for.
        waiting.await.unwrap();
        let ended = other.job(&running.id()).await.unwrap();
        assert_eq!(ended.await.unwrap_err().kind(), ErrorKind::Interrupted);
        let error = other.job("no such prompt").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("no such prompt"), "{error}");
    }
}

behaviour! {
    async fn cancelling_says_what_it_did(server) {
        let client = server.client().await;
        let running = client.submit(&long_work(fresh(), 40)).await.unwrap();
        until_it_runs(&running).await;
        let waiting = client.submit(&picture(fresh())).await.unwrap();
        assert_eq!(waiting.cancel().await.unwrap(), Cancellation::Removed);
        assert_eq!(waiting.outputs().await.unwrap_err().kind(), ErrorKind::Removed);
        assert_eq!(running.cancel().await.unwrap(), Cancellation::Interrupted);
        assert_eq!(running.outputs().await.unwrap_err().kind(), ErrorKind::Interrupted);
        assert_eq!(running.cancel().await.unwrap(), Cancellation::Nothing);
        let ids = [running.id(), waiting.id(), "no such prompt".to_owned()];
        assert_eq!(client.cancel_all(&ids).await.unwrap(), [Cancellation::Nothing; 3]);
    }
}

behaviour! {
    async fn jobs_that_are_cancelled_together_are_told_to_be_removed(server) {
        let client = server.client().await;
        let running = client.submit(&long_work(fresh(), 40)).await.unwrap();
        until_it_runs(&running).await;
        let waiting = [client.submit(&picture(fresh())).await.unwrap(), client.submit(&picture(fresh())).await.unwrap()];
        match client.cancel_jobs(waiting.iter().map(Job::id)).await {
            Ok(cancelled) => {
                assert!(cancelled);
                for job in waiting {
                    assert_eq!(job.await.unwrap_err().kind(), ErrorKind::Removed);
                }
            }
            // Older servers.
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}"),
        }
        running.cancel().await.unwrap();
    }
}

behaviour! {
    async fn a_monitor_hears_what_the_server_says_to_everybody(server) {
        let (monitor, submitter) = (server.client().await, server.client().await);
        let mut said = monitor.events();
        loop {
            if let ServerEvent::Connection(ConnectionStatus::Connected) = said.next().await.unwrap() {
                break;
            }
        }
        assert!(matches!(monitor.status(), ConnectionStatus::Connected));
        assert!(monitor.client_id().is_some());
        submitter.submit(&picture(fresh())).await.unwrap().await.unwrap();
        loop {
            if let ServerEvent::Message(message) = said.next().await.unwrap()
                && let Message::Status(status) = &*message
                && status.status.exec_info.queue_remaining > 0
            {
                break;
            }
        }
    }
}

behaviour! {
    async fn a_job_that_is_over_its_time_ends_here_and_goes_on_at_the_server(server) {
        let client = server.client().await;
        let job = client.submit(&long_work(fresh(), 40)).timeout(Duration::from_secs(1)).await.unwrap();
        let error = job.outputs().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(!error.is_retryable() && error.to_string().contains("goes on at the server"), "{error}");
        let again = client.job(&job.id()).await.unwrap();
        again.cancel().await.unwrap();
        assert_eq!(client.job(&job.id()).await.map(drop).map_err(|error| error.kind()), Ok(()));
        let state = loop {
            let state = client.fetch(&job.id()).await.unwrap();
            if state.is_ended() { break state; }
            tokio::task::yield_now().await;
        };
        assert!(matches!(state, JobState::Failed(error) if error.kind() == ErrorKind::Interrupted));
    }
}

behaviour! {
    async fn a_submit_takes_an_id_and_the_workflow_of_the_editor(server) {
        let client = server.client().await;
        let id = uuid();
        let editor = json!({"id": "editor-workflow", "nodes": [], "links": []});
        let job = client
            .submit(&picture(fresh()))
            .prompt_id(&id)
            .editor_workflow(editor.clone())
            .preview_method("none")
            .await
            .unwrap();
        assert_eq!(job.id(), id);
        job.await.unwrap();
        let record = client.history(&id).await.unwrap().unwrap();
        assert_eq!(record.prompt.3["extra_pnginfo"]["workflow"], editor);
        assert_eq!(record.prompt.3["preview_method"], "none");
        let broken = client.submit(&picture(fresh())).editor_workflow(json!("no object")).await.unwrap_err();
        assert_eq!(broken.kind(), ErrorKind::Config, "it would break the server's list of jobs");
    }
}

behaviour! {
    async fn one_id_cannot_be_followed_twice_at_a_time(server) {
        let client = server.client().await;
        let running = client.submit(&long_work(fresh(), 40)).await.unwrap();
        until_it_runs(&running).await;
        let error = client.submit(&picture(fresh())).prompt_id(running.id()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        running.cancel().await.unwrap();
        assert_eq!(running.await.unwrap_err().kind(), ErrorKind::Interrupted);
    }
}

behaviour! {
    async fn a_compressed_socket_tells_the_same(server) {
        let client = server.builder().socket_compression(true).tracking(Tracking::WebSocket).connect().await.unwrap();
        for _ in 0..3 {
            let job = client.submit(&picture(fresh())).await.unwrap();
            let events: Vec<Event> = job.events().map(Result::unwrap).collect().await;
            assert_eq!(events.iter().filter(|event| matches!(event, Event::NodeFinished(_))).count(), 3);
            assert!(!events.iter().any(|event| matches!(event, Event::Gap)));
        }
    }
}

behaviour! {
    async fn outputs_tell_which_nodes_did_not_run(server) {
        let color = fresh();
        for tracking in [Tracking::WebSocket, Tracking::Polling] {
            let client = server.builder().tracking(tracking).connect().await.unwrap();
            client.submit(&picture(color)).await.unwrap().await.unwrap();
            let again = client.submit(&picture(color)).await.unwrap().await.unwrap();
            let mut cached: Vec<&str> = again.cached().iter().map(|node| node.as_str()).collect();
            cached.sort_unstable();
            assert_eq!((cached.as_slice(), again.is_all_cached()), (&["1", "2", "3"][..], true));
            let JobState::Finished(outputs) = client.fetch(again.prompt_id()).await.unwrap() else { panic!("done") };
            assert_eq!(outputs.cached(), again.cached());
            let other = client.submit(&picture(fresh())).await.unwrap().await.unwrap();
            assert!(!other.is_all_cached());
        }
    }
}

/// Nodes that the simulator does not have.
#[tokio::test]
async fn pictures_and_texts_come_over_the_socket_of_a_real_server() {
    let Some(server) = TestServer::real().await else { return };
    let client: Client = server.client().await;
    if client.object_info_of("SaveImageWebsocket").await.unwrap().is_empty() {
        eprintln!("skipped: the server runs without the nodes that come with ComfyUI");
        return;
    }
    let workflow = comfy_api_client::Workflow::from_value(json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 8, "batch_size": 2, "color": fresh()}},
        "size": {"class_type": "GetImageSize", "inputs": {"image": ["1", 0]}},
        "socket": {"class_type": "SaveImageWebsocket", "inputs": {"images": ["1", 0]}},
        "text": {"class_type": "PreviewAny", "inputs": {"source": ["size", 0]}},
    }))
    .unwrap();
    let job = client.submit(&workflow).await.unwrap();
    let events: Vec<Event> = job.events().map(Result::unwrap).collect().await;
    assert!(
        events.iter().any(
            |event| matches!(event, Event::Text(node, text) if *node == "size" && text.contains("width: 16"))
        ),
        "{events:?}"
    );
    assert_eq!(events.iter().filter(|event| matches!(event, Event::SocketImage(_))).count(), 2);
    let outputs = job.await.unwrap();
    let images: Vec<_> = outputs.socket_images().collect();
    assert_eq!(
        images.iter().map(|image| (image.node.as_str(), image.index)).collect::<Vec<_>>(),
        [("socket", 0), ("socket", 1)]
    );
    assert!(images.iter().all(|image| image.bytes().starts_with(b"\x89PNG")));
}
