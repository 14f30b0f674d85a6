use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::batch::RowEnd;
use crate::batch::entry::{Saved, Submit};
use crate::outputs::NodeOutputs;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn submit(row: &str) -> Submit {
    Submit {
        row: row.into(),
        prompt_id: format!("prompt of {row}"),
        hash: "0123".into(),
        server: "http://127.0.0.1:8188".into(),
        label: format!("label {row}"),
        values: json!({"3.seed": u64::MAX}).as_object().unwrap().clone(),
        extra: Map::new(),
    }
}

fn plan(seed: u64) -> Map<String, Value> {
    json!({"sweep": ["3.seed=1..8"], "seed": seed}).as_object().unwrap().clone()
}

/// Everything that happens to a row.
fn life(row: &str) -> Vec<Entry> {
    let outputs =
        json!({"9": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}], "text": ["hi"]}});
    let outputs: NodeOutputs = serde_json::from_value(outputs).unwrap();
    let file = outputs["9"].files().next().unwrap().1;
    let (row, path) = (row.to_owned(), PathBuf::from("a.png"));
    vec![
        Entry::Submit(submit(&row)),
        Entry::Accepted { row: row.clone(), prompt_id: "another".into() },
        Entry::Ran { row: row.clone(), outputs, elapsed_ms: Some(5) },
        Entry::Saving {
            row: row.clone(),
            place: 0,
            path: path.clone(),
            part: ".comfy-1.part".into(),
            bytes: 7,
        },
        Entry::Saved(Saved {
            row: row.clone(),
            place: 0,
            node: "9".into(),
            key: "images".into(),
            file,
            path,
            bytes: 7,
        }),
        Entry::Done { row },
    ]
}

#[test]
fn what_was_written_is_read_again() {
    let folder = folder();
    let path = folder.path().join("new/batch.jsonl");
    let journal = Journal::open(&path).unwrap();
    assert!(journal.is_new());
    journal.begin(plan(1), json!({"chance": 5}).as_object().unwrap().clone()).unwrap();
    life("a").into_iter().for_each(|entry| journal.add(entry).unwrap());
    life("b").into_iter().take(4).for_each(|entry| journal.add(entry).unwrap());
    let failed = Entry::Failed { row: "c".into(), kind: "Execution".into(), message: "no".into() };
    [Entry::Submit(submit("c")), failed].into_iter().for_each(|entry| journal.add(entry).unwrap());
    let (before, id) = (journal.rows().unwrap(), journal.id());
    drop(journal);

    let journal = Journal::open(&path).unwrap();
    assert_eq!((journal.rows().unwrap(), journal.id()), (before.clone(), id));
    assert_eq!(journal.notes()["chance"], 5);
    let states = ["a", "b", "c", "d"].map(|key| journal.state(key));
    assert_eq!(states, [RowState::Done, RowState::Open, RowState::Failed, RowState::New]);
    let Some(State::Open(open)) = journal.row("b") else { panic!("b is open") };
    assert_eq!((open.submit.prompt_id.as_str(), open.accepted), ("another", true));
    let intent = Intent { path: "a.png".into(), part: ".comfy-1.part".into(), bytes: 7 };
    assert_eq!(open.saving.into_iter().collect::<Vec<_>>(), [(0, intent)]);
    let first = &before[0];
    assert_eq!((first.label.as_str(), first.files.len(), first.end.clone()), ("label a", 1, RowEnd::Done));
    assert_eq!(first.values["3.seed"], u64::MAX);
    assert_eq!(first.texts, [("9".into(), "hi".to_owned())]);
    assert_eq!(before[2].end, RowEnd::Failed("no".into()));
}

#[test]
fn another_plan_is_refused_with_what_differs() {
    let folder = folder();
    let journal = Journal::open(folder.path().join("batch.jsonl")).unwrap();
    journal.begin(plan(1), Map::new()).unwrap();
    journal.begin(plan(1), Map::new()).unwrap();
    let error = journal.begin(plan(2), Map::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().ends_with("is of another batch\nseed: was 1, is 2"), "{error}");
    journal.clear().unwrap();
    journal.begin(plan(2), Map::new()).unwrap();
    assert_eq!(std::fs::read_to_string(journal.path()).unwrap().lines().count(), 1);
}

#[test]
fn a_second_process_is_kept_out() {
    let folder = folder();
    let path = folder.path().join("batch.jsonl");
    let first = Journal::open(&path).unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().starts_with("another process has the journal"), "{error}");
    drop(first);
    Journal::open(&path).unwrap();
}

#[test]
fn another_file_is_left_as_it_is() {
    let folder = folder();
    for content in [
        "{\"type\":\"done\",\"row\":\"1\"}\n",
        "hello\n",
        "hello",
        "{\"3\": {\"class_type\"",
        "\n",
        "{\"type\":\"batch\",\"version\":2,\"id\":\"\"}\n",
    ] {
        let path = folder.path().join("x");
        std::fs::write(&path, content).unwrap();
        assert_eq!(Journal::open(&path).unwrap_err().kind(), ErrorKind::Conflict, "{content}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn a_line_in_the_middle_that_cannot_be_read_is_an_error_that_names_it() {
    let folder = folder();
    let path = folder.path().join("batch.jsonl");
    let journal = Journal::open(&path).unwrap();
    journal.begin(plan(1), Map::new()).unwrap();
    journal.add(Entry::Submit(submit("a"))).unwrap();
    drop(journal);
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, whole.replacen("\n{", "\ngarbage\n{", 1)).unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert!(error.message().starts_with("line 2 of the journal"), "{error}");
}

#[test]
fn lines_of_later_versions_are_passed_over() {
    let folder = folder();
    let path = folder.path().join("batch.jsonl");
    let journal = Journal::open(&path).unwrap();
    journal.begin(plan(1), Map::new()).unwrap();
    drop(journal);
    let mut whole = std::fs::read_to_string(&path).unwrap();
    whole.push_str("{\"type\":\"thought\",\"row\":\"a\"}\n{\"type\":\"done\",\"row\":\"a\",\"more\":1}\n");
    std::fs::write(&path, whole).unwrap();
    assert_eq!(Journal::open(&path).unwrap().state("a"), RowState::Done);
}

#[test]
fn what_is_left_of_a_line_that_could_not_be_written_is_taken_away_before_the_next() {
    let folder = folder();
    let path = folder.path().join("batch.jsonl");
    let journal = Journal::open(&path).unwrap();
    journal.begin(plan(1), Map::new()).unwrap();
    // As a full disk leaves it behind.
    let torn = b"{\"type\":\"done\",\"ro";
    std::io::Write::write_all(journal.lock().file.as_mut().unwrap(), torn).unwrap();
    assert!(journal.rows().unwrap().is_empty());
    journal.add(Entry::Submit(submit("a"))).unwrap();
    assert_eq!(journal.rows().unwrap().len(), 1);
    journal.add(Entry::Done { row: "a".into() }).unwrap();
    drop(journal);
    assert_eq!(Journal::open(&path).unwrap().state("a"), RowState::Done);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_journal_that_was_cut_anywhere_has_the_lines_before_the_cut(cut in 0.0..=1.0_f64, zeros in 0..40_usize) {
        let folder = folder();
        let path = folder.path().join("batch.jsonl");
        let journal = Journal::open(&path).unwrap();
        journal.begin(plan(1), Map::new()).unwrap();
        ["a", "b"].into_iter().flat_map(life).for_each(|entry| journal.add(entry).unwrap());
        drop(journal);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate((bytes.len() as f64 * cut) as usize);
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        // As file systems leave it behind when the power goes.
        bytes.resize(bytes.len() + zeros, 0);
        std::fs::write(&path, &bytes).unwrap();

        let journal = Journal::open(&path).unwrap();
        prop_assert_eq!(journal.is_new(), lines == 0);
        prop_assert_eq!(journal.rows().unwrap().len(), [0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2][lines]);
        let kept = std::fs::read(&path).unwrap();
        prop_assert_eq!(kept.iter().filter(|byte| **byte == b'\n').count(), lines);
        // And it can be gone on with.
        journal.begin(plan(1), Map::new()).unwrap();
        journal.add(Entry::Done { row: "z".into() }).unwrap();
        drop(journal);
        prop_assert_eq!(Journal::open(&path).unwrap().state("z"), RowState::Done);
    }

    #[test]
    fn no_bytes_make_the_reader_fail_otherwise_than_with_an_error(
        start in prop::bool::ANY,
        lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6),
    ) {
        let folder = folder();
        let path = folder.path().join("batch.jsonl");
        let mut bytes = if start { b"{\"type\":\"batch\",\"version\":1,\"id\":\"x\"}\n".to_vec() } else { Vec::new() };
        bytes.extend(lines.join(&b'\n'));
        std::fs::write(&path, &bytes).unwrap();
        if let Err(error) = Journal::open(&path) {
            prop_assert_eq!(error.kind(), ErrorKind::Conflict);
            prop_assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
    }
}
