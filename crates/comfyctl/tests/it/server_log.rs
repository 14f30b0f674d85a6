//! `logs`.

use serde_json::Value;

use crate::support::{Place, example, server_that_answers, sim};

fn run_hello(place: &Place, url: &str) {
    let ran = place.run(&["run", &example("hello.json"), "-s", url, "-o", "out"]);
    assert_eq!(ran.code, Some(0), "{ran}");
}

#[test]
fn the_log_is_printed_without_colours() {
    let (place, sim) = (Place::new(), sim());
    run_hello(&place, &sim.url());
    let ran = place.run(&["logs", "-s", &sim.url()]);
    assert!(ran.stdout.contains("[INFO] got prompt\n") && !ran.stdout.contains('\u{1b}'), "{ran}");
    insta::assert_snapshot!(place.run(&["logs", "-n", "2", "-t", "-s", &sim.url()]).to_string().replace(char::is_numeric, "0"), @"
    YYYY-MM-DD HH:MM:SS  [INFO] got prompt
    YYYY-MM-DD HH:MM:SS  [INFO] Prompt executed in 0.00 seconds

    exit code 0
    ");
    let ran = place.run(&["logs", "-n", "2", "--json", "-s", &sim.url()]);
    let first: Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    assert_eq!((&first["type"], &first["text"]), (&"log".into(), &"[INFO] got prompt".into()), "{ran}");
    assert!(first["time"].as_str().unwrap().contains('T'));
    assert_eq!(place.run(&["logs", "-n", "0", "-s", &sim.url()]).stdout, "");
}

#[test]
fn an_empty_log_is_told_as_one() {
    let place = Place::new();
    let body = r#"{"exec_info": {"queue_remaining": 0}, "entries": []}"#;
    let url = server_that_answers("200 OK", "application/json", body);
    insta::assert_snapshot!(place.run(&["logs", "-s", &url]), @"
    the log is empty

    exit code 0
    ");
}

#[test]
fn what_a_server_writes_does_not_act_on_the_terminal() {
    let place = Place::new();
    let body = r#"{"exec_info": {"queue_remaining": 0}, "entries": [{"t": "\u001b[2J", "m": "\u001b[31mred\u001b[0m \u001b]0;title\u0007 \u202e\r\n"},
        {"t": "b", "m": "\r 50%|#"}, {"t": "c", "m": "\r100%|##"}]}"#;
    let url = server_that_answers("200 OK", "application/json", body);
    insta::assert_snapshot!(place.run(&["logs", "-t", "-s", &url]), @r#"
    \u{1b}[2J  red  \u{202e}
    c  100%|##

    exit code 0
    "#);
    // In JSON a text is what it is, but for the colours.
    let ran = place.run(&["logs", "--json", "-s", &url]);
    let first: Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first["text"], "red  \u{202e}", "{ran}");
}

#[cfg(unix)]
#[test]
fn the_log_is_followed_until_ctrl_c() {
    let (place, sim) = (Place::new(), sim());
    let mut logs = place.start(&["logs", "-f", "--json", "-s", &sim.url()]);
    let mut wait_for = |text: &str| {
        while !logs.wait_for("log")["text"].as_str().unwrap().contains(text) {}
    };
    wait_for("To see the GUI");
    for _ in 0..2 {
        run_hello(&place, &sim.url());
        wait_for("Prompt executed in");
    }
    logs.signal("INT");
    let ran = logs.end();
    assert_eq!(ran.code, Some(130), "{ran}");
    assert!(ran.stdout.contains(r#""status":"interrupted""#), "{ran}");
}
