//! What comes out of a bypassed node.

use serde_json::{Value, json};

use crate::conversion::drawing::{Converted, Drawing};

/// A bypassed node with these sockets, of which some are linked to outputs of two sources, and a node `9` that takes what
/// its output gives as type `wanted`.
fn bypassed(
    inputs: Value,
    outputs: &[&str],
    links: &[(&str, usize)],
    slot: usize,
    wanted: &str,
) -> Converted {
    let mut drawing = Drawing::new()
        .class("Origin", json!({}), &["IMAGE", "MASK", "LATENT"])
        .class("Pass", inputs, outputs)
        .class("Taker", json!({"taken": [wanted]}), &[])
        .node(1, "Origin", json!([]))
        .node(2, "Pass", json!([]))
        .mode(4);
    for (input, origin_slot) in links {
        drawing = drawing.link(1, *origin_slot, 2, input);
    }
    drawing.node(9, "Taker", json!([])).link(2, slot, 9, &format!("taken:{wanted}")).convert()
}

#[test]
fn the_input_at_the_place_of_the_output_is_passed_on_if_the_types_agree() {
    let inputs = json!({"a": ["IMAGE"], "b": ["IMAGE"]});
    let links = [("a:IMAGE", 0), ("b:IMAGE", 1)];
    assert_eq!(
        bypassed(inputs.clone(), &["IMAGE", "IMAGE"], &links, 0, "IMAGE").input("9", "taken"),
        json!(["1", 0])
    );
    assert_eq!(
        bypassed(inputs, &["IMAGE", "IMAGE"], &links, 1, "IMAGE").input("9", "taken"),
        json!(["1", 1])
    );
}

#[test]
fn else_the_first_input_of_the_very_type_is_passed_on() {
    let inputs = json!({"mask": ["MASK"], "image": ["IMAGE"], "other": ["IMAGE"]});
    let links = [("mask:MASK", 1), ("image:IMAGE", 0), ("other:IMAGE", 2)];
    assert_eq!(bypassed(inputs, &["IMAGE"], &links, 0, "IMAGE").input("9", "taken"), json!(["1", 0]));
}

#[test]
fn else_the_first_input_of_an_agreeing_type_is_passed_on() {
    let inputs = json!({"mask": ["MASK"], "any": ["image,latent"]});
    let links = [("mask:MASK", 1), ("any:image,latent", 2)];
    assert_eq!(bypassed(inputs, &["IMAGE"], &links, 0, "IMAGE").input("9", "taken"), json!(["1", 2]));
}

#[test]
fn who_takes_anything_gets_the_input_at_the_place_of_the_output_or_the_first() {
    let inputs = json!({"mask": ["MASK"], "image": ["IMAGE"]});
    let links = [("mask:MASK", 1), ("image:IMAGE", 0)];
    let outputs = ["LATENT", "LATENT", "LATENT"];
    assert_eq!(bypassed(inputs.clone(), &outputs, &links, 1, "*").input("9", "taken"), json!(["1", 0]));
    assert_eq!(bypassed(inputs, &outputs, &links, 2, "*").input("9", "taken"), json!(["1", 1]));
}

#[test]
fn nothing_is_passed_on_where_no_type_agrees() {
    let inputs = json!({"mask": ["MASK"]});
    assert!(!bypassed(inputs, &["LATENT"], &[("mask:MASK", 1)], 0, "LATENT").has("9", "taken"));
}

#[test]
fn an_unlinked_input_is_chosen_as_well_and_gives_nothing() {
    let inputs = json!({"mask": ["MASK"], "first": ["IMAGE"], "second": ["IMAGE"]});
    assert!(!bypassed(inputs, &["IMAGE"], &[("second:IMAGE", 0)], 0, "IMAGE").has("9", "taken"));
}

#[test]
fn all_inputs_of_the_class_count_not_those_that_the_file_lists() {
    // The file lists the second one only, which is no reason to take it for the first.
    let inputs = json!({"first": ["IMAGE"], "second": ["IMAGE"]});
    let links = [("second:IMAGE", 0)];
    assert!(!bypassed(inputs.clone(), &["IMAGE", "IMAGE"], &links, 0, "IMAGE").has("9", "taken"));
    assert_eq!(
        bypassed(inputs, &["IMAGE", "IMAGE"], &links, 1, "IMAGE").input("9", "taken"),
        json!(["1", 0])
    );
}

#[test]
fn sockets_count_before_widgets() {
    let drawing = Drawing::new()
        .class("Number", json!({"value": ["INT"]}), &["INT"])
        .class("Pass", json!({"first": ["INT"], "second": ["INT", {"forceInput": true}]}), &["INT", "INT"])
        .class("Taker", json!({"taken": ["INT", {"forceInput": true}]}), &[])
        .node(1, "Number", json!([1]))
        .node(2, "Number", json!([2]))
        .node(3, "Pass", json!([5]))
        .mode(4)
        .link_widget(1, 0, 3, "first:INT")
        .link(2, 0, 3, "second:INT")
        .node(8, "Taker", json!([]))
        .link(3, 0, 8, "taken:INT")
        .node(9, "Taker", json!([]))
        .link(3, 1, 9, "taken:INT");
    assert_eq!(drawing.convert().input("8", "taken"), json!(["2", 0]));
    assert_eq!(drawing.convert().input("9", "taken"), json!(["1", 0]));
}

#[test]
fn inputs_made_by_the_editor_come_last() {
    // The upload button of a picture stands behind the optional inputs.
    let input = json!({"required": {"image": [["a.png"], {"image_upload": true}]}, "optional": {"mask": ["MASK"], "size": ["INT"]}});
    let drawing = Drawing::new()
        .described("Load", input, &["IMAGE", "COMBO", "INT"])
        .class("Number", json!({"value": ["INT"]}), &["INT"])
        .class("Taker", json!({"taken": ["INT", {"forceInput": true}]}), &[])
        .node(1, "Number", json!([1]))
        .node(2, "Load", json!(["a.png", 3, "image"]))
        .mode(4)
        .link_widget(1, 0, 2, "size:INT")
        .node(9, "Taker", json!([]))
        .link(2, 2, 9, "taken:INT");
    assert_eq!(drawing.convert().input("9", "taken"), json!(["1", 0]));
}

#[test]
fn a_chain_of_bypassed_nodes_is_followed_to_its_end() {
    let converted = Drawing::new()
        .class("Blur", json!({"image": ["IMAGE"]}), &["IMAGE"])
        .node(1, "Source", json!([]))
        .node(2, "Blur", json!([]))
        .mode(4)
        .link(1, 0, 2, "image:IMAGE")
        .node(3, "Blur", json!([]))
        .mode(4)
        .link(2, 0, 3, "image:IMAGE")
        .node(4, "Save", json!([]))
        .link(3, 0, 4, "images:IMAGE")
        .convert();
    assert_eq!(converted.assert_sound().input("4", "images"), json!(["1", 0]));
    assert_eq!(converted.ids(), ["1", "4"]);
}

#[test]
fn the_next_bypassed_node_is_asked_for_the_type_of_the_input_that_was_chosen() {
    let converted = Drawing::new()
        .class("Origin", json!({}), &["IMAGE", "MASK", "LATENT"])
        .class("Inner", json!({"mask": ["MASK"], "latent": ["LATENT"], "image": ["IMAGE"]}), &["LATENT"])
        .class("Outer", json!({"any": ["IMAGE,MASK"]}), &["IMAGE"])
        .node(1, "Origin", json!([]))
        .node(2, "Inner", json!([]))
        .mode(4)
        .link(1, 1, 2, "mask:MASK")
        .link(1, 2, 2, "latent:LATENT")
        .link(1, 0, 2, "image:IMAGE")
        .node(3, "Outer", json!([]))
        .mode(4)
        .link(2, 0, 3, "any:IMAGE,MASK")
        .node(4, "Save", json!([]))
        .link(3, 0, 4, "images:IMAGE")
        .convert();
    // Of the inputs of node 2 the mask is the first that agrees with its output (LATENT) and with IMAGE,MASK? None does.
    assert!(!converted.has("4", "images"));
}

#[test]
fn a_widget_whose_link_ends_in_nothing_keeps_its_value() {
    let converted = Drawing::new()
        .class("Number", json!({"text": ["STRING"]}), &["INT"])
        .class("Blur", json!({"radius": ["INT"]}), &[])
        .node(1, "Number", json!(["x"]))
        .mode(4)
        .node(2, "Blur", json!([5]))
        .link_widget(1, 0, 2, "radius:INT")
        .convert();
    assert_eq!(converted.inputs("2"), json!({"radius": 5}));
}
