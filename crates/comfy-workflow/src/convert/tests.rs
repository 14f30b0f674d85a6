use serde_json::{Value, json};

use super::*;

fn schemas() -> Schemas {
    Schemas::from_value(json!({
        "Make": {"input": {"required": {"width": ["INT"], "seed": ["INT"], "text": ["STRING", {"multiline": true}]}}, "output": ["IMAGE"]},
        "Invert": {"input": {"required": {"image": ["IMAGE"]}}, "output": ["IMAGE"]},
        "Show": {"input": {"required": {"images": ["IMAGE"]}}, "output_node": true},
    }))
    .unwrap()
}

fn converted(document: Value) -> Conversion {
    convert(&EditorWorkflow::from_value(document).unwrap(), &schemas(), &ConvertOptions::new())
}

fn input(name: &str, link: u64) -> Value {
    json!({"name": name, "type": "IMAGE", "link": link})
}

#[test]
fn what_a_set_node_takes_comes_out_of_the_get_node_of_the_same_name() {
    let conversion = converted(json!({
        "nodes": [
            {"id": 1, "type": "Make", "widgets_values": [64, 1, "fixed", ""]},
            {"id": 2, "type": "SetNode", "inputs": [input("IMAGE", 1)], "widgets_values": ["picture"]},
            {"id": 3, "type": "GetNode", "widgets_values": ["picture"]},
            {"id": 4, "type": "Show", "inputs": [input("images", 2)]},
            {"id": 5, "type": "GetNode", "widgets_values": ["nothing"]},
        ],
        "links": [[1, 1, 0, 2, 0, "IMAGE"], [2, 3, 0, 4, 0, "IMAGE"]],
    }));
    assert_eq!(conversion.workflow.get("4.images").unwrap(), &json!(["1", 0]));
    assert_eq!(conversion.workflow.len(), 2);
    let problems: Vec<String> = conversion.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        ["node 5 (GetNode): no `SetNode` of this graph sets `nothing`, so nothing comes from here"]
    );
}

#[test]
fn changed_values_are_written_back_where_they_have_a_place_of_their_own() {
    let document = json!({
        "nodes": [
            {"id": 1, "type": "Make", "widgets_values": [64, 1, "fixed", "a"]},
            {"id": 2, "type": "once", "widgets_values": [7]},
            {"id": 3, "type": "twice"},
            {"id": 4, "type": "twice"},
        ],
        "links": [],
        "definitions": {"subgraphs": [
            {"id": "once", "inputs": [{"name": "seed", "type": "INT", "linkIds": [1]}], "outputs": [],
             "nodes": [{"id": 8, "type": "Make", "inputs": [{"name": "seed", "type": "INT", "link": 1, "widget": {"name": "seed"}}], "widgets_values": [1, 2, "fixed", "b"]}],
             "links": [{"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 8, "target_slot": 0, "type": "INT"}]},
            {"id": "twice", "inputs": [], "outputs": [], "links": [], "nodes": [{"id": 9, "type": "Make", "widgets_values": [5, 6, "fixed", "c"]}]},
        ]},
    });
    let mut workflow = converted(document.clone()).workflow;
    assert_eq!(workflow.editor_document(), Some(document.clone()));
    workflow.set("1.seed", 100).unwrap();
    workflow.set("2:8.seed", 200).unwrap();
    workflow.set("2:8.text", "new").unwrap();
    workflow.set("3:9.width", 300).unwrap();
    let mut expected = document;
    expected["nodes"][0]["widgets_values"][1] = json!(100);
    expected["nodes"][1]["widgets_values"][0] = json!(200);
    expected["definitions"]["subgraphs"][0]["nodes"][0]["widgets_values"][3] = json!("new");
    assert_eq!(workflow.editor_document(), Some(expected));
}

#[test]
fn definitions_that_hold_each_other_many_times_end() {
    let definition = |level: usize| {
        let inner = format!("level{}", level + 1);
        let node = |id: u64| json!({"id": id, "type": inner});
        json!({"id": format!("level{level}"), "inputs": [], "outputs": [], "links": [], "nodes": [node(1), node(2), node(3)]})
    };
    let definitions: Vec<Value> = (0..500).map(definition).collect();
    let conversion =
        converted(json!({"nodes": [{"id": 1, "type": "level0"}], "definitions": {"subgraphs": definitions}}));
    assert!(conversion.has_errors());
}

#[test]
fn a_subgraph_inside_itself_is_an_error() {
    let conversion = converted(json!({
        "nodes": [{"id": 1, "type": "a"}],
        "definitions": {"subgraphs": [{"id": "a", "inputs": [], "outputs": [], "links": [], "nodes": [{"id": 2, "type": "a"}]}]},
    }));
    assert_eq!(conversion.problems[0].kind, ProblemKind::Cycle);
}
