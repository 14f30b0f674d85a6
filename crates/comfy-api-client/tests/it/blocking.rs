//! The blocking face, without a runtime and within one.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use comfy_api_client::batch::{Row, RowEvent};
use comfy_api_client::blocking::Client;
use comfy_api_client::{Cancellation, ErrorKind, Event, JobState, ServerChange};
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

#[test]
fn files_are_read_and_written_as_they_come() {
    let sim = sim(Duration::ZERO);
    let client = Client::connect(sim.url()).unwrap();
    let content: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let reader = std::io::Cursor::new(content.clone());
    let uploaded = client
        .upload_reader("client-test.bin", reader, Some(content.len() as u64))
        .with(|upload| upload.overwrite(true))
        .send()
        .unwrap();
    let download = client.download(&uploaded.file()).send().unwrap();
    assert_eq!(download.size(), Some(content.len() as u64));
    let mut back = Vec::new();
    download.into_reader().read_to_end(&mut back).unwrap();
    assert!(back == content);
    assert_eq!(client.file_info(&uploaded.file()).unwrap().size, Some(content.len() as u64));
    let answer = client.request(http::Method::GET, "/api/features").send().unwrap();
    assert!(answer.status().is_success());
    assert!(answer.json::<serde_json::Value>().unwrap()["max_upload_size"].is_number());
}

#[test]
fn a_document_is_opened_converted_and_submitted() {
    let sim = sim(Duration::ZERO);
    let client = Client::connect(sim.url()).unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/hello-editor.json");
    let document = client.open_document(path).unwrap();
    let options = comfy_api_client::convert_options();
    let conversion =
        client.convert(&document).with(|convert| convert.convert_options(options)).send().unwrap();
    assert_eq!(conversion.workflow, client.open_workflow(path).unwrap());
    let outputs = client.submit(&document).send().unwrap().wait().unwrap();
    assert_eq!(outputs.files().count(), 1);
    assert!(client.schemas_age().is_some());
    client.set_schemas(client.kept_schemas().unwrap());
    assert_eq!(client.schemas_age(), None);
}

/// Names of the methods of the async client.
fn async_methods(folder: &Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("blocking") {
            async_methods(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for block in text.split("\nimpl Client {\n").skip(1) {
                let block = block.split("\n}\n").next().unwrap();
                let functions = block.lines().filter_map(|line| {
                    line.strip_prefix("    pub async fn ").or(line.strip_prefix("    pub fn "))
                });
                names.extend(functions.map(|line| line.split(['(', '<']).next().unwrap().to_owned()));
            }
        }
    }
}

#[test]
fn every_method_of_the_async_client_has_a_blocking_one() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let blocking = std::fs::read_to_string(source.join("blocking/client.rs")).unwrap();
    let mut names = Vec::new();
    async_methods(&source, &mut names);
    assert!(names.len() > 90, "{names:?}");
    for name in names {
        let name = match name.as_str() {
            "upload_stream" => "upload_reader",
            "batch_stream" => "batch",
            name => name,
        };
        let is_there = ["    NAME(", "    NAME[", "pub fn NAME(", "pub fn NAME<"]
            .iter()
            .any(|form| blocking.contains(&form.replace("NAME", name)));
        assert!(is_there, "`blocking::Client` has no `{name}`");
    }
}

#[test]
fn a_server_is_watched() {
    let sim = sim(Duration::ZERO);
    let client = Client::connect(sim.url()).unwrap();
    let mut monitor = client.monitor();
    while !matches!(monitor.wait(), ServerChange::Reached) {}
    client.submit(&picture(fresh())).send().unwrap().wait().unwrap();
    let ended = loop {
        if let ServerChange::Ended(ended) = monitor.wait() {
            break ended;
        }
    };
    assert_eq!(ended.files().count(), 1);
    assert!(monitor.view().ended(&ended.job.prompt_id).is_some());
}

#[test]
fn many_workflows_run_one_after_the_other() {
    let sim = sim(Duration::ZERO);
    let client = Client::connect(sim.url()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let rows = ["a", "b", "c"].map(|key| Row::new(key, picture(fresh())));
    let events = client.batch(rows, |batch| batch.save_in(folder.path()));
    let events: Vec<RowEvent> = events.map(|event| event.unwrap().event).collect();
    let count = |is: fn(&RowEvent) -> bool| events.iter().filter(|event| is(event)).count();
    assert_eq!(count(|event| matches!(event, RowEvent::Finished(_))), 3);
    assert_eq!(count(|event| matches!(event, RowEvent::Saved(_))), 3);
}
