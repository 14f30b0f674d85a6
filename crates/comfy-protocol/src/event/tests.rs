use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(value: Value) -> Message {
    Message::from_slice(value.to_string().as_bytes()).unwrap()
}

#[test]
fn what_is_read_is_written_again_as_it_was() {
    let messages = [
        json!({"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 0}}, "sid": "624c"}}),
        json!({"type": "executing", "data": {"node": "1"}}),
        json!({"type": "executing", "data": {"node": null, "prompt_id": "p"}}),
        json!({"type": "progress", "data": {"value": 0.5, "max": 2, "prompt_id": "p", "node": "2"}}),
        json!({"type": "crystools.monitor", "data": {"cpu": 1}}),
    ];
    for message in messages {
        assert_eq!(serde_json::to_string(&read(message.clone())).unwrap(), message.to_string());
    }
}

#[test]
fn a_known_type_in_an_unknown_form_survives_as_other() {
    let message = read(json!({"type": "executed", "data": {"node": 7, "prompt_id": "p"}}));
    assert!(matches!(&message, Message::Other { kind, .. } if kind == "executed"));
    assert_eq!(message.prompt_id(), Some("p"));
    assert_eq!(read(json!({"type": "x"})), Message::Other { kind: "x".into(), data: Value::Null });
}

#[test]
fn an_executing_message_without_node_is_told_from_one_that_lacks_the_field() {
    assert!(matches!(
        read(json!({"type": "executing", "data": {}})),
        Message::Executing(Executing { node: None, prompt_id: None, .. })
    ));
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Message::from_slice(&bytes);
    }

    #[test]
    fn no_data_of_a_known_type_makes_the_parser_panic(
        kind in "status|feature_flags|executing|executed|progress|progress_state|execution_(start|cached|success|error|interrupted)",
        data in r#"(null|\{\}|\[\]|1|\{"(nodes|node|status|output)":(null|\{"1":\{"value":1\}\}|\[1\]|"a"|-1)\})"#,
    ) {
        let text = format!(r#"{{"type":"{kind}","data":{data}}}"#);
        prop_assert!(Message::from_slice(text.as_bytes()).is_ok());
    }
}

#[test]
fn a_known_message_with_half_of_a_surrogate_pair_is_still_known() {
    let text = br#"{"type": "executed", "data": {"node": "1", "output": {"text": ["\ud83d"], "n": [NaN]}, "prompt_id": "p"}}"#;
    let Message::Executed(executed) = Message::from_slice(text).unwrap() else { panic!("another message") };
    assert_eq!(executed.output.unwrap().texts().next(), Some(("text", "\u{fffd}")));
}
