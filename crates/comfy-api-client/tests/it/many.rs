//! Many jobs on one client.

use comfy_api_client::{Client, Event};
use futures_util::future::join_all;

use crate::support::{TestServer, behaviour, fresh, in_time, picture};

const MANY: usize = 200;

async fn run(client: &Client, color: u32) {
    let outputs = client.submit(&picture(color)).await.unwrap().await.unwrap();
    assert_eq!(outputs.files().count(), 1);
}

behaviour! {
    async fn two_hundred_jobs_one_after_the_other_all_end_with_their_outputs(server) {
        let client = server.client().await;
        let first = fresh();
        for n in 0..MANY {
            run(&client, (first + n as u32) % 0xff_ffff).await;
        }
    }
}

behaviour! {
    async fn two_hundred_jobs_at_once_all_end_with_their_outputs(server) {
        let client = server.client().await;
        let first = fresh();
        join_all((0..MANY).map(|n| run(&client, (first + n as u32) % 0xff_ffff))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_of_events_on_other_threads_all_see_the_end() {
    let server = TestServer::simulated().await;
    let client = server.client().await;
    let readers = (0..MANY).map(|n| {
        let client = client.clone();
        tokio::spawn(async move {
            let job = client.submit(&picture(fresh().wrapping_add(n as u32) % 0xff_ffff)).await.unwrap();
            let mut events = job.events();
            let mut ends = 0;
            while let Some(event) = events.next().await {
                ends += usize::from(matches!(event.unwrap(), Event::Finished));
            }
            ends
        })
    });
    let ends = in_time(join_all(readers)).await;
    assert!(ends.into_iter().all(|ends| ends.unwrap() == 1));
}

#[tokio::test]
async fn events_go_on_when_client_and_job_are_gone() {
    let server = TestServer::simulated().await;
    let mut events = {
        let client = server.client().await;
        client.submit(&picture(fresh())).await.unwrap().events()
    };
    in_time(async {
        let mut last = None;
        while let Some(event) = events.next().await {
            last = Some(event.unwrap());
        }
        assert!(matches!(last, Some(Event::Finished)));
    })
    .await;
}
