//! Replacing values as the Python package `comfy-api-client` does; see `fixtures/templating`.

use std::path::Path;

use comfy_workflow::Workflow;
use comfy_workflow::json::{self, Start, replace_values};
use comfy_workflow::schema::Schemas;
use serde_json::Value;

fn cases() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/templating/cases.json");
    json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A list of texts.
fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn values_are_replaced_as_by_replace_dict_values() {
    let cases = cases();
    for case in cases["replace_dict_values"].as_array().unwrap() {
        let mut document = case.get("document").unwrap_or(&cases["workflow"]).clone();
        let path = match &case["path"] {
            Value::String(path) => path.split('.').collect(),
            path => texts(path),
        };
        let start = if case["start_at_root"] == true { Start::Root } else { Start::Anywhere };
        let before = document.clone();
        let count = replace_values(&mut document, path, case["value"].clone(), start);
        assert_eq!(document.to_string(), case["result"].to_string(), "{}", case["name"]);
        assert!(count > 0 || document == before, "{}", case["name"]);
    }
}

#[test]
fn seeds_are_replaced_as_by_replace_noise_seeds() {
    let cases = cases();
    for case in cases["replace_noise_seeds"].as_array().unwrap() {
        let before = case.get("workflow").unwrap_or(&cases["workflow"]);
        let seed = case["seed"].as_u64().unwrap();
        let names = case.get("noise_keys").map_or_else(|| vec!["seed", "noise_seed"], texts);

        // To the letter: links, texts and what is no seed of a node are overwritten too.
        let mut document = before.clone();
        for name in &names {
            replace_values(&mut document, ["inputs", *name], seed, Start::Anywhere);
        }
        assert_eq!(document.to_string(), case["result"].to_string(), "{}", case["name"]);

        // Of nodes whose seeds are numbers, without looking into anything else.
        let mut workflow = Workflow::from_value(before.clone()).unwrap();
        match case.get("noise_keys") {
            None => drop(workflow.replace_noise_seeds(seed, &Schemas::new())),
            Some(_) => names.iter().for_each(|name| workflow.set(&format!("*.{name}"), seed).unwrap()),
        }
        if case.get("workflow").is_some() {
            assert_eq!(workflow.to_value(), case["result"], "{}", case["name"]);
        }
    }
}

#[test]
fn a_selector_does_the_same_to_an_input_that_holds_a_value() {
    let cases = cases();
    let case = &cases["replace_dict_values"][0];
    assert_eq!(case["path"], "3.inputs.steps");
    let mut workflow = Workflow::from_value(cases["workflow"].clone()).unwrap();
    workflow.set("3.steps", case["value"].clone()).unwrap();
    assert_eq!(workflow.to_value(), case["result"]);
}
