//! Nodes of classes that the server does not have.

use comfy_workflow::convert::{ProblemKind, Severity};
use serde_json::json;

use crate::conversion::drawing::Drawing;

fn chain() -> Drawing {
    Drawing::new().node(1, "Source", json!([])).node(2, "Sauce", json!([5])).with("title", "My own")
}

#[test]
fn an_unknown_class_is_an_error_with_a_suggestion() {
    let converted = chain().node(3, "Save", json!([])).link(2, 0, 3, "images:IMAGE").convert();
    let problem =
        converted.0.problems.iter().find(|problem| problem.kind == ProblemKind::UnknownClass).unwrap();
    assert_eq!(problem.severity, Severity::Error);
    assert_eq!(problem.node.as_ref().unwrap(), &"2");
    assert_eq!(problem.title.as_deref(), Some("My own"));
    assert!(problem.to_string().starts_with("node 2 \"My own\" (Sauce)"), "{problem}");
    assert!(problem.to_string().contains("Source"), "{problem}");
    // The rest is converted all the same.
    assert_eq!(converted.0.workflow.node("1").unwrap().class_type, "Source");
    assert!(converted.0.workflow.node("3").is_some());
}

#[test]
fn an_unknown_class_that_is_muted_is_no_error() {
    let converted = chain().mode(2).convert();
    assert!(!converted.0.has_errors(), "{:?}", converted.problems());
    assert_eq!(converted.ids(), ["1"]);
}

#[test]
fn an_unknown_class_that_is_bypassed_passes_on_by_the_list_in_the_file() {
    let converted = chain()
        .mode(4)
        .with("outputs", json!([{"name": "IMAGE", "type": "IMAGE"}]))
        .unlinked("mask:MASK", false)
        .link(1, 0, 2, "image:IMAGE")
        .node(3, "Save", json!([]))
        .link(2, 0, 3, "images:IMAGE")
        .convert();
    assert!(!converted.0.has_errors(), "{:?}", converted.problems());
    assert_eq!(converted.input("3", "images"), json!(["1", 0]));
}

#[test]
fn a_subgraph_that_is_not_defined_is_an_unknown_class() {
    let converted = Drawing::new().node(1, "6ba7b810-9dad-11d1-80b4-00c04fd430c8", json!([])).convert();
    assert!(converted.0.problems.iter().any(|problem| problem.kind == ProblemKind::UnknownClass));
}
