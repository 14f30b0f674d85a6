use serde_json::json;

use super::*;

fn workflow() -> Workflow {
    Workflow::from_value(json!({
        "3": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 20, "model": ["4", 0]}},
        "9:8:5": {"class_type": "KSampler", "inputs": {"seed": 2}, "_meta": {"title": "Second pass"}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a"}, "_meta": {"title": "Positive \"best\" prompt"}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "b"}, "_meta": {"title": "Negative"}},
        "8": {"class_type": "pack.Resize v1.5", "inputs": {"resize_type": "scale", "resize_type.width": 64}},
    }))
    .unwrap()
}

fn value(selector: &str) -> Value {
    workflow().get(selector).unwrap().clone()
}

fn error(selector: &str) -> (ErrorKind, String) {
    let error = workflow().get(selector).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn a_node_is_named_by_id_class_index_or_title() {
    assert_eq!(value("3.seed"), 1);
    assert_eq!(value("9:8:5.seed"), 2);
    assert_eq!(value("KSampler[1].seed"), 2);
    assert_eq!(value(r#""Positive \"best\" prompt".text"#), "a");
    assert_eq!(value(r#""Negative"[0].text"#), "b");
    assert_eq!(value("Negative.text"), "b");
}

#[test]
fn classes_and_inputs_may_contain_dots() {
    assert_eq!(value("8.resize_type.width"), 64);
    assert_eq!(value("pack.Resize v1.5.resize_type.width"), 64);
    assert_eq!(value("pack.Resize v1.5.resize_type"), "scale");
}

#[test]
fn a_star_addresses_every_node_that_has_the_input() {
    let targets = workflow().select("*.seed").unwrap();
    assert_eq!(targets.iter().map(|target| target.node.as_str()).collect::<Vec<_>>(), ["3", "9:8:5"]);
    assert_eq!(error("*.seed").0, ErrorKind::Ambiguous);
    assert_eq!(error("*.sead").1, "no node has an input `sead`; did you mean `seed`?");
}

#[test]
fn a_miss_names_the_nearest_candidates() {
    assert_eq!(
        error("KSamplr.seed").1,
        "no node has the id, class or title `KSamplr`; did you mean `KSampler`?"
    );
    assert_eq!(error("3.mod").1, "node 3 (KSampler) has no input `mod`; did you mean `model`?");
    let samplers = ["euler", "euler_ancestral", "heun"];
    assert_eq!(
        nearest("euler_a", samplers.into_iter()),
        "; did you mean `euler_ancestral`, `euler`?",
        "what is cut short comes before what is alike"
    );
    assert_eq!(error("3.step").1, "node 3 (KSampler) has no input `step`; did you mean `steps`?");
    assert_eq!(error("3.zzz").1, "node 3 (KSampler) has no input `zzz`; there are `seed`, `steps`, `model`");
    assert_eq!(error("\"Negativ\".text").1, "no node has the title \"Negativ\"; did you mean `Negative`?");
}

#[test]
fn several_matches_are_listed() {
    let (kind, text) = error("KSampler.seed");
    assert_eq!(kind, ErrorKind::Ambiguous);
    assert_eq!(
        text,
        "`KSampler.seed` matches 2 nodes: node 3 (KSampler), node 9:8:5 \"Second pass\" (KSampler); \
         name one by its id or as CLASS[INDEX], or all with `*.INPUT`"
    );
    assert_eq!(error("KSampler[2].seed").1, "`KSampler[2].seed` matches 2 nodes, so the last is [1]");
}

#[test]
fn what_is_no_selector_is_said_so() {
    for selector in ["seed", "", "\"Open.text", "\"Negative\"", "3."] {
        assert_eq!(error(selector).0, ErrorKind::SelectorSyntax, "{selector}");
    }
}
