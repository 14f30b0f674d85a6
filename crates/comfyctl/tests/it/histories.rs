//! `history` and `jobs`: what has run.

use comfy_sim::{ServerVersion, Sim};
use serde_json::{Value, json};

use crate::managing::{busy_sim, count, id, submit, submit_as, values, wait_for_queue, without_times};
use crate::support::{Place, example, sim};

fn is_idle(queue: &Value) -> bool {
    count(queue, "queue_running") + count(queue, "queue_pending") == 0
}

/// A workflow that fails in its last node.
fn failing() -> Value {
    let mut workflow: Value = serde_json::from_slice(&std::fs::read(example("hello.json")).unwrap()).unwrap();
    workflow["4"]["inputs"]["filename_prefix"] = "../x".into();
    workflow
}

/// A simulator on which three prompts have run: two that made pictures, and one that failed.
fn used(version: ServerVersion) -> Sim {
    let sim = Sim::builder().version(version);
    let sim = tokio::runtime::Runtime::new().unwrap().block_on(sim.start()).unwrap();
    submit(&sim.url(), 2);
    submit_as(&sim.url(), &id(3), &failing());
    wait_for_queue(&sim.url(), is_idle);
    sim
}

#[test]
fn an_empty_history_is_nothing_on_stdout_and_a_word_on_stderr() {
    let (place, sim) = (Place::new(), sim());
    for args in [&["history"][..], &["history", "ls", "--json"], &["history", "--limit", "0"]] {
        let ran = place.run(&[args, &["-s", &sim.url()]].concat());
        insta::allow_duplicates! {
            insta::assert_snapshot!(ran, @"
            the history is empty

            exit code 0
            ");
        }
    }
    insta::assert_snapshot!(place.run(&["jobs", "-s", &sim.url()]), @"
    there are no jobs

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["history", "clear", "-s", &sim.url()]), @"
    the history was empty

    exit code 0
    ");
}

#[test]
fn the_newest_stands_first_with_what_it_came_to() {
    let (place, sim) = (Place::new(), used(ServerVersion::V0_30_0));
    let _times = without_times();
    let url = sim.url();
    insta::assert_snapshot!(place.run(&["history", "-s", &url]), @"
    PROMPT                                STATUS   WHEN  TOOK  RESULT
    UUID  error    YYYY-MM-DD HH:MM:SS  TOOK  node 4 (SaveImage): Exception: **** ERROR: Saving image outside the output folder is not allowed. full_output_folder: SIM output_dir: SIM/output
    UUID  success  YYYY-MM-DD HH:MM:SS  TOOK  hello_00002_.png
    UUID  success  YYYY-MM-DD HH:MM:SS  TOOK  hello_00001_.png

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["jobs", "-s", &url]), @"
    JOB                                   STATUS     WHEN  TOOK  RESULT
    UUID  failed     YYYY-MM-DD HH:MM:SS  TOOK  node 4 (SaveImage): Exception: **** ERROR: Saving image outside the output folder is not allowed. full_output_folder: SIM output_dir: SIM/output
    UUID  completed  YYYY-MM-DD HH:MM:SS  TOOK  hello_00002_.png
    UUID  completed  YYYY-MM-DD HH:MM:SS  TOOK  hello_00001_.png

    exit code 0
    ");
    let ids = [id(3), id(2), id(1)];
    for args in [&["history"][..], &["history", "ls", "--limit", "3"], &["history", "--limit", "0"]] {
        let ran = place.run(&[args, &["--json", "-s", &url]].concat());
        assert_eq!((values(&ran, "prompt_id"), ran.stderr.as_str()), (ids.to_vec(), ""));
    }
    assert_eq!(values(&place.run(&["jobs", "--json", "-s", &url]), "id"), ids);
    let oldest = place.run(&["jobs", "--sort", "oldest", "--json", "-s", &url]);
    assert_eq!(values(&oldest, "id"), [id(1), id(2), id(3)]);
}

#[test]
fn a_list_that_does_not_have_all_says_so() {
    let (place, sim) = (Place::new(), used(ServerVersion::V0_30_0));
    let _times = without_times();
    let url = sim.url();
    insta::assert_snapshot!(place.run(&["history", "ls", "--limit", "1", "--json", "-s", &url]), @r#"
    {"type":"prompt","prompt_id":"UUID","status":"error","position":null,"number":2,"client_id":"a-client-of-the-test","create_time":N,"execution_start_time":N,"execution_end_time":N,"elapsed_ms":N,"nodes":4,"cached_nodes":0,"targets":[{"node":"4","class_type":"SaveImage","title":"Save"}],"outputs":[],"texts":[],"interrupted_at":null,"error":{"node":"4","class_type":"SaveImage","title":"Save","exception_type":"Exception","exception_message":"**** ERROR: Saving image outside the output folder is not allowed.\n full_output_folder: SIM\n         output_dir: SIM/output\n"}}
    this is the newest; `--limit 0` lists all

    exit code 0
    "#);
    insta::assert_snapshot!(place.run(&["jobs", "--limit", "1", "--offset", "1", "-s", &url]), @"
    JOB                                   STATUS     WHEN  TOOK  RESULT
    UUID  completed  YYYY-MM-DD HH:MM:SS  TOOK  hello_00002_.png
    these are 2 to 2 of 3; `--offset 2` goes on, `--limit 0` lists all

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["jobs", "--limit", "1", "--offset", "7", "-s", &url]), @"
    there are no more jobs

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["jobs", "--status", "pending,cancelled", "-s", &url]), @"
    there are no such jobs

    exit code 0
    ");
    let failed = place.run(&["jobs", "ls", "--status", "failed", "--json", "-s", &url]);
    assert_eq!(values(&failed, "id"), [id(3)]);
}

#[test]
fn a_prompt_is_shown_with_its_outputs_or_with_why_it_failed() {
    let (place, sim) = (Place::new(), used(ServerVersion::V0_30_0));
    let _times = without_times();
    let url = sim.url();
    insta::assert_snapshot!(place.run(&["history", "show", "0abcde02", "-s", &url]), @"
    WHAT       VALUE
    prompt     UUID
    status     success
    submitted  YYYY-MM-DD HH:MM:SS
    started    YYYY-MM-DD HH:MM:SS
    ended      YYYY-MM-DD HH:MM:SS
    took       TOOK
    nodes      4
    client     a-client-of-the-test

    NODE  NAME  OUTPUT
    4     Save  hello_00002_.png

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["history", "show", "0abcde03", "-s", &url]), @r#"
    WHAT       VALUE
    prompt     UUID
    status     error
    submitted  YYYY-MM-DD HH:MM:SS
    started    YYYY-MM-DD HH:MM:SS
    ended      YYYY-MM-DD HH:MM:SS
    took       TOOK
    nodes      4
    client     a-client-of-the-test
    failed at  node 4 (SaveImage) "Save"
    error      Exception: **** ERROR: Saving image outside the output folder is not allowed. full_output_folder: SIM output_dir: SIM/output

    exit code 0
    "#);
    insta::assert_snapshot!(place.run(&["history", "show", &id(2), "--json", "-s", &url]), @r#"
    {"type":"prompt","prompt_id":"UUID","status":"success","position":null,"number":1,"client_id":"a-client-of-the-test","create_time":N,"execution_start_time":N,"execution_end_time":N,"elapsed_ms":N,"nodes":4,"cached_nodes":0,"targets":[{"node":"4","class_type":"SaveImage","title":"Save"}],"outputs":[{"node":"4","class_type":"SaveImage","title":"Save","kind":"image","filename":"hello_00002_.png","subfolder":"","type":"output"}],"texts":[],"interrupted_at":null,"error":null}

    exit code 0
    "#);
    insta::assert_snapshot!(place.run(&["jobs", "show", "0abcde02", "-s", &url]), @"
    WHAT       VALUE
    prompt     UUID
    status     completed
    submitted  YYYY-MM-DD HH:MM:SS
    started    YYYY-MM-DD HH:MM:SS
    ended      YYYY-MM-DD HH:MM:SS
    took       TOOK
    nodes      4
    client     a-client-of-the-test

    NODE  NAME  OUTPUT
    4     Save  hello_00002_.png

    exit code 0
    ");
    let failed: Value =
        serde_json::from_str(&place.run(&["history", "show", "0abcde03", "--json", "-s", &url]).stdout)
            .unwrap();
    assert_eq!(failed["error"]["exception_type"], "Exception");
    assert!(failed["error"]["traceback"].is_array(), "{failed}");
    let job: Value =
        serde_json::from_str(&place.run(&["jobs", "show", &id(3), "--json", "-s", &url]).stdout).unwrap();
    assert_eq!((&job["type"], &job["status"]), (&json!("job"), &json!("failed")));
}

#[test]
fn what_waits_is_shown_too() {
    let (place, sim) = (Place::new(), busy_sim(ServerVersion::V0_30_0, 2));
    let _times = without_times();
    insta::assert_snapshot!(place.run(&["history", "show", "0abcde02", "-s", &sim.url()]), @"
    WHAT       VALUE
    prompt     UUID
    status     waiting
    position   1
    submitted  YYYY-MM-DD HH:MM:SS
    nodes      4
    client     a-client-of-the-test

    exit code 0
    ");
}

#[test]
fn a_prompt_can_be_run_again() {
    let (place, sim) = (Place::new(), used(ServerVersion::V0_30_0));
    let url = sim.url();
    for command in ["history", "jobs"] {
        let workflow = place.run(&[command, "show", "0abcde01", "--workflow", "-s", &url]).stdout;
        let ran = place.run_with(&["run", "-", "-s", &url], workflow);
        assert_eq!(ran.code, Some(0), "{ran}");
        assert!(ran.stdout.contains("hello_"), "{ran}");
    }
    let line = place.run(&["history", "show", "0abcde01", "--workflow", "--json", "-s", &url]).stdout;
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["type"], &line["workflow"]["1"]["inputs"]["color"]), (&json!("workflow"), &json!(1)));
}

#[test]
fn prompts_that_are_not_known_are_said() {
    let (place, sim) = (Place::new(), used(ServerVersion::V0_30_0));
    let url = sim.url();
    for args in [["history", "show", "nothing"], ["jobs", "show", "nothing"], ["jobs", "cancel", "nothing"]] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(place.run(&[&args[..], &["-s", &url]].concat()), @"
            error: no prompt `nothing` in the queue or history
            hint: `comfyctl queue` and `comfyctl history` list what the server knows; a restart forgets it

            exit code 1
            ");
        }
    }
    insta::assert_snapshot!(place.run(&["history", "show", &id(9), "--json", "-s", &url]).stdout, @r#"{"type":"result","status":"error","error":{"code":"not_found","message":"no prompt `UUID` in the queue or history","hint":"`comfyctl queue` and `comfyctl history` list what the server knows; a restart forgets it","details":null}}"#);
    insta::assert_snapshot!(place.run(&["jobs", "show", &id(9), "-s", &url]), @"
    error: no prompt `UUID` in the queue or history
    hint: `comfyctl queue` and `comfyctl history` list what the server knows; a restart forgets it

    exit code 1
    ");
}

#[test]
fn records_are_removed_and_files_stay() {
    for version in [ServerVersion::V0_3_64, ServerVersion::V0_30_0] {
        let (place, sim) = (Place::new(), used(version));
        let url = sim.url();
        insta::allow_duplicates! {
            insta::assert_snapshot!(place.run(&["history", "rm", "0abcde01", "nothing", "-s", &url]), @"
            prompt UUID: its record is removed, its files stay
            error: no prompt `nothing` in the history
            hint: `comfyctl history` lists what has run; `comfyctl queue rm ID` is for what waits

            exit code 1
            ");
            insta::assert_snapshot!(place.run(&["history", "rm", &id(1), "--json", "-q", "-s", &url]).stdout, @r#"
            {"type":"removed","prompt_id":"UUID","result":"unknown"}
            {"type":"result","status":"error","error":{"code":"not_found","message":"no prompt `UUID` in the history","hint":"`comfyctl history` lists what has run; `comfyctl queue rm ID` is for what waits","details":null}}
            "#);
            assert_eq!(values(&place.run(&["history", "--json", "-s", &url]), "prompt_id"), [id(3), id(2)]);
            insta::assert_snapshot!(place.run(&["history", "clear", "-s", &url]), @"
            2 records were removed; their files stay

            exit code 0
            ");
            insta::assert_snapshot!(place.run(&["history", "clear", "--json", "-s", &url]), @r#"
            {"type":"cleared","removed":0}
            the history was empty

            exit code 0
            "#);
        }
        let ran = place.run(&["download", "hello_00001_.png", "-s", &url]);
        assert_eq!((ran.stdout.as_str(), ran.code), ("hello_00001_.png\n", Some(0)));
    }
}

#[test]
fn old_servers_have_no_jobs_but_a_history() {
    let (place, sim) = (Place::new(), used(ServerVersion::V0_3_64));
    let _times = without_times();
    let url = sim.url();
    insta::assert_snapshot!(place.run(&["jobs", "-s", &url]), @"
    error: ComfyUI 0.3.64 does not have `GET /api/jobs`, which needs a server of 0.8.0 or newer
    hint: `comfyctl history` and `comfyctl queue` work with every server

    exit code 1
    ");
    insta::assert_snapshot!(place.run(&["jobs", "show", "0abcde01", "--json", "-s", &url]).stdout, @r#"{"type":"result","status":"error","error":{"code":"unsupported","message":"ComfyUI 0.3.64 does not have `GET /api/jobs/{job_id}`, which needs a server of 0.8.0 or newer","hint":"`comfyctl history` and `comfyctl queue` work with every server","details":null}}"#);
    insta::assert_snapshot!(place.run(&["history", "-s", &url]), @"
    PROMPT                                STATUS   WHEN  TOOK  RESULT
    UUID  error    YYYY-MM-DD HH:MM:SS  TOOK  node 4 (SaveImage): Exception: **** ERROR: Saving image outside the output folder is not allowed. full_output_folder: SIM output_dir: SIM/output
    UUID  success  YYYY-MM-DD HH:MM:SS  TOOK  hello_00002_.png
    UUID  success  YYYY-MM-DD HH:MM:SS  TOOK  hello_00001_.png

    exit code 0
    ");
    let (place, sim) = (Place::new(), used(ServerVersion::V0_8_0));
    insta::assert_snapshot!(place.run(&["jobs", "--status", "cancelled", "-s", &sim.url()]), @"
    error: http://127.0.0.1:PORT/api/jobs answered 400 Bad Request: Invalid status value(s): cancelled. Valid values: pending, in_progress, completed, failed
    hint: servers before 0.30.0 do not know `cancelled`; interrupted jobs are `failed` there

    exit code 2
    ");
}
