use proptest::prelude::*;
use serde_json::json;

use super::*;

fn schemas() -> Schemas {
    let seed = json!(["INT", {"min": 0, "max": u64::MAX, "control_after_generate": true}]);
    let value = json!(["INT", {"min": i64::MIN + 1, "max": i64::MAX, "control_after_generate": "fixed"}]);
    Schemas::from_value(json!({
        "KSampler": {"input": {"required": {"seed": seed, "steps": ["INT"], "cfg": ["FLOAT"]}}, "output": ["LATENT"]},
        "Small": {"input": {"required": {"seed": ["INT", {"min": 1, "max": 65535}]}}, "output": ["IMAGE"]},
        "Controlled": {"input": {"required": {"start": seed, "other": ["INT"]}}, "output": ["IMAGE"]},
        "Floating": {"input": {"required": {"noise_seed": ["FLOAT"]}}, "output": ["IMAGE"]},
        "PrimitiveInt": {"input": {"required": {"value": value}}, "output": ["INT"]},
        "Generate": {"input": {"required": {"sampling_mode": ["COMFY_DYNAMICCOMBO_V3", {"options": [
            {"key": "on", "inputs": {"required": {"seed": ["INT", {"min": 0, "max": u64::MAX}]}}},
            {"key": "off", "inputs": {"required": {}}},
        ]}]}}, "output": ["STRING"]},
    }))
    .unwrap()
}

fn workflow(value: Value) -> Workflow {
    Workflow::from_value(value).unwrap()
}

fn names(workflow: &Workflow, schemas: &Schemas) -> Vec<String> {
    let seeds = workflow.noise_seeds(schemas).into_iter();
    seeds.map(|seed| format!("{}.{}={}", seed.target.node, seed.target.input, seed.value)).collect()
}

#[test]
fn without_schemas_whole_numbers_named_as_seeds_are_seeds() {
    let workflow = workflow(json!({
        "1": {"class_type": "A", "inputs": {"seed": 1, "steps": 20}},
        "2": {"class_type": "B", "inputs": {"noise_seed": 2, "seed": ["1", 0], "mode.seed": 3}},
        "3": {"class_type": "C", "inputs": {"seed": "text", "noise_seed": 0.5, "texture_seed": 9}},
        "4": {"class_type": "D", "inputs": {"seed": "%seed%", "noise_seed": null}},
    }));
    assert_eq!(names(&workflow, &Schemas::new()), ["1.seed=1", "2.noise_seed=2", "2.mode.seed=3"]);
}

#[test]
fn with_schemas_type_and_control_decide() {
    let workflow = workflow(json!({
        "1": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 20, "cfg": 8.0}},
        "2": {"class_type": "Controlled", "inputs": {"start": 2, "other": 3}},
        "3": {"class_type": "Floating", "inputs": {"noise_seed": 4}},
        "4": {"class_type": "Generate", "inputs": {"sampling_mode": "on", "sampling_mode.seed": 5}},
        "5": {"class_type": "Generate", "inputs": {"sampling_mode": "off", "sampling_mode.seed": 6}},
        "6": {"class_type": "KSampler", "inputs": {"seed": "7"}},
        "7": {"class_type": "PrimitiveInt", "inputs": {"value": 512}},
    }));
    let expected = ["1.seed=1", "2.start=2", "4.sampling_mode.seed=5", "6.seed=\"7\""];
    assert_eq!(names(&workflow, &schemas()), expected);
}

#[test]
fn a_linked_seed_is_the_number_of_the_node_it_comes_from() {
    let workflow = workflow(json!({
        "1": {"class_type": "PrimitiveInt", "inputs": {"value": 7}},
        "2": {"class_type": "KSampler", "inputs": {"seed": ["1", 0]}},
        "3": {"class_type": "Small", "inputs": {"seed": ["1", 0]}},
    }));
    for schemas in [&schemas(), &Schemas::new()] {
        assert_eq!(names(&workflow, schemas), ["1.value=7"]);
    }
    let seeds = workflow.noise_seeds(&schemas());
    assert_eq!(seeds[0].range, 1..=65535, "what all that it feeds take");
}

#[test]
fn a_number_that_feeds_more_than_seeds_stays() {
    let mut workflow = workflow(json!({
        "1": {"class_type": "PrimitiveInt", "inputs": {"value": 7}},
        "2": {"class_type": "KSampler", "inputs": {"seed": ["1", 0], "steps": ["1", 0]}},
        "3": {"class_type": "Sum", "inputs": {"a": 1, "b": 2}},
        "4": {"class_type": "KSampler", "inputs": {"seed": ["3", 0]}},
        "5": {"class_type": "KSampler", "inputs": {"seed": ["gone", 0]}},
    }));
    let before = workflow.clone();
    assert_eq!(workflow.randomize_noise_seeds(1, &schemas()), []);
    assert_eq!(workflow.replace_noise_seeds(1, &Schemas::new()), []);
    assert_eq!(workflow, before);
}

#[test]
fn what_was_drawn_is_told_and_follows_from_the_start() {
    let mut first = workflow(json!({
        "1": {"class_type": "KSampler", "inputs": {"seed": 1}, "_meta": {"title": "Sampler\u{1b}"}},
        "2": {"class_type": "Small", "inputs": {"seed": 2}},
    }));
    let mut second = first.clone();
    let changes = first.randomize_noise_seeds(42, &schemas());
    // These numbers are a promise.
    let told: Vec<String> = changes.iter().map(SeedChange::to_string).collect();
    assert_eq!(
        told,
        [
            r#"node 1 "Sampler\u{1b}" (KSampler): input seed: 1 -> 6679422623415661"#,
            "node 2 (Small): input seed: 2 -> 10480"
        ]
    );
    assert_eq!(first.get("1.seed").unwrap(), &changes[0].new);
    second.randomize_noise_seeds(42, &schemas());
    assert_eq!(first, second);
    second.randomize_noise_seeds(43, &schemas());
    assert_ne!(first, second);
}

#[test]
fn seeds_count_round_within_what_the_node_takes() {
    let mut workflow = workflow(json!({
        "1": {"class_type": "KSampler", "inputs": {"seed": u64::MAX}},
        "2": {"class_type": "Small", "inputs": {"seed": 65535}},
    }));
    workflow.increment_noise_seeds(1, &schemas());
    assert_eq!(names(&workflow, &schemas()), ["1.seed=0", "2.seed=1"]);
    workflow.increment_noise_seeds(-1, &schemas());
    assert_eq!(names(&workflow, &schemas()), [format!("1.seed={}", u64::MAX), "2.seed=65535".to_owned()]);
    workflow.replace_noise_seeds(65536, &schemas());
    assert_eq!(names(&workflow, &schemas()), ["1.seed=65536", "2.seed=1"]);
}

#[test]
fn the_largest_seed_as_the_editor_rounds_it_is_a_seed() {
    let text = r#"{"1": {"class_type": "KSampler", "inputs": {"seed": 18446744073709552000}}}"#;
    let mut workflow: Workflow = text.parse().unwrap();
    let changes = workflow.increment_noise_seeds(1, &schemas());
    assert_eq!((changes.len(), workflow.get("1.seed").unwrap()), (1, &json!(0)));
}

proptest! {
    #[test]
    fn seeds_stay_in_their_range_whatever_is_done(
        start: u64, by: i64, old: i64, min: i64, max: u64, is_described: bool,
    ) {
        let schemas = match is_described {
            true => Schemas::from_value(json!({"K": {"input": {"required": {"seed": ["INT", {"min": min, "max": max}]}}}})).unwrap(),
            false => Schemas::new(),
        };
        let mut workflow = workflow(json!({"1": {"class_type": "K", "inputs": {"seed": old}}}));
        for seed in workflow.noise_seeds(&schemas) {
            let fits = |change: &[SeedChange]| {
                change.len() == 1 && find::whole(&change[0].new).is_some_and(|new| seed.range.contains(&new))
            };
            prop_assert!(fits(&workflow.randomize_noise_seeds(start, &schemas)));
            prop_assert!(fits(&workflow.replace_noise_seeds(start, &schemas)));
            prop_assert!(fits(&workflow.increment_noise_seeds(by, &schemas)));
        }
    }
}
