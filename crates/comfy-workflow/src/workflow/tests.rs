use proptest::prelude::*;
use serde_json::json;

use super::*;

fn kind(text: &str) -> ErrorKind {
    text.parse::<Workflow>().unwrap_err().kind()
}

#[test]
fn reading_and_writing_keeps_order_ids_numbers_and_unknown_fields() {
    let text = concat!(
        r#"{"9:8:5":{"inputs":{"seed":18446744073709551615,"z":1.0,"a":[["x",1],{"k":null}]},"class_type":"K","#,
        r#""_meta":{"title":"T","colour":1},"custom":[1]},"n_1":{"inputs":{},"class_type":"Größe"}}"#
    );
    let workflow: Workflow = text.parse().unwrap();
    assert_eq!(workflow.to_value().to_string(), text);
    assert_eq!(serde_json::to_string(&workflow).unwrap(), text);
    assert_eq!(workflow.node("9:8:5").unwrap().title(), Some("T"));
}

#[test]
fn bare_nan_is_tolerated_and_missing_inputs_are_an_empty_object() {
    let workflow: Workflow = r#"{"1": {"class_type": "A", "is_changed": [NaN]}}"#.parse().unwrap();
    assert_eq!(workflow.to_value(), json!({"1": {"inputs": {}, "class_type": "A", "is_changed": [null]}}));
}

#[test]
fn a_byte_order_mark_and_a_whole_request_body_are_understood() {
    let body = "\u{feff}{\"prompt\": {\"1\": {\"class_type\": \"A\", \"inputs\": {}}}, \"client_id\": \"x\"}";
    assert_eq!(body.parse::<Workflow>().unwrap().len(), 1);
    let node_called_prompt = r#"{"prompt": {"class_type": "A", "inputs": {}}}"#;
    assert_eq!(node_called_prompt.parse::<Workflow>().unwrap().node("prompt").unwrap().class_type, "A");
}

#[test]
fn what_is_no_workflow_is_told_apart() {
    assert_eq!(kind(" \n"), ErrorKind::Empty);
    assert_eq!(kind("{"), ErrorKind::Json);
    assert_eq!(kind("[1]"), ErrorKind::NotAWorkflow);
    assert_eq!(kind("{}"), ErrorKind::NotAWorkflow);
    assert_eq!(kind(r#"{"a": {"b": 1}}"#), ErrorKind::NotAWorkflow);
    assert_eq!(kind(r#"{"nodes": [], "links": [], "version": 0.4}"#), ErrorKind::EditorFormat);
    assert_eq!(Workflow::from_slice(b"\xFF\xFE{\0").unwrap_err().kind(), ErrorKind::NotAWorkflow);
}

#[test]
fn an_entry_that_is_no_node_is_named() {
    let error = r#"{"1": {"class_type": "A", "inputs": {}}, "extra": 5}"#.parse::<Workflow>().unwrap_err();
    assert!(error.to_string().contains("entry `extra` is no node"), "{error}");
    let error = r#"{"1": {"class_type": "A", "inputs": [1]}}"#.parse::<Workflow>().unwrap_err();
    assert!(error.to_string().contains("entry `1`"), "{error}");
}

#[test]
fn a_title_can_be_given() {
    let mut node = Node::new("A").with_input("x", 1);
    node.set_title("One");
    node.set_title("Two");
    assert_eq!(node.title(), Some("Two"));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Workflow::from_slice(&bytes);
    }

    #[test]
    fn what_is_written_is_read_back(ids in proptest::collection::btree_set("[a-z0-9:._]{1,6}", 1..6), seed: u64, text: String) {
        let mut workflow = Workflow::new();
        for id in ids {
            workflow.insert(id, Node::new("A").with_input("seed", seed).with_input(text.clone(), text.clone()));
        }
        let read: Workflow = workflow.to_value().to_string().parse().unwrap();
        prop_assert_eq!(read, workflow);
    }
}
