//! Watching in a pipe: a line for each change.

use serde_json::Value;

use crate::support::{Place, Running, example, http, server_that_answers, sim, slow_sim};

/// Submits `hello.json` as somebody without a client id, and returns the prompt id.
fn submit(url: &str) -> String {
    let workflow = std::fs::read_to_string(example("hello.json")).unwrap();
    let (status, answer) = http(url, "POST", "/prompt", &format!(r#"{{"prompt": {workflow}}}"#));
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    answer["prompt_id"].as_str().unwrap().to_owned()
}

/// Ends a command that watches, as Ctrl-C does.
#[cfg(unix)]
fn stopped(running: Running) -> crate::support::Ran {
    running.signal("INT");
    running.end()
}

#[test]
#[cfg(unix)]
fn a_server_is_told_of_line_by_line() {
    let (place, sim) = (Place::new(), sim());
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d\d:\d\d:\d\d", "HH:MM:SS");
    settings.add_filter(r"in \d+\.\d s", "in N s");
    let _filters = settings.bind_to_scope();
    let mut watch = place.start(&["watch", "-s", &sim.url()]);
    insta::assert_snapshot!(watch.line(), @"HH:MM:SS  reached      ComfyUI 0.30.0 at http://127.0.0.1:PORT: 0 running, 0 waiting");
    submit(&sim.url());
    // It may be over before it is seen to wait or to run.
    let done = std::iter::repeat_with(|| watch.line()).find(|line| line.contains("done")).unwrap();
    insta::assert_snapshot!(done, @"HH:MM:SS  done         UUID  Save in N s: hello_00001_.png");
    let ran = stopped(watch);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.code), ("", "stopped\n", Some(130)));
}

#[test]
#[cfg(unix)]
fn a_server_is_told_of_in_json() {
    let (place, sim) = (Place::new(), slow_sim());
    let before = submit(&sim.url());
    let mut watch = place.start(&["watch", "-s", &sim.url(), "--json"]);
    let reached = watch.wait_for("reached");
    assert_eq!(reached["running"][0]["prompt_id"], before.as_str());
    assert_eq!((&reached["running"][0]["nodes"], &reached["version"]), (&4.into(), &"0.30.0".into()));
    let next = submit(&sim.url());
    let queued = watch.wait_for("queued");
    assert_eq!(
        (&queued["prompt_id"], &queued["position"], &queued["waiting"]),
        (&next.as_str().into(), &1.into(), &1.into())
    );
    assert_eq!(queued["server"], sim.url());
    http(&sim.url(), "POST", "/queue", &format!(r#"{{"delete": ["{next}"]}}"#));
    assert_eq!(watch.wait_for("gone")["prompt_id"], next.as_str());
    http(&sim.url(), "POST", "/interrupt", "{}");
    let ended = watch.wait_for("ended");
    assert_eq!((&ended["prompt_id"], &ended["status"]), (&before.as_str().into(), &"interrupted".into()));
    assert!(ended["error"].as_str().unwrap().starts_with("at "), "{ended}");
    submit(&sim.url());
    let progress = watch.wait_for("progress");
    assert_eq!((&progress["node"], &progress["source"]), (&"1".into(), &"server".into()));
    let ran = stopped(watch);
    let last = ran.stdout.lines().last().unwrap().to_owned();
    assert!(last.starts_with(r#"{"type":"result","status":"interrupted""#), "{last}");
}

#[test]
#[cfg(unix)]
fn several_servers_are_told_apart_and_one_that_is_down_does_not_matter_to_the_others() {
    let (place, sim) = (Place::new(), sim());
    place.write(
        "config.toml",
        format!("[servers.here]\nurl = '{}'\n[servers.gone]\nurl = '127.0.0.1:9'\n", sim.url()),
    );
    let mut watch = place.start(&["watch", "--all", "--config", "config.toml", "--json"]);
    let lost = watch.wait_for("lost");
    assert_eq!((&lost["server"], &lost["error"]["code"]), (&"gone".into(), &"connect".into()));
    let id = submit(&sim.url());
    let ended = watch.wait_for("ended");
    assert_eq!((&ended["server"], &ended["prompt_id"]), (&"here".into(), &id.into()));
    assert_eq!(stopped(watch).code, Some(130));
}

#[test]
#[cfg(unix)]
fn a_server_that_goes_and_comes_back_is_told_of() {
    let (place, sim) = (Place::new(), sim());
    let mut watch = place.start(&["watch", "-s", &sim.url(), "--json"]);
    watch.wait_for("reached");
    sim.fault("http-error:status=503,times=0,path=/queue".parse().unwrap());
    submit(&sim.url());
    assert_eq!(watch.wait_for("lost")["error"]["code"], "status");
    sim.clear_faults();
    watch.wait_for("reached");
    stopped(watch);
}

#[test]
fn one_server_that_is_down_is_an_error() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["watch", "-s", "127.0.0.1:9"]), @"
    error: cannot connect to http://127.0.0.1:PORT: nothing listens there
    hint: start the server, or check host and port

    exit code 3
    ");
    let ran = place.run(&["watch", "-s", "127.0.0.1:9", "--json"]);
    assert!(ran.stdout.starts_with(r#"{"type":"result","status":"unreachable""#), "{ran}");
    let url = server_that_answers("200 OK", "text/html", "<html>");
    assert_eq!(place.run(&["watch", "-s", &url]).code, Some(3));
}

#[test]
fn a_watch_ends_at_its_time_limit() {
    let (place, sim) = (Place::new(), sim());
    let ran = place.run(&["watch", "-s", &sim.url(), "--timeout", "300ms"]);
    assert_eq!(ran.code, Some(5), "{ran}");
}

#[test]
fn a_job_is_watched_to_its_end_whoever_submitted_it() {
    let (place, sim) = (Place::new(), comfy_sim_with_pauses());
    let id = submit(&sim.url());
    // It may be over when the command comes to look.
    let ran = place.run(&["watch", &id, "-s", &sim.url()]).to_string();
    insta::assert_snapshot!(ran.trim_start_matches("started\n"), @"
    done         hello_00001_.png
    the files are on the server: `comfyctl fetch UUID`

    exit code 0
    ");
    // It is over, and known.
    insta::assert_snapshot!(place.run(&["watch", &id, "-s", &sim.url()]), @"
    done         hello_00001_.png
    the files are on the server: `comfyctl fetch UUID`

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["watch", &id, "-s", &sim.url(), "--json"]), @r#"
    {"type":"watching","prompt_id":"UUID","place":"ended","nodes":4}
    {"type":"result","status":"success","prompt_id":"UUID","outputs":[{"node":"4","class_type":"SaveImage","title":"Save","kind":"image","filename":"hello_00001_.png","subfolder":"","type":"output","path":null,"bytes":null}],"error":null,"elapsed_ms":N}

    exit code 0
    "#);
}

fn comfy_sim_with_pauses() -> comfy_sim::Sim {
    let builder = comfy_sim::Sim::builder().node_delay(std::time::Duration::from_millis(150));
    tokio::runtime::Runtime::new().unwrap().block_on(builder.start()).unwrap()
}

#[test]
fn a_job_that_the_server_does_not_know_is_an_error() {
    let (place, sim) = (Place::new(), sim());
    insta::assert_snapshot!(place.run(&["watch", "8f14e45f-ceea-467f-9e0e-3c1ab4f9a8d1", "-s", &sim.url()]), @"
    error: the server knows no prompt UUID
    hint: it was removed, or the server was started again since

    exit code 1
    ");
    assert_eq!(place.run(&["watch", "x", "-s", "127.0.0.1:9"]).code, Some(3));
}

#[test]
#[cfg(unix)]
fn the_end_of_a_job_is_the_exit_code() {
    let (place, sim) = (Place::new(), slow_sim());
    let id = submit(&sim.url());
    let mut watch = place.start(&["watch", &id, "-s", &sim.url(), "--json"]);
    assert_eq!(watch.wait_for("watching")["nodes"], 4);
    http(&sim.url(), "POST", "/interrupt", "{}");
    assert_eq!(watch.wait_for("result")["status"], "interrupted");
    assert_eq!(watch.end().code, Some(6));
    // Who stops watching leaves the job alone.
    let id = submit(&sim.url());
    let mut watch = place.start(&["watch", &id, "-s", &sim.url(), "--json"]);
    watch.wait_for("watching");
    assert_eq!(stopped(watch).code, Some(130));
    assert!(http(&sim.url(), "GET", "/queue", "").1.contains(&id));
}
