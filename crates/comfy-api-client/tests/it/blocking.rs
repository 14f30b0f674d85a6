//! The blocking face, without a runtime and within one.

use std::time::Duration;

use comfy_api_client::blocking::Client;
use comfy_api_client::{Cancellation, ErrorKind, Event, JobState};
use comfy_sim::Sim;

use crate::support::{fresh, long_work, picture};

fn sim(delay: Duration) -> Sim {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Sim::builder().node_delay(delay).start()).unwrap()
}

fn run_all(sim: &Sim) {
    let client = Client::connect(sim.url()).unwrap();
    let job = client.submit(&picture(fresh())).with(|submit| submit.front(true)).send().unwrap();
    let events: Vec<Event> = job.events().map(Result::unwrap).collect();
    assert!(matches!(events.last(), Some(Event::Finished)));
    let id = job.id();
    let outputs = job.wait().unwrap();
    assert_eq!(outputs.files().count(), 1);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(outputs.save_all(folder.path()).unwrap().len(), 1);
    let JobState::Finished(again) = client.fetch(&id).unwrap() else { panic!("it is done") };
    assert_eq!(again.save_all(folder.path()).unwrap().len(), 1);
    assert_eq!(client.job(&id).unwrap().wait().unwrap().files().count(), 1);
    assert_eq!(client.job("no such prompt").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_workflow_runs_without_a_runtime() {
    run_all(&sim(Duration::ZERO));
}

#[tokio::test]
async fn a_workflow_runs_within_a_runtime_of_one_thread() {
    // The thread of the runtime is blocked meanwhile; the simulator has threads of its own.
    run_all(&Sim::start().await.unwrap());
}

#[test]
fn a_job_goes_on_while_nobody_waits_and_can_be_cancelled() {
    let sim = sim(Duration::from_millis(20));
    let client = Client::connect(sim.url()).unwrap();
    let job = client.submit(&long_work(fresh(), 100)).send().unwrap();
    job.events().find(|event| matches!(event, Ok(Event::NodeStarted(_)))).unwrap().unwrap();
    assert_eq!(job.cancel().unwrap(), Cancellation::Interrupted);
    assert_eq!(job.wait().unwrap_err().kind(), ErrorKind::Interrupted);
    // Clones share the runtime, which ends with the last of them.
    let clone = client.clone();
    drop(client);
    clone.submit(&picture(fresh())).send().unwrap().wait().unwrap();
}
