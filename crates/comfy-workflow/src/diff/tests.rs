use proptest::prelude::*;
use serde_json::json;

use super::*;

fn workflow(value: Value) -> Workflow {
    Workflow::from_value(value).unwrap()
}

fn sample() -> Value {
    json!({
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat", "clip": ["4", 1]}, "_meta": {"title": "Positive"}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "bad", "clip": ["4", 1]}, "_meta": {"title": "Negative"}},
        "3": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 20, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "x"}},
    })
}

fn difference(change: impl FnOnce(&mut Value)) -> String {
    let mut changed = sample();
    change(&mut changed);
    Difference::between(&workflow(sample()), &workflow(changed)).to_string()
}

/// The workflow with other ids, in another order.
fn renumbered(value: &Value, id: impl Fn(&str) -> String) -> Value {
    let mut nodes: Vec<(String, Value)> = Vec::new();
    for (old, node) in value.as_object().unwrap() {
        let mut node = node.clone();
        for input in node["inputs"].as_object_mut().unwrap().values_mut() {
            let from = Link::from_value(input).filter(|link| value.get(link.node).is_some());
            if let Some(link) = from.map(|link| json!([id(link.node), link.slot])) {
                *input = link;
            }
        }
        nodes.push((id(old), node));
    }
    nodes.reverse();
    Value::Object(nodes.into_iter().collect())
}

#[test]
fn a_workflow_does_not_differ_from_itself() {
    assert_eq!(difference(|_| {}), "");
}

#[test]
fn changed_values_links_titles_and_nodes_are_told() {
    insta::assert_snapshot!(difference(|changed| {
        changed["3"]["inputs"]["seed"] = json!(2);
        changed["3"]["inputs"]["model"] = json!(["10", 0]);
        changed["3"]["inputs"].as_object_mut().unwrap().remove("steps");
        changed["10"] = json!({"class_type": "LoraLoader", "inputs": {"model": ["4", 0]}, "_meta": {"title": "Style"}});
        changed["6"]["_meta"]["title"] = json!("Wanted");
        changed["5"]["class_type"] = json!("EmptySD3LatentImage");
        changed.as_object_mut().unwrap().remove("9");
    }), @r#"
    ~ node 5 (EmptySD3LatentImage)
        class EmptyLatentImage -> EmptySD3LatentImage
    ~ node 6 "Wanted" (CLIPTextEncode)
        title "Positive" -> "Wanted"
    ~ node 3 (KSampler)
        seed: 1 -> 2
        steps: 20 -> (nothing)
        model: node 4 (CheckpointLoaderSimple) output 0 -> node 10 "Style" (LoraLoader) output 0
    - node 9 (SaveImage)
    + node 10 "Style" (LoraLoader)
    "#);
}

#[test]
fn a_copy_with_other_ids_does_not_differ() {
    for id in [|id: &str| format!("{id}0"), |id: &str| (id.parse::<u64>().unwrap() % 7 + 3).to_string()] {
        let copy = renumbered(&sample(), id);
        assert_eq!(Difference::between(&workflow(sample()), &workflow(copy)).to_string(), "");
    }
}

#[test]
fn a_change_in_a_copy_with_other_ids_is_found() {
    let mut copy = renumbered(&sample(), |id| (id.parse::<u64>().unwrap() % 7 + 3).to_string());
    copy["9"]["inputs"]["text"] = json!("a dog");
    assert_eq!(copy["9"]["_meta"]["title"], "Positive");
    insta::assert_snapshot!(Difference::between(&workflow(sample()), &workflow(copy)), @r#"
    ~ node 6, now 9 "Positive" (CLIPTextEncode)
        text: "a cat" -> "a dog"
    "#);
}

#[test]
fn twins_that_change_places_are_no_difference() {
    let chain = |a: &str, b: &str, c: &str, d: &str| {
        workflow(json!({
            a: {"class_type": "A", "inputs": {}}, b: {"class_type": "B", "inputs": {"x": [a, 0]}},
            c: {"class_type": "A", "inputs": {}}, d: {"class_type": "B", "inputs": {"x": [c, 0]}},
        }))
    };
    assert_eq!(Difference::between(&chain("1", "2", "3", "4"), &chain("1", "4", "3", "2")).to_string(), "");
}

#[test]
fn how_numbers_are_written_and_in_which_order_inputs_stand_is_no_difference() {
    assert_eq!(
        difference(|changed| {
            changed["5"]["inputs"] = json!({"batch_size": 1.0, "height": 512.0, "width": 512});
        }),
        ""
    );
    let large = |seed: u64| workflow(json!({"1": {"class_type": "A", "inputs": {"seed": seed}}}));
    assert!(!Difference::between(&large(u64::MAX), &large(u64::MAX - 1)).is_empty());
}

#[test]
fn long_texts_are_shown_where_they_differ() {
    let text = |end: &str| {
        workflow(
            json!({"1": {"class_type": "A", "inputs": {"text": format!("{}{end}\u{1b}", "word ".repeat(40))}}}),
        )
    };
    insta::assert_snapshot!(Difference::between(&text("cat"), &text("dog")), @r#"
    ~ node 1 (A)
        text: "… word word word cat\u{1b}" -> "… word word word dog\u{1b}"
    "#);
}

#[test]
fn programs_get_every_change_as_an_object() {
    let mut changed = sample();
    changed["3"]["inputs"]["seed"] = json!(2);
    let difference = Difference::between(&workflow(sample()), &workflow(changed));
    assert_eq!(
        serde_json::to_value(&difference.changes[0]).unwrap(),
        json!({"before": "3", "after": "3", "title": null, "class_type": "KSampler", "change": "input", "input": "seed",
               "from": {"value": 1}, "to": {"value": 2}})
    );
}

#[test]
fn a_muted_node_of_the_editor_is_told() {
    let editor = |mode: u64| {
        let document = json!({"nodes": [{"id": 1, "type": "A", "mode": mode, "pos": [mode * 10, 5]}]});
        crate::editor::EditorWorkflow::from_value(document).unwrap().outline()
    };
    insta::assert_snapshot!(Difference::between(&editor(0), &editor(2)), @"
    ~ node 1 (A)
        mode active -> muted
    ");
}

fn any_workflow() -> impl Strategy<Value = Value> {
    let input = prop_oneof![
        (0_usize..8, 0_i64..2).prop_map(|(node, slot)| json!([node.to_string(), slot])),
        (0_i64..3).prop_map(Value::from),
        "[a-c]".prop_map(Value::from),
    ];
    let node = ("[AB]", proptest::collection::btree_map("[xyz]", input, 0..3))
        .prop_map(|(class, inputs)| json!({"class_type": class, "inputs": inputs}));
    proptest::collection::vec(node, 1..8).prop_map(|nodes| {
        Value::Object(nodes.into_iter().enumerate().map(|(id, node)| (id.to_string(), node)).collect())
    })
}

proptest! {
    #[test]
    fn no_workflow_differs_from_a_copy_with_other_ids(value in any_workflow()) {
        let copy = renumbered(&value, |id| format!("n{}", (id.parse::<usize>().unwrap() * 5 + 3) % 8));
        let difference = Difference::between(&workflow(value.clone()), &workflow(copy));
        // Links to nodes that are missing keep their ids in the copy.
        prop_assert!(difference.is_empty(), "{difference}");
    }

    #[test]
    fn a_difference_is_one_in_both_directions(a in any_workflow(), b in any_workflow()) {
        let (a, b) = (workflow(a), workflow(b));
        let count = |difference: &Difference, wanted: fn(&ChangeKind) -> bool| {
            difference.changes.iter().filter(|change| wanted(&change.kind)).count()
        };
        let (there, back) = (Difference::between(&a, &b), Difference::between(&b, &a));
        prop_assert_eq!(there.is_empty(), back.is_empty());
        let added = count(&there, |kind| matches!(kind, ChangeKind::Added));
        let removed = count(&there, |kind| matches!(kind, ChangeKind::Removed));
        prop_assert_eq!(a.len() + added, b.len() + removed);
    }
}
