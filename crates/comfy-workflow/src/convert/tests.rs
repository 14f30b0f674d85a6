use serde_json::{Value, json};

use super::*;

fn schemas() -> Schemas {
    Schemas::from_value(json!({
        "Make": {"input": {"required": {"width": ["INT"], "seed": ["INT"], "text": ["STRING", {"multiline": true}]}}, "output": ["IMAGE"]},
        "Encode": {"input": {"required": {"text": ["STRING", {"multiline": true, "dynamicPrompts": true}]}}, "output": ["CONDITIONING"]},
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

/// A subgraph whose `Make` has two inputs of the definition, `width` and `seed`, and a text of its own; `properties` and
/// `values` are those of the node that stands for it.
fn promoted(properties: Value, values: Value) -> [Value; 3] {
    let slot =
        |name: &str, link: u64| json!({"name": name, "type": "INT", "link": link, "widget": {"name": name}});
    let port = |name: &str, link: u64| json!({"name": name, "type": "INT", "linkIds": [link]});
    let link = |id: u64| json!({"id": id, "origin_id": -10, "origin_slot": id - 1, "target_id": 8, "target_slot": id - 1, "type": "INT"});
    let conversion = converted(json!({
        "nodes": [{"id": 1, "type": "sub", "properties": properties, "widgets_values": values}],
        "definitions": {"subgraphs": [{
            "id": "sub", "outputs": [], "inputs": [port("width", 1), port("seed", 2)], "links": [link(1), link(2)],
            "nodes": [{"id": 8, "type": "Make", "inputs": [slot("width", 1), slot("seed", 2)], "widgets_values": [64, 1, "fixed", "inner"]}],
        }]},
    }));
    ["width", "seed", "text"].map(|name| conversion.workflow.get(&format!("1:8.{name}")).unwrap().clone())
}

#[test]
fn values_of_a_subgraph_node_go_by_its_list_of_shown_widgets() {
    let shown = |list: Value| json!({"proxyWidgets": list});
    let swapped = shown(json!([["-1", "seed"], ["8", "text"], ["-1", "width"]]));
    assert_eq!(promoted(swapped.clone(), json!([5, "host", 7])), [json!(7), json!(5), json!("host")]);
    assert_eq!(promoted(swapped, json!([5, null, null])), [json!(64), json!(5), json!("inner")]);
}

#[test]
fn values_of_a_subgraph_node_that_no_list_places_go_by_its_inputs() {
    let inner = || json!("inner");
    assert_eq!(promoted(json!({}), json!([5, 7])), [json!(5), json!(7), inner()]);
    assert_eq!(promoted(json!({"proxyWidgets": []}), json!([5, 7])), [json!(5), json!(7), inner()]);
    let one = json!({"proxyWidgets": [["-1", "width"]]});
    assert_eq!(promoted(one, json!([5, 7])), [json!(5), json!(7), inner()]);
    // A list that is not one of texts is none.
    let numbers = json!({"proxyWidgets": [[8, "text"], [-1, "width"]]});
    assert_eq!(promoted(numbers, json!([5, 7])), [json!(5), json!(7), inner()]);
}

#[test]
fn a_shown_widget_is_shown_on_by_the_subgraph_around() {
    let conversion = converted(json!({
        "nodes": [{"id": 1, "type": "outer", "properties": {"proxyWidgets": [["5", "text"]]}, "widgets_values": ["outermost"]}],
        "definitions": {"subgraphs": [
            {"id": "outer", "inputs": [], "outputs": [], "links": [],
             "nodes": [{"id": 5, "type": "inner", "properties": {"proxyWidgets": [["8", "text"]]}, "widgets_values": [null]}]},
            {"id": "inner", "inputs": [], "outputs": [], "links": [],
             "nodes": [{"id": 8, "type": "Make", "widgets_values": [64, 1, "fixed", "inner"]}]},
        ]},
    }));
    assert_eq!(conversion.workflow.get("1:5:8.text").unwrap(), "outermost");
}

#[test]
fn patterns_find_nodes_by_their_class_and_display_name_inside_subgraphs_too() {
    let schemas = Schemas::from_value(json!({
        "EmptyImage": {"display_name": "Empty Picture", "input": {"required": {"width": ["INT"]}}, "output": ["IMAGE"]},
        "SaveImage": {"input": {"required": {"filename_prefix": ["STRING"]}}, "output_node": true},
    }))
    .unwrap();
    let save = |id: u64, prefix: &str| json!({"id": id, "type": "SaveImage", "widgets_values": [prefix]});
    let document = json!({
        "nodes": [
            {"id": 1, "type": "sub"},
            save(2, "%EmptyImage.width%"),
            save(3, "%Empty Picture.width%"),
            save(4, "%%EmptyImage.width%"),
            {"id": 5, "type": "EmptyImage", "widgets_values": [512]},
        ],
        "definitions": {"subgraphs": [{
            "id": "sub", "inputs": [], "outputs": [], "links": [],
            "nodes": [{"id": 7, "type": "EmptyImage", "widgets_values": [64]}, save(8, "%EmptyImage.width%")],
        }]},
    });
    let editor = EditorWorkflow::from_value(document).unwrap();
    let workflow = convert(&editor, &schemas, &ConvertOptions::new()).workflow;
    let prefix = |id: &str| workflow.get(&format!("{id}.filename_prefix")).unwrap().clone();
    assert_eq!(["2", "3", "4", "1:8"].map(prefix), ["64", "64", "%64", "64"]);
}

/// What the widgets of a class have that a primitive node drives in this order.
fn driven(value: Value, widgets: &[&str]) -> Vec<Value> {
    let schemas = Schemas::from_value(json!({"Sizes": {"input": {"required": {
        "width": ["INT", {"min": 16, "max": 16384, "step": 8}],
        "count": ["INT", {"min": 1, "max": 4096}],
        "tile": ["INT", {"min": 64, "max": 4096, "step": 32}],
        "free": ["INT"],
        "part": ["FLOAT", {"min": 0, "max": 1, "step": 0.01}],
        "strength": ["FLOAT", {"min": -100, "max": 100, "step": 0.01}],
        "open": ["FLOAT"],
        "lines": ["STRING", {"multiline": true}],
    }}}}))
    .unwrap();
    let input = |(link, name): (usize, &&str)| json!({"name": name, "link": link, "widget": {"name": name}});
    let inputs: Vec<Value> = widgets.iter().enumerate().map(input).collect();
    let links: Vec<Value> = (0..widgets.len()).map(|link| json!([link, 1, 0, 2, link, "*"])).collect();
    let document = json!({"links": links, "nodes": [
        {"id": 1, "type": "PrimitiveNode", "widgets_values": [value, "fixed"]},
        {"id": 2, "type": "Sizes", "inputs": inputs},
    ]});
    let editor = EditorWorkflow::from_value(document).unwrap();
    let workflow = convert(&editor, &schemas, &ConvertOptions::new()).workflow;
    widgets.iter().map(|name| workflow.get(&format!("2.{name}")).unwrap().clone()).collect()
}

// Every result was seen in the editor.
#[test]
fn a_primitive_node_keeps_its_value_within_the_bounds_of_what_it_drives() {
    assert_eq!(driven(json!(0), &["count"]), [1]);
    assert_eq!(driven(json!(100_000), &["width"]), [16384]);
    assert_eq!(driven(json!(-5), &["free"]), [-5]);
    assert_eq!(driven(json!(3000.5), &["open"]), [2048.0]);
    assert_eq!(driven(json!(1023), &["count", "width"]), [1024, 1024]);
    assert_eq!(driven(json!(100_000), &["width", "count"]), [4096, 4096]);
    assert_eq!(driven(json!(500), &["width", "tile"]), [504, 512]);
    assert_eq!(driven(json!(20), &["strength", "part"]), [1.0, 1.0]);
    assert_eq!(driven(json!(-5), &["part", "strength"]), [0.0, 0.0]);
    assert_eq!(driven(json!(5), &["lines"]), ["5"]);
    assert_eq!(driven(json!("12"), &["count"]), [12]);
}

#[test]
fn a_bypassed_node_before_a_switch_passes_on_what_has_the_type_of_the_switch() {
    let template = json!({"template_id": "switch", "allowed_types": "*"});
    let matched = || json!(["COMFY_MATCHTYPE_V3", {"template": template}]);
    let schemas = Schemas::from_value(json!({
        "Load": {"input": {"required": {}}, "output": ["MODEL", "IMAGE"]},
        "Use": {"input": {"required": {"model": ["MODEL"], "image": ["IMAGE"]}}, "output": ["IMAGE"]},
        "Switch": {"input": {"required": {"on_false": matched(), "on_true": matched()}}, "output": ["COMFY_MATCHTYPE_V3"]},
    }))
    .unwrap();
    let slot =
        |name: &str, type_name: &str, link: u64| json!({"name": name, "type": type_name, "link": link});
    let document = json!({
        "nodes": [
            {"id": 1, "type": "Load"},
            {"id": 2, "type": "Use", "mode": 4, "inputs": [slot("model", "MODEL", 1), slot("image", "IMAGE", 2)], "outputs": [{"type": "IMAGE"}]},
            {"id": 3, "type": "Switch", "inputs": [slot("on_false", "IMAGE", 3), slot("on_true", "IMAGE", 4)]},
        ],
        "links": [[1, 1, 0, 2, 0, "MODEL"], [2, 1, 1, 2, 1, "IMAGE"], [3, 2, 0, 3, 0, "IMAGE"], [4, 1, 1, 3, 1, "IMAGE"]],
    });
    let editor = EditorWorkflow::from_value(document).unwrap();
    let workflow = convert(&editor, &schemas, &ConvertOptions::new()).workflow;
    assert_eq!(workflow.get("3.on_false").unwrap(), &json!(["1", 1]));
}

#[test]
fn a_node_whose_id_another_has_gets_a_fresh_one() {
    let node = |id: u64| json!({"id": id, "type": "Make"});
    let conversion = converted(json!({
        "nodes": [node(3), node(3), {"id": 4, "type": "sub"}], "links": [], "last_node_id": 8,
        "definitions": {"subgraphs": [{"id": "sub", "inputs": [], "outputs": [], "links": [], "nodes": [node(11)]}]},
    }));
    let ids: Vec<String> = conversion.workflow.nodes().map(|(id, _)| id.to_string()).collect();
    assert_eq!(ids, ["3", "12", "4:11"]);
}

#[test]
fn placeholders_are_kept_for_a_template_when_that_is_asked_for() {
    let text = "a {{animal}}, {day|night}, {{{color}}|red}, {{'{{'}}x}}";
    let document = json!({"nodes": [{"id": 1, "type": "Encode", "widgets_values": [text]}]});
    let editor = EditorWorkflow::from_value(document).unwrap();
    let converted = |options: ConvertOptions| {
        let workflow = convert(&editor, &schemas(), &options).workflow;
        workflow.get("1.text").unwrap().as_str().unwrap().to_owned()
    };
    assert_eq!(converted(ConvertOptions::new()), "a animal, day, color, ''x");
    assert_eq!(
        converted(ConvertOptions::new().keep_placeholders(true)),
        "a {{animal}}, day, {{color}}, {{'{{'}}x}}"
    );
}
