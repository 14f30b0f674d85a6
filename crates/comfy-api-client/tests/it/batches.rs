//! Many workflows with a journal, and processes that end in the middle.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use comfy_api_client::batch::{Again, BatchEvent, Journal, Row, RowEnd, RowEvent, RowState};
use comfy_api_client::workflow::template::Sweep;
use comfy_api_client::{Client, ErrorKind};
use futures_util::StreamExt;
use serde_json::json;

use crate::support::{TestServer, behaviour, fresh, in_time, picture};

/// Rows with pictures of different colours, and one that fails if its index is given.
fn rows(count: u32, failing: Option<u32>) -> Vec<Row<'static>> {
    let first = fresh() / 2;
    rows_from(first, count, failing)
}

fn rows_from(first: u32, count: u32, failing: Option<u32>) -> Vec<Row<'static>> {
    let row = |index: u32| {
        let mut workflow = picture(first + index);
        if failing == Some(index) {
            workflow.set("SaveImage.filename_prefix", "../x").unwrap();
        }
        Row::new(index.to_string(), workflow).with_label(format!("row {index}"))
    };
    (0..count).map(row).collect()
}

/// How every row ended.
fn ends(events: &[BatchEvent]) -> BTreeMap<String, &'static str> {
    let end = |event: &RowEvent| match event {
        RowEvent::Skipped => "skipped",
        RowEvent::Finished(_) => "finished",
        RowEvent::Failed(_) => "failed",
        RowEvent::Cancelled => "cancelled",
        RowEvent::Unsettled(_) => "unsettled",
        _ => "no end",
    };
    let ended = events.iter().filter(|event| event.event.is_end());
    ended.map(|event| (event.row.key().to_owned(), end(&event.event))).collect()
}

fn all(end: &'static str, count: usize) -> BTreeMap<String, &'static str> {
    (0..count).map(|index| (index.to_string(), end)).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The prompts that the server has run.
async fn ran(client: &Client) -> usize {
    client.histories().await.unwrap().len()
}

async fn run(client: &Client, rows: Vec<Row<'static>>, journal: &Journal, out: &Path) -> Vec<BatchEvent> {
    let batch = client.batch(rows).at_once(2).save_in(out).journal(journal).start();
    in_time(batch.map(Result::unwrap).collect()).await
}

behaviour! {
    async fn every_row_runs_once_and_a_failed_one_does_not_stop_the_rest(server) {
        let client = server.client().await;
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path().join("batch.jsonl")).unwrap();
        let first = fresh() / 2;
        let out = folder.path().join("out");
        let events = run(&client, rows_from(first, 5, Some(1)), &journal, &out).await;
        let mut expected = all("finished", 5);
        expected.insert("1".into(), "failed");
        assert_eq!(ends(&events), expected);
        assert_eq!(names(&out.join("client-test")).len(), 4);
        assert!(journal.is_ended());

        // Only what failed is run again, and that is said.
        let events = run(&client, rows_from(first, 5, Some(1)), &journal, &out).await;
        let mut expected = all("skipped", 5);
        expected.insert("1".into(), "failed");
        assert_eq!(ends(&events), expected);
        assert!(events.iter().any(|event| matches!(&event.event, RowEvent::Again(Again::Failed(_)))));
        assert_eq!(names(&out.join("client-test")).len(), 4);
        let records = journal.rows().unwrap();
        assert_eq!(records.len(), 5);
        assert!(matches!(&records[1].end, RowEnd::Failed(reason) if reason.contains("SaveImage")));
        assert!(records.iter().all(|record| record.files.len() == usize::from(record.key != "1")));
    }
}

#[tokio::test]
async fn never_more_are_in_flight_than_asked_for_and_rows_are_made_one_by_one() {
    let server = TestServer::simulated().await;
    let client = server.client().await;
    let workflow = picture(1);
    let sweep = Sweep::parse("EmptyImage.color=0..16777215").unwrap();
    let variants = sweep.variants(&workflow, &client.schemas().await.unwrap()).unwrap();
    let mut batch = client.batch(variants).at_once(3).start();
    let (mut open, mut most, mut finished) = (0, 0, 0);
    in_time(async {
        while finished < 12 {
            match batch.next().await.unwrap().unwrap().event {
                RowEvent::Submitted(_) => open += 1,
                RowEvent::Ran(_) => open -= 1,
                RowEvent::Finished(_) => finished += 1,
                _ => {}
            }
            most = most.max(open);
        }
        batch.cancel();
        while batch.next().await.is_some() {}
    })
    .await;
    assert_eq!(most, 3);
    assert!(ran(&client).await < 20);
}

#[tokio::test]
async fn cancelling_takes_back_what_was_submitted_and_nothing_of_it_is_lost() {
    let server = TestServer::slow().await;
    let client = server.client().await;
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path().join("batch.jsonl")).unwrap();
    let first = fresh() / 2;
    let mut batch =
        client.batch(rows_from(first, 6, None)).at_once(2).save_in(folder.path()).journal(&journal).start();
    let mut events = Vec::new();
    in_time(async {
        let mut submitted = 0;
        while submitted < 2 {
            let event = batch.next().await.unwrap().unwrap();
            submitted += usize::from(matches!(event.event, RowEvent::Submitted(_)));
            events.push(event);
        }
        batch.cancel();
        while let Some(event) = batch.next().await {
            events.push(event.unwrap());
        }
    })
    .await;
    drop(batch);
    assert_eq!(ends(&events), all("cancelled", 2));
    assert!(!journal.is_ended());
    assert_eq!(client.queue().await.unwrap().queue_pending.len(), 0);

    let events = run(&client, rows_from(first, 6, None), &journal, folder.path()).await;
    assert_eq!(ends(&events), all("finished", 6));
    assert!(!events.iter().any(|event| matches!(event.event, RowEvent::Again(_))));
    assert_eq!(names(&folder.path().join("client-test")).len(), 6);
}

/// Every state in which a process can end, by the lines of its journal that are left.
#[tokio::test]
async fn whatever_was_the_last_line_nothing_runs_twice_and_every_file_is_there_once() {
    let server = TestServer::simulated().await;
    let client = server.client().await;
    for left in 2..=9 {
        let folder = tempfile::tempdir().unwrap();
        let (path, out) = (folder.path().join("batch.jsonl"), folder.path().join("out"));
        let first = fresh() / 2;
        let before = ran(&client).await;
        let journal = Journal::open(&path).unwrap();
        run(&client, rows_from(first, 1, None), &journal, &out).await;
        drop(journal);
        let whole = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = whole.lines().collect();
        let types: Vec<String> = lines
            .iter()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).unwrap()["type"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(types, ["batch", "submit", "accepted", "ran", "saving", "saved", "done", "end"]);
        let picture = out.join("client-test").join(&names(&out.join("client-test"))[0]);
        let mut kept = lines[..left.min(lines.len())].join("\n") + "\n";
        let saving: serde_json::Value = serde_json::from_str(lines[4]).unwrap();
        let part = out.join(saving["part"].as_str().unwrap());
        match left {
            // Nothing was saved; a download was cut.
            2..=4 => {
                std::fs::remove_file(&picture).unwrap();
                std::fs::write(&part, "half").unwrap();
            }
            // Written down, and not yet renamed.
            5 => std::fs::rename(&picture, &part).unwrap(),
            // Renamed, and not yet written down.
            9 => kept = lines[..5].join("\n") + "\n",
            _ => {}
        }
        std::fs::write(&path, kept + "{\"type\":\"do").unwrap();

        let journal = Journal::open(&path).unwrap();
        let events = run(&client, rows_from(first, 1, None), &journal, &out).await;
        let end = if matches!(left, 7 | 8) { "skipped" } else { "finished" };
        assert_eq!(ends(&events), all(end, 1), "{left} lines");
        assert!(!events.iter().any(|event| matches!(event.event, RowEvent::Submitted(_))), "{left} lines");
        assert_eq!(
            names(&out.join("client-test")),
            [picture.file_name().unwrap().to_str().unwrap()],
            "{left} lines"
        );
        assert!(std::fs::metadata(&picture).unwrap().len() > 20);
        assert_eq!(journal.rows().unwrap()[0].files.len(), 1);
        assert_eq!(ran(&client).await, before + 1, "{left} lines");
    }
}

#[tokio::test]
async fn a_prompt_that_never_arrived_is_submitted_and_that_is_said() {
    let server = TestServer::simulated().await;
    let client = server.client().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("batch.jsonl");
    let first = fresh() / 2;
    // A journal that ends with the submit, and a server that never got it.
    let journal = Journal::open(&path).unwrap();
    run(&client, rows_from(first, 1, None), &journal, folder.path()).await;
    drop(journal);
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, whole.lines().take(2).collect::<Vec<_>>().join("\n") + "\n").unwrap();
    client.clear_history().await.unwrap();

    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.state("0"), RowState::Open);
    let events = run(&client, rows_from(first, 1, None), &journal, folder.path()).await;
    assert_eq!(ends(&events), all("finished", 1));
    let again = events.iter().find_map(|event| match &event.event {
        RowEvent::Again(again) => Some(again.to_string()),
        _ => None,
    });
    assert!(again.is_some_and(|again| again.ends_with("has not reached the server")));
}

#[tokio::test]
async fn a_prompt_that_runs_is_followed_by_the_next_process() {
    let server = TestServer::slow().await;
    let client = server.client().await;
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path().join("batch.jsonl")).unwrap();
    let first = fresh() / 2;
    let mut batch = client.batch(rows_from(first, 3, None)).journal(&journal).start();
    in_time(async {
        let mut submitted = 0;
        while submitted < 2 {
            let event = batch.next().await.unwrap().unwrap().event;
            submitted += usize::from(matches!(event, RowEvent::Submitted(_)));
        }
    })
    .await;
    // As a process that is killed.
    drop(batch);
    let another = server.client().await;
    let events = run(&another, rows_from(first, 3, None), &journal, folder.path()).await;
    assert_eq!(ends(&events), all("finished", 3));
    assert_eq!(ran(&client).await, 3);
    assert_eq!(names(&folder.path().join("client-test")).len(), 3);
    let followed = events.iter().filter(|event| matches!(event.event, RowEvent::Followed(_))).count();
    assert!(followed >= 1);
}

#[tokio::test]
async fn a_server_that_goes_away_ends_the_batch_and_fails_no_row() {
    let server = TestServer::slow().await;
    let client = server.builder().give_up_after(Duration::from_millis(300)).connect().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path().join("batch.jsonl")).unwrap();
    let mut batch = client.batch(rows(4, None)).journal(&journal).start();
    let (mut events, mut error) = (Vec::new(), None);
    in_time(async {
        loop {
            let event = batch.next().await.unwrap().unwrap().event;
            if matches!(event, RowEvent::Submitted(_)) {
                break;
            }
        }
        drop(server);
        while let Some(event) = batch.next().await {
            match event {
                Ok(event) => events.push(event),
                Err(last) => error = Some(last),
            }
        }
    })
    .await;
    let error = error.unwrap();
    assert!(error.kind() == ErrorKind::Connect || error.kind() == ErrorKind::Disconnected, "{error}");
    assert!(ends(&events).values().all(|end| *end == "unsettled"), "{:?}", ends(&events));
    assert_eq!(journal.count(RowState::Failed), 0);
    assert!(!journal.is_ended());
}

#[tokio::test]
async fn another_workflow_for_a_row_that_was_submitted_is_an_error() {
    let server = TestServer::slow().await;
    let client = server.client().await;
    let journal_folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(journal_folder.path().join("batch.jsonl")).unwrap();
    let mut batch = client.batch(rows_from(1, 1, None)).journal(&journal).start();
    in_time(batch.next()).await.unwrap().unwrap();
    drop(batch);
    let mut batch = client.batch(rows_from(2, 1, None)).journal(&journal).start();
    let error = in_time(async {
        loop {
            if let Err(error) = batch.next().await.unwrap() {
                return error;
            }
        }
    })
    .await;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("row row 0 is another workflow"), "{error}");
}

#[tokio::test]
async fn rows_that_are_done_are_not_made_again_and_files_have_the_names_that_are_chosen() {
    let server = TestServer::simulated().await;
    let client = server.client().await;
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path().join("batch.jsonl")).unwrap();
    let color = fresh();
    for made in [true, false] {
        let row = Row::later("only", move || async move {
            assert!(made, "it is done already");
            let values = json!({"color": color}).as_object().unwrap().clone();
            Ok(Row::new("", picture(color)).with_label("the one").with_values(values))
        });
        let batch = client.batch([row]).save_in(folder.path()).journal(&journal);
        let batch = batch.name_files(|row, index, _| Some(format!("../{}/{index}.png", row.label())));
        let events: Vec<_> = in_time(batch.start().map(Result::unwrap).collect()).await;
        assert_eq!(ends(&events).values().collect::<Vec<_>>(), [if made { &"finished" } else { &"skipped" }]);
    }
    assert_eq!(names(&folder.path().join("the one")), ["0.png"]);
    assert_eq!(journal.rows().unwrap()[0].values["color"], color);
}

#[tokio::test]
async fn what_a_server_forgets_when_it_is_started_again_is_submitted_again() {
    let fault: comfy_sim::Fault = "restart:at=5,history=lost,down=0.2".parse().unwrap();
    let sim = comfy_sim::Sim::builder().fault(fault).start().await.unwrap();
    let client = Client::connect(sim.url()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path().join("batch.jsonl")).unwrap();
    let (mut events, mut goes_on, first) = (Vec::new(), true, fresh() / 2);
    while goes_on {
        let builder = client.batch(rows_from(first, 4, None)).journal(&journal).save_in(folder.path());
        let mut batch = builder.start();
        goes_on = false;
        while let Some(event) = batch.next().await {
            match event {
                Ok(event) => events.push(event),
                // The server went away between a submit and its answer, which ends a batch: it may still arrive.
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
                    goes_on = true;
                }
            }
        }
    }
    assert_eq!(journal.count(RowState::Done), 4);
    let is_forgotten = |event: &&BatchEvent| matches!(event.event, RowEvent::Again(Again::Unknown { .. }));
    assert!(events.iter().filter(is_forgotten).count() >= 1);
    assert_eq!(names(&folder.path().join("client-test")).len(), 4);
}
