use serde_json::json;

use super::*;
use crate::schema::Schemas;

fn schemas() -> Schemas {
    Schemas::from_value(json!({
        "Int": {"input": {"required": {"value": ["INT", {}]}}, "output": ["INT"]},
        "Any": {"input": {"required": {"source": ["*", {}]}}, "output": ["STRING"], "output_node": true},
        "Pass": {"input": {"optional": {"in": ["*", {}]}}, "output": ["*"]},
    }))
    .unwrap()
}

fn workflow(value: Value) -> Workflow {
    Workflow::from_value(value).unwrap()
}

fn told(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(Problem::to_string).collect()
}

/// What is cleaned and what is dangerous, with schemas.
fn known(workflow: &mut Workflow) -> (Vec<String>, Vec<String>) {
    let schemas = schemas();
    let sanitized = sanitize(workflow, Some(&Options::new(&schemas)));
    (told(&sanitized.cleaned), told(&sanitized.dangers))
}

#[test]
fn an_ordinary_workflow_is_left_as_it_is_without_a_look_at_schemas() {
    let mut plain = workflow(json!({
        "1": {"class_type": "Int", "inputs": {"value": 7, "spare": ["1", 0]}},
        "2": {"class_type": "Any", "inputs": {"source": ["1", 0], "list": {"__value__": [1, 2]}}},
    }));
    let before = plain.clone();
    assert_eq!(sanitize(&mut plain, None), Sanitized::default());
    assert_eq!(plain, before);
}

#[test]
fn an_undeclared_link_to_a_missing_node_is_taken_out_where_it_would_run() {
    for slot in [json!(0), json!(0.5), json!(true), json!(-1), json!(18446744073709551615_u64)] {
        let mut stray = workflow(json!({
            "1": {"class_type": "Int", "inputs": {"value": 7, "zz": ["gone", slot]}},
            "2": {"class_type": "Any", "inputs": {"source": ["1", 0]}},
            "3": {"class_type": "Int", "inputs": {"value": 7, "zz": ["gone", slot]}},
        }));
        assert_eq!(sanitize(&mut stray.clone(), None).dangers.len(), 2);
        let (cleaned, dangers) = known(&mut stray);
        assert_eq!(
            cleaned,
            [
                "node 1 (Int): input zz: taken out: the class does not declare it, and a link leads to node gone, which is not in the workflow"
            ]
        );
        assert!(dangers.is_empty());
        assert!(!stray.node("1").unwrap().inputs.contains_key("zz"));
        assert!(stray.node("3").unwrap().inputs.contains_key("zz"), "what does not run is left as it is");
    }
}

#[test]
fn what_the_server_refuses_itself_is_left_to_it() {
    let mut declared = workflow(json!({
        "1": {"class_type": "Int", "inputs": {"value": ["gone", 0]}},
        "2": {"class_type": "Any", "inputs": {"source": ["1", 0]}},
        "4": {"class_type": "Any", "inputs": {"source": "x"}},
    }));
    assert_eq!(known(&mut declared), (vec![], vec![]));
    assert_eq!(sanitize(&mut declared, None).dangers.len(), 1);
}

#[test]
fn a_declared_link_that_only_an_undeclared_one_leads_to_is_a_danger() {
    let mut hidden = workflow(json!({
        "1": {"class_type": "Int", "inputs": {"value": 7, "zz": ["3", 0]}},
        "2": {"class_type": "Any", "inputs": {"source": ["1", 0]}},
        "3": {"class_type": "Pass", "inputs": {"in": ["gone", 0]}},
    }));
    let (cleaned, dangers) = known(&mut hidden);
    assert!(cleaned.is_empty());
    assert_eq!(
        dangers,
        [
            "node 3 (Pass): input in: a link leads to node gone, which is not in the workflow; the server would not see it and stop over it"
        ]
    );
}

#[test]
fn a_wrapped_list_is_a_danger_where_it_is_run_as_a_link() {
    let wrapped = |class: &str, input: &str| {
        let mut wrapped = workflow(json!({
            "1": {"class_type": class, "inputs": {"value": 1, "in": 1, "source": 1}},
            "2": {"class_type": "Any", "inputs": {"source": ["1", 0]}},
        }));
        let list = json!({"__value__": ["gone", 0]});
        wrapped.node_mut("1").unwrap().inputs.insert(input.into(), list);
        known(&mut wrapped).1
    };
    assert_eq!(wrapped("Pass", "in").len(), 1);
    assert_eq!(wrapped("Int", "value"), [""; 0], "a number is made of it");
    assert_eq!(wrapped("Pass", "zz"), [""; 0], "nobody unwraps it");
}

#[test]
fn a_class_that_is_not_known_may_be_anything() {
    let mut unknown = workflow(json!({
        "1": {"class_type": "New", "inputs": {"zz": ["gone", 0]}},
        "2": {"class_type": "Any", "inputs": {"source": 1}},
    }));
    assert_eq!(known(&mut unknown).1.len(), 1);
}

#[test]
fn values_that_are_nested_too_deep_are_dangers() {
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| Value::Array(vec![inner]));
    for (depth, dangers) in [(DEPTH, 0), (DEPTH + 2, 1), (1_000, 1)] {
        let mut deep = Workflow::new();
        let mut node = Node::new("Any").with_input("source", nested(depth));
        node.extra.insert("note".into(), json!("x"));
        deep.insert("1", node);
        assert_eq!(sanitize(&mut deep, None).dangers.len(), dangers, "{depth}");
    }
}
