//! Values that the editor's own primitive node pushes into widgets.

use serde_json::{Value, json};

use crate::conversion::drawing::Drawing;

/// A primitive node with these values, linked to a widget of this kind that holds `null` itself.
fn pushed(spec: Value, values: Value) -> Value {
    let converted = Drawing::new()
        .class("Node", json!({"x": spec}), &[])
        .node(1, "PrimitiveNode", values)
        .node(2, "Node", json!([null]))
        .link_widget(1, 0, 2, "x:INT")
        .convert();
    assert_eq!(converted.ids(), ["2"]);
    converted.input("2", "x")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn the_value_is_written_into_the_widget() {
    assert_eq!(pushed(json!(["INT"]), json!([42, "fixed"])), 42);
    assert_eq!(pushed(json!(["STRING"]), json!(["text"])), "text");
    assert_eq!(pushed(json!(["BOOLEAN"]), json!([true])), true);
    assert_eq!(pushed(json!([["a", "b"]]), json!(["b", "fixed", ""])), "b");
}

#[test]
fn it_goes_to_every_widget_that_it_is_linked_to() {
    let converted = Drawing::new()
        .class("Node", json!({"x": ["INT"], "y": ["INT"]}), &[])
        .node(1, "PrimitiveNode", json!([42, "fixed"]))
        .node(2, "Node", json!([1, 2]))
        .node(3, "Node", json!([3, 4]))
        .link_widget(1, 0, 2, "y:INT")
        .link_widget(1, 0, 3, "x:INT")
        .convert();
    assert_eq!(converted.inputs("2"), json!({"x": 1, "y": 42}));
    assert_eq!(converted.inputs("3"), json!({"x": 42, "y": 4}));
}

#[test]
fn a_muted_one_pushes_as_well() {
    for mode in [2, 4] {
        let converted = Drawing::new()
            .class("Node", json!({"x": ["INT"]}), &[])
            .node(1, "PrimitiveNode", json!([42, "fixed"]))
            .mode(mode)
            .node(2, "Node", json!([1]))
            .link_widget(1, 0, 2, "x:INT")
            .convert();
        assert_eq!(converted.input("2", "x"), 42, "mode {mode}");
    }
}

#[test]
fn numbers_are_rounded_to_the_steps_of_the_widget() {
    // To a whole step, counted from the minimum.
    assert_eq!(number(&pushed(json!(["INT", {"min": 1, "max": 100, "step": 8}]), json!([12, "fixed"]))), 9.0);
    assert_eq!(
        number(&pushed(json!(["INT", {"min": 0, "max": 100, "step": 8}]), json!([13, "fixed"]))),
        16.0
    );
    assert_eq!(number(&pushed(json!(["FLOAT", {"step": 0.01}]), json!([0.125, "fixed"]))), 0.13);
    assert_eq!(number(&pushed(json!(["FLOAT", {"step": 0.1, "round": 0.25}]), json!([0.6, "fixed"]))), 0.5);
}

#[test]
fn numbers_are_held_within_the_bounds_of_the_widget() {
    assert_eq!(
        number(&pushed(json!(["FLOAT", {"min": 0.0, "max": 1.0, "step": 0.01}]), json!([7.5, "fixed"]))),
        1.0
    );
    assert_eq!(
        number(&pushed(json!(["FLOAT", {"min": 0.0, "max": 1.0, "step": 0.01}]), json!([-7.5, "fixed"]))),
        0.0
    );
}

#[test]
fn without_a_value_of_its_own_it_takes_the_one_of_the_widget() {
    let converted = Drawing::new()
        .class("Node", json!({"x": ["INT"]}), &[])
        .node(1, "PrimitiveNode", Value::Null)
        .node(2, "Node", json!([5]))
        .link_widget(1, 0, 2, "x:INT")
        .convert();
    assert_eq!(converted.input("2", "x"), 5);
}

#[test]
fn nothing_comes_through_a_legacy_reroute() {
    let converted = Drawing::new()
        .class("Node", json!({"x": ["INT"]}), &[])
        .node(1, "PrimitiveNode", json!([42, "fixed"]))
        .node(3, "Reroute", Value::Null)
        .link(1, 0, 3, ":*")
        .node(2, "Node", json!([5]))
        .link_widget(3, 0, 2, "x:INT")
        .convert();
    assert_eq!(converted.input("2", "x"), 5);
}

#[test]
fn an_unlinked_one_does_nothing() {
    let converted =
        Drawing::new().node(1, "PrimitiveNode", Value::Null).node(2, "Source", json!([])).convert();
    assert_eq!(converted.assert_sound().ids(), ["2"]);
}

#[test]
fn patterns_in_its_value_are_filled_in_if_it_asks_for_that() {
    for (asked, wanted) in [(true, "seed 7"), (false, "seed %Sampler.seed%")] {
        let converted = Drawing::new()
            .class("Sampler", json!({"seed": ["INT"]}), &[])
            .class("Node", json!({"x": ["STRING"]}), &[])
            .node(1, "PrimitiveNode", json!(["seed %Sampler.seed%"]))
            .with("properties", json!({"Run widget replace on values": asked}))
            .node(2, "Node", json!(["own"]))
            .link_widget(1, 0, 2, "x:STRING")
            .node(3, "Sampler", json!([7, "fixed"]))
            .with("properties", json!({"Node name for S&R": "Sampler"}))
            .convert();
        assert_eq!(converted.input("2", "x"), wanted);
    }
}

#[test]
fn dynamic_prompts_are_worked_on_afterwards() {
    let spec = json!(["STRING", {"multiline": true, "dynamicPrompts": true}]);
    assert_eq!(pushed(spec, json!(["a {b|c}"])), "a b");
}

#[test]
fn it_works_inside_a_subgraph() {
    let inner = Drawing::new()
        .class("Node", json!({"x": ["INT"]}), &["INT"])
        .node(1, "PrimitiveNode", json!([42, "fixed"]))
        .node(2, "Node", json!([5]))
        .link_widget(1, 0, 2, "x:INT");
    let converted = Drawing::new().subgraph("S", &[], &[], inner).node(7, "S", Value::Null).convert();
    assert_eq!(converted.input("7:2", "x"), 42);
}
