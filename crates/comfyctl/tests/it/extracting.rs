//! `extract`: the workflow that a file carries.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{Place, Ran};

fn fixture(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/metadata")).join(name)
}

/// A place with a picture that ComfyUI has saved, and with others.
fn place() -> Place {
    let place = Place::new();
    for (name, from) in [
        ("picture.png", "0.30.0/image.png"),
        ("video.mp4", "0.30.0/video.mp4"),
        ("webui.png", "others/nothing_parameters.png"),
    ] {
        std::fs::copy(fixture(from), place.path(name)).unwrap();
    }
    place.write("api.json", r#"{"1": {"class_type": "EmptyImage", "inputs": {"width": 16}}}"#);
    place
        .write("editor.json", r#"{"nodes": [{"id": 1, "type": "EmptyImage"}], "links": [], "version": 0.4}"#);
    place
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn succeeded(ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(0), "{ran}");
    json_of(&ran.stdout)
}

#[test]
fn the_api_format_is_printed_and_the_other_is_hinted_at() {
    let place = place();
    let ran = place.run(&["extract", "picture.png"]);
    assert_eq!(succeeded(&ran)["2"]["class_type"], "SaveImage");
    insta::assert_snapshot!(ran.stderr, @"picture.png carries the editor's workflow too; `--ui` takes that");
    assert_eq!(place.run(&["extract", "picture.png", "-q"]).stderr, "");
}

#[test]
fn what_is_asked_for_is_printed_without_further_words() {
    let place = place();
    let workflow = json_of(&std::fs::read_to_string(fixture("workflow.json")).unwrap());
    for file in ["picture.png", "video.mp4"] {
        let ran = place.run(&["extract", file, "--ui"]);
        assert_eq!((succeeded(&ran), ran.stderr.as_str()), (workflow.clone(), ""));
        let ran = place.run(&["extract", file, "--api"]);
        assert_eq!((&succeeded(&ran)["1"]["class_type"], ran.stderr.as_str()), (&json!("EmptyImage"), ""));
    }
}

#[test]
fn stdin_is_read_too() {
    let place = place();
    let ran = place.run_with(&["extract", "-", "--api"], std::fs::read(place.path("video.mp4")).unwrap());
    assert_eq!(succeeded(&ran)["2"]["class_type"], "SaveVideo");
    insta::assert_snapshot!(place.run(&["extract", "-"]), @"
    error: stdin is empty
    hint: give a workflow that the editor saved or exported, or a picture that ComfyUI made

    exit code 2
    ");
}

#[test]
fn a_file_is_written_whole_and_replaces_the_old_one() {
    let place = place();
    place.write("out.json", "old");
    let ran = place.run(&["extract", "picture.png", "--ui", "-o", "out.json"]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.code), ("", "", Some(0)));
    assert_eq!(json_of(&std::fs::read_to_string(place.path("out.json")).unwrap())["version"], 0.4);
    assert_eq!(place.names("").len(), 6, "nothing else is left: {:?}", place.names(""));
    let ran = place.run(&["extract", "picture.png", "-o", "missing/out.json"]);
    insta::assert_snapshot!(ran, @"
    error: cannot write missing/out.json: no such file or folder
    hint: choose another file with `-o FILE`

    exit code 2
    ");
    insta::assert_snapshot!(place.run(&["extract", "picture.png", "-o", "."]), @"
    error: cannot write .: it is a folder, not a file
    hint: choose another file with `-o FILE`

    exit code 2
    ");
}

#[cfg(unix)]
#[test]
fn a_written_file_has_the_rights_of_any_other_and_a_link_stays_one() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
    std::fs::write(place.path("ordinary"), "").unwrap();
    place.write("target.json", "old");
    std::os::unix::fs::symlink("target.json", place.path("link.json")).unwrap();
    for name in ["out.json", "link.json"] {
        assert_eq!(place.run(&["extract", "picture.png", "--api", "-o", name]).code, Some(0));
    }
    let mode = |name: &str| std::fs::metadata(place.path(name)).unwrap().permissions().mode();
    assert_eq!(mode("out.json"), mode("ordinary"));
    assert!(std::fs::symlink_metadata(place.path("link.json")).unwrap().is_symlink());
    assert!(std::fs::read_to_string(place.path("target.json")).unwrap().contains("SaveImage"));
    assert_eq!(place.run(&["extract", "picture.png", "-o", "/dev/null"]).code, Some(0));
}

#[test]
fn the_format_that_is_missing_is_said() {
    let place = place();
    insta::assert_snapshot!(place.run(&["extract", "api.json", "--ui"]), @"
    error: api.json carries no workflow of the editor, only the API format
    hint: take that with `--api`; the editor opens it too

    exit code 2
    ");
    insta::assert_snapshot!(place.run(&["extract", "editor.json", "--api"]), @"
    error: editor.json carries no API format, only the editor's workflow
    hint: take that with `--ui`, or make the API format of it with `comfyctl convert`

    exit code 2
    ");
    let ran = place.run(&["extract", "editor.json"]);
    assert_eq!(succeeded(&ran)["version"], 0.4);
    insta::assert_snapshot!(ran.stderr, @"editor.json carries the editor's workflow only; `comfyctl convert` makes the API format of it");
    insta::assert_snapshot!(place.run(&["extract", "api.json", "--ui", "--api"]), @"
    error: the argument '--ui' cannot be used with '--api'

    Usage: comfyctl extract --ui <MEDIA>

    For more information, try '--help'.

    exit code 2
    ");
}

#[test]
fn a_file_without_a_workflow_is_refused_by_its_name_and_kind() {
    let place = place();
    insta::assert_snapshot!(place.run(&["extract", "webui.png"]), @"
    error: webui.png is a PNG file that carries no workflow; it has the text `parameters`: it was made by a program that has no workflows, such as AUTOMATIC1111 or Forge
    hint: give a workflow that the editor saved or exported, or a picture that ComfyUI made

    exit code 2
    ");
    place.write("page.png", "<!DOCTYPE html><html>");
    insta::assert_snapshot!(place.run(&["extract", "page.png"]), @"
    error: page.png is an HTML page; download the file that the page shows, such as the raw file of a repository
    hint: give a workflow that the editor saved or exported, or a picture that ComfyUI made

    exit code 2
    ");
    insta::assert_snapshot!(place.run(&["extract", "missing.png"]), @"
    error: cannot read missing.png: no such file or folder
    hint: check the path of the workflow file

    exit code 2
    ");
}

#[test]
fn a_damaged_file_is_warned_of() {
    let place = place();
    let picture = std::fs::read(place.path("picture.png")).unwrap();
    place.write("cut.png", &picture[..picture.len() - 20]);
    let ran = place.run(&["extract", "cut.png", "--api"]);
    assert_eq!(succeeded(&ran)["2"]["class_type"], "SaveImage");
    insta::assert_snapshot!(ran.stderr, @"warning: cut.png ends too early, within the part at byte 1143");
}

#[test]
fn in_json_it_is_one_object_with_what_else_there_is() {
    let place = place();
    let ran = place.run(&["extract", "picture.png", "--json", "-q"]);
    let mut object = succeeded(&ran);
    assert_eq!(ran.stdout.lines().count(), 1);
    assert_eq!(object["workflow"]["2"]["class_type"], "SaveImage");
    object["workflow"] = Value::Null;
    insta::assert_snapshot!(object, @r#"{"type":"result","status":"success","file":"picture.png","container":"PNG","format":"api","also":"ui","workflow":null,"texts":{"note":"{\"by\": \"a test\"}"},"problems":[],"path":null,"error":null}"#);
    let ran = place.run(&["extract", "editor.json", "--json", "-q", "-o", "out.json"]);
    assert_eq!((&succeeded(&ran)["path"], &succeeded(&ran)["also"]), (&json!("out.json"), &Value::Null));
    let ran = place.run(&["extract", "page.json", "--json"]);
    insta::assert_snapshot!(ran.stdout, @r#"{"type":"result","status":"rejected","error":{"code":"io","message":"cannot read page.json: no such file or folder","hint":"check the path of the workflow file","details":null}}"#);
    let ran = place.run(&["extract", "--json", "picture.png", "--ui", "--api"]);
    insta::assert_snapshot!(ran.stdout, @r#"{"type":"result","status":"rejected","error":{"code":"usage","message":"the argument '--ui' cannot be used with '--api'","hint":"see `comfyctl extract --help`","details":null}}"#);
}
