use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Link;
use crate::validate::{Options, Verdict, validate};

fn schemas() -> Schemas {
    let image = json!(["IMAGE"]);
    Schemas::from_value(json!({
        "EmptyImage": {"input": {"required": {
            "width": ["INT", {"default": 512, "min": 1, "max": 4096}], "height": ["INT", {"default": 512}],
            "color": ["INT", {"default": 0}],
        }}, "output": ["IMAGE"], "output_name": ["IMAGE"]},
        "ImageInvert": {"input": {"required": {"image": image}}, "output": ["IMAGE"], "output_name": ["inverted"]},
        "Load": {"input": {"required": {"name": [["a.safetensors", "b.safetensors"]]}},
            "output": ["MODEL", "CLIP", "VAE"], "output_name": ["MODEL", "CLIP", "VAE"]},
        "Twins": {"input": {}, "output": ["IMAGE", "IMAGE", "MASK"], "output_name": ["a", "b", "c"]},
        "LoadImage": {"input": {"required": {"image": [["a.png"], {"image_upload": true}]}},
            "output": ["IMAGE", "MASK"], "output_name": ["IMAGE", "MASK"]},
        "Batch": {"input": {"required": {"images": ["COMFY_AUTOGROW_V3", {"template": {
            "input": {"required": {"image": image}}, "prefix": "image", "min": 1, "max": 3,
        }}]}}, "output": ["IMAGE"], "output_name": ["IMAGE"]},
        "Resize": {"input": {"required": {"input": ["COMFY_MATCHTYPE_V3", {"template": {"template_id": "t", "allowed_types": "IMAGE,MASK"}}],
            "resize_type": ["COMFY_DYNAMICCOMBO_V3", {"options": [
                {"key": "scale width", "inputs": {"required": {"width": ["INT", {"default": 512, "min": 1}]}}},
                {"key": "scale by", "inputs": {"required": {"factor": ["FLOAT", {"min": 0.1}]}}},
            ]}],
        }}, "output": ["COMFY_MATCHTYPE_V3"], "output_name": ["resized"]},
        "Points": {"input": {"required": {"points": ["COMBO", {"options": ["1", "2", "3"], "multiselect": true}]}},
            "output": [], "output_node": true},
        "Save": {"input": {"required": {"images": image, "filename_prefix": ["STRING", {"default": "ComfyUI"}]}},
            "output": [], "output_node": true},
    }))
    .unwrap()
}

fn problems(graph: &WorkflowBuilder) -> Vec<String> {
    let error = graph.build_with(&schemas()).unwrap_err();
    error.problems().iter().map(|problem| format!("{:?}: {problem}", problem.kind)).collect()
}

#[test]
fn nodes_links_titles_and_defaults_make_a_workflow() {
    let graph = WorkflowBuilder::new();
    let image = graph.add("EmptyImage").set("width", 64);
    let inverted = graph.add("ImageInvert").set("image", image.output("IMAGE"));
    let save = graph.add("Save").id("save").title("Result").set("images", inverted.output("inverted"));
    assert_eq!((image.node_id(), save.node_id()), ("1".into(), "save".into()));
    assert_eq!(
        graph.build_with(&schemas()).unwrap().to_value(),
        json!({
            "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 512, "color": 0}},
            "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
            "save": {"class_type": "Save", "inputs": {"images": ["2", 0], "filename_prefix": "ComfyUI"},
                "_meta": {"title": "Result"}},
        })
    );
}

#[test]
fn without_schemas_nothing_is_added_and_outputs_have_numbers() {
    let graph = WorkflowBuilder::new();
    let image = graph.add("Anything").set("x", [1, 2]).set("y", json!({"a": null}));
    let save = graph.add("Else").set("images", image.output(1));
    assert_eq!(
        graph.build().unwrap().to_value(),
        json!({
            "1": {"class_type": "Anything", "inputs": {"x": {"__value__": [1, 2]}, "y": {"a": null}}},
            "2": {"class_type": "Else", "inputs": {"images": ["1", 1]}},
        })
    );
    save.set("images", image.output("IMAGE")).set_row("row", [1, 2]).set("negative", image.output(-1));
    assert_eq!(
        graph.build().unwrap_err().to_string(),
        "node 2 (Else): input images: output `IMAGE` of node 1 (Anything) is named, which takes schemas; use `build_with`, or its number\n\
         node 2 (Else): input negative: node 1 (Anything) has no output -1\n\
         node 2 (Else): input row: a row takes schemas; use `build_with`, or set its inputs one by one"
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    let graph = WorkflowBuilder::new();
    let image = graph.add("EmptyImag").title("Canvas");
    let loaded = graph.add("Load").set("name", "c.safetensors");
    let inverted = graph.add("ImageInvert").set("image", loaded.output("VAE")).set("imag", 1);
    graph.add("EmptyImage").set("width", 0);
    graph.add("Save").set("images", inverted.output(1)).set("filename_prefix", image.output("IMAGE"));
    graph.add("Save").set("images", loaded.output("IMAGE"));
    graph.add("Save");
    insta::assert_snapshot!(problems(&graph).join("\n"), @r#"
    UnknownClass: node 1 "Canvas" (EmptyImag): the server has no such class; a custom node may be missing; did you mean `EmptyImage`?
    InvalidValue: node 2 (Load): input name: "c.safetensors" is not one of "a.safetensors", "b.safetensors"; did you mean "b.safetensors"?
    UnknownInput: node 3 (ImageInvert): input imag: no such input; did you mean `image`?
    WrongType: node 3 (ImageInvert): input image: takes IMAGE, but output 2 of node 2 gives VAE
    InvalidValue: node 4 (EmptyImage): input width: value 0 is smaller than the minimum 1
    UnknownOutput: node 5 (Save): input images: node 3 (ImageInvert) has no output 1; the only one is 0
    UnknownOutput: node 6 (Save): input images: node 2 (Load) has no output `IMAGE`; there are `MODEL`, `CLIP`, `VAE`
    MissingInput: node 7 (Save): input images: required, but missing
    "#);
}

#[test]
fn an_output_is_named_by_its_name_else_by_a_type_that_only_it_has() {
    let graph = WorkflowBuilder::new();
    let twins = graph.add("Twins");
    let link = |name: &str| {
        let save = graph.add("Save").set("images", twins.output(name));
        let workflow = graph.build_with(&schemas());
        // Later ones are looked at alone.
        save.set("images", twins.output(0));
        workflow
            .map(|workflow| workflow.get(&format!("{}.images", save.node_id())).unwrap().to_string())
            .map_err(|error| error.to_string())
    };
    assert_eq!(link("b").unwrap(), r#"["1",1]"#);
    assert_eq!(
        link("MASK").unwrap_err(),
        "node 3 (Save): input images: takes IMAGE, but output 2 of node 1 gives MASK"
    );
    assert_eq!(
        link("IMAGE").unwrap_err(),
        "node 4 (Save): input images: node 1 (Twins) has no output `IMAGE`; several are called so, name it by its number"
    );
    assert_eq!(
        link("d").unwrap_err(),
        "node 5 (Save): input images: node 1 (Twins) has no output `d`; there are `a`, `b`, `c`"
    );
}

#[test]
fn rows_and_options_have_the_names_of_the_schema() {
    let graph = WorkflowBuilder::new();
    let image = graph.add("EmptyImage");
    let batch = graph.add("Batch").set_row("images", [image.output(0), image.output("IMAGE")]);
    let resized = graph.add("Resize").set("input", batch.output(0)).set("resize_type", "scale width");
    graph.add("Save").set("images", resized.output("resized"));
    let workflow = graph.build_with(&schemas()).unwrap();
    assert_eq!(
        Value::Object(workflow.node("2").unwrap().inputs.clone()),
        json!({"images.image0": ["1", 0], "images.image1": ["1", 0]})
    );
    assert_eq!(workflow.get("3.resize_type.width").unwrap(), 512);
    resized.set("resize_type.width", 7);
    assert_eq!(graph.build_with(&schemas()).unwrap().get("3.resize_type.width").unwrap(), 7);
}

#[test]
fn wrong_rows_and_options_are_told() {
    let graph = WorkflowBuilder::new();
    let image = graph.add("EmptyImage");
    let batch = graph.add("Batch").set_row("images", vec![image.output(0); 4]).set_row("imags", [1]);
    let by = graph.add("Resize").set("input", batch.output(0)).set("resize_type", "scale by");
    let missing = graph.add("Resize").set("input", by.output(0)).set("resize_type.width", 1);
    graph
        .add("Resize")
        .set("input", missing.output(0))
        .set("resize_type", "scale widht")
        .set("resize_type.width", 1);
    graph.add("Batch").set("images", image.output(0));
    graph.add("Points").set("points", ["1", "4"]);
    insta::assert_snapshot!(problems(&graph).join("\n"), @r#"
    InvalidValue: node 2 (Batch): input images: takes at most 3 values, not 4
    UnknownInput: node 2 (Batch): input imags: no such row of inputs
    MissingInput: node 3 (Resize): input resize_type.factor: required, but missing
    MissingInput: node 4 (Resize): input resize_type: required, but missing; there are `scale width`, `scale by`
    InvalidValue: node 5 (Resize): input resize_type: `scale widht` is no option; did you mean `scale width`, `scale by`?
    UnknownInput: node 6 (Batch): input images: no such input; did you mean `images.image0`, `images.image1`, `images.image2`?
    MissingInput: node 6 (Batch): input images.image0: required, but missing
    InvalidValue: node 7 (Points): input points: ["1","4"] is not one of "1", "2", "3"
    "#);
}

#[test]
fn lists_are_values_and_files_may_be_new() {
    let graph = WorkflowBuilder::new();
    graph.add("Points").set("points", ["1", "2"]);
    let image = graph.add("LoadImage").set("image", "sub/new.png");
    graph.add("Save").set("images", image.output(0));
    let workflow = graph.build_with(&schemas()).unwrap();
    assert_eq!(workflow.get("1.points").unwrap(), &json!({"__value__": ["1", "2"]}));
}

#[test]
fn an_input_that_no_schema_has_can_be_forced() {
    let graph = WorkflowBuilder::new();
    let image = graph.add("EmptyImage").set_undeclared("more", 1);
    graph.add("Save").set("images", image.output(0));
    assert_eq!(graph.build_with(&schemas()).unwrap().get("1.more").unwrap(), 1);
}

#[test]
fn ids_differ_and_numbers_pass_over_those_that_are_taken() {
    let graph = WorkflowBuilder::new();
    graph.add("A").id("2");
    assert_eq!(graph.add("B").node_id(), "3");
    let again = graph.add("C").id("2");
    let error = graph.build().unwrap_err();
    assert_eq!(error.to_string(), "node 2 (C): another node has this id too; choose ids that differ");
    assert_eq!(error.problems()[0].kind, BuildProblemKind::DuplicateId);
    again.id(9);
    assert_eq!(
        graph.build().unwrap().nodes().map(|(id, _)| id.as_str()).collect::<Vec<_>>(),
        ["2", "3", "9"]
    );
}

#[test]
fn links_stay_within_a_builder_and_make_no_cycle() {
    let (graph, other) = (WorkflowBuilder::new(), WorkflowBuilder::new());
    let a = graph.add("ImageInvert");
    let b = graph.add("ImageInvert").set("image", a.output(0));
    a.set("image", b.output(0));
    assert_eq!(problems(&graph), ["Cycle: the nodes form a cycle: 2 -> 1 -> 2"]);
    a.set("image", other.add("EmptyImage").output(0));
    assert_eq!(
        problems(&graph),
        [
            "ForeignNode: node 1 (ImageInvert): input image: comes from a node of another builder; add that node to this one",
            "NoOutputNode: no output node to run, such as SaveImage"
        ]
    );
}

#[test]
fn a_builder_can_be_sent_to_other_threads_and_printed() {
    fn is_send<T: Send + Sync + fmt::Debug>(_: &T) {}
    let graph = WorkflowBuilder::new();
    let node = graph.add("A");
    let output = node.output(0);
    node.set("itself", &output);
    is_send(&graph);
    is_send(&output);
    assert!(
        format!("{output:?}{graph:?}")
            .contains("NodeHandle { id: Some(NodeId(\"1\")), class_type: Some(\"A\"), .. }")
    );
}

/// A node of a random graph: its width, if any, and which nodes before it feed it.
fn graphs() -> impl Strategy<Value = Vec<(Option<u16>, Vec<prop::sample::Index>)>> {
    let feeds = prop::collection::vec(any::<prop::sample::Index>(), 1..4);
    prop::collection::vec((prop::option::of(1_u16..4096), feeds), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_is_built_of_sound_parts_is_accepted(parts in graphs(), seed: u64) {
        let graph = WorkflowBuilder::new();
        let mut images: Vec<Output> = vec![graph.add("EmptyImage").output(0)];
        for (width, feeds) in &parts {
            let feeds: Vec<&Output> = feeds.iter().map(|feed| feed.get(&images)).collect();
            let node = match (width, feeds.as_slice()) {
                (Some(width), _) if width % 2 == 0 => graph.add("EmptyImage").set("width", *width).set("color", seed),
                (Some(width), [feed, ..]) => {
                    let resize = graph.add("Resize").set("input", *feed);
                    resize.set("resize_type", "scale width").set("resize_type.width", *width)
                }
                (None, [feed]) => graph.add("ImageInvert").set("image", *feed),
                (_, feeds) => graph.add("Batch").set_row("images", feeds.iter().copied()),
            };
            graph.add("Save").set("images", node.output(0));
            images.push(node.output(0));
        }
        let workflow = graph.build_with(&schemas()).unwrap();
        let verdict = validate(&workflow.to_value(), &Options::new(&schemas()));
        prop_assert!(matches!(verdict, Verdict::Accepted(accepted) if accepted.node_errors.is_empty()));
        let printed = workflow.to_value().to_string();
        prop_assert_eq!(printed.parse::<Workflow>().unwrap(), workflow);
    }

    #[test]
    fn what_is_set_is_what_one_gets(name in "[a-z_.]{1,8}", title in ".*", value in values()) {
        let graph = WorkflowBuilder::new();
        let source = graph.add("A");
        let node = graph.add("B").id("x").title(&*title).set(&*name, value.clone()).set("link of B", source.output(3));
        let workflow = graph.build().unwrap();
        let node = workflow.node(node.node_id().as_str()).unwrap();
        let expected = if value.is_array() { json!({ "__value__": value }) } else { value };
        prop_assert_eq!(&node.inputs[&name], &expected);
        prop_assert_eq!(node.title(), Some(&*title));
        prop_assert_eq!(Link::from_value(&node.inputs["link of B"]), Some(Link { node: "1", slot: 3 }));
    }
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        prop::collection::vec(".*", 0..3).prop_map(Value::from),
    ]
}
