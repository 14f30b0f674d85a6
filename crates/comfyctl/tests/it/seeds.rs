//! `--seed`: what it sets, and what it tells.

use serde_json::{Value, json};

use crate::support::{Place, Ran, http, sampling, sim, started};

/// A picture with noise, whose strength is no seed.
fn noise(place: &Place) {
    let workflow = json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0}},
        "2": {"class_type": "ImageAddNoise", "inputs": {"image": ["1", 0], "seed": 7, "strength": 0.5}, "_meta": {"title": "Noise"}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "noise"}},
    });
    place.write("noise.json", workflow.to_string());
}

/// The seed that the server got.
fn sent(url: &str, ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(0), "{ran}");
    let result: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    let id = result["prompt_id"].as_str().unwrap();
    let (_, history) = http(url, "GET", &format!("/history/{id}"), "");
    let history: Value = serde_json::from_str(&history).unwrap();
    history[id]["prompt"][2]["2"]["inputs"]["seed"].clone()
}

#[test]
fn seeds_are_kept_unless_asked_for() {
    let (place, sim) = (Place::new(), sim());
    noise(&place);
    for args in [&[][..], &["--seed", "keep"]] {
        let ran = place.run(&[&["run", "noise.json", "-s", &sim.url(), "--json"], args].concat());
        assert_eq!(sent(&sim.url(), &ran), 7);
        assert_eq!(ran.stderr, "");
        assert!(!ran.stdout.contains(r#""type":"seed""#), "{ran}");
    }
}

#[test]
fn a_number_is_given_to_every_seed() {
    let (place, sim) = (Place::new(), sim());
    noise(&place);
    let url = sim.url();
    let ran = place.run(&["run", "noise.json", "-s", &url, "--json", "--seed", "18446744073709551615"]);
    assert_eq!(sent(&url, &ran), u64::MAX);
    insta::assert_snapshot!(ran.stderr, @r#"node 2 "Noise" (ImageAddNoise): input seed: 7 -> 18446744073709551615"#);
    insta::assert_snapshot!(ran.stdout.lines().next().unwrap(), @r#"{"type":"seed","node":"2","class_type":"ImageAddNoise","title":"Noise","input":"seed","old":7,"new":18446744073709551615}"#);
}

#[test]
fn random_seeds_differ_and_are_told() {
    let (place, sim) = (Place::new(), sim());
    noise(&place);
    let run = || {
        let ran = place.run(&["run", "noise.json", "-s", &sim.url(), "--json", "--seed", "random"]);
        let seed = sent(&sim.url(), &ran);
        let told: Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
        assert_eq!((&told["type"], &told["old"], &told["new"]), (&json!("seed"), &json!(7), &seed), "{ran}");
        assert_eq!(ran.stderr, format!("node 2 \"Noise\" (ImageAddNoise): input seed: 7 -> {seed}\n"));
        seed
    };
    assert_ne!(run(), run());
}

#[test]
fn a_seed_that_is_set_wins() {
    let (place, sim) = (Place::new(), sim());
    noise(&place);
    let url = sim.url();
    let ran = place.run(&["run", "noise.json", "-s", &url, "--json", "--seed", "1", "--set", "Noise.seed=2"]);
    assert_eq!(sent(&url, &ran), 2);
    assert_eq!(ran.stderr, "");
}

#[test]
fn schemas_that_were_asked_for_do_not_refuse_models_that_the_server_takes() {
    let place = Place::new();
    let sim = started(comfy_sim::Sim::builder().any_model(true));
    sampling(&place, 2);
    let ran = place.run(&["run", "cat.json", "-s", &sim.url(), "--seed", "5"]);
    assert_eq!(ran.code, Some(0), "{ran}");
    assert_eq!(place.run(&["validate", "cat.json", "-s", &sim.url()]).code, Some(0));
}

#[test]
fn a_workflow_without_seeds_is_told_and_runs() {
    let place = Place::new();
    let hello = crate::support::example("hello.json");
    let ran = place.run(&["run", &hello, "-s", "embedded", "--seed", "5"]);
    assert_eq!(ran.code, Some(0), "{ran}");
    insta::assert_snapshot!(ran.stderr, @"warning: `--seed` changes nothing: the workflow has no noise seed that can be set");
}

#[test]
fn what_is_no_seed_is_refused() {
    let ran = Place::new().run(&["run", "noise.json", "--seed", "1.5"]);
    assert_eq!(ran.code, Some(2), "{ran}");
    insta::assert_snapshot!(ran.stderr.lines().next().unwrap(), @"error: invalid value '1.5' for '--seed <N|random|keep>': it is no whole number from 0 to 18446744073709551615, and neither `random` nor `keep`");
}
