//! Which nodes and links there are.

use serde_json::{Value, json};

use crate::conversion::drawing::Drawing;

/// A source, a node that passes pictures on, and the end.
fn chain() -> Drawing {
    Drawing::new()
        .class("Blur", json!({"image": ["IMAGE"], "radius": ["INT", {"default": 3}]}), &["IMAGE"])
        .node(1, "Source", json!([]))
        .node(2, "Blur", json!([5]))
        .node(3, "Save", json!([]))
        .link(1, 0, 2, "image:IMAGE")
        .link(2, 0, 3, "images:IMAGE")
}

#[test]
fn links_name_the_origin_as_text_and_its_output_as_number() {
    let converted = chain().convert();
    converted.assert_sound();
    assert_eq!(converted.inputs("2"), json!({"radius": 5, "image": ["1", 0]}));
    assert_eq!(converted.inputs("3"), json!({"images": ["2", 0]}));
    assert_eq!(converted.0.workflow.node("2").unwrap().class_type, "Blur");
}

#[test]
fn every_node_has_a_title_or_at_least_a_place_for_it() {
    let converted = chain().node(4, "Save", json!([])).with("title", "The end").convert();
    assert_eq!(converted.0.workflow.node("4").unwrap().title(), Some("The end"));
    assert!(converted.0.workflow.nodes().all(|(_, node)| node.extra["_meta"].is_object()));
}

#[test]
fn links_are_lists_or_objects() {
    let drawing = chain();
    let mut document = drawing.document();
    document["version"] = json!(1);
    document["links"] = json!([
        {"id": 1, "origin_id": 1, "origin_slot": 0, "target_id": 2, "target_slot": 0, "type": "IMAGE", "parentId": 9},
        {"id": 2, "origin_id": 2, "origin_slot": 0, "target_id": 3, "target_slot": 0, "type": "IMAGE"},
    ]);
    document["reroutes"] = json!([{"id": 9, "pos": [0, 0], "linkIds": [1]}]);
    let converted = drawing.convert_document(document);
    assert_eq!(converted.assert_sound().0.workflow, chain().convert().0.workflow);
}

#[test]
fn a_document_without_a_version_is_read_like_an_old_one() {
    let drawing = chain();
    let mut document = drawing.document();
    document.as_object_mut().unwrap().remove("version");
    let converted = drawing.convert_document(document);
    assert_eq!(converted.assert_sound().0.workflow, chain().convert().0.workflow);
}

#[test]
fn drawn_reroutes_change_no_link() {
    let drawing = chain().field(
        "extra",
        json!({"reroutes": [{"id": 1, "pos": [0, 0], "linkIds": [2]}], "linkExtensions": [{"id": 2, "parentId": 1}]}),
    );
    assert_eq!(drawing.convert().assert_sound().0.workflow, chain().convert().0.workflow);
}

#[test]
fn ids_are_numbers_or_texts() {
    let converted = Drawing::new()
        .node("n_1", "Source", json!([]))
        .node(9_007_199_254_740_991_i64, "Save", json!([]))
        .link("n_1", 1, 9_007_199_254_740_991_i64, "images:IMAGE")
        .convert();
    assert_eq!(converted.assert_sound().input("9007199254740991", "images"), json!(["n_1", 1]));
}

#[test]
fn of_two_nodes_with_one_id_the_first_keeps_it() {
    let converted = chain().node(2, "Blur", json!([7])).convert();
    assert_eq!(converted.inputs("2"), json!({"radius": 5, "image": ["1", 0]}));
    assert_eq!(converted.input("3", "images"), json!(["2", 0]));
}

#[test]
fn only_the_numbers_two_and_four_take_a_node_out() {
    let drawing =
        ["4", "2"].into_iter().map(Value::from).chain([json!(null), json!(1), json!(3), json!(true)]);
    for mode in drawing {
        let converted = Drawing::new().node(1, "Source", json!([])).with("mode", mode.clone()).convert();
        assert_eq!(converted.ids(), ["1"], "mode {mode}");
    }
    for mode in [2, 4] {
        let converted = Drawing::new().node(1, "Source", json!([])).mode(mode).convert();
        assert_eq!(converted.assert_sound().ids(), Vec::<String>::new(), "mode {mode}");
    }
}

#[test]
fn notes_reroutes_and_primitives_are_not_sent() {
    let converted = Drawing::new()
        .node(1, "Note", json!(["text"]))
        .node(2, "MarkdownNote", json!(["text"]))
        .node(3, "PrimitiveNode", json!([3, "fixed"]))
        .node(4, "Reroute", Value::Null)
        .convert();
    assert_eq!(converted.assert_sound().ids(), Vec::<String>::new());
}

#[test]
fn a_link_from_a_muted_node_is_not_there() {
    let drawing = Drawing::new()
        .class("Number", json!({"value": ["INT"]}), &["INT"])
        .class("Blur", json!({"image": ["IMAGE"], "radius": ["INT"]}), &["IMAGE"])
        .node(1, "Source", json!([]))
        .mode(2)
        .node(2, "Number", json!([9]))
        .mode(2)
        .node(3, "Blur", json!([5]))
        .link(1, 0, 3, "image:IMAGE")
        .link_widget(2, 0, 3, "radius:INT");
    // The widget shows its own value again.
    assert_eq!(drawing.convert().inputs("3"), json!({"radius": 5}));
}

#[test]
fn reroutes_pass_on_what_they_get() {
    let converted = Drawing::new()
        .node(1, "Source", json!([]))
        .node(2, "Reroute", Value::Null)
        .link(1, 1, 2, ":*")
        .node(3, "Reroute", Value::Null)
        .mode(4)
        .link(2, 0, 3, ":*")
        .node(4, "Save", json!([]))
        .link(3, 0, 4, "images:IMAGE")
        .convert();
    assert_eq!(converted.input("4", "images"), json!(["1", 1]));
}

#[test]
fn a_muted_reroute_cuts() {
    let converted = Drawing::new()
        .node(1, "Source", json!([]))
        .node(2, "Reroute", Value::Null)
        .mode(2)
        .link(1, 0, 2, ":*")
        .node(3, "Save", json!([]))
        .link(2, 0, 3, "images:IMAGE")
        .convert();
    assert!(!converted.has("3", "images"));
}

#[test]
fn a_reroute_that_gets_nothing_gives_nothing() {
    let converted = Drawing::new()
        .node(2, "Reroute", Value::Null)
        .node(3, "Save", json!([]))
        .link(2, 0, 3, "images:IMAGE")
        .convert();
    assert_eq!(converted.inputs("3"), json!({}));
}

#[test]
fn a_ring_of_running_nodes_is_written_as_it_is() {
    let converted = Drawing::new()
        .class("Blur", json!({"image": ["IMAGE"]}), &["IMAGE"])
        .node(1, "Blur", json!([]))
        .node(2, "Blur", json!([]))
        .link(1, 0, 2, "image:IMAGE")
        .link(2, 0, 1, "image:IMAGE")
        .convert();
    assert_eq!(converted.input("1", "image"), json!(["2", 0]));
    assert_eq!(converted.input("2", "image"), json!(["1", 0]));
}

#[test]
fn a_ring_of_reroutes_or_bypassed_nodes_comes_to_an_end() {
    for (class, mode) in [("Reroute", 0), ("Blur", 4)] {
        let converted = Drawing::new()
            .class("Blur", json!({"image": ["IMAGE"]}), &["IMAGE"])
            .node(1, class, json!([]))
            .mode(mode)
            .node(2, class, json!([]))
            .mode(mode)
            .link(1, 0, 2, "image:IMAGE")
            .link(2, 0, 1, "image:IMAGE")
            .node(3, "Save", json!([]))
            .link(2, 0, 3, "images:IMAGE")
            .convert();
        assert!(!converted.has("3", "images"), "{class}");
        assert!(!converted.0.problems.is_empty(), "{class}: nothing was said");
    }
}

#[test]
fn the_link_of_the_input_decides_and_the_table_helps_where_there_is_none() {
    let drawing = chain();
    for change in ["null", "no inputs"] {
        let mut document = drawing.document();
        if change == "null" {
            document["nodes"][1]["inputs"][0]["link"] = Value::Null;
        } else {
            document["nodes"][2].as_object_mut().unwrap().remove("inputs");
        }
        let converted = drawing.convert_document(document);
        assert_eq!(converted.input("2", "image"), json!(["1", 0]), "{change}");
        if change == "null" {
            assert_eq!(converted.input("3", "images"), json!(["2", 0]), "{change}");
        }
    }
}

#[test]
fn a_wrong_target_in_the_table_does_no_harm() {
    let drawing = chain();
    let mut document = drawing.document();
    document["links"][0][4] = json!(7);
    assert_eq!(drawing.convert_document(document).input("2", "image"), json!(["1", 0]));
}

#[test]
fn links_to_nowhere_are_told_and_left_out() {
    let drawing = chain();
    let mut no_entry = drawing.document();
    no_entry["links"].as_array_mut().unwrap().remove(0);
    let mut no_origin = drawing.document();
    no_origin["nodes"].as_array_mut().unwrap().remove(0);
    for document in [no_entry, no_origin] {
        let converted = drawing.convert_document(document);
        assert_eq!(converted.inputs("2"), json!({"radius": 5}));
        let problems = converted.problems();
        assert!(
            problems.iter().any(|problem| problem.contains("node 2") && problem.contains("image")),
            "{problems:?}"
        );
    }
}

#[test]
fn a_newer_name_is_used_for_an_older_class_that_the_server_lacks() {
    let drawing = Drawing::new()
        .class("ControlNetLoader", json!({"name": ["STRING"]}), &["CONTROL_NET"])
        .class("ConditioningAverage", json!({"strength": ["FLOAT"]}), &["CONDITIONING"])
        .node(1, "T2IAdapterLoader", json!(["a"]))
        .node(2, "ConditioningAverage ", json!([0.5]));
    let converted = drawing.convert();
    assert_eq!(converted.0.workflow.node("1").unwrap().class_type, "ControlNetLoader");
    assert_eq!(converted.inputs("1"), json!({"name": "a"}));
    assert_eq!(converted.0.workflow.node("2").unwrap().class_type, "ConditioningAverage");
}
