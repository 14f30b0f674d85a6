//! `--json`: what scripts read.

use serde_json::Value;

use crate::support::{Place, Ran, example, hello_with, sim, slow_sim};

/// The result of a run, after making sure that stdout is as the contract says.
pub(crate) fn result_of(ran: &Ran) -> Value {
    let lines: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(lines.iter().all(|line| line["type"].is_string()), "{ran}");
    let results = lines.iter().filter(|line| line["type"] == "result").count();
    let last = lines.last().unwrap_or_else(|| panic!("no line: {ran}"));
    assert_eq!((results, &last["type"]), (1, &Value::from("result")), "{ran}");
    last.clone()
}

/// The status, the code of the error and the exit code.
fn end_of(ran: &Ran) -> (String, String, Option<i32>) {
    let result = result_of(ran);
    let error = &result["error"];
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{ran}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&result["status"]), text(&error["code"]), ran.code)
}

fn end(status: &str, code: &str, exit: i32) -> (String, String, Option<i32>) {
    (status.to_owned(), code.to_owned(), Some(exit))
}

#[test]
fn every_line_is_an_object_and_the_last_one_the_result() {
    let place = Place::new();
    let ran = place.run(&["run", &example("hello.json"), "-s", "embedded", "-o", "out", "--json"]);
    assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)));
    let result = result_of(&ran);
    let path = std::path::Path::new("out").join("hello_00001_.png");
    assert_eq!(result["outputs"][0]["path"], path.to_str().unwrap());
    let bytes = std::fs::metadata(place.path("out/hello_00001_.png")).unwrap().len();
    assert_eq!(result["outputs"][0]["bytes"], bytes);
    #[cfg(unix)]
    insta::assert_snapshot!(ran.stdout.lines().last().unwrap(), @r#"{"type":"result","status":"success","prompt_id":"UUID","outputs":[{"node":"4","class_type":"SaveImage","title":"Save","kind":"image","filename":"hello_00001_.png","subfolder":"","type":"output","path":"out/hello_00001_.png","bytes":N}],"error":null,"elapsed_ms":N}"#);
    let submitted: Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(submitted["type"], "submitted");
    assert_eq!(submitted["prompt_id"], result["prompt_id"]);
    assert!(ran.stdout.contains(r#""type":"progress""#), "{ran}");
}

#[test]
fn a_failure_on_the_server_comes_with_its_report() {
    let place = Place::new();
    let set = "SaveImage.filename_prefix=../x";
    let ran = place.run(&["run", &example("hello.json"), "-s", "embedded", "--json", "--set", set]);
    assert_eq!(end_of(&ran), end("error", "execution", 1));
    let result = result_of(&ran);
    assert_eq!(result["error"]["details"]["node_id"], "4");
    assert!(result["error"]["details"]["traceback"].is_array(), "{ran}");
    assert_eq!(result["outputs"], serde_json::json!([]));
}

#[test]
fn a_rejection_comes_with_the_servers_report() {
    let place = Place::new();
    place.write("wrong.json", hello_with(|workflow| workflow["3"]["inputs"]["blend_factor"] = 7.into()));
    let ran = place.run(&["run", "wrong.json", "-s", "embedded", "--json"]);
    assert_eq!(end_of(&ran), end("rejected", "rejected", 4));
    let details = &result_of(&ran)["error"]["details"];
    assert_eq!(details["node_errors"]["3"]["errors"][0]["type"], "value_bigger_than_max");
}

#[test]
fn every_kind_of_failure_ends_with_a_result_whose_status_fits_the_exit_code() {
    let (place, sim, slow) = (Place::new(), sim(), slow_sim());
    let (hello, url) = (example("hello.json"), sim.url());
    let cases: [(&[&str], _); 8] = [
        (&[&hello, "-s", "127.0.0.1:1"], end("unreachable", "connect", 3)),
        (&[&hello, "-s", &format!("{url}/wrong")], end("unreachable", "unexpected_reply", 3)),
        (&[&hello, "-s", &slow.url(), "--timeout", "300ms"], end("timeout", "timeout", 5)),
        (&["missing.json", "-s", &url], end("rejected", "io", 2)),
        (&[&hello, "-s", &url, "--set", "1.width"], end("rejected", "usage", 2)),
        (&[&hello, "-s", &url, "--set", "1.width=-1"], end("rejected", "workflow", 4)),
        (&[&hello, "-s", &url, "--nonsense"], end("rejected", "usage", 2)),
        (&[], end("rejected", "usage", 2)),
    ];
    for (args, expected) in cases {
        let ran = place.run(&[&["run", "--json"], args].concat());
        assert_eq!(end_of(&ran), expected, "{ran}");
        assert!(!ran.stderr.is_empty(), "people are told too: {ran}");
    }
}

#[test]
fn what_was_taken_out_of_a_workflow_is_a_line() {
    let place = Place::new();
    let change = |workflow: &mut Value| workflow["1"]["inputs"]["extra"] = serde_json::json!(["77", 0]);
    place.write("hello.json", hello_with(change));
    let ran = place.run(&["run", "hello.json", "-s", "embedded", "-o", "out", "--json"]);
    let line = ran.stdout.lines().find(|line| line.starts_with(r#"{"type":"problem""#)).unwrap();
    let problem: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&problem["node"], &problem["input"]), (&"1".into(), &"extra".into()));
    assert!(problem["message"].as_str().unwrap().starts_with("taken out"), "{problem}");
    assert_eq!(result_of(&ran)["status"], "success");
}
