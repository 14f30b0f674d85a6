//! Many runs of one workflow.

use serde_json::{Value, json};

use crate::json_lines::result_of;
use crate::support::{Place, example, sim};

/// Lines in JSON of a type.
fn lines(stdout: &str, kind: &str) -> Vec<Value> {
    let lines = stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["type"] == kind).collect()
}

const COLORS: &str = "EmptyImage.color=1,255";
const BLENDS: &str = "ImageBlend.blend_factor=0.1,0.5";

#[test]
fn every_combination_is_run_and_the_paths_are_printed() {
    let (place, sim) = (Place::new(), sim());
    let ran = place.run(&[
        "run",
        &example("hello.json"),
        "-s",
        &sim.url(),
        "-o",
        "out",
        "--sweep",
        COLORS,
        "--sweep",
        BLENDS,
        "--grid",
        "out/grid.png",
        "--gallery",
        "out/index.html",
        "--name",
        "{row}",
    ]);
    let mut printed: Vec<&str> = ran.stdout.lines().collect();
    printed.sort();
    assert_eq!(
        (printed, ran.code),
        (vec!["out/1.png", "out/2.png", "out/3.png", "out/4.png"], Some(0)),
        "{ran}"
    );
    insta::assert_snapshot!(ran.stderr, @"
    wrote out/grid.png
    wrote out/index.html
    4 done; journal: out/comfy-batch.jsonl
    ");
    let names = ["1.png", "2.png", "3.png", "4.png", "comfy-batch.jsonl", "grid.png", "index.html"];
    assert_eq!(place.names("out"), names);
}

#[test]
fn json_has_a_line_for_each_row_and_one_result_with_all_outputs() {
    let (place, sim) = (Place::new(), sim());
    let args = [
        "run",
        &example("hello.json"),
        "-s",
        &sim.url(),
        "-o",
        "out",
        "--json",
        "--sweep",
        COLORS,
        "--jobs",
        "1",
    ];
    let ran = place.run(&args);
    let result = result_of(&ran);
    assert_eq!(result["rows"], json!({"total": 2, "done": 2, "failed": 0, "skipped": 0, "left": 0}));
    assert_eq!(result["outputs"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&result["outputs"][1]["row"], &result["outputs"][1]["label"]),
        (&json!(1), &json!("color=255"))
    );
    assert_eq!(result["outputs"][0]["class_type"], "SaveImage");
    let rows = lines(&ran.stdout, "row");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["values"], json!({"EmptyImage.color": 1}));
    assert_eq!((&rows[0]["status"], &rows[0]["error"]), (&json!("success"), &Value::Null));
    assert_eq!(rows[0]["outputs"].as_array().unwrap().len(), 1);
    for line in lines(&ran.stdout, "progress") {
        assert!(line["row"].is_u64() && line["label"].is_string() && line["values"].is_object(), "{line}");
    }
    assert_eq!(lines(&ran.stdout, "submitted").len(), 2);
}

#[test]
fn a_failed_row_does_not_stop_the_rest_and_is_listed_at_the_end() {
    let (place, sim) = (Place::new(), sim());
    let (hello, url) = (example("hello.json"), sim.url());
    let args = ["run", &hello, "-s", &url, "-o", "out", "--sweep", "SaveImage.filename_prefix=a,../b,c"];
    let ran = place.run(&args);
    assert_eq!(place.names("out"), ["a_00001_.png", "c_00001_.png", "comfy-batch.jsonl"]);
    insta::assert_snapshot!(ran.stderr, @"
    2 done, 1 failed; journal: out/comfy-batch.jsonl
    error: 1 of 3 rows failed
      filename_prefix=b~2: node 4 (SaveImage) failed: Exception: **** ERROR: Saving image outside the output folder is not allowed. full_output_folder: SIM output_dir: SIM/output
    hint: `--resume` runs them again
    ");
    assert_eq!(ran.code, Some(1));
    // The batch has ended, so that another one can take its place.
    let other = place.run(&["run", &hello, "-s", &url, "-o", "out", "--sweep", COLORS]);
    assert_eq!(other.code, Some(0), "{other}");
}

#[test]
fn what_failed_is_run_again_with_resume_and_what_is_done_is_not() {
    let (place, sim) = (Place::new(), sim());
    let (hello, url) = (example("hello.json"), sim.url());
    let args = ["run", &hello, "-s", &url, "-o", "out", "--sweep", "ImageBlend.blend_factor=0.1,0.2,0.3"];
    let ran = place.run(&args);
    assert_eq!(ran.code, Some(0), "{ran}");
    let ran = place.run(&[&args[..], &["--resume", "--json"]].concat());
    assert_eq!(result_of(&ran)["rows"], json!({"total": 3, "done": 0, "failed": 0, "skipped": 3, "left": 0}));
    assert_eq!(result_of(&ran)["outputs"].as_array().unwrap().len(), 3);
    assert_eq!(lines(&ran.stdout, "row")[2]["label"], "blend_factor=0.3");
    assert_eq!(lines(&ran.stdout, "submitted").len(), 0);
}

#[test]
fn rows_come_from_a_table_and_are_combined_with_sweeps() {
    let (place, sim) = (Place::new(), sim());
    place.write("rows.csv", "EmptyImage.color,SaveImage.filename_prefix\n255,blue\n65280,green\n");
    let args = ["run", &example("hello.json"), "-s", &sim.url(), "-o", "out", "--json", "--params"];
    let ran = place.run(&[&args[..], &["rows.csv", "--sweep", BLENDS]].concat());
    assert_eq!(result_of(&ran)["rows"]["done"], 4, "{ran}");
    let stdin = "{\"EmptyImage.width\": 32}\n{\"EmptyImage.width\": 64}\n";
    let ran = place.run_with(&[&args[..], &["-"]].concat(), stdin);
    assert_eq!(result_of(&ran)["rows"]["done"], 2, "{ran}");
}

#[test]
fn a_template_is_run_once_or_swept() {
    let (place, sim) = (Place::new(), sim());
    let (template, url) = (example("hello.template.toml"), sim.url());
    let ran = place.run(&["run", &template, "-s", &url, "--param", "size=64", "--param", "color=3"]);
    assert_eq!(ran.code, Some(0), "{ran}");
    let picture = image::open(place.path(ran.stdout.trim())).unwrap();
    assert_eq!((picture.width(), picture.height()), (64, 64));
    let ran =
        place.run(&["run", &template, "-s", &url, "--param", "size=64", "--sweep", "color=1,2,3", "--json"]);
    assert_eq!(result_of(&ran)["rows"]["done"], 3, "{ran}");
    let ran = place.run(&["run", &template, "-s", &url, "--param", "sise=64"]);
    insta::assert_snapshot!(ran, @"
    error: parameter `sise` is not declared; did you mean `size`?

    exit code 2
    ");
}

#[test]
fn random_seeds_are_drawn_for_each_row_and_stay_when_it_is_gone_on() {
    let (place, sim) = (Place::new(), sim());
    place.write("noise.json", json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
        "3": {"class_type": "RandomNoise", "inputs": {"noise_seed": 1}},
    }).to_string());
    let args = [
        "run",
        "noise.json",
        "-s",
        &sim.url(),
        "-o",
        "out",
        "--json",
        "--seed",
        "random",
        "--sweep",
        "1.color=1..3",
    ];
    let ran = place.run(&args);
    let seeds = |stdout: &str| -> Vec<Value> {
        let mut rows = lines(stdout, "row");
        rows.sort_by_key(|row| row["row"].as_u64());
        rows.iter().map(|row| row["seeds"]["3.noise_seed"].clone()).collect()
    };
    let drawn = seeds(&ran.stdout);
    assert!(drawn.iter().all(Value::is_u64), "{ran}");
    assert!(drawn[0] != drawn[1] && drawn[1] != drawn[2] && drawn[0] != drawn[2], "{drawn:?}");
    // As if two rows had never been run.
    let journal = std::fs::read_to_string(place.path("out/comfy-batch.jsonl")).unwrap();
    let kept = journal.lines().filter(|line| line.contains("\"batch\"") || line.contains("\"row\":\"0\""));
    place.write("out/comfy-batch.jsonl", kept.map(|line| format!("{line}\n")).collect::<String>());
    let ran = place.run(&[&args[..], &["--resume"]].concat());
    assert_eq!(seeds(&ran.stdout)[1..], drawn[1..], "{ran}");
    // A seed that is swept is not drawn.
    let args = [
        "run",
        "noise.json",
        "-s",
        &sim.url(),
        "-o",
        "other",
        "--json",
        "--seed",
        "random",
        "--sweep",
        "3.noise_seed=5,6",
    ];
    let ran = place.run(&args);
    assert_eq!(lines(&ran.stdout, "row")[0]["seeds"], json!({}), "{ran}");
}

#[test]
fn many_runs_that_cannot_begin_say_why() {
    let (place, sim) = (Place::new(), sim());
    let (hello, url) = (example("hello.json"), sim.url());
    let run = |args: &[&str]| place.run(&[&["run", &hello, "-s", &url, "-o", "out"], args].concat());
    insta::assert_snapshot!(run(&["--sweep", "EmptyImage.color=1,boo"]), @"
    error: `EmptyImage.color` takes a whole number, not `boo`

    exit code 2
    ");
    insta::assert_snapshot!(run(&["--sweep", "EmptyImage.colour=1..2"]), @r#"
    error: `EmptyImage.colour`: node 1 "Orange" (EmptyImage) has no input `colour`; did you mean `color`?

    exit code 2
    "#);
    insta::assert_snapshot!(run(&["--sweep", "EmptyImage.color"]), @"
    error: --sweep: `EmptyImage.color` is no sweep: it has no `=`; it has the form KEY=VALUES, such as `KSampler.seed=1..8` or `KSampler.cfg=4,6,8`

    exit code 2
    ");
    insta::assert_snapshot!(run(&["--params", "missing.csv"]), @"
    error: cannot read missing.csv: no such file or folder
    hint: check the path

    exit code 2
    ");
    insta::assert_snapshot!(run(&["--param", "x=1"]), @"
    error: `--param` is given, and the workflow is no template
    hint: give a file such as x.template.toml, or use `--set NODE.INPUT=VALUE`

    exit code 2
    ");
    assert_eq!(run(&["--resume"]).code, Some(2));
    assert_eq!(run(&["--sweep", COLORS, "--jobs", "0"]).code, Some(2));
    assert!(place.names("out").is_empty(), "{:?}", place.names("out"));
    let ran = place.run(&["run", &hello, "-s", "127.0.0.1:9", "--sweep", COLORS, "--json"]);
    assert_eq!((result_of(&ran)["status"].as_str(), ran.code), (Some("unreachable"), Some(3)));
}
