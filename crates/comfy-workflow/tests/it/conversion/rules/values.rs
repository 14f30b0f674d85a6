//! How the values in a file get to the widgets.

use serde_json::{Value, json};

use crate::conversion::drawing::Drawing;

fn inputs(required: Value, values: Value) -> Value {
    Drawing::new().class("Node", required, &[]).node(1, "Node", values).convert().inputs("1")
}

fn three() -> Value {
    json!({"a": ["INT", {"default": 1}], "b": ["STRING", {"default": "x"}], "c": [["p", "q"]]})
}

#[test]
fn surplus_values_are_passed_over_and_missing_ones_are_defaults() {
    assert_eq!(inputs(three(), json!([5, "y", "q", 9, 9])), json!({"a": 5, "b": "y", "c": "q"}));
    assert_eq!(inputs(three(), json!([5])), json!({"a": 5, "b": "x", "c": "p"}));
    assert_eq!(inputs(three(), Value::Null), json!({"a": 1, "b": "x", "c": "p"}));
}

#[test]
fn values_are_taken_as_they_are() {
    assert_eq!(
        inputs(three(), json!(["12", true, "gone.png"])),
        json!({"a": "12", "b": true, "c": "gone.png"})
    );
    assert_eq!(inputs(three(), json!([512.5, 7, 3])), json!({"a": 512.5, "b": 7, "c": 3}));
    let limits = json!({"a": ["INT", {"min": 0, "max": 10, "step": 5}]});
    assert_eq!(inputs(limits, json!([-77])), json!({"a": -77}));
}

#[test]
fn null_stays_null_but_a_combo_takes_its_first_choice() {
    assert_eq!(inputs(three(), json!([null, null, null])), json!({"a": null, "b": null, "c": "p"}));
}

#[test]
fn lists_are_wrapped_and_objects_are_not() {
    assert_eq!(
        inputs(three(), json!([[1, 2], {"k": [3]}])),
        json!({"a": {"__value__": [1, 2]}, "b": {"k": [3]}, "c": "p"})
    );
}

#[test]
fn long_texts_are_made_texts() {
    let long = json!({"t": ["STRING", {"multiline": true}]});
    let cases = [
        (json!(5), "5"),
        (json!(0.95), "0.95"),
        (json!(8.0), "8"),
        (json!(true), "true"),
        (json!(null), ""),
        (json!(["a", "b"]), "a,b"),
        (json!({"a": 1}), "[object Object]"),
    ];
    for (value, text) in cases {
        assert_eq!(inputs(long.clone(), json!([value])), json!({"t": text}), "{value}");
    }
}

#[test]
fn the_largest_seed_stays_exact() {
    let found = inputs(json!({"seed": ["INT"]}), json!([u64::MAX, "fixed"]));
    assert_eq!(found["seed"].as_u64(), Some(u64::MAX));
}

#[test]
fn values_by_name_are_taken_by_name() {
    let named = json!({"c": "q", "a": 5, "unknown": 1});
    assert_eq!(inputs(three(), named), json!({"a": 5, "b": "x", "c": "q"}));
}

#[test]
fn names_written_beside_the_values_are_not_read() {
    let converted = Drawing::new()
        .class("Node", three(), &[])
        .node(1, "Node", json!([5, "y", "q"]))
        .with("widgets_values_named", json!({"a": 6, "b": "z", "c": "p"}))
        .convert();
    assert_eq!(converted.inputs("1"), json!({"a": 5, "b": "y", "c": "q"}));
}

#[test]
fn the_value_that_old_files_hold_for_an_input_that_asks_for_a_link_is_dropped() {
    let required = json!({"a": ["INT"], "forced": ["INT", {"forceInput": true}], "b": ["INT"]});
    assert_eq!(inputs(required.clone(), json!([1, 99, 2])), json!({"a": 1, "b": 2}));
    assert_eq!(inputs(required, json!([1, 2])), json!({"a": 1, "b": 2}));
}

#[test]
fn a_seed_before_an_input_that_asks_for_a_link_does_not_shift_what_is_dropped() {
    let required = json!({"seed": ["INT"], "forced": ["INT", {"forceInput": true}], "b": ["INT"]});
    assert_eq!(inputs(required, json!([7, "fixed", 99, 2])), json!({"seed": 7, "b": 2}));
}

#[test]
fn a_value_that_the_schema_forbids_is_sent_and_told() {
    // Without its control value a seed takes what is behind it, and all values slide.
    let required = json!({"seed": ["INT"], "steps": ["INT"], "name": [["euler", "ddim"]]});
    let converted =
        Drawing::new().class("Node", required, &[]).node(1, "Node", json!([7, 20, "euler"])).convert();
    assert_eq!(converted.inputs("1"), json!({"seed": 7, "steps": "euler", "name": "euler"}));
    let problems = converted.problems();
    assert!(
        problems.iter().any(|problem| problem.contains("node 1") && problem.contains("steps")),
        "{problems:?}"
    );
}

#[test]
fn the_sampler_of_an_old_file_loses_its_prefix() {
    for class in ["KSampler", "KSamplerAdvanced"] {
        let converted = Drawing::new()
            .class(class, json!({"sampler_name": [["euler", "ddim"]]}), &[])
            .node(1, class, json!(["sample_ddim"]))
            .convert();
        assert_eq!(converted.input("1", "sampler_name"), "ddim", "{class}");
    }
}

#[test]
fn an_old_control_value_is_no_text() {
    for control in [true, false] {
        let required = json!({"seed": ["INT"], "steps": ["INT"]});
        assert_eq!(inputs(required, json!([7, control, 20])), json!({"seed": 7, "steps": 20}));
    }
}
