use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::schema::tests::any_json;
use crate::validate::Rejection;

fn read(value: Value) -> Rejection {
    serde_json::from_value(value).unwrap()
}

fn of_node(error: Value) -> String {
    let errors = json!({"3": {"errors": [error], "dependent_outputs": ["9"], "class_type": "KSampler"}});
    let rejection =
        read(json!({"error": {"type": "prompt_outputs_failed_validation"}, "node_errors": errors}));
    let mut titles = Titles::new();
    titles.insert("3", "Sampler");
    rejection.report().titles(&titles).to_string()
}

#[test]
fn a_line_names_node_title_class_input_and_reason() {
    assert_eq!(
        of_node(
            json!({"type": "value_smaller_than_min", "message": "Value 0 smaller than min of 1", "details": "steps",
            "extra_info": {"input_name": "steps", "input_config": ["INT", {"min": 1}], "received_value": 0}})
        ),
        "node 3 \"Sampler\" (KSampler): input steps: value 0 is smaller than the minimum 1"
    );
}

#[test]
fn the_choices_are_named_as_far_as_there_is_room() {
    let error = |choices: Vec<String>, value: &str| {
        of_node(json!({"type": "value_not_in_list", "details": "s: '..'", "extra_info": {"input_name": "s",
            "input_config": ["COMBO", {"options": choices}], "received_value": value}}))
    };
    assert_eq!(
        error(vec!["euler".into(), "heun".into()], "Euler_"),
        "node 3 \"Sampler\" (KSampler): input s: \"Euler_\" is not one of \"euler\", \"heun\"; did you mean \"euler\"?"
    );
    let many: Vec<String> = (0..12).map(|number| format!("{number}")).collect();
    assert!(error(many, "x").ends_with("\"6\", \"7\", ... (12 in all)"));
}

#[test]
fn a_long_list_comes_from_the_schemas_when_the_report_has_none() {
    let rejection = read(json!({"error": {}, "node_errors": {"1": {"class_type": "A", "errors": [
        {"type": "value_not_in_list", "details": "s: 'eulr' not in (list of length 44)",
         "extra_info": {"input_name": "s", "input_config": null, "received_value": "eulr"}}]}}}));
    assert!(rejection.to_string().contains("input s: \"eulr\" is none of the 44 choices"));
    let schemas =
        Schemas::from_value(json!({"A": {"input": {"required": {"s": [["heun", "euler"]]}}}})).unwrap();
    let text = rejection.report().schemas(&schemas).to_string();
    assert!(text.ends_with("did you mean \"euler\"?"), "{text}");
}

#[test]
fn broken_links_are_told_in_words() {
    let exception = |kind: &str, details: &str| {
        of_node(json!({"type": "exception_during_validation", "details": details,
            "extra_info": {"exception_type": kind, "traceback": []}}))
    };
    assert!(
        exception("KeyError", "'99'").ends_with(": a link leads to node 99, which is not in the workflow")
    );
    assert!(exception("KeyError", "1").ends_with(": a link leads to 1, but node ids are texts"));
    assert!(exception("KeyError", "'inputs'").ends_with(": the node has no inputs"));
    assert!(
        exception("IndexError", "tuple index out of range").contains("an output that its node does not have")
    );
    assert!(
        exception("TypeError", "boom").ends_with(": the server failed while checking it: TypeError: boom")
    );
}

#[test]
fn a_missing_class_is_told_for_all_versions() {
    let modern = read(
        json!({"error": {"type": "missing_node_type", "message": "Node 'T' not found.", "details": "Node ID '#7'",
        "extra_info": {"node_id": "7", "class_type": "KSamplr", "node_title": "T"}}, "node_errors": {}}),
    );
    assert_eq!(
        modern.to_string(),
        "node 7 \"T\" (KSamplr): the server has no such class; a custom node may be missing"
    );
    let schemas = Schemas::from_value(json!({"KSampler": {}})).unwrap();
    assert!(modern.report().schemas(&schemas).to_string().ends_with("; did you mean KSampler?"));
    let older = read(json!({"error": {"type": "invalid_prompt", "details": "Node ID '#7'",
        "message": "Cannot execute because node KSamplr does not exist."}, "node_errors": []}));
    assert_eq!(
        older.to_string(),
        "node 7 (KSamplr): the server has no such class; a custom node may be missing"
    );
    let without = read(json!({"error": {"type": "invalid_prompt", "details": "Node ID '#7'",
        "message": "Cannot execute because a node is missing the class_type property."}}));
    assert_eq!(without.to_string(), "node 7: has no class_type");
}

#[test]
fn unknown_shapes_and_kinds_survive() {
    let original = json!({"error": {"type": "quota", "message": "too much", "details": "a\nb", "extra_info": {}, "code": 7},
        "node_errors": {"1": {"errors": [{"type": "new_kind", "message": "m", "details": "d",
            "extra_info": {"input_name": "i"}, "hint": [1]}], "dependent_outputs": [], "class_type": "A", "colour": "red"}},
        "request": "abc"});
    let rejection = read(original.clone());
    assert_eq!(serde_json::to_value(&rejection).unwrap().to_string(), original.to_string());
    assert_eq!(rejection.to_string(), "too much: a; b\nnode 1 (A): input i: m: d");
}

#[test]
fn an_error_may_be_a_mere_text_or_nothing() {
    assert_eq!(read(json!({"error": "no prompt"})).to_string(), "no prompt");
    assert_eq!(read(json!({"error": null})).to_string(), "refused without a reason");
    assert_eq!(read(json!({"node_errors": {"1": {}}})).report().lines().len(), 2);
    assert!(serde_json::from_value::<Rejection>(json!({"message": "not found"})).is_err());
    assert!(serde_json::from_value::<Rejection>(json!(null)).is_err());
}

#[test]
fn texts_from_the_server_cannot_steer_a_terminal() {
    let text = of_node(json!({"type": "custom_validation_failed", "details": "i - \u{1b}[2J\u{7}",
        "extra_info": {"input_name": "i"}}));
    assert!(text.ends_with("input i: \\u{1b}[2J\\u{7}"), "{text}");
}

proptest! {
    #[test]
    fn any_object_with_an_error_is_readable_and_printable(error in any_json(), nodes in any_json()) {
        let rejection = read(json!({"error": error, "node_errors": nodes}));
        prop_assert!(!rejection.to_string().is_empty());
        let again = read(serde_json::to_value(&rejection).unwrap());
        prop_assert_eq!(again, rejection);
    }
}
