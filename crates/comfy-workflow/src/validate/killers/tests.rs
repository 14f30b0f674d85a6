use serde_json::json;

use super::*;
use crate::schema::Schemas;

fn schemas() -> Schemas {
    Schemas::from_value(json!({
        "Int": {"input": {"required": {"value": ["INT", {}]}}, "output": ["INT"]},
        "Any": {"input": {"required": {"source": ["*", {}]}}, "output": ["STRING"], "output_node": true},
        "Resize": {
            "input": {"required": {"how": ["COMFY_DYNAMICCOMBO_V3", {"options": [
                {"key": "by", "inputs": {"required": {"factor": ["FLOAT", {}]}}},
                {"key": "to", "inputs": {"required": {"width": ["INT", {}]}}},
            ]}]}},
            "output": ["IMAGE"], "output_node": true
        },
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
    let sanitized = sanitize(workflow, &Options::new(&schemas));
    (told(&sanitized.cleaned), told(&sanitized.dangers))
}

#[test]
fn an_ordinary_workflow_is_left_as_it_is() {
    let mut plain = workflow(json!({
        "1": {"class_type": "Int", "inputs": {"value": 7, "spare": ["1", 0]}},
        "2": {"class_type": "Any", "inputs": {"source": ["1", 0], "list": {"__value__": [1, 2]}}},
    }));
    assert!(dangers(&plain).is_empty());
    let before = plain.clone();
    assert_eq!(known(&mut plain), (vec![], vec![]));
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
        assert_eq!(dangers(&stray).len(), 2);
        let (cleaned, dangerous) = known(&mut stray);
        assert_eq!(
            cleaned,
            [
                "node 1 (Int): input zz: taken out: the class does not declare it, and a link leads to node gone, which is not in the workflow"
            ]
        );
        assert!(dangerous.is_empty());
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
    assert_eq!(dangers(&declared).len(), 1);
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
    for (depth, count) in [(DEPTH, 0), (DEPTH + 2, 1), (1_000, 1)] {
        let mut deep = Workflow::new();
        let mut node = Node::new("Any").with_input("source", nested(depth));
        node.extra.insert("note".into(), json!("x"));
        deep.insert("1", node);
        assert_eq!(dangers(&deep).len(), count, "{depth}");
    }
}

#[test]
fn a_link_in_the_place_of_a_dynamic_choice_is_a_danger_and_one_of_another_choice_is_stray() {
    let mut choice = workflow(json!({"1": {"class_type": "Resize", "inputs": {"how": ["gone", 0]}}}));
    assert_eq!(known(&mut choice).1.len(), 1);
    let mut other = workflow(json!({
        "1": {"class_type": "Resize", "inputs": {"how": "by", "how.factor": 2.0, "how.width": ["gone", 0]}}
    }));
    let (cleaned, dangers) = known(&mut other);
    assert_eq!((cleaned.len(), dangers.len()), (1, 0));
}

#[test]
fn a_chain_that_is_too_long_is_a_danger_where_it_runs() {
    for (length, count) in [(CHAIN, 0), (CHAIN + 1, 1), (5_000, 1)] {
        let mut chain = Workflow::new();
        chain.insert("0", Node::new("Int").with_input("value", 1));
        for at in 1..length {
            let class = if at + 1 == length { "Any" } else { "Pass" };
            let input = if at + 1 == length { "source" } else { "in" };
            let source = (at - 1).to_string();
            chain.insert(at.to_string(), Node::new(class).with_input(input, json!([source, 0])));
        }
        assert_eq!(dangers(&chain).len(), count, "{length}");
        assert_eq!(known(&mut chain).1.len(), count, "{length}");
        chain.remove(&(length - 1).to_string());
        assert_eq!(known(&mut chain).1.len(), 0, "nothing runs");
    }
}

#[test]
fn chains_that_split_and_join_are_as_long_as_their_longest_way() {
    let links =
        HashMap::from([("d", vec!["a", "c"]), ("c", vec!["b"]), ("b", vec!["a", "d"]), ("e", vec!["d"])]);
    assert_eq!(longest_chain(&["e"], &links), Some(("e", 5)), "a cycle ends there");
    assert_eq!(longest_chain(&[], &links), None);
}

#[test]
fn an_output_that_no_list_can_be_asked_for_leads_nowhere() {
    for (slot, count) in [(json!(u64::MAX), 1), (json!(i64::MAX), 0), (json!(-1), 0), (json!(5), 0)] {
        let mut far = workflow(json!({
            "1": {"class_type": "Int", "inputs": {"value": 7}},
            "2": {"class_type": "Any", "inputs": {"source": ["1", 0], "zz": ["1", slot]}},
        }));
        assert_eq!(dangers(&far).len(), count, "{slot}");
        assert_eq!(known(&mut far).0.len(), count, "{slot}");
    }
}
