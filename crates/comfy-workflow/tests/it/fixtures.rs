use std::path::Path;

use comfy_workflow::schema::Schemas;
use comfy_workflow::validate::{Profile, Replacements};
use serde_json::Value;

use crate::case::{Outcome, Server, round_trip};

fn check(version: &str) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../fixtures/validation/{version}.json"));
    let file: Value = comfy_workflow::json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let server = Server {
        profile: Profile::for_version(version),
        schemas: Schemas::from_value(file["schemas"].clone()).unwrap(),
        replacements: Replacements::from_value(&file["replacements"]),
    };
    for case in file["cases"].as_array().unwrap() {
        if let Outcome::Different(expected, found) = server.compare(case) {
            panic!("{}\n  expected {expected}\n  found    {found}", case["name"]);
        }
        if let Some((recorded, written)) = round_trip(case) {
            assert_eq!(recorded.to_string(), written.to_string(), "{}", case["name"]);
        }
    }
}

#[test]
fn prompts_get_the_answers_of_0_30_0() {
    check("0.30.0");
}

#[test]
fn prompts_get_the_answers_of_0_8_0() {
    check("0.8.0");
}

#[test]
fn prompts_get_the_answers_of_0_3_64() {
    check("0.3.64");
}
