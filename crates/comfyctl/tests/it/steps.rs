//! `submit`, `wait`, `status` and `fetch`: a run in steps.

use serde_json::Value;

use crate::json_lines::result_of;
use crate::support::{Place, example, http, sim, slow_sim};

/// No prompt of any server.
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

fn submitted(place: &Place, url: &str, args: &[&str]) -> String {
    let ran = place.run(&[&["submit", &example("hello.json"), "-s", url], args].concat());
    assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)), "{ran}");
    ran.stdout.trim_end().to_owned()
}

#[test]
fn a_run_in_steps() {
    let (place, sim) = (Place::new(), sim());
    let url = sim.url();
    let id = submitted(&place, &url, &[]);
    let waited = place.run(&["wait", &id, "-s", &url]);
    assert_eq!((waited.stdout.as_str(), waited.stderr.as_str(), waited.code), ("", "", Some(0)));
    insta::assert_snapshot!(place.run(&["status", &id, "-s", &url]), @"
    success, 1 file

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["status", &id, "-s", &url, "--json"]), @r#"
    {"type":"status","prompt_id":"UUID","status":"success","files":1}

    exit code 0
    "#);
    let fetched = place.run(&["fetch", &id, "-s", &url, "-o", "out", "--name", "{title}-{index}"]);
    #[cfg(unix)]
    insta::assert_snapshot!(fetched, @"
    out/Save-1.png

    exit code 0
    ");
    assert_eq!(place.names("out"), ["Save-1.png"]);
}

#[test]
fn the_steps_in_json() {
    let (place, sim) = (Place::new(), sim());
    let url = sim.url();
    let ran = place.run(&["submit", &example("hello.json"), "-s", &url, "--json"]);
    insta::assert_snapshot!(ran, @r#"
    {"type":"submitted","prompt_id":"UUID"}

    exit code 0
    "#);
    let line: Value = serde_json::from_str(ran.stdout.trim_end()).unwrap();
    let id = line["prompt_id"].as_str().unwrap();
    let ran = place.run(&["wait", id, "-s", &url, "--json"]);
    let result = result_of(&ran);
    assert_eq!((result["status"].as_str(), result["prompt_id"].as_str()), (Some("success"), Some(id)));
    assert_eq!(result["outputs"][0]["class_type"], "SaveImage");
    assert_eq!(result["outputs"][0]["path"], Value::Null);
    let ran = place.run(&["fetch", id, "-s", &url, "--json"]);
    assert_eq!(result_of(&ran)["outputs"][0]["title"], "Save");
    assert!(result_of(&ran)["outputs"][0]["path"].is_string(), "{ran}");
    let ran = place.run(&["fetch", id, "-s", &url, "--no-download", "--json"]);
    assert_eq!(result_of(&ran)["outputs"][0]["path"], Value::Null);
    assert_eq!(place.names(".").len(), 1);
}

#[test]
fn a_prompt_that_runs_or_waits_says_so() {
    let (place, sim) = (Place::new(), slow_sim());
    let url = sim.url();
    let mut first = place.start(&["run", &example("hello.json"), "-s", &url, "--json"]);
    let running = first.wait_for("executing");
    assert!(running["node"].is_string());
    let queue = || serde_json::from_str::<Value>(&http(&url, "GET", "/queue", "").1).unwrap();
    let first_id = queue()["queue_running"][0][1].as_str().unwrap().to_owned();
    let last = submitted(&place, &url, &[]);
    let second = submitted(&place, &url, &["--front"]);
    let status = |id: &str| place.run(&["status", id, "-s", &url]).stdout;
    insta::assert_snapshot!(status(&first_id), @"running");
    insta::assert_snapshot!(status(&second), @"waiting at position 1 of 2");
    insta::assert_snapshot!(status(&last), @"waiting at position 2 of 2");
    insta::assert_snapshot!(place.run(&["status", &last, "-s", &url, "--json"]).stdout, @r#"{"type":"status","prompt_id":"UUID","status":"waiting","position":2,"waiting":2}"#);
    insta::assert_snapshot!(place.run(&["fetch", &first_id, "-s", &url]), @"
    error: prompt UUID still runs
    hint: wait for its end with `comfyctl wait UUID`

    exit code 1
    ");
    insta::assert_snapshot!(place.run(&["fetch", &last, "-s", &url]), @"
    error: prompt UUID waits at position 2 of 2
    hint: wait for its end with `comfyctl wait UUID`

    exit code 1
    ");
    insta::assert_snapshot!(place.run(&["wait", &last, "-s", &url, "--timeout", "300ms"]), @"
    error: the time limit of 300ms was reached
    hint: the server goes on; allow more time with `--timeout`

    exit code 5
    ");
    assert_eq!(queue()["queue_pending"].as_array().unwrap().len(), 2);
    assert_eq!(http(&url, "POST", "/queue", r#"{"clear": true}"#).0, 200);
    assert_eq!(http(&url, "POST", "/interrupt", "").0, 200);
    assert_eq!(first.end().code, Some(6));
    insta::assert_snapshot!(status(&first_id), @"interrupted: the prompt was interrupted at node 1 (EmptyImage)");
    insta::assert_snapshot!(place.run(&["wait", &first_id, "-s", &url]), @"
    error: the prompt was interrupted at node 1 (EmptyImage)

    exit code 6
    ");
}

#[test]
fn a_prompt_that_failed_is_told_by_each_step() {
    let (place, sim) = (Place::new(), sim());
    let url = sim.url();
    let id = submitted(&place, &url, &["--set", "SaveImage.filename_prefix=../x"]);
    let waited = place.run(&["wait", &id, "-s", &url]);
    assert!(waited.stderr.starts_with("error: node 4 (SaveImage) failed"), "{waited}");
    assert_eq!((waited.stdout.as_str(), waited.code), ("", Some(1)));
    let status = place.run(&["status", &id, "-s", &url]);
    assert!(status.stdout.starts_with("error: node 4 (SaveImage) failed"), "{status}");
    assert_eq!((status.stderr.as_str(), status.code), ("", Some(0)));
    assert_eq!(place.run(&["fetch", &id, "-s", &url]).code, Some(1));
    // Of several the first that did not succeed counts.
    let good = submitted(&place, &url, &[]);
    let ran = place.run(&["wait", &good, &id, "-s", &url, "--json"]);
    assert_eq!((ran.stdout.matches(r#""type":"result""#).count(), ran.code), (2, Some(1)), "{ran}");
}

#[test]
fn a_prompt_that_the_server_does_not_know() {
    let (place, sim) = (Place::new(), sim());
    let url = sim.url();
    insta::assert_snapshot!(place.run(&["status", UNKNOWN, "-s", &url]), @"
    error: no prompt `UUID` in the queue or history
    hint: `comfyctl queue` and `comfyctl history` list what the server knows; a restart forgets it

    exit code 1
    ");
    insta::assert_snapshot!(place.run(&["status", UNKNOWN, "-s", &url, "--json"]), @r#"
    {"type":"result","status":"error","error":{"code":"not_found","message":"no prompt `UUID` in the queue or history","hint":"`comfyctl queue` and `comfyctl history` list what the server knows; a restart forgets it","details":null}}
    error: no prompt `UUID` in the queue or history
    hint: `comfyctl queue` and `comfyctl history` list what the server knows; a restart forgets it

    exit code 1
    "#);
    insta::assert_snapshot!(place.run(&["wait", UNKNOWN, "-s", &url]), @"
    error: no prompt `UUID` in the queue or history
    hint: `comfyctl queue` and `comfyctl history` list what the server knows; a restart forgets it

    exit code 1
    ");
    insta::assert_snapshot!(place.run(&["fetch", UNKNOWN, "-s", &url]), @"
    error: no prompt `UUID` in the queue or history
    hint: `comfyctl queue` and `comfyctl history` list what the server knows; a restart forgets it

    exit code 1
    ");
}

#[test]
fn a_server_that_is_not_there() {
    let place = Place::new();
    let hello = example("hello.json");
    for args in [&["submit", &hello][..], &["wait", UNKNOWN], &["status", UNKNOWN], &["fetch", UNKNOWN]] {
        let ran = place.run(&[args, &["-s", "127.0.0.1:9"]].concat());
        assert!(ran.stderr.starts_with("error: ") && ran.stdout.is_empty(), "{ran}");
        assert_eq!(ran.code, Some(3), "{ran}");
        let ran = place.run(&[args, &["-s", "127.0.0.1:9", "--json"]].concat());
        assert_eq!(result_of(&ran)["status"], "unreachable");
    }
}

#[test]
fn a_workflow_cannot_be_left_to_a_server_that_ends_with_the_command() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["submit", &example("hello.json"), "-s", "embedded"]), @"
    error: the simulator inside this process ends with it
    hint: use `run`, or start one with `comfyctl serve`

    exit code 2
    ");
}

#[cfg(unix)]
#[test]
fn ctrl_c_while_waiting_leaves_the_prompt_alone() {
    use crate::pty::Terminal;

    let sim = slow_sim();
    let url = sim.url();
    let id = submitted(&Place::new(), &url, &[]);
    let mut terminal = Terminal::start(Place::new(), &["wait", &id, "-s", &url], (60, 20), &[]);
    terminal.wait_for("running");
    terminal.send("\x03");
    let left = terminal.end();
    assert_eq!(left.code, 130);
    assert!(left.screen.ends_with("goes on"), "{}", left.screen);
    let (_, queue) = http(&url, "GET", "/queue", "");
    assert!(queue.contains(&id), "{queue}");
}
