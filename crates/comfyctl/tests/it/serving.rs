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
