//! Combos that bring inputs of their own.

use serde_json::{Value, json};

use crate::conversion::drawing::Drawing;

/// A combo whose options have no inputs, two, and a further combo.
fn combo() -> Value {
    let inner = json!(["COMFY_DYNAMICCOMBO_V3", {"options": [
        {"key": "off", "inputs": {"required": {}}},
        {"key": "on", "inputs": {"required": {"x": ["INT", {"default": 9}]}}},
    ]}]);
    json!(["COMFY_DYNAMICCOMBO_V3", {"options": [
        {"key": "none", "inputs": {"required": {}}},
        {"key": "two", "inputs": {
            "required": {"steps": ["INT", {"default": 4}], "image": ["IMAGE"]},
            "optional": {"name": ["STRING", {"default": "n"}]},
        }},
        {"key": "deep", "inputs": {"required": {"inner": inner}}},
        {"key": "seeded", "inputs": {"required": {
            "seed": ["INT"], "noise": ["INT", {"control_after_generate": true}],
        }}},
    ]}])
}

fn node(values: Value) -> Drawing {
    Drawing::new()
        .class(
            "Node",
            json!({"first": ["INT"], "mode": combo(), "last": ["STRING", {"default": "none"}]}),
            &[],
        )
        .node(1, "Source", json!([]))
        .node(2, "Node", values)
}

fn inputs(values: Value) -> Value {
    node(values).convert().inputs("2")
}

#[test]
fn the_inputs_of_the_chosen_option_take_the_values_behind_it() {
    assert_eq!(inputs(json!([1, "none", "L"])), json!({"first": 1, "mode": "none", "last": "L"}));
    assert_eq!(
        inputs(json!([1, "two", 8, "m", "L"])),
        json!({"first": 1, "mode": "two", "mode.steps": 8, "mode.name": "m", "last": "L"})
    );
}

#[test]
fn options_lie_in_options() {
    assert_eq!(
        inputs(json!([1, "deep", "on", 5, "L"])),
        json!({"first": 1, "mode": "deep", "mode.inner": "on", "mode.inner.x": 5, "last": "L"})
    );
    assert_eq!(
        inputs(json!([1, "deep", "off", "L"])),
        json!({"first": 1, "mode": "deep", "mode.inner": "off", "last": "L"})
    );
}

#[test]
fn without_values_the_first_option_and_its_defaults_are_taken() {
    assert_eq!(inputs(json!([1])), json!({"first": 1, "mode": "none", "last": "none"}));
    let found = inputs(json!([1, "two"]));
    assert_eq!(found, json!({"first": 1, "mode": "two", "mode.steps": 4, "mode.name": "n", "last": "none"}));
}

#[test]
fn null_as_option_is_the_first_one_and_takes_nothing_for_it() {
    assert_eq!(inputs(json!([1, null, "L"])), json!({"first": 1, "mode": "none", "last": "L"}));
}

#[test]
fn the_whole_name_says_whether_a_seed_has_a_control() {
    assert_eq!(
        inputs(json!([1, "seeded", 7, 8, "fixed", "L"])),
        json!({"first": 1, "mode": "seeded", "mode.seed": 7, "mode.noise": 8, "last": "L"})
    );
}

#[test]
fn an_unknown_option_is_sent_and_told_as_an_error() {
    let converted = node(json!([1, "newer", "L"])).convert();
    assert_eq!(converted.inputs("2"), json!({"first": 1, "mode": "newer", "last": "L"}));
    assert!(converted.0.has_errors(), "{:?}", converted.problems());
    let problems = converted.problems();
    assert!(
        problems.iter().any(|problem| problem.contains("newer") && problem.contains("mode")),
        "{problems:?}"
    );
}

#[test]
fn a_link_into_an_unknown_option_does_not_end_up_elsewhere() {
    let converted = node(json!([1, "newer", "L"])).link(1, 0, 2, "mode.image:IMAGE").convert();
    assert_eq!(converted.input("2", "last"), "L");
    assert_eq!(converted.input("2", "first"), 1);
    assert!(converted.0.has_errors());
}

#[test]
fn sockets_of_the_chosen_option_are_linked_under_dotted_names() {
    let converted = node(json!([1, "two", 8, "m", "L"])).link(1, 0, 2, "mode.image:IMAGE").convert();
    assert_eq!(converted.assert_sound().input("2", "mode.image"), json!(["1", 0]));
}

#[test]
fn a_link_of_another_option_is_dropped() {
    let converted = node(json!([1, "none", "L"])).link(1, 0, 2, "mode.image:IMAGE").convert();
    assert_eq!(converted.inputs("2")["first"], 1);
    assert_eq!(converted.inputs("2")["last"], "L");
}

#[test]
fn a_linked_combo_has_the_inputs_of_its_own_value() {
    let converted = node(json!([1, "two", 8, "m", "L"]))
        .class("Text", json!({"text": ["STRING"]}), &["STRING"])
        .node(3, "Text", json!(["two"]))
        .node(4, "Node", json!([1, "two", 8, "m", "L"]))
        .link_widget(3, 0, 4, "mode:STRING")
        .convert();
    let wanted = json!({"first": 1, "mode": ["3", 0], "mode.steps": 8, "mode.name": "m", "last": "L"});
    assert_eq!(converted.inputs("4"), wanted);
}

#[test]
fn the_value_of_an_option_can_be_linked() {
    let converted = node(json!([]))
        .class("Number", json!({"value": ["INT"]}), &["INT"])
        .node(3, "Number", json!([2]))
        .node(4, "Node", json!([1, "two", 8, "m", "L"]))
        .link_widget(3, 0, 4, "mode.steps:INT")
        .convert();
    assert_eq!(converted.assert_sound().input("4", "mode.steps"), json!(["3", 0]));
}

#[test]
fn growing_inputs_of_an_option_are_kept() {
    let grow = json!(["COMFY_AUTOGROW_V3", {"template": {"input": {"required": {"image": ["IMAGE"]}}, "prefix": "image_", "min": 0, "max": 2}}]);
    let model = json!(["COMFY_DYNAMICCOMBO_V3", {"options": [
        {"key": "a", "inputs": {"required": {"images": grow, "heat": ["FLOAT"]}}},
    ]}]);
    let converted = Drawing::new()
        .class("Api", json!({"prompt": ["STRING"], "model": model}), &[])
        .node(1, "Source", json!([]))
        .node(2, "Api", json!(["p", "a", 0.5]))
        .link(1, 0, 2, "model.images.image_1:IMAGE")
        .link(1, 0, 2, "model.images.image_7:IMAGE")
        .convert();
    assert_eq!(
        converted.inputs("2"),
        json!({
            "prompt": "p", "model": "a", "model.heat": 0.5,
            "model.images.image_1": ["1", 0], "model.images.image_7": ["1", 0],
        })
    );
}
