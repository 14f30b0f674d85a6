//! `serve`: the simulator as a server.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Place, example, http};

#[cfg(unix)]
#[test]
fn the_simulator_says_where_it_listens_answers_and_ends_quickly() {
    for signal in ["INT", "TERM"] {
        let place = Place::new();
        let mut serving = place.start(&["serve", "--port", "0", "--json"]);
        let line = serving.line();
        insta::allow_duplicates! {
            insta::assert_snapshot!(line, @r#"{"type":"listening","url":"http://127.0.0.1:PORT"}"#);
        }
        let listening: Value = serde_json::from_str(&line).unwrap();
        let url = listening["url"].as_str().unwrap();
        let (status, stats) = http(url, "GET", "/system_stats", "");
        assert_eq!(status, 200);
        assert!(stats.contains("comfyui_version"), "{stats}");
        let ran = place.run(&["run", &example("hello.json"), "-s", url]);
        assert_eq!(ran.code, Some(0), "{ran}");
        let asked = Instant::now();
        serving.signal(signal);
        let ran = serving.end();
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.code), ("", "", Some(0)));
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    }
}

#[cfg(unix)]
#[test]
fn the_simulator_tells_people_where_it_listens() {
    let place = Place::new();
    let mut serving = place.start(&["serve", "--port", "0"]);
    let line = serving.line();
    insta::assert_snapshot!(line, @"listening on http://127.0.0.1:PORT");
    serving.signal("INT");
    insta::assert_snapshot!(serving.end(), @"
    Ctrl-C stops the simulator and removes its files

    exit code 0
    ");
}

#[test]
fn a_port_that_is_taken_is_said_to_be() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ran = place.run(&["serve", "--port", &port]);
    insta::assert_snapshot!(ran.to_string().replace(&port, "PORT"), @"
    error: cannot serve on port PORT: another program uses it
    hint: choose another port with `--port`, or 0 for a free one

    exit code 2
    ");
}

#[test]
fn a_description_of_nodes_that_is_none_is_refused_with_its_path_and_the_reason() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["serve", "--port", "0", "--object-info", "missing.json"]), @"
    error: cannot read missing.json: no such file or folder

    exit code 2
    ");
    place.write("wrong.json", "garbage");
    insta::assert_snapshot!(place.run(&["serve", "--port", "0", "--object-info", "wrong.json"]), @"
    error: cannot use wrong.json: the description of the nodes cannot be read: expected value at line 1 column 1, near `garbage`
    hint: give what a server answers at `/object_info`, as JSON or packed by gzip

    exit code 2
    ");
    place.write("wrong.gz", b"\x1f\x8bxx");
    insta::assert_snapshot!(place.run(&["serve", "--port", "0", "--object-info", "wrong.gz"]), @"
    error: cannot use wrong.gz: the description of the nodes cannot be read: unexpected end of file
    hint: give what a server answers at `/object_info`, as JSON or packed by gzip

    exit code 2
    ");
}

#[test]
fn options_that_mean_nothing_are_refused() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["serve", "--as", "9.9"]), @"
    error: invalid value '9.9' for '--as <VERSION>': the simulator cannot behave as `9.9`, only as 0.3.64, 0.8.0 and 0.30.0

    For more information, try '--help'.

    exit code 2
    ");
    insta::assert_snapshot!(place.run(&["serve", "--cache", "lru"]), @"
    error: invalid value 'lru' for '--cache <POLICY>': it is none of none, classic, lru:N and memory

    For more information, try '--help'.

    exit code 2
    ");
    insta::assert_snapshot!(place.run(&["serve", "--max-upload-size", "nothing"]), @"
    error: invalid value 'nothing' for '--max-upload-size <MB>': it is no size; write a number of megabytes, such as 100 or 0.5

    For more information, try '--help'.

    exit code 2
    ");
    insta::assert_snapshot!(place.run(&["serve", "--models", "missing"]), @"
    error: cannot use the folder missing: no such file or folder

    exit code 2
    ");
    place.write("file", "");
    insta::assert_snapshot!(place.run(&["serve", "--port", "0", "--base-dir", "file/folder"]), @"
    error: cannot use the folder file/folder: a part of the path is a file, not a folder
    hint: choose a folder that you may write to with `--base-dir`

    exit code 2
    ");
}

#[cfg(unix)]
#[test]
fn the_simulator_has_the_nodes_of_the_file() {
    let place = Place::new();
    let nodes = r#"{"Mine": {"input": {"required": {}}, "output": [], "output_name": [], "name": "Mine", "output_node": true}}"#;
    place.write("nodes.json", nodes);
    let mut serving = place.start(&["serve", "--port", "0", "--json", "--object-info", "nodes.json"]);
    let listening: Value = serde_json::from_str(&serving.line()).unwrap();
    let (_, described) = http(listening["url"].as_str().unwrap(), "GET", "/object_info", "");
    let described: Value = serde_json::from_str(&described).unwrap();
    assert_eq!(described.as_object().unwrap().keys().collect::<Vec<_>>(), ["Mine"]);
    serving.signal("INT");
    assert_eq!(serving.end().code, Some(0));
}

#[cfg(unix)]
#[test]
fn requests_are_logged_when_that_is_asked_for_and_cannot_control_the_terminal() {
    let place = Place::new();
    let mut serving = place.start(&["serve", "--port", "0", "--json", "-v"]);
    let listening: Value = serde_json::from_str(&serving.line()).unwrap();
    let url = listening["url"].as_str().unwrap();
    http(url, "GET", "/queue?token=secret", "");
    http(url, "GET", "/\u{9b}31m\u{202e}", "");
    serving.signal("INT");
    let log = serving.end().stderr;
    assert!(log.contains(r#"request method=GET path="/queue" status=200 milliseconds="#), "{log}");
    assert!(log.contains("status=404"), "{log}");
    assert!(!log.contains("secret"), "{log}");
    assert!(!log.chars().any(|c| c.is_control() && c != '\n') && !log.contains('\u{202e}'), "{log:?}");
}

#[test]
fn a_fault_that_is_none_is_refused() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["serve", "--port", "0", "--fault", "node-error:att=2"]), @"
    error: invalid value 'node-error:att=2' for '--fault <NAME[:SETTING=VALUE,…]>': this is no fault: unknown field `att`, expected one of `at`, `times`, `class`, `exception`, `message`; write it as NAME or NAME:SETTING=VALUE,…, such as node-error:at=2

    For more information, try '--help'.

    exit code 2
    ");
}

#[cfg(unix)]
#[test]
fn faults_of_the_command_line_strike() {
    let place = Place::new();
    let args = ["serve", "--port", "0", "--json", "--fault", "out-of-memory:class=SaveImage"];
    let mut serving = place.start(&args);
    let listening: Value = serde_json::from_str(&serving.line()).unwrap();
    let ran = place.run(&["run", &example("hello.json"), "-s", listening["url"].as_str().unwrap()]);
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("Allocation on device 0"), "{ran}");
    serving.signal("INT");
    assert_eq!(serving.end().code, Some(0));
}
