//! `settings`.

use comfy_sim::Sim;

use crate::support::{Place, http, sim, started};

#[test]
fn settings_are_set_read_and_listed() {
    let (place, sim) = (Place::new(), sim());
    let url = sim.url();
    let settings = |args: &[&str]| place.run(&[&["settings"], args, &["-s", &url]].concat());
    insta::assert_snapshot!(settings(&[]), @"
    no setting was changed

    exit code 0
    ");
    insta::assert_snapshot!(settings(&["set", "Comfy.Limit", "64"]), @"
    Comfy.Limit is now the number 64

    exit code 0
    ");
    insta::assert_snapshot!(settings(&["set", "Comfy.Theme", "dark blue"]), @r#"
    Comfy.Theme is now the text "dark blue"

    exit code 0
    "#);
    insta::assert_snapshot!(settings(&["set", "Comfy.Offset", "-5"]), @"
    Comfy.Offset is now the number -5

    exit code 0
    ");
    insta::assert_snapshot!(settings(&["set", "Comfy.Digits", "\"64\"", "--json"]), @r#"
    {"type":"setting","id":"Comfy.Digits","value":"64"}
    Comfy.Digits is now the text "64"

    exit code 0
    "#);
    insta::assert_snapshot!(settings(&[]), @r#"
    SETTING       VALUE
    Comfy.Digits  "64"
    Comfy.Limit   64
    Comfy.Offset  -5
    Comfy.Theme   dark blue

    exit code 0
    "#);
    insta::assert_snapshot!(settings(&["ls", "--json"]), @r#"
    {"type":"setting","id":"Comfy.Digits","value":"64"}
    {"type":"setting","id":"Comfy.Limit","value":64}
    {"type":"setting","id":"Comfy.Offset","value":-5}
    {"type":"setting","id":"Comfy.Theme","value":"dark blue"}

    exit code 0
    "#);
    insta::assert_snapshot!(settings(&["get", "Comfy.Theme"]), @"
    dark blue

    exit code 0
    ");
    insta::assert_snapshot!(settings(&["get", "Comfy.Digits"]), @"
    64

    exit code 0
    ");
    insta::assert_snapshot!(settings(&["get", "Comfy.Limit", "--json"]), @r#"
    {"type":"setting","id":"Comfy.Limit","value":64}

    exit code 0
    "#);
    insta::assert_snapshot!(settings(&["get", "Comfy.Limt"]), @"
    error: the setting `Comfy.Limt` is not set
    hint: did you mean `Comfy.Limit`?

    exit code 1
    ");
    insta::assert_snapshot!(settings(&["get", "nothing", "--json"]), @r#"
    {"type":"result","status":"error","error":{"code":"not_found","message":"the setting `nothing` is not set","hint":"see which are set with `comfyctl settings`","details":null}}
    error: the setting `nothing` is not set
    hint: see which are set with `comfyctl settings`

    exit code 1
    "#);
}

#[test]
fn users_have_settings_of_their_own() {
    let place = Place::new();
    let sim = started(Sim::builder().multi_user(true));
    let (_, id) = http(&sim.url(), "POST", "/users", r#"{"username": "anna"}"#);
    let header = format!("comfy-user: {}", id.trim_matches('"'));
    let set = ["settings", "set", "a", "1", "-s", &sim.url()];
    insta::assert_snapshot!(place.run(&set), @"
    error: http://127.0.0.1:PORT/api/settings/a refused the request (401 Unauthorized): 401: Unauthorized
    hint: where the server has several users, say who you are: `--header 'comfy-user: ID'`

    exit code 3
    ");
    assert_eq!(place.run(&[&set[..], &["--header", &header]].concat()).code, Some(0));
    insta::assert_snapshot!(place.run(&["settings", "-s", &sim.url(), "--header", &header]), @"
    SETTING  VALUE
    a        1

    exit code 0
    ");
}
