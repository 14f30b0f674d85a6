use proptest::prelude::*;
use serde_json::json;

use super::*;

fn editor(document: Value) -> EditorWorkflow {
    EditorWorkflow::from_value(document).unwrap()
}

/// The drawing, which must be sound XML without a number that is none.
fn drawn(diagram: &Diagram<'_>) -> String {
    let svg = diagram.to_string();
    let document = roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{error}: {svg}"));
    for node in document.descendants() {
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            if matches!(name, "x" | "y" | "width" | "height" | "cx" | "cy" | "r" | "rx") {
                let number: f64 = value.parse().unwrap();
                assert!(number.is_finite() && number.abs() < 1e7, "{name}={value}");
            }
            if matches!(name, "d" | "transform" | "viewBox") {
                assert!(!value.contains("NaN") && !value.contains("inf"), "{name}={value}");
            }
        }
    }
    svg
}

/// All texts of a drawing.
fn texts(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

fn two_nodes() -> Value {
    json!({
        "nodes": [
            {"id": 1, "type": "EmptyImage", "pos": [0, 0], "size": [210, 130], "mode": 0, "color": "#232", "bgcolor": "#353",
             "inputs": [
                {"name": "width", "type": "INT", "widget": {"name": "width"}},
                {"name": "height", "type": "INT", "widget": {"name": "height"}},
             ],
             "outputs": [{"name": "IMAGE", "type": "IMAGE"}], "widgets_values": [64, 32]},
            {"id": 2, "type": "SaveImage", "title": "Keep <it>", "pos": [400, 20], "size": [300, 300], "mode": 2,
             "inputs": [{"name": "images", "type": "IMAGE", "link": 5}], "widgets_values": ["a\u{0}b"]},
        ],
        "links": [[5, 1, 0, 2, 0, "IMAGE"]],
        "groups": [{"title": "All", "bounding": [-20, -80, 760, 440], "color": "#3f789e"}],
    })
}

#[test]
fn a_workflow_of_the_editor_is_drawn_as_laid_out() {
    let editor = editor(two_nodes());
    insta::assert_snapshot!(drawn(&Diagram::of_editor(&editor).title("two nodes").theme(Theme::Light)));
}

#[test]
fn a_workflow_in_the_api_format_is_laid_out() {
    let workflow: Workflow = r#"{
        "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64}, "_meta": {"title": "Orange"}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "hello"}}
    }"#
    .parse()
    .unwrap();
    insta::assert_snapshot!(drawn(&Diagram::of_workflow(&workflow).theme(Theme::Dark)));
}

#[test]
fn both_themes_are_in_a_drawing_that_follows_the_reader() {
    let editor = editor(two_nodes());
    let svg = drawn(&Diagram::of_editor(&editor));
    assert!(svg.contains("@media (prefers-color-scheme:dark)"));
    assert_eq!(svg, Diagram::of_editor(&editor).to_string());
    assert!(!drawn(&Diagram::of_editor(&editor).theme(Theme::Light)).contains("@media"));
}

#[test]
fn nothing_of_the_file_leaves_its_place() {
    let mut document = two_nodes();
    let hostile = "\"/><script>alert(1)</script>]]>&x;\u{1b}[31m";
    document["nodes"][0]["title"] = json!(hostile);
    document["nodes"][0]["type"] = json!(hostile);
    document["nodes"][0]["color"] = json!("red;}</style><script>");
    document["nodes"][0]["widgets_values"] = json!([hostile, [hostile]]);
    document["nodes"][0]["inputs"] = json!([{"name": hostile, "type": hostile, "link": null}]);
    document["links"] = json!([[5, 1, 0, 2, 0, hostile]]);
    document["groups"][0]["title"] = json!(hostile);
    document["groups"][0]["color"] = json!("url(http://x)");
    document["definitions"] =
        json!({"subgraphs": [{"id": hostile, "name": hostile, "nodes": [{"id": 1, "type": "A"}]}]});
    let editor = editor(document);
    let svg = drawn(&Diagram::of_editor(&editor).title(hostile));
    assert!(!svg.contains("<script") && !svg.contains('\u{1b}') && !svg.contains("http://x"));
}

#[test]
fn coordinates_that_are_no_place_are_put_right() {
    let mut document = two_nodes();
    document["nodes"][1]["pos"] = json!([1e300, -1e300]);
    document["nodes"][1]["size"] = json!([1e300, -5]);
    document["groups"][0]["bounding"] = json!([1e300, 0, 1e300, 1e300]);
    document["extra"] =
        json!({"reroutes": [{"id": 1, "pos": [1e300, 0]}], "linkExtensions": [{"id": 5, "parentId": 1}]});
    let editor = editor(document);
    let svg = drawn(&Diagram::of_editor(&editor));
    assert!(texts(&svg).iter().any(|text| text == "Keep <it>"));
}

#[test]
fn nodes_that_all_lie_at_one_place_are_laid_out() {
    let node = |id: u64| json!({"id": id, "type": "A", "inputs": [{"name": "x", "link": id}], "outputs": [{"name": "y"}]});
    let editor = editor(
        json!({"nodes": [node(1), node(2), node(3)], "links": [[2, 1, 0, 2, 0, "X"], [3, 2, 0, 3, 0, "X"]]}),
    );
    let svg = drawn(&Diagram::of_editor(&editor));
    let document = roxmltree::Document::parse(&svg).unwrap();
    let places: std::collections::HashSet<&str> = document
        .descendants()
        .filter(|node| node.attribute("role") == Some("graphics-symbol"))
        .filter_map(|node| node.attribute("transform"))
        .collect();
    assert_eq!(places.len(), 3);
}

#[test]
fn subgraphs_are_drawn_below_with_their_ends() {
    let editor = editor(json!({
        "nodes": [{"id": 1, "type": "abc", "pos": [0, 0], "size": [200, 60]}],
        "definitions": {"subgraphs": [{
            "id": "abc", "name": "Inner work",
            "inputs": [{"name": "picture", "type": "IMAGE", "linkIds": [1]}],
            "outputs": [{"name": "done", "type": "IMAGE", "linkIds": [2]}],
            "nodes": [{"id": 7, "type": "ImageInvert", "pos": [0, 0], "size": [200, 60],
                "inputs": [{"name": "image", "type": "IMAGE", "link": 1}], "outputs": [{"name": "IMAGE", "type": "IMAGE"}]}],
            "links": [
                {"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 7, "target_slot": 0, "type": "IMAGE"},
                {"id": 2, "origin_id": 7, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "IMAGE"},
            ],
        }]},
    }));
    let svg = drawn(&Diagram::of_editor(&editor));
    let texts = texts(&svg);
    for expected in ["Inner work", "picture", "done", "ImageInvert", "2 nodes, 2 links, 1 subgraph"] {
        assert!(texts.iter().any(|text| text == expected), "{expected}: {texts:?}");
    }
    assert_eq!(svg.matches("class=\"w\"").count(), 2);
}

#[test]
fn notes_and_modes_are_told() {
    let editor = editor(json!({"nodes": [
        {"id": 1, "type": "MarkdownNote", "pos": [0, 0], "size": [300, 200], "widgets_values": ["# Read me\n\nSee [the page](https://example.com)."]},
        {"id": 2, "type": "A", "pos": [400, 0], "size": [200, 60], "mode": 4},
        {"id": 3, "type": "B", "pos": [700, 0], "size": [200, 60], "mode": 2, "flags": {"collapsed": true}},
    ]}));
    let svg = drawn(&Diagram::of_editor(&editor));
    let texts = texts(&svg);
    for expected in ["Read me", "See the page.", "bypassed  #2", "muted  #3"] {
        assert!(texts.iter().any(|text| text == expected), "{expected}: {texts:?}");
    }
}

#[test]
fn ten_thousand_nodes_stay_within_bounds() {
    let node = |id: usize| {
        let input = json!([{"name": "x", "type": "IMAGE", "link": id}]);
        json!({"id": id, "type": "A", "pos": [id % 100 * 300, id / 100 * 200], "size": [200, 100], "inputs": input,
               "outputs": [{"name": "y", "type": "IMAGE"}], "widgets_values": ["long ".repeat(40)]})
    };
    let nodes: Vec<Value> = (0..10_000).map(node).collect();
    let links: Vec<Value> = (1..10_000).map(|id| json!([id, id - 1, 0, id, 0, "IMAGE"])).collect();
    let editor = editor(json!({"nodes": nodes, "links": links}));
    assert!(Diagram::of_editor(&editor).to_string().len() < 20_000_000);
    let mut workflow = Workflow::new();
    for id in 0..10_000_u64 {
        let from = json!([(id * 7 / 8).to_string(), 0]);
        workflow
            .insert(id, crate::Node::new("A").with_input("image", from).with_input("text", "x".repeat(300)));
    }
    assert!(Diagram::of_workflow(&workflow).to_string().len() < 20_000_000);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-30_i64..30).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        proptest::sample::select(vec!["IMAGE", "#345", "Note", "Reroute", "abc", "-10"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((field(), inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn field() -> impl Strategy<Value = String> {
    let known = [
        "id",
        "type",
        "title",
        "mode",
        "pos",
        "size",
        "inputs",
        "outputs",
        "widgets_values",
        "name",
        "link",
        "widget",
        "label",
        "flags",
        "collapsed",
        "color",
        "bgcolor",
        "0",
        "1",
        "linkIds",
        "inputNode",
        "bounding",
        "nodes",
        "links",
    ];
    prop_oneof![4 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

fn any_node() -> impl Strategy<Value = Value> {
    (
        0_i64..6,
        any_json(),
        proptest::collection::vec((field(), any_json()), 0..8),
        any::<[f64; 4]>(),
        any::<bool>(),
    )
        .prop_map(|(id, class, fields, place, placed)| {
            let mut node: serde_json::Map<String, Value> = fields.into_iter().collect();
            node.insert("id".into(), id.into());
            node.insert("type".into(), class);
            if placed {
                node.insert("pos".into(), json!([place[0], place[1]]));
                node.insert("size".into(), json!([place[2], place[3]]));
            }
            Value::Object(node)
        })
}

fn any_graph() -> impl Strategy<Value = Value> {
    let link = proptest::collection::vec(-21_i64..6, 6);
    let port = (any::<String>(), any_json())
        .prop_map(|(name, other)| json!({"name": name, "type": other, "linkIds": [1]}));
    (
        proptest::collection::vec(any_node(), 0..6),
        proptest::collection::vec(link, 0..8),
        proptest::collection::vec(any_json(), 0..3),
        proptest::collection::vec(port, 0..3),
        any_json(),
    )
        .prop_map(|(nodes, links, groups, ports, other)| {
            json!({"id": "abc", "name": other, "nodes": nodes, "links": links, "groups": groups, "inputs": ports,
                   "outputs": ports, "extra": {"reroutes": groups, "linkExtensions": groups}, "inputNode": other})
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_document_of_the_editor_becomes_sound_xml(graph in any_graph(), inner in any_graph(), title in any::<String>()) {
        let mut document = graph;
        document["definitions"] = json!({"subgraphs": [inner]});
        let editor = editor(document);
        let diagram = Diagram::of_editor(&editor).title(title);
        prop_assert_eq!(drawn(&diagram), diagram.to_string());
    }

    #[test]
    fn any_workflow_becomes_sound_xml(
        nodes in proptest::collection::vec((0_u64..9, any::<String>(), any::<String>(), any_json(), 0_u64..9, -3_i64..5), 0..12)
    ) {
        let mut workflow = Workflow::new();
        for (id, class, name, value, from, slot) in nodes {
            let node = crate::Node::new(class).with_input("image", json!([from.to_string(), slot])).with_input(name, value);
            workflow.insert(id, node);
        }
        drawn(&Diagram::of_workflow(&workflow));
    }
}
