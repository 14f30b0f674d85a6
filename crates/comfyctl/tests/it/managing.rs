//! `queue`, `cancel`, `interrupt` and `free`, and what the tests of a server's prompts need.

use comfy_sim::{ServerVersion, Sim};
use insta::internals::SettingsBindDropGuard;
use serde_json::{Value, json};

use crate::support::{FOREVER, PATIENCE, Place, Ran, example, http, server_that_answers, sim};

/// Hides times of the clock and how long something took, with the room that they take in a table.
pub(crate) fn without_times() -> SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"(WHEN|SUBMITTED)  +", "$1  ");
    settings.add_filter(r"(TOOK|\d+(\.\d)? m?s)( +|\n)", "TOOK$3");
    settings.add_filter(r"TOOK  +", "TOOK  ");
    settings.add_filter(r#""(create_time|execution_start_time|execution_end_time)":\d+"#, r#""$1":N"#);
    settings.bind_to_scope()
}

/// An id that the test knows. They begin alike.
pub(crate) fn id(number: u32) -> String {
    format!("0abcde{number:02}-0000-4000-8000-000000000000")
}

/// Submits `hello.json` under the ids 1, 2 and so on, with something different in each.
pub(crate) fn submit(url: &str, count: u32) {
    let mut workflow: Value = serde_json::from_slice(&std::fs::read(example("hello.json")).unwrap()).unwrap();
    for number in 1..=count {
        workflow["1"]["inputs"]["color"] = number.into();
        submit_as(url, &id(number), &workflow);
    }
}

pub(crate) fn submit_as(url: &str, id: &str, workflow: &Value) {
    let body = json!({"prompt": workflow, "prompt_id": id, "client_id": "a-client-of-the-test"}).to_string();
    let (status, answer) = http(url, "POST", "/prompt", &body);
    assert_eq!(status, 200, "{answer}");
}

/// Waits until the server satisfies a condition on its queue.
pub(crate) fn wait_for_queue(url: &str, is_so: impl Fn(&Value) -> bool) {
    let began = std::time::Instant::now();
    while began.elapsed() < PATIENCE {
        let queue: Value = serde_json::from_str(&http(url, "GET", "/queue", "").1).unwrap();
        if is_so(&queue) {
            return;
        }
    }
    panic!("the queue did not become as it should be");
}

pub(crate) fn count(queue: &Value, list: &str) -> usize {
    queue[list].as_array().unwrap().len()
}

/// A simulator on which one prompt runs until it is interrupted, and others wait.
pub(crate) fn busy_sim(version: ServerVersion, prompts: u32) -> Sim {
    let sim = Sim::builder().version(version).node_delay(FOREVER);
    let sim = tokio::runtime::Runtime::new().unwrap().block_on(sim.start()).unwrap();
    submit(&sim.url(), prompts);
    wait_for_queue(&sim.url(), |queue| {
        count(queue, "queue_running") == 1 && count(queue, "queue_pending") == prompts as usize - 1
    });
    sim
}

fn busy(prompts: u32) -> Sim {
    busy_sim(ServerVersion::V0_30_0, prompts)
}

/// A value of every line.
pub(crate) fn values(ran: &Ran, key: &str) -> Vec<String> {
    let lines = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| line[key].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_server_that_is_not_there_is_said_by_every_command_that_manages_one() {
    let place = Place::new();
    place.write("a.txt", "a");
    let commands = [
        "queue",
        "queue clear",
        "queue rm 0abcde01",
        "history",
        "history show 0abcde01",
        "history rm 0abcde01",
        "history clear",
        "jobs",
        "jobs show 0abcde01",
        "jobs cancel 0abcde01",
        "cancel 0abcde01",
        "interrupt",
        "free",
        "upload a.txt",
        "download a.png",
    ];
    for command in commands {
        let args: Vec<&str> = command.split(' ').chain(["-s", "127.0.0.1:9"]).collect();
        insta::allow_duplicates! {
            insta::assert_snapshot!(place.run(&args), @"
            error: cannot connect to http://127.0.0.1:PORT: nothing listens there
            hint: start the server, or check host and port

            exit code 3
            ");
        }
    }
    let ran = place.run(&["queue", "-s", "127.0.0.1:9", "--json"]);
    insta::assert_snapshot!(ran.stdout, @r#"{"type":"result","status":"unreachable","error":{"code":"connect","message":"cannot connect to http://127.0.0.1:PORT: nothing listens there","hint":"start the server, or check host and port","details":null}}"#);
    assert_eq!(place.names("."), ["a.txt"]);
}

#[test]
fn an_empty_queue_is_nothing_on_stdout_and_a_word_on_stderr() {
    let (place, sim) = (Place::new(), sim());
    for args in [&["queue"][..], &["queue", "ls"], &["queue", "--json"]] {
        let ran = place.run(&[args, &["-s", &sim.url()]].concat());
        insta::allow_duplicates! {
            insta::assert_snapshot!(ran, @"
            the queue is empty

            exit code 0
            ");
        }
    }
    assert_eq!(place.run(&["queue", "-q", "-s", &sim.url()]).stderr, "");
    insta::assert_snapshot!(place.run(&["queue", "clear", "-s", &sim.url()]), @"
    nothing waited in the queue

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["interrupt", "-s", &sim.url()]), @"
    nothing runs

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["interrupt", "-s", &sim.url(), "--json"]), @"
    nothing runs

    exit code 0
    ");
}

#[test]
fn what_runs_stands_first_and_what_waits_in_the_order_in_which_it_will_run() {
    let (place, sim) = (Place::new(), busy(12));
    let _times = without_times();
    let ran = place.run(&["queue", "--json", "-s", &sim.url()]);
    assert_eq!(values(&ran, "prompt_id"), (1..=12).map(id).collect::<Vec<_>>());
    insta::assert_snapshot!(ran.stdout.lines().nth(1).unwrap(), @r#"{"type":"prompt","prompt_id":"UUID","status":"waiting","position":1,"number":1,"client_id":"a-client-of-the-test","create_time":N,"execution_start_time":null,"execution_end_time":null,"elapsed_ms":null,"nodes":4,"cached_nodes":null,"targets":[{"node":"4","class_type":"SaveImage","title":"Save"}],"outputs":[],"texts":[],"interrupted_at":null,"error":null}"#);
    let ran = place.run(&["queue", "rm", &id(4)[..8], &id(5), &id(12), "-q", "-s", &sim.url()]);
    assert_eq!((ran.to_string().as_str(), ran.code), ("\nexit code 0", Some(0)));
    for number in 6..12 {
        place.run(&["queue", "rm", &id(number), "-s", &sim.url()]);
    }
    insta::assert_snapshot!(place.run(&["queue", "-s", &sim.url()]), @"
    POS  STATUS   PROMPT                                SUBMITTED  NODES  CLIENT                MAKES
    0    running  UUID  YYYY-MM-DD HH:MM:SS  4      a-client-of-the-test  Save
    1    waiting  UUID  YYYY-MM-DD HH:MM:SS  4      a-client-of-the-test  Save
    2    waiting  UUID  YYYY-MM-DD HH:MM:SS  4      a-client-of-the-test  Save

    exit code 0
    ");
}

#[test]
fn what_waits_is_taken_out_of_the_queue_and_what_does_not_wait_is_said() {
    let (place, sim) = (Place::new(), busy(3));
    let url = sim.url();
    insta::assert_snapshot!(place.run(&["queue", "rm", "0abcde02", "0abcde01", "nothing", "-s", &url]), @"
    prompt UUID: removed from the queue
    error: prompt UUID runs, and does not wait in the queue
    hint: `comfyctl cancel UUID` stops it
    error: no prompt `nothing` in the queue or history
    hint: `comfyctl queue` and `comfyctl history` list what the server knows; a restart forgets it

    exit code 1
    ");
    insta::assert_snapshot!(place.run(&["queue", "rm", "0abcde02", &id(3), "--json", "-s", &url]), @r#"
    {"type":"removed","prompt_id":"0abcde02","result":"unknown"}
    {"type":"removed","prompt_id":"UUID","result":"removed"}
    {"type":"result","status":"error","error":{"code":"not_found","message":"no prompt `0abcde02` in the queue or history","hint":"`comfyctl queue` and `comfyctl history` list what the server knows; a restart forgets it","details":null}}
    prompt UUID: removed from the queue
    error: no prompt `0abcde02` in the queue or history
    hint: `comfyctl queue` and `comfyctl history` list what the server knows; a restart forgets it

    exit code 1
    "#);
    insta::assert_snapshot!(place.run(&["queue", "rm", "-s", &url]), @"
    error: the following required arguments were not provided:
      <ID>...

    Usage: comfyctl queue rm --server <URL|NAME> <ID>...

    For more information, try '--help'.

    exit code 2
    ");
}

#[test]
fn the_queue_is_cleared_and_what_runs_goes_on() {
    let (place, sim) = (Place::new(), busy(3));
    let url = sim.url();
    insta::assert_snapshot!(place.run(&["queue", "clear", "-s", &url]), @"
    2 prompts were removed from the queue; what runs goes on

    exit code 0
    ");
    assert_eq!(values(&place.run(&["queue", "--json", "-s", &url]), "status"), ["running"]);
    insta::assert_snapshot!(place.run(&["queue", "clear", "--json", "-s", &url]), @r#"
    {"type":"cleared","removed":0}
    nothing waited in the queue; what runs goes on

    exit code 0
    "#);
}

#[test]
fn each_prompt_is_cancelled_where_it_is() {
    for version in [ServerVersion::V0_3_64, ServerVersion::V0_30_0] {
        let place = Place::new();
        let sim = busy_sim(version, 4);
        let url = sim.url();
        // Not even for a moment does one run because another was stopped.
        let all = [id(1), id(2), id(3)];
        let ran = place.run(&["cancel", &all[0], &all[1], &all[2], "--wait", "--json", "-s", &url]);
        assert_eq!(values(&ran, "result"), ["interrupted", "removed", "removed"], "{ran}");
        assert_eq!((values(&ran, "prompt_id"), ran.code), (all.to_vec(), Some(0)));
        wait_for_queue(&url, |queue| queue["queue_running"][0][1] == id(4).as_str());
        insta::allow_duplicates! {
            insta::assert_snapshot!(place.run(&["cancel", "0abcde04", "0abcde01", "-s", &url]), @"
            prompt UUID: told to stop, which it does at its next node or step
            prompt UUID: it had ended already

            exit code 0
            ");
            insta::assert_snapshot!(place.run(&["cancel", "0abcde02", "-s", &url]), @"
            error: no prompt `0abcde02` in the queue or history
            hint: `comfyctl queue` and `comfyctl history` list what the server knows; a restart forgets it

            exit code 1
            ");
        }
    }
}

#[test]
fn a_short_id_that_fits_several_prompts_stops_nothing() {
    let (place, sim) = (Place::new(), busy(3));
    let url = sim.url();
    insta::assert_snapshot!(place.run(&["cancel", "0abc", "-s", &url]), @"
    error: 3 prompts have ids that begin with `0abc`
      UUID
      UUID
      UUID
    hint: give more of the id

    exit code 2
    ");
    insta::assert_snapshot!(place.run(&["cancel", "0ab", "-s", &url]), @"
    error: `0ab` is too short for the id of a prompt
    hint: give the whole id, or at least its first 4 characters

    exit code 2
    ");
    insta::assert_snapshot!(place.run(&["cancel", &id(2), "0abc", "--json", "-s", &url]).stdout, @r#"{"type":"result","status":"rejected","error":{"code":"ambiguous","message":"3 prompts have ids that begin with `0abc`\nUUID\nUUID\nUUID","hint":"give more of the id","details":null}}"#);
    assert_eq!(values(&place.run(&["queue", "--json", "-s", &url]), "status").len(), 3);
}

#[test]
fn an_interrupt_says_what_it_stopped() {
    for version in [ServerVersion::V0_3_64, ServerVersion::V0_30_0] {
        let place = Place::new();
        let sim = busy_sim(version, 3);
        let url = sim.url();
        insta::allow_duplicates! {
            insta::assert_snapshot!(place.run(&["interrupt", "0abcde02", "-s", &url]), @"
            error: prompt UUID waits in the queue, and does not run yet
            hint: `comfyctl cancel UUID` takes it out of the queue

            exit code 1
            ");
            insta::assert_snapshot!(place.run(&["interrupt", "0abcde01", "-s", &url]), @"
            prompt UUID: told to stop, which it does at its next node or step

            exit code 0
            ");
            wait_for_queue(&url, |queue| queue["queue_running"][0][1] == id(2).as_str());
            insta::assert_snapshot!(place.run(&["interrupt", "0abcde01", "-s", &url]), @"
            prompt UUID: it had ended already

            exit code 0
            ");
            insta::assert_snapshot!(place.run(&["interrupt", "--json", "-s", &url]), @r#"
            {"type":"interrupted","prompt_id":"UUID"}
            prompt UUID: told to stop, which it does at its next node or step

            exit code 0
            "#);
            insta::assert_snapshot!(place.run(&["interrupt", "nothing", "-s", &url]), @"
            error: no prompt `nothing` in the queue or history
            hint: `comfyctl queue` and `comfyctl history` list what the server knows; a restart forgets it

            exit code 1
            ");
        }
    }
}

#[test]
fn memory_is_freed_as_far_as_is_said() {
    let (place, sim) = (Place::new(), sim());
    insta::assert_snapshot!(place.run(&["free", "-s", &sim.url()]), @"
    the server frees its models and the results that it keeps as soon as nothing runs

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["free", "--models", "-s", &sim.url()]), @"
    the server frees its models as soon as nothing runs

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["free", "--memory", "--json", "-q", "-s", &sim.url()]), @r#"
    {"type":"free","unload_models":true,"free_memory":true}

    exit code 0
    "#);
    let bodies: Vec<Value> =
        sim.requests().to("POST", "/free").iter().filter_map(|request| request.json()).collect();
    let both = json!({"unload_models": true, "free_memory": true});
    assert_eq!(bodies[0], both);
    assert_eq!(bodies[1], json!({"unload_models": true, "free_memory": false}));
}

#[test]
fn what_a_server_says_cannot_act_on_the_terminal() {
    // One answer to all that is asked.
    let url = server_that_answers(
        "200 OK",
        "application/json",
        r#"{"exec_info": {"queue_remaining": 2}, "jobs": [], "pagination": {"offset": 0, "total": 0, "has_more": false},
            "queue_running": [[0, "\u001b[31mred", {"1": {"class_type": "\u001b]0;title\u0007", "_meta": {"title": 7}}}, {"client_id": "a\nb"}, ["1"]]],
            "queue_pending": [[null, "\u202e", "no workflow", {}, ["1"]]]}"#,
    );
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["queue", "-s", &url]), @r#"
    POS  STATUS   PROMPT         NODES  CLIENT  MAKES
    0    running  \u{1b}[31mred  1      a\nb    \u{1b}]0;title\u{7}
    1    waiting  \u{202e}       0

    exit code 0
    "#);
    let line = place.run(&["queue", "--json", "-s", &url]).stdout;
    assert!(line.starts_with(r#"{"type":"prompt","prompt_id":"\u001b[31mred","#), "{line}");
    insta::assert_snapshot!(place.run(&["interrupt", "-s", &url]), @"
    prompt [31mred: told to stop, which it does at its next node or step

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["cancel", "\u{1b}[31mred", "-s", &url]), @"
    error: no prompt `[31mred` in the queue or history
    hint: `comfyctl queue` and `comfyctl history` list what the server knows; a restart forgets it

    exit code 1
    ");
}

#[test]
fn answers_of_no_known_form_are_told() {
    let url = server_that_answers("200 OK", "application/json", r#"{"exec_info": {"queue_remaining": 0}}"#);
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["queue", "-s", &url]), @r#"
    error: the answer of http://127.0.0.1:PORT/api/queue has an unknown form: missing field `queue_running` at line 1 column 37, near `{"exec_info": {"queue_remaining": 0}}`
    hint: check that ComfyUI itself answers at http://127.0.0.1:PORT, not a login page or another program

    exit code 3
    "#);
    insta::assert_snapshot!(place.run(&["jobs", "-s", &url]), @r#"
    error: the answer of http://127.0.0.1:PORT/api/jobs has an unknown form: missing field `jobs` at line 1 column 37, near `{"exec_info": {"queue_remaining": 0}}`
    hint: check that ComfyUI itself answers at http://127.0.0.1:PORT, not a login page or another program

    exit code 3
    "#);
    insta::assert_snapshot!(place.run(&["history", "-s", &url]), @r#"
    error: the answer of http://127.0.0.1:PORT/api/history has an unknown form: missing field `prompt` at line 1 column 36 in `exec_info`, near `{"exec_info": {"queue_remaining": 0}}`
    hint: check that ComfyUI itself answers at http://127.0.0.1:PORT, not a login page or another program

    exit code 3
    "#);
}
