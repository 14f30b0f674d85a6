//! Clients and jobs that outlive what they were made with.

use std::time::Duration;

use comfy_api_client::{Client, ErrorKind};
use comfy_sim::Sim;
use tokio::runtime::{Builder, Runtime};

use crate::support::{fresh, in_time, picture};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_client_that_was_used_in_a_runtime_that_is_gone_goes_on_in_another() {
    let sim = runtime().block_on(Sim::start()).unwrap();
    let client = runtime().block_on(Client::connect(sim.url())).unwrap();
    for _ in 0..3 {
        let run = async { client.submit(&picture(fresh())).await.unwrap().await.unwrap() };
        assert_eq!(runtime().block_on(in_time(run)).files().count(), 1);
    }
}

#[test]
fn a_job_whose_followers_went_with_their_runtime_ends_with_an_error() {
    let sim = runtime().block_on(Sim::builder().node_delay(Duration::from_secs(20)).start()).unwrap();
    let first = runtime();
    let job = first.block_on(in_time(async {
        let client = Client::connect(sim.url()).await.unwrap();
        client.submit(&picture(fresh())).await.unwrap()
    }));
    let id = job.id();
    drop(first);
    let error = runtime().block_on(in_time(async { job.await.unwrap_err() }));
    assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
    assert_eq!(error.prompt_id(), Some(id.as_str()));
}

#[tokio::test]
async fn settings_at_their_limits_stop_nothing() {
    let sim = Sim::start().await.unwrap();
    for limit in [Duration::ZERO, Duration::MAX] {
        let client = Client::builder(sim.url())
            .silence(limit)
            .ping_interval(limit)
            .give_up_after(limit)
            .connect()
            .await
            .unwrap();
        for _ in 0..2 {
            let job = in_time(async { client.submit(&picture(fresh())).await.unwrap() }).await;
            let mut events = job.events();
            in_time(async { while let Some(Ok(_)) = events.next().await {} }).await;
            in_time(async { job.await.unwrap() }).await;
        }
    }
}
