//! Sockets that are cut or fall silent at every point of a run.

use std::time::Duration;

use comfy_api_client::{Client, Event};
use futures_util::StreamExt;

use crate::support::relay::{Relay, Treatment};
use crate::support::{TestServer, behaviour, fresh, in_time, picture};

async fn client_of(relay: &Relay) -> Client {
    Client::builder(&relay.url)
        .silence(Duration::from_millis(150))
        .ping_interval(Duration::from_millis(200))
        .connect_timeout(Duration::from_secs(1))
        .connect()
        .await
        .unwrap()
}

/// Runs a workflow through a relay; the job must end once, with its outputs. Returns how many messages came through.
async fn run_through(server: &TestServer, treatment: Treatment, always: bool) -> usize {
    let relay = Relay::start(&server.url, treatment, always).await;
    let client = client_of(&relay).await;
    let workflow = picture(fresh());
    let job = client.submit(&workflow).await.unwrap();
    let mut ends = 0;
    let mut events = job.events();
    while let Some(event) = StreamExt::next(&mut events).await {
        ends += usize::from(matches!(event.unwrap(), Event::Finished));
    }
    assert_eq!(ends, 1, "{treatment:?}");
    let outputs = job.outputs().await.unwrap();
    let files: Vec<_> = outputs.files().collect();
    assert_eq!(files.len(), 1, "{treatment:?}");
    assert_eq!(files[0].node, "3");
    assert!(client.download(&files[0].file).await.unwrap().bytes().await.unwrap().starts_with(b"\x89PNG"));
    assert_eq!(relay.sockets_of_one_id(), 0, "{treatment:?}");
    relay.messages()
}

/// Every point of a run, the point before its first message and the one after its last among them.
async fn at_every_point(server: &TestServer, treatment: fn(usize) -> Treatment) {
    let length = run_through(server, Treatment::Fair, false).await;
    assert!(length >= 15, "a run has {length} messages");
    for k in 0..=length {
        run_through(server, treatment(k), false).await;
    }
}

behaviour! {
    async fn a_job_ends_rightly_when_its_socket_is_cut_after_any_message(server) {
        at_every_point(server, Treatment::CutAfter).await;
    }
}

behaviour! {
    async fn a_job_ends_rightly_when_its_socket_falls_silent_after_any_message(server) {
        at_every_point(server, Treatment::SilentAfter).await;
    }
}

#[tokio::test]
async fn a_job_ends_rightly_when_every_socket_is_cut() {
    let server = TestServer::simulated().await;
    for k in [0, 1, 3] {
        in_time(run_through(&server, Treatment::CutAfter(k), true)).await;
    }
}

#[tokio::test]
async fn a_new_socket_is_opened_when_one_is_cut_while_a_job_runs() {
    let server = TestServer::slow().await;
    let relay = Relay::start(&server.url, Treatment::CutAfter(5), false).await;
    let client = client_of(&relay).await;
    in_time(async {
        let job = client.submit(&picture(fresh())).await.unwrap();
        job.await.unwrap();
        // The job after it is heard of over the new socket.
        let job = client.submit(&picture(fresh())).await.unwrap();
        let mut events = job.events();
        let mut executing = 0;
        while let Some(event) = events.next().await {
            executing += usize::from(matches!(event.unwrap(), Event::NodeStarted(_)));
        }
        assert_eq!(executing, 3);
        assert_eq!(relay.sockets(), 2);
    })
    .await;
}
