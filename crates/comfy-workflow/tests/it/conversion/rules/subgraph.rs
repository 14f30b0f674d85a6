//! Nodes that stand for a graph of their own.

use serde_json::{Value, json};

use crate::conversion::drawing::{Converted, Drawing};

/// A graph whose node 5 (`Blur`) takes a picture and a radius from outside, and gives a picture.
fn blur(values: Value) -> Drawing {
    Drawing::new()
        .class(
            "Blur",
            json!({"image": ["IMAGE"], "radius": ["INT", {"default": 3}], "mode": ["STRING"]}),
            &["IMAGE"],
        )
        .node(5, "Blur", values)
        .link(-10, 0, 5, "image:IMAGE")
        .link_widget(-10, 1, 5, "radius:INT")
        .link_output(5, 0, 0)
}

fn outer() -> Drawing {
    let ports: [&[&str]; 2] = [&["image:IMAGE", "radius:INT"], &["IMAGE:IMAGE"]];
    Drawing::new().subgraph("S", ports[0], ports[1], blur(json!([11, "inner"]))).node(1, "Source", json!([]))
}

/// A node 9 that stands for the graph between a source and the end.
fn host(values: Value) -> Drawing {
    outer()
        .node(9, "S", values)
        .link(1, 0, 9, "image:IMAGE")
        .unlinked("radius:INT", true)
        .node(3, "Save", json!([]))
        .link(9, 0, 3, "images:IMAGE")
}

#[test]
fn inner_nodes_are_named_by_the_way_to_them() {
    let converted = host(json!([])).convert();
    assert_eq!(converted.assert_sound().ids(), ["1", "3", "9:5"]);
    assert_eq!(converted.inputs("9:5"), json!({"image": ["1", 0], "radius": 11, "mode": "inner"}));
    assert_eq!(converted.input("3", "images"), json!(["9:5", 0]));
}

#[test]
fn values_of_the_host_win_over_inner_ones() {
    assert_eq!(host(json!([22])).convert().input("9:5", "radius"), 22);
}

#[test]
fn a_linked_input_of_the_host_wins_over_both() {
    let converted = outer()
        .class("Number", json!({"value": ["INT"]}), &["INT"])
        .node(2, "Number", json!([4]))
        .node(9, "S", json!([22]))
        .link_widget(2, 0, 9, "radius:INT")
        .link(1, 0, 9, "image:IMAGE")
        .convert();
    assert_eq!(converted.inputs("9:5"), json!({"image": ["1", 0], "radius": ["2", 0], "mode": "inner"}));
}

#[test]
fn a_link_of_the_host_that_comes_to_nothing_leaves_the_inner_value() {
    let converted = outer()
        .node(2, "Reroute", Value::Null)
        .node(9, "S", json!([22]))
        .link_widget(2, 0, 9, "radius:INT")
        .convert();
    assert_eq!(converted.input("9:5", "radius"), 11);
    assert!(!converted.has("9:5", "image"));
}

#[test]
fn two_nodes_of_one_graph_have_values_of_their_own() {
    let converted = host(json!([22])).node(10, "S", json!([33])).unlinked("radius:INT", true).convert();
    assert_eq!(converted.input("9:5", "radius"), 22);
    assert_eq!(converted.input("10:5", "radius"), 33);
}

#[test]
fn null_of_the_host_is_no_value() {
    assert_eq!(host(json!([null])).convert().input("9:5", "radius"), 11);
}

/// Two promoted inputs and a proxy between them, as the property `proxyWidgets` says.
fn proxied(proxies: Value, values: Value) -> Converted {
    let inner = Drawing::new()
        .class("Node", json!({"a": ["INT"], "b": ["INT"], "c": ["INT"]}), &["INT"])
        .node(5, "Node", json!([1, 2, 3]))
        .link_widget(-10, 0, 5, "a:INT")
        .link_widget(-10, 1, 5, "c:INT");
    let mut drawing = Drawing::new().subgraph("S", &["a:INT", "c:INT"], &[], inner).node(9, "S", values);
    if !proxies.is_null() {
        drawing = drawing.with("properties", json!({"proxyWidgets": proxies}));
    }
    drawing.unlinked("a:INT", true).unlinked("c:INT", true).convert()
}

#[test]
fn the_list_of_proxies_says_which_value_is_whose() {
    let proxies = json!([["5", "b"], ["-1", "c"], ["-1", "a"]]);
    let inputs = proxied(proxies, json!([null, 30, 10])).inputs("9:5");
    assert_eq!(inputs, json!({"a": 10, "b": 2, "c": 30}));
}

#[test]
fn a_list_of_proxies_without_the_inputs_leaves_their_order() {
    assert_eq!(proxied(Value::Null, json!([10, 30])).inputs("9:5"), json!({"a": 10, "b": 2, "c": 30}));
    assert_eq!(
        proxied(json!([["-1", "a"], ["-1", "c"]]), Value::Null).inputs("9:5"),
        json!({"a": 1, "b": 2, "c": 3})
    );
}

#[test]
fn a_place_of_the_host_counts_even_if_the_inner_class_is_unknown() {
    let inner = Drawing::new()
        .class("Node", json!({"c": ["INT"]}), &["INT"])
        .node(4, "Gone", json!([1]))
        .link_widget(-10, 0, 4, "name:STRING")
        .node(5, "Node", json!([3]))
        .link_widget(-10, 1, 5, "c:INT");
    let converted = Drawing::new()
        .subgraph("S", &["name:STRING", "c:INT"], &[], inner)
        .node(9, "S", json!(["text", 30]))
        .unlinked("name:STRING", true)
        .unlinked("c:INT", true)
        .convert();
    assert_eq!(converted.input("9:5", "c"), 30);
}

#[test]
fn inputs_of_the_host_are_found_by_name() {
    let converted =
        outer().node(9, "S", json!([22])).unlinked("radius:INT", true).link(1, 0, 9, "image:IMAGE").convert();
    assert_eq!(converted.inputs("9:5"), json!({"image": ["1", 0], "radius": 22, "mode": "inner"}));
    let compressed = outer().node(9, "S", json!([22])).link(1, 0, 9, "image:IMAGE").convert();
    assert_eq!(compressed.inputs("9:5"), converted.inputs("9:5"));
}

/// A graph in a graph: node 8 inside passes its radius in, node 9 outside stands for it all.
fn nested(inner_values: Value, outer_values: Value) -> Converted {
    let middle = Drawing::new()
        .subgraph("Inner", &["image:IMAGE", "radius:INT"], &["IMAGE:IMAGE"], blur(json!([11, "inner"])))
        .node(8, "Inner", inner_values)
        .link(-10, 0, 8, "image:IMAGE")
        .link_widget(-10, 1, 8, "radius:INT")
        .link_output(8, 0, 0);
    Drawing::new()
        .subgraph("Outer", &["image:IMAGE", "radius:INT"], &["IMAGE:IMAGE"], middle)
        .node(1, "Source", json!([]))
        .node(9, "Outer", outer_values)
        .link(1, 0, 9, "image:IMAGE")
        .unlinked("radius:INT", true)
        .node(3, "Save", json!([]))
        .link(9, 0, 3, "images:IMAGE")
        .convert()
}

#[test]
fn graphs_nest() {
    let converted = nested(json!([22]), json!([33]));
    assert_eq!(converted.assert_sound().ids(), ["1", "3", "9:8:5"]);
    assert_eq!(converted.inputs("9:8:5"), json!({"image": ["1", 0], "radius": 33, "mode": "inner"}));
    assert_eq!(converted.input("3", "images"), json!(["9:8:5", 0]));
    assert_eq!(nested(json!([22]), Value::Null).input("9:8:5", "radius"), 22);
    assert_eq!(nested(Value::Null, Value::Null).input("9:8:5", "radius"), 11);
}

#[test]
fn of_several_links_to_an_output_the_first_that_it_names_counts() {
    let inner = Drawing::new()
        .node(1, "Source", json!([]))
        .node(2, "Source", json!([]))
        .link_output(1, 0, 0)
        .link_output(2, 0, 0);
    let drawing = Drawing::new()
        .subgraph("S", &[], &["IMAGE:IMAGE"], inner)
        .node(9, "S", Value::Null)
        .node(3, "Save", json!([]))
        .link(9, 0, 3, "images:IMAGE");
    let mut document = drawing.document();
    document["definitions"]["subgraphs"][0]["outputs"][0]["linkIds"] = json!([2, 1]);
    let first = drawing.convert_document(document).input("3", "images");
    // One editor takes the first in the list of the output, another the first in the table.
    assert!(first == json!(["9:2", 0]) || first == json!(["9:1", 0]), "{first}");
}

#[test]
fn an_output_that_nothing_leads_to_gives_nothing() {
    let converted = Drawing::new()
        .subgraph("S", &[], &["IMAGE:IMAGE"], Drawing::new().node(1, "Source", json!([])))
        .node(9, "S", Value::Null)
        .node(3, "Save", json!([]))
        .link(9, 0, 3, "images:IMAGE")
        .convert();
    assert!(!converted.has("3", "images"));
}

#[test]
fn an_input_that_leads_straight_to_an_output_passes() {
    let mut inner = Drawing::new();
    inner = inner.link_output(-10, 0, 0);
    let converted = Drawing::new()
        .subgraph("S", &["image:IMAGE"], &["IMAGE:IMAGE"], inner)
        .node(1, "Source", json!([]))
        .node(9, "S", Value::Null)
        .link(1, 0, 9, "image:IMAGE")
        .node(3, "Save", json!([]))
        .link(9, 0, 3, "images:IMAGE")
        .convert();
    // The editor refuses this. Either the link passes or it is told that it does not.
    assert!(converted.input("3", "images") == json!(["1", 0]) || !converted.0.problems.is_empty());
}

#[test]
fn a_bypassed_host_is_left_out_with_all_that_is_inside() {
    let mut document = host(json!([22])).document();
    document["nodes"][1]["mode"] = json!(4);
    let converted = host(json!([22])).convert_document(document);
    assert_eq!(converted.ids(), ["1", "3"]);
    assert_eq!(converted.input("3", "images"), json!(["1", 0]));
}

#[test]
fn a_muted_host_is_left_out_with_its_links() {
    let mut document = host(json!([22])).document();
    document["nodes"][1]["mode"] = json!(2);
    let converted = host(json!([22])).convert_document(document);
    assert_eq!(converted.ids(), ["1", "3"]);
    assert_eq!(converted.inputs("3"), json!({}));
}

#[test]
fn muted_and_bypassed_nodes_inside_are_treated_like_those_outside() {
    for (mode, wanted) in [(4, json!(["1", 0])), (2, Value::Null)] {
        let drawing = host(json!([22]));
        let mut document = drawing.document();
        document["definitions"]["subgraphs"][0]["nodes"][0]["mode"] = json!(mode);
        let converted = drawing.convert_document(document);
        assert_eq!(converted.ids(), ["1", "3"], "mode {mode}");
        assert_eq!(converted.input("3", "images"), wanted, "mode {mode}");
    }
}

#[test]
fn values_of_the_host_are_sent_raw() {
    let inner = Drawing::new()
        .class(
            "Node",
            json!({"text": ["STRING", {"dynamicPrompts": true}], "curve": ["CURVE"], "colors": ["COLORS"]}),
            &["STRING"],
        )
        .node(5, "Node", json!(["own", null, []]))
        .link_widget(-10, 0, 5, "text:STRING")
        .link_widget(-10, 1, 5, "curve:CURVE")
        .link_widget(-10, 2, 5, "colors:COLORS");
    let curve = json!({"points": [[0, 0], [1, 1]]});
    let converted = Drawing::new()
        .subgraph("S", &["text:STRING", "curve:CURVE", "colors:COLORS"], &[], inner)
        .node(9, "S", json!(["{a|b} // c", curve, ["#ff0000"]]))
        .convert();
    assert_eq!(converted.input("9:5", "text"), "{a|b} // c");
    assert_eq!(converted.input("9:5", "colors"), json!({"__value__": ["#ff0000"]}));
    let sent = converted.input("9:5", "curve");
    assert!(sent == curve || sent == json!({"__type__": "CURVE", "__value__": curve}), "{sent}");
}

#[test]
fn an_option_of_the_host_brings_its_inputs() {
    let combo = json!(["COMFY_DYNAMICCOMBO_V3", {"options": [
        {"key": "a", "inputs": {"required": {}}}, {"key": "b", "inputs": {"required": {"x": ["INT", {"default": 9}]}}},
    ]}]);
    let inner = Drawing::new()
        .class("Node", json!({"mode": combo}), &["INT"])
        .node(5, "Node", json!(["a"]))
        .link_widget(-10, 0, 5, "mode:COMBO");
    let converted =
        Drawing::new().subgraph("S", &["mode:COMBO"], &[], inner).node(9, "S", json!(["b"])).convert();
    assert_eq!(converted.inputs("9:5"), json!({"mode": "b", "mode.x": 9}));
}

#[test]
fn inner_ids_may_be_those_of_outer_nodes() {
    let converted = host(json!([22])).node(5, "Source", json!([])).convert();
    assert_eq!(converted.ids(), ["1", "3", "5", "9:5"]);
}

#[test]
fn a_graph_that_contains_itself_comes_to_an_end() {
    let inner = Drawing::new().node(1, "S", Value::Null).node(2, "Source", json!([]));
    let converted = Drawing::new().subgraph("S", &[], &[], inner).node(9, "S", Value::Null).convert();
    assert!(converted.0.has_errors(), "{:?}", converted.problems());
}

#[test]
fn an_old_group_node_becomes_the_nodes_it_is_made_of() {
    let group = json!({
        "nodes": [
            {"type": "Source", "inputs": [], "outputs": [{"name": "IMAGE", "type": "IMAGE"}]},
            {"type": "Blur", "inputs": [{"name": "image", "type": "IMAGE"}], "outputs": [{"name": "IMAGE", "type": "IMAGE"}], "widgets_values": [1, "m"]},
        ],
        "links": [[0, 0, 1, 0, 1, "IMAGE"]],
        "external": [[1, 0, "IMAGE"]],
    });
    let converted = blur(json!([])).field("extra", json!({"groupNodes": {"Both": group}}));
    let drawing = Drawing::new()
        .class("Blur", json!({"image": ["IMAGE"], "radius": ["INT"], "mode": ["STRING"]}), &["IMAGE"])
        .node(7, "workflow>Both", json!([4, "x"]))
        .node(3, "Save", json!([]))
        .link(7, 0, 3, "images:IMAGE");
    let mut document = drawing.document();
    document["extra"] = converted.document()["extra"].clone();
    let converted = drawing.convert_document(document);
    let classes: Vec<&str> = converted.0.workflow.nodes().map(|(_, node)| node.class_type.as_str()).collect();
    assert_eq!(classes.iter().filter(|class| **class == "Blur").count(), 1, "{:?}", converted.problems());
    let (id, blur) = converted.0.workflow.nodes().find(|(_, node)| node.class_type == "Blur").unwrap();
    assert_eq!((&blur.inputs["radius"], &blur.inputs["mode"]), (&json!(4), &json!("x")));
    assert_eq!(converted.input("3", "images"), json!([id.as_str(), 0]));
    let origin = blur.inputs["image"][0].as_str().unwrap();
    assert_eq!(converted.0.workflow.node(origin).unwrap().class_type, "Source");
}
