//! Which files are saved, under which names, and what is said of the others.

use serde_json::{Value, json};

use crate::json_lines::result_of;
use crate::support::{Place, Ran, example, sampling, sim, started};

/// Two pictures that are saved, and one that is only shown.
fn shown_and_saved(place: &Place) {
    let workflow = json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 2, "color": 0}},
        "2": {"class_type": "ImageAddNoise", "inputs": {"image": ["1", 0], "seed": 7, "strength": 0.5}},
        "3": {"class_type": "SaveImage", "_meta": {"title": "Sav/ed"}, "inputs": {"images": ["2", 0], "filename_prefix": "sub/noise"}},
        "4": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    });
    place.write("noise.json", workflow.to_string());
}

fn paths(ran: &Ran) -> Vec<String> {
    ran.stdout.lines().map(|line| line.replace('\\', "/")).collect()
}

#[test]
fn names_are_made_of_a_template_and_lead_into_subfolders() {
    let (place, sim) = (Place::new(), sim());
    shown_and_saved(&place);
    let name = "{seed}/{title}-{index} {node} {stem}";
    let run = || place.run(&["run", "noise.json", "-s", &sim.url(), "-o", "out", "--name", name]);
    let ran = run();
    assert_eq!(ran.code, Some(0), "{ran}");
    let first = ["out/7/Sav_ed-1 3 noise_00001_.png", "out/7/Sav_ed-2 3 noise_00002_.png"];
    assert_eq!(paths(&ran), first);
    // Nothing is overwritten.
    let again = ["out/7/Sav_ed-1 3 noise_00001_-1.png", "out/7/Sav_ed-2 3 noise_00002_-1.png"];
    assert_eq!(paths(&run()), again);
    assert_eq!(place.names("out/7").len(), 4);
    let forced = place.run(&["run", "noise.json", "-s", &sim.url(), "-o", "out", "--name", name, "--force"]);
    assert_eq!(paths(&forced), first);
    assert_eq!(place.names("out/7").len(), 4);
}

#[test]
fn names_that_are_the_same_get_numbers_and_none_leaves_the_folder() {
    let place = Place::new();
    shown_and_saved(&place);
    let ran = place.run(&["run", "noise.json", "-s", "embedded", "-o", "out", "--name", "a/../x:{ext}"]);
    assert_eq!(ran.code, Some(2), "{ran}");
    let ran = place.run(&["run", "noise.json", "-s", "embedded", "-o", "out", "--name", "a/ CON"]);
    let mut names = paths(&ran);
    names.sort();
    assert_eq!(names, ["out/a/_CON-1.png", "out/a/_CON.png"]);
}

#[test]
fn a_template_that_cannot_be_filled_in_is_wrong_usage() {
    let place = Place::new();
    let hello = example("hello.json");
    insta::assert_snapshot!(place.run(&["run", &hello, "-s", "127.0.0.1:9", "--name", "{nodes}.png"]), @"
    error: invalid value '{nodes}.png' for '--name <TEMPLATE>': there is no {nodes}; there are {prompt_id}, {node}, {title}, {index}, {filename}, {stem}, {ext}, {seed}, {row}, {label}

    For more information, try '--help'.

    exit code 2
    ");
    insta::assert_snapshot!(place.run(&["run", &hello, "-s", "127.0.0.1:9", "--name", "../{node}"]), @"
    error: invalid value '../{node}' for '--name <TEMPLATE>': it leads out of the folder; the folder is chosen with `-o DIR`

    For more information, try '--help'.

    exit code 2
    ");
    insta::assert_snapshot!(place.run(&["run", &hello, "-s", "embedded", "--name", "{seed}"]), @"
    error: `--name {seed}`: the workflow has no noise seed that is a number
    hint: take `{seed}` out of the template

    exit code 2
    ");
    assert!(place.names(".").is_empty());
}

#[test]
fn previews_are_left_on_the_server_unless_asked_for() {
    let (place, sim) = (Place::new(), sim());
    shown_and_saved(&place);
    let ran = place.run(&["run", "noise.json", "-s", &sim.url(), "-o", "out"]);
    #[cfg(unix)]
    insta::assert_snapshot!(ran, @"
    out/sub/noise_00001_.png
    out/sub/noise_00002_.png
    2 previews left on the server: `comfyctl fetch UUID --with-previews`

    exit code 0
    ");
    let ran =
        place.run(&["run", "noise.json", "-s", &sim.url(), "-o", "all", "--with-previews", "--seed", "1"]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 4), "{ran}");
    assert!(!ran.stderr.contains("preview"), "{ran}");
}

#[test]
fn a_workflow_of_previews_alone_says_so() {
    let place = Place::new();
    let workflow = json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0}},
        "4": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    });
    place.write("shown.json", workflow.to_string());
    insta::assert_snapshot!(place.run(&["run", "shown.json", "-s", "embedded"]), @"
    1 preview left on the server, and nothing else was made: run it with `--with-previews`

    exit code 0
    ");
    let ran = place.run(&["run", "shown.json", "-s", "embedded", "--json"]);
    let result = result_of(&ran);
    let output = &result["outputs"][0];
    assert_eq!(
        (&output["type"], &output["path"], &output["bytes"]),
        (&json!("temp"), &Value::Null, &Value::Null)
    );
}

#[test]
fn nothing_is_saved_when_nothing_is_to_be_downloaded() {
    let (place, sim) = (Place::new(), sim());
    let hello = example("hello.json");
    let ran = place.run(&["run", &hello, "-s", &sim.url(), "--no-download"]);
    insta::assert_snapshot!(ran, @"
    1 file on the server: `comfyctl fetch UUID`

    exit code 0
    ");
    let ran = place.run(&["run", &hello, "-s", &sim.url(), "--no-download", "--json"]);
    let output = &result_of(&ran)["outputs"][0];
    assert_eq!((&output["filename"], &output["path"]), (&json!("hello_00001_.png"), &Value::Null));
    assert!(place.names(".").is_empty());
    let ran = place.run(&["run", &hello, "-s", &sim.url(), "--no-download", "-o", "out"]);
    assert_eq!(ran.code, Some(2), "{ran}");
}

#[test]
fn what_came_from_the_cache_is_told_and_how_to_run_it_anew() {
    let place = Place::new();
    let sim = started(comfy_sim::Sim::builder().any_model(true));
    sampling(&place, 4);
    let run =
        |args: &[&str]| place.run(&[&["run", "cat.json", "-s", &sim.url(), "-o", "out"], args].concat());
    assert_eq!(run(&[]).stderr, "");
    insta::assert_snapshot!(run(&[]).stderr, @"
    6 of 6 nodes from cache: nothing ran, and the files are those of an earlier run
    hint: to run it anew add `--seed random`, or empty the cache with `comfyctl free --memory`
    ");
    let ran = run(&["--json"]);
    let line = ran.stdout.lines().find(|line| line.contains(r#""cached""#)).unwrap();
    let mut line: Value = serde_json::from_str(line).unwrap();
    line["nodes"].as_array_mut().unwrap().sort_by_key(ToString::to_string);
    assert_eq!(line, json!({"type": "cached", "nodes": ["3", "4", "5", "6", "8", "9"], "of": 6}));
    insta::assert_snapshot!(run(&["--set", "KSampler.steps=5"]).stderr, @"3 of 6 nodes from cache");
    run(&[]);
    for tracking in ["poll", "ws"] {
        assert!(run(&["--tracking", tracking]).stderr.starts_with("6 of 6 nodes from cache: nothing ran"));
    }
    let hello = example("hello.json");
    place.run(&["run", &hello, "-s", &sim.url()]);
    assert!(place.run(&["run", &hello, "-s", &sim.url()]).stderr.contains("change an input"));
}

#[test]
fn what_one_run_writes_to_look_at_is_told() {
    let (place, sim) = (Place::new(), sim());
    let (hello, url) = (example("hello.json"), sim.url());
    let run = ["run", &hello, "-s", &url, "-o", "out", "--grid", "grid.png", "--gallery", "page.html"];
    insta::assert_snapshot!(place.run(&run), @"
    out/hello_00001_.png
    wrote grid.png
    wrote page.html

    exit code 0
    ");
    let ran = place.run(&[&run[..], &["--json"]].concat());
    assert_eq!(result_of(&ran)["written"], json!(["grid.png", "page.html"]));
    let ran = place.run(&["run", &hello, "-s", &url, "-o", "out", "--grid", "grid.txt"]);
    assert_eq!(ran.code, Some(2), "{ran}");
}
