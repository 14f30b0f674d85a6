use serde_json::json;

use super::*;
use crate::NodeId;

fn read(document: Value) -> EditorWorkflow {
    EditorWorkflow::from_value(document).unwrap()
}

#[test]
fn links_are_lists_or_objects_and_ids_numbers_or_texts() {
    let editor = read(json!({
        "nodes": [{"id": "n_1", "type": "A"}, {"id": 2.0, "type": "B", "inputs": [{"name": "x", "link": 5}]}],
        "links": [[5, "n_1", 0, 2, 0, "IMAGE", "more"], {"id": 6, "origin_id": 2, "origin_slot": 1, "target_id": "n_1", "target_slot": 0}],
    }));
    let root = editor.root();
    assert_eq!(root.nodes[1].id, NodeId::from("2"));
    assert_eq!(root.link(5).unwrap().origin, NodeId::from("n_1"));
    assert_eq!(root.link(6).unwrap().target, NodeId::from("n_1"));
    assert!(editor.oddities().is_empty());
}

#[test]
fn only_the_numbers_two_and_four_change_the_mode() {
    let editor = read(json!({"nodes": [
        {"id": 1, "mode": 2}, {"id": 2, "mode": 4}, {"id": 3, "mode": "4"}, {"id": 4, "mode": null}, {"id": 5, "mode": 1},
    ]}));
    let modes: Vec<Mode> = editor.root().nodes.iter().map(|node| node.mode).collect();
    assert_eq!(modes, [Mode::Muted, Mode::Bypassed, Mode::Active, Mode::Active, Mode::Active]);
}

#[test]
fn what_is_of_a_wrong_shape_is_passed_over_and_said() {
    let editor = read(json!({
        "nodes": [7, {"type": "no id"}, {"id": 1}],
        "links": [null, "x", [1, 2]],
        "definitions": {"subgraphs": [3, {"name": "S"}, {"id": "a", "name": "S"}, {"id": "a"}]},
    }));
    assert_eq!(editor.root().nodes.len(), 1);
    assert_eq!(editor.root().nodes[0].place, 2);
    insta::assert_snapshot!(editor.oddities().join("\n"), @r#"
    entry 0 of the nodes of the workflow is no node with an id
    entry 1 of the nodes of the workflow is no node with an id
    entry 1 of the links of the workflow is no link
    entry 2 of the links of the workflow is no link
    definition 0 is no object
    definition 1 has no id
    subgraph "a" is defined twice under the id a
    "#);
}

#[test]
fn definitions_inside_definitions_lie_flat() {
    let editor = read(json!({"nodes": [], "definitions": {"subgraphs": [
        {"id": "outer", "nodes": [], "definitions": {"subgraphs": [{"id": "inner", "nodes": []}]}},
    ]}}));
    assert_eq!(editor.subgraphs().keys().collect::<Vec<_>>(), ["outer", "inner"]);
}
