//! The client against the simulator's faults on demand.

use std::time::Duration;

use comfy_api_client::{Client, ErrorKind};
use comfy_sim::{Fault, Kept, Sim};

use crate::support::{fresh, in_time, picture};

async fn client_of(sim: &Sim) -> Client {
    let builder = Client::builder(sim.url()).silence(Duration::from_millis(150));
    builder.ping_interval(Duration::from_millis(200)).connect().await.unwrap()
}

/// Runs a job to its end; it must succeed with its one picture.
async fn succeeds(client: &Client) {
    let outputs = in_time(client.submit(&picture(fresh())).await.unwrap()).await.unwrap();
    assert_eq!(outputs.files().count(), 1);
}

#[tokio::test]
async fn jobs_survive_sockets_that_break_or_fall_silent_and_requests_that_fail() {
    let faults = [
        "socket-cut:after=4,times=0",
        "socket-silent:after=4,times=0",
        "http-error:status=502,share=0.4,seed=5,path=/history",
        "http-error:status=503,share=0.4,seed=5,path=/queue",
        "slow-node:at=1,times=0,seconds=0.2",
    ];
    for fault in faults {
        let sim = Sim::start().await.unwrap();
        let client = client_of(&sim).await;
        sim.fault(fault.parse().unwrap());
        for _ in 0..3 {
            succeeds(&client).await;
        }
    }
}

#[tokio::test]
async fn a_node_without_memory_is_reported_in_the_servers_words() {
    let sim = Sim::builder().fault(Fault::out_of_memory(1)).start().await.unwrap();
    let client = client_of(&sim).await;
    let error = in_time(client.submit(&picture(fresh())).await.unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Execution);
    assert_eq!(error.execution().unwrap().exception_type, "torch.OutOfMemoryError");
    succeeds(&client).await;
}

#[tokio::test]
async fn a_job_that_a_restart_has_lost_is_said_to_be_lost_and_the_next_one_runs() {
    let sim = Sim::start().await.unwrap();
    let client = client_of(&sim).await;
    sim.fault("restart:at=2".parse().unwrap());
    let error = in_time(client.submit(&picture(fresh())).await.unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost, "{error}");
    succeeds(&client).await;
}

#[tokio::test]
async fn a_job_that_is_over_is_found_in_the_history_that_a_restart_has_kept() {
    let sim = Sim::start().await.unwrap();
    let client = client_of(&sim).await;
    let job = client.submit(&picture(fresh())).await.unwrap();
    let id = job.id();
    in_time(job).await.unwrap();
    sim.fault(Fault::restart(Kept::Kept));
    let again = in_time(async { client.job(&id).await.unwrap().outputs().await }).await.unwrap();
    assert_eq!(again.files().count(), 1);
}
