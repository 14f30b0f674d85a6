//! Which inputs a node has, and in which order.

use serde_json::{Value, json};

use crate::conversion::drawing::Drawing;

#[test]
fn inputs_are_matched_by_name_in_any_order() {
    let converted = Drawing::new()
        .class("Mix", json!({"first": ["IMAGE"], "second": ["IMAGE"], "mask": ["MASK"]}), &["IMAGE"])
        .node(1, "Source", json!([]))
        .node(2, "Mix", json!([]))
        .link(1, 1, 2, "mask:MASK")
        .link(1, 0, 2, "second:IMAGE")
        .convert();
    assert_eq!(converted.assert_sound().inputs("2"), json!({"second": ["1", 0], "mask": ["1", 1]}));
}

#[test]
fn unlinked_sockets_are_left_out() {
    let input = json!({"required": {"image": ["IMAGE"], "any": ["*"], "number": ["INT,FLOAT"], "forced": ["INT", {"forceInput": true}]},
        "optional": {"thing": ["MY_THING"], "soft": ["FLOAT", {"defaultInput": true}]}});
    let converted = Drawing::new().described("Mix", input, &["IMAGE"]).node(1, "Mix", json!([])).convert();
    assert_eq!(converted.inputs("1"), json!({}));
}

#[test]
fn an_input_that_asks_for_a_link_is_a_widget_all_the_same_if_it_is_required() {
    let input = json!({"required": {"hard": ["FLOAT", {"defaultInput": true, "default": 0.5}]},
        "optional": {"soft": ["FLOAT", {"defaultInput": true}], "last": ["INT"]}});
    let converted = Drawing::new().described("Mix", input, &[]).node(1, "Mix", json!([0.25, 7])).convert();
    assert_eq!(converted.inputs("1"), json!({"hard": 0.25, "last": 7}));
}

#[test]
fn required_inputs_come_before_optional_ones_and_hidden_ones_are_none() {
    let input = json!({"hidden": {"prompt": "PROMPT"}, "optional": {"d": ["INT"], "c": ["INT"]},
        "required": {"b": ["INT"], "a": ["INT"]}});
    let converted = Drawing::new().described("Mix", input, &[]).node(1, "Mix", json!([1, 2, 3, 4])).convert();
    assert_eq!(converted.assert_sound().inputs("1"), json!({"b": 1, "a": 2, "d": 3, "c": 4}));
}

#[test]
fn a_union_type_is_a_widget_only_if_it_names_one() {
    let input = json!({"socket": ["FLOAT,IMAGE"], "number": ["FLOAT,IMAGE", {"widgetType": "FLOAT", "default": 0.5}]});
    let drawing =
        Drawing::new().class("Mix", input, &[]).node(1, "Source", json!([])).node(2, "Mix", json!([0.75]));
    assert_eq!(drawing.convert().assert_sound().inputs("2"), json!({"number": 0.75}));
    let linked = drawing.link_widget(1, 0, 2, "number:FLOAT,IMAGE");
    assert_eq!(linked.convert().assert_sound().inputs("2"), json!({"number": ["1", 0]}));
}

#[test]
fn what_is_only_for_the_looks_changes_nothing() {
    let options = json!({"hidden": true, "advanced": true, "lazy": true, "display": "slider", "tooltip": "t", "rawLink": true});
    let converted = Drawing::new()
        .class("Mix", json!({"a": ["INT", options], "b": ["INT", {"socketless": true}]}), &[])
        .node(1, "Mix", json!([1, 2]))
        .convert();
    assert_eq!(converted.inputs("1"), json!({"a": 1, "b": 2}));
}

#[test]
fn a_widget_without_a_socket_can_be_linked_all_the_same() {
    let converted = Drawing::new()
        .class("Mix", json!({"color": ["COLOR", {"socketless": true}]}), &[])
        .node(1, "Source", json!([]))
        .node(2, "Mix", json!(["#ff0000"]))
        .link_widget(1, 0, 2, "color:COLOR")
        .convert();
    assert_eq!(converted.input("2", "color"), json!(["1", 0]));
}

#[test]
fn a_link_wins_over_the_value_of_its_widget() {
    let drawing = Drawing::new()
        .class("Number", json!({"value": ["INT"]}), &["INT"])
        .class("Blur", json!({"radius": ["INT"], "times": ["INT"]}), &[])
        .node(1, "Number", json!([9]))
        .node(2, "Blur", json!([5, 6]))
        .link_widget(1, 0, 2, "radius:INT");
    assert_eq!(drawing.convert().assert_sound().inputs("2"), json!({"radius": ["1", 0], "times": 6}));
    // As files have it that were saved when a widget had to be converted to be linked.
    let mut document = drawing.document();
    document["nodes"][1]["inputs"][0]["widget"] = json!({"name": "radius", "config": ["INT", {}]});
    assert_eq!(drawing.convert_document(document).input("2", "radius"), json!(["1", 0]));
}

#[test]
fn linked_sockets_that_the_class_does_not_know_are_kept_and_widgets_are_not() {
    let converted = Drawing::new()
        .class("Blur", json!({"image": ["IMAGE"]}), &[])
        .node(1, "Source", json!([]))
        .node(2, "Blur", json!([]))
        .link(1, 0, 2, "image:IMAGE")
        .link(1, 0, 2, "extra:IMAGE")
        .link_widget(1, 0, 2, "ghost0:INT")
        .link_widget(1, 0, 2, "ghost1:INT")
        .convert();
    assert_eq!(converted.inputs("2"), json!({"image": ["1", 0], "extra": ["1", 0]}));
}

#[test]
fn a_matched_type_is_a_socket() {
    let matched = json!(["COMFY_MATCHTYPE_V3", {"template": {"template_id": "t", "allowed_types": "*"}}]);
    let drawing = Drawing::new()
        .class("Switch", json!({"on": ["BOOLEAN"], "yes": matched, "no": matched}), &["COMFY_MATCHTYPE_V3"])
        .node(1, "Source", json!([]))
        .node(2, "Switch", json!([true]))
        .link(1, 0, 2, "yes:*")
        .node(3, "Save", json!([]))
        .link(2, 0, 3, "images:IMAGE");
    assert_eq!(drawing.convert().assert_sound().inputs("2"), json!({"on": true, "yes": ["1", 0]}));
    assert_eq!(drawing.convert().input("3", "images"), json!(["2", 0]));
}

#[test]
fn names_of_the_newer_style_are_taken_from_the_template() {
    let grow = |template: Value| json!(["COMFY_AUTOGROW_V3", {"template": template}]);
    let element = json!({"required": {"image": ["IMAGE"]}});
    let input = json!({
        "plain": grow(json!({"input": element, "prefix": "image", "min": 2, "max": 4})),
        "named": grow(json!({"input": element, "names": ["a", "b"], "min": 1})),
    });
    let converted = Drawing::new()
        .class("Batch", input, &["IMAGE"])
        .node(1, "Source", json!([]))
        .node(2, "Batch", json!([]))
        .link(1, 0, 2, "plain.image0:IMAGE")
        .unlinked("plain.image1:IMAGE", false)
        .link(1, 0, 2, "plain.image2:IMAGE")
        .link(1, 1, 2, "named.b:IMAGE")
        .convert();
    // Just what is linked, gaps and all.
    assert_eq!(
        converted.assert_sound().inputs("2"),
        json!({"plain.image0": ["1", 0], "plain.image2": ["1", 0], "named.b": ["1", 1]})
    );
}
