//! Runs that end before they are done.

use crate::json_lines::result_of;
use crate::support::{Place, example, http, slow_sim};

#[test]
fn a_time_limit_ends_the_command_and_not_the_job() {
    let (place, sim) = (Place::new(), slow_sim());
    let ran = place.run(&["run", &example("hello.json"), "-s", &sim.url(), "--timeout", "2s"]);
    insta::assert_snapshot!(ran, @"
    error: the time limit of 2s was reached
    hint: the server goes on with prompt UUID; allow more time with `--timeout`

    exit code 5
    ");
    let (_, queue) = http(&sim.url(), "GET", "/queue", "");
    let queue: serde_json::Value = serde_json::from_str(&queue).unwrap();
    assert_eq!(queue["queue_running"].as_array().unwrap().len(), 1);
}

#[test]
fn an_interrupt_from_elsewhere_is_told_from_a_failure() {
    let (place, sim) = (Place::new(), slow_sim());
    let mut running = place.start(&["run", &example("hello.json"), "-s", &sim.url(), "--json"]);
    running.wait_for("executing");
    assert_eq!(http(&sim.url(), "POST", "/api/interrupt", "").0, 200);
    let ran = running.end();
    let result = result_of(&ran);
    assert_eq!((result["status"].as_str(), ran.code), (Some("interrupted"), Some(6)));
    insta::assert_snapshot!(ran.stderr, @"error: the prompt was interrupted at node 1 (EmptyImage)");
}

#[test]
fn a_job_that_is_taken_out_of_the_queue_is_said_to_be() {
    let (place, sim) = (Place::new(), slow_sim());
    let hello = example("hello.json");
    let mut first = place.start(&["run", &hello, "-s", &sim.url(), "--json"]);
    first.wait_for("executing");
    let mut second = place.start(&["run", &hello, "-s", &sim.url(), "--json"]);
    let id = second.wait_for("submitted")["prompt_id"].clone();
    let body = serde_json::json!({"delete": [id]}).to_string();
    assert_eq!(http(&sim.url(), "POST", "/api/queue", &body).0, 200);
    let ran = second.end();
    let result = result_of(&ran);
    assert_eq!((result["error"]["code"].as_str(), ran.code), (Some("removed"), Some(6)));
    insta::assert_snapshot!(ran.stderr, @"error: prompt UUID was removed from the queue before it ran");
    http(&sim.url(), "POST", "/api/interrupt", "");
    assert_eq!(first.end().code, Some(6));
}

#[test]
fn a_job_that_fails_on_the_server_says_where_and_why() {
    let place = Place::new();
    let set = "SaveImage.filename_prefix=../x";
    let ran = place.run(&["run", &example("hello.json"), "-s", "embedded", "--set", set]);
    insta::assert_snapshot!(ran, @"
    error: node 4 (SaveImage) failed: Exception: **** ERROR: Saving image outside the output folder is not allowed. full_output_folder: SIM output_dir: SIM/output
    hint: the traceback is in the server's log, and in the result of `--json`

    exit code 1
    ");
}

#[cfg(unix)]
mod signals {
    use super::*;

    fn interrupted_on_the_server(url: &str, id: &serde_json::Value) -> bool {
        let (_, history) = http(url, "GET", &format!("/history/{}", id.as_str().unwrap()), "");
        history.contains("execution_interrupted")
    }

    #[test]
    fn ctrl_c_cancels_the_job_on_the_server() {
        for signal in ["INT", "TERM"] {
            let (place, sim) = (Place::new(), slow_sim());
            let mut running = place.start(&["run", &example("hello.json"), "-s", &sim.url(), "--json"]);
            let id = running.wait_for("executing");
            assert!(id["node"].is_string());
            running.signal(signal);
            let ran = running.end();
            let result = result_of(&ran);
            assert_eq!((result["status"].as_str(), ran.code), (Some("interrupted"), Some(130)));
            assert!(interrupted_on_the_server(&sim.url(), &result["prompt_id"]));
            insta::allow_duplicates! {
                insta::assert_snapshot!(ran.stderr, @"
                cancelling; Ctrl-C again leaves at once
                stopped; the job was cancelled
                ");
            }
        }
    }

    #[test]
    fn ctrl_c_takes_a_job_that_waits_out_of_the_queue() {
        let (place, sim) = (Place::new(), slow_sim());
        let hello = example("hello.json");
        let mut first = place.start(&["run", &hello, "-s", &sim.url(), "--json"]);
        first.wait_for("executing");
        let mut second = place.start(&["run", &hello, "-s", &sim.url(), "--json"]);
        second.wait_for("submitted");
        second.signal("INT");
        assert_eq!(second.end().code, Some(130));
        let (_, queue) = http(&sim.url(), "GET", "/queue", "");
        let queue: serde_json::Value = serde_json::from_str(&queue).unwrap();
        let count = |list: &str| queue[list].as_array().unwrap().len();
        assert_eq!((count("queue_running"), count("queue_pending")), (1, 0), "{queue}");
        first.signal("INT");
        assert_eq!(first.end().code, Some(130));
    }

    #[test]
    fn ctrl_c_before_the_submit_leaves_nothing_behind() {
        use std::io::Read;
        // A server that takes the connection and never answers: the command is in the middle of connecting.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let place = Place::new();
        let running = place.start(&["run", &example("hello.json"), "-s", &address]);
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0]).unwrap();
        running.signal("INT");
        insta::assert_snapshot!(running.end(), @"
        stopped before anything was submitted

        exit code 130
        ");
    }
}
