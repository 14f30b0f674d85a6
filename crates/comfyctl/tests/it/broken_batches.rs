//! Batches that end in the middle, and what is made of them.

#![cfg(unix)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use comfy_sim::Sim;
use serde_json::{Value, json};

use crate::json_lines::result_of;
use crate::support::{Place, Ran, example, http, sim, slow_sim, unhurried_sim};

const SWEEP: &str = "EmptyImage.color=1..4";

/// The colours of all prompts that the server has run.
fn ran(sim: &Sim) -> Vec<u64> {
    let (_, history) = http(&sim.url(), "GET", "/history", "");
    let history: serde_json::Map<String, Value> = serde_json::from_str(&history).unwrap();
    let mut colors: Vec<u64> =
        history.values().map(|entry| entry["prompt"][2]["1"]["inputs"]["color"].as_u64().unwrap()).collect();
    colors.sort_unstable();
    colors
}

/// Whether every row was run once, and every file is there once and whole.
fn assert_all_once(place: &Place, sim: &Sim, resumed: &Ran) {
    assert_eq!(resumed.code, Some(0), "{resumed}");
    assert_eq!(ran(sim), [1, 2, 3, 4]);
    let files = (1..=4).map(|number| format!("hello_0000{number}_.png"));
    let files: Vec<String> = ["comfy-batch.jsonl".to_owned()].into_iter().chain(files).collect();
    assert_eq!(place.names("out"), files);
    for file in &files[1..] {
        image::open(place.path("out").join(file)).unwrap();
    }
    assert_eq!(result_of(resumed)["outputs"].as_array().unwrap().len(), 4);
    assert_eq!(result_of(resumed)["rows"]["left"], 0);
}

#[test]
fn after_a_kill_while_a_row_runs_every_row_is_run_once() {
    let (place, sim) = (Place::new(), unhurried_sim());
    let (hello, url) = (example("hello.json"), sim.url());
    let args = ["run", &hello, "-s", &url, "-o", "out", "--sweep", SWEEP, "--json"];
    for row in 0..3 {
        let resume: &[&str] = if row == 0 { &[] } else { &["--resume"] };
        let mut running = place.start(&[&args, resume].concat());
        let is_next =
            |line: &Value| line["type"] == "result" || line["type"] == "row" && line["status"] != "skipped";
        while !is_next(&serde_json::from_str(&running.line()).unwrap()) {}
        running.kill();
    }
    let resumed = place.run(&[&args[..], &["--resume"]].concat());
    assert_all_once(&place, &sim, &resumed);
}

#[test]
fn after_a_kill_before_the_first_answer_every_row_is_run_once() {
    let (place, sim) = (Place::new(), unhurried_sim());
    let args = ["run", &example("hello.json"), "-s", &sim.url(), "-o", "out", "--sweep", SWEEP, "--json"];
    let mut running = place.start(&args);
    running.wait_for("submitted");
    running.kill();
    // Without the word for it, nothing is lost.
    let refused = place.run(&args[..args.len() - 1]);
    assert!(
        refused.stderr.starts_with("error: out/comfy-batch.jsonl has a batch that was interrupted"),
        "{refused}"
    );
    assert_eq!(refused.code, Some(2));
    let resumed = place.run(&[&args[..], &["--resume"]].concat());
    assert_all_once(&place, &sim, &resumed);
}

/// Passes everything on to a server, and holds the second half of files until it is told not to.
fn holding(url: &str) -> (String, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let holds = Arc::new(AtomicBool::new(true));
    let (server, held) = (url.trim_start_matches("http://").to_owned(), Arc::clone(&holds));
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
            let (asking, held) = (Arc::new(AtomicBool::new(false)), Arc::clone(&held));
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let asked = Arc::clone(&asking);
            thread::spawn(move || {
                let mut piece = vec![0; 1 << 16];
                while let Ok(length @ 1..) = from.read(&mut piece) {
                    let is_file =
                        piece[..length].windows(9).any(|part| part == b"GET /view" || part == b"/api/view");
                    asked.store(is_file, Ordering::SeqCst);
                    if to.write_all(&piece[..length]).is_err() {
                        break;
                    }
                }
                let _ = to.shutdown(std::net::Shutdown::Both);
            });
            let (mut from, mut to) = (server, client);
            thread::spawn(move || {
                let mut piece = vec![0; 1 << 16];
                while let Ok(length @ 1..) = from.read(&mut piece) {
                    if asking.load(Ordering::SeqCst) && held.load(Ordering::SeqCst) && length > 600 {
                        let _ = to.write_all(&piece[..600]);
                        // Until the client is gone.
                        let _ = to.read(&mut [0]);
                        return;
                    }
                    if to.write_all(&piece[..length]).is_err() {
                        return;
                    }
                }
                let _ = to.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    (address, holds)
}

#[test]
fn after_a_kill_in_the_middle_of_a_download_every_file_is_there_once_and_whole() {
    let (place, sim) = (Place::new(), sim());
    let (url, holds) = holding(&sim.url());
    let args =
        ["run", &example("hello.json"), "-s", &url, "-o", "out", "--sweep", SWEEP, "--tracking", "poll"];
    let running = place.start(&args);
    // Parts of files are there, and no file.
    let parts = || place.names("out").iter().filter(|name| name.ends_with(".part")).count();
    while parts() < 2 {
        thread::yield_now();
    }
    running.kill();
    assert!(parts() >= 2);
    assert!(!place.names("out").iter().any(|name| name.ends_with(".png")));
    holds.store(false, Ordering::SeqCst);
    let resumed = place.run(&[&args[..], &["--resume", "--json"]].concat());
    assert_all_once(&place, &sim, &resumed);
}

#[test]
fn ctrl_c_cancels_what_was_submitted_and_the_rest_can_be_done_later() {
    let (place, sim) = (Place::new(), slow_sim());
    let args = ["run", &example("hello.json"), "-s", &sim.url(), "-o", "out", "--sweep", SWEEP, "--json"];
    let mut running = place.start(&args);
    running.wait_for("executing");
    running.signal("INT");
    let stopped = running.end();
    let result = result_of(&stopped);
    assert_eq!((result["status"].as_str(), stopped.code), (Some("interrupted"), Some(130)), "{stopped}");
    assert_eq!(result["rows"], json!({"total": 4, "done": 0, "failed": 0, "skipped": 0, "left": 4}));
    insta::assert_snapshot!(stopped.stderr, @"
    cancelling; Ctrl-C again leaves at once
    4 left; journal: out/comfy-batch.jsonl
    stopped; `--resume` goes on where it ended
    ");
    let (_, queue) = http(&sim.url(), "GET", "/queue", "");
    assert!(queue.contains(r#""queue_pending":[]"#) || queue.contains(r#""queue_pending": []"#), "{queue}");

    let quick = crate::support::sim();
    let args = ["run", &example("hello.json"), "-s", &quick.url(), "-o", "out", "--sweep", SWEEP, "--json"];
    let resumed = place.run(&[&args[..], &["--resume"]].concat());
    assert_all_once(&place, &quick, &resumed);
    assert!(!resumed.stdout.contains(r#""type":"again""#), "{resumed}");
}

#[test]
fn another_batch_is_not_gone_on_with() {
    let (place, sim) = (Place::new(), slow_sim());
    let (hello, url) = (example("hello.json"), sim.url());
    let run = ["run", &hello, "-s", &url, "-o", "out", "--sweep"];
    let mut running = place.start(&[&run[..], &[SWEEP, "--json"]].concat());
    running.wait_for("executing");
    // While it runs, nobody else can.
    let second = place.run(&[&run[..], &[SWEEP, "--resume"]].concat());
    insta::assert_snapshot!(second, @"
    error: another process has the journal out/comfy-batch.jsonl open
    hint: wait until it has ended, or take another journal

    exit code 2
    ");
    running.kill();
    let changed = place.run(&[&run[..], &["EmptyImage.color=1..5", "--seed", "7", "--resume"]].concat());
    insta::assert_snapshot!(changed, @r#"
    error: the journal out/comfy-batch.jsonl is of another batch
      --seed: was keep, is 7
      --sweep: was ["EmptyImage.color=1..4"], is ["EmptyImage.color=1..5"]
    hint: run it as before, start anew with `--restart`, or leave it alone with `--journal FILE`

    exit code 2
    "#);
    http(&url, "POST", "/api/queue", r#"{"clear": true}"#);
    http(&url, "POST", "/api/interrupt", "");
    let quick = crate::support::sim();
    let run = ["run", &hello, "-s", &quick.url(), "-o", "out", "--sweep", SWEEP, "--restart"];
    assert_eq!(place.run(&run).code, Some(0));
}
