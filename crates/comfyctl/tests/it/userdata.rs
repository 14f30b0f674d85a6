//! `userdata`.

use crate::support::{Place, sim};

#[test]
fn files_are_stored_listed_read_moved_and_deleted() {
    let (place, sim) = (Place::new(), sim());
    let url = sim.url();
    let userdata = |args: &[&str]| place.run(&[&["userdata"], args, &["-s", &url]].concat());
    place.write("a.json", "{\"a\": 1}");
    insta::assert_snapshot!(userdata(&["ls"]), @"
    there are no files

    exit code 0
    ");
    insta::assert_snapshot!(userdata(&["put", "a.json", "workflows/"]), @"
    workflows/a.json

    exit code 0
    ");
    insta::assert_snapshot!(userdata(&["put", "a.json", "workflows/a.json"]), @"
    error: there is a `workflows/a.json` already
    hint: replace it with `--overwrite`

    exit code 1
    ");
    insta::assert_snapshot!(userdata(&["put", "a.json", "workflows/a.json", "--overwrite", "--json"]), @r#"
    {"type":"stored","path":"workflows/a.json","size":8}

    exit code 0
    "#);
    insta::assert_snapshot!(userdata(&["ls", "workflows"]), @"
    SIZE        MODIFIED          PATH
           8 B  YYYY-MM-DD HH:MM  workflows/a.json

    exit code 0
    ");
    insta::assert_snapshot!(userdata(&["--json"]), @r#"
    {"type":"userdata","kind":"folder","path":"workflows","name":"workflows","size":null,"modified":null}
    {"type":"userdata","kind":"file","path":"workflows/a.json","name":"a.json","size":8,"modified":N}

    exit code 0
    "#);
    insta::assert_snapshot!(userdata(&["get", "workflows/a.json"]), @r#"
    {"a": 1}
    exit code 0
    "#);
    insta::assert_snapshot!(userdata(&["mv", "workflows/a.json", "workflows/ü 50% b.json"]), @"
    workflows/ü 50% b.json

    exit code 0
    ");
    insta::assert_snapshot!(userdata(&["mv", "workflows/ü 50% b.json", "old/", "--json"]), @r#"
    {"type":"moved","path":"old/ü 50% b.json","size":8}

    exit code 0
    "#);
    insta::assert_snapshot!(userdata(&["rm", "nothing", "old/ü 50% b.json", "--json"]), @r#"
    {"type":"deleted","path":"old/ü 50% b.json"}
    {"type":"result","status":"error","error":{"code":"not_found","message":"the user has no `nothing`","hint":"see what there is with `comfyctl userdata`","details":null}}
    deleted old/ü 50% b.json
    error: the user has no `nothing`
    hint: see what there is with `comfyctl userdata`

    exit code 1
    "#);
}

#[test]
fn what_is_not_there_or_outside_is_told() {
    let (place, sim) = (Place::new(), sim());
    let url = sim.url();
    let userdata = |args: &[&str]| place.run(&[&["userdata"], args, &["-s", &url]].concat());
    insta::assert_snapshot!(userdata(&["get", "nothing.json", "--json"]), @r#"
    {"type":"result","status":"error","error":{"code":"not_found","message":"the user has no `nothing.json`","hint":"see what there is with `comfyctl userdata`","details":null}}
    error: the user has no `nothing.json`
    hint: see what there is with `comfyctl userdata`

    exit code 1
    "#);
    insta::assert_snapshot!(userdata(&["ls", "nothing"]), @"
    there are no files

    exit code 0
    ");
    insta::assert_snapshot!(userdata(&["get", "../settings.json"]), @"
    error: `../settings.json` is outside of the user's folder

    exit code 2
    ");
    insta::assert_snapshot!(userdata(&["put", "nothing.json", "a.json"]), @"
    error: cannot read nothing.json: no such file or folder

    exit code 2
    ");
    insta::assert_snapshot!(userdata(&["put", "-", "workflows/"]), @"
    error: `workflows/` is a folder

    exit code 2
    ");
    insta::assert_snapshot!(userdata(&["mv", "nothing", "b"]), @"
    error: the user has no `nothing`
    hint: see what there is with `comfyctl userdata`

    exit code 1
    ");
}

#[test]
fn a_file_here_is_replaced_only_with_force() {
    let (place, sim) = (Place::new(), sim());
    let url = sim.url();
    let stored = place.run_with(&["userdata", "put", "-", "bytes.bin", "-s", &url], [0, 255, 10]);
    assert_eq!(stored.code, Some(0), "{stored}");
    let get = ["userdata", "get", "bytes.bin", "-s", &url, "-o"];
    insta::assert_snapshot!(place.run(&[&get[..], &["."]].concat()), @"
    ./bytes.bin

    exit code 0
    ");
    assert_eq!(std::fs::read(place.path("bytes.bin")).unwrap(), [0, 255, 10]);
    place.write("bytes.bin", "mine");
    insta::assert_snapshot!(place.run(&[&get[..], &["bytes.bin"]].concat()), @"
    error: bytes.bin exists already
    hint: write over it with `--force`, or choose another file

    exit code 2
    ");
    assert_eq!(std::fs::read(place.path("bytes.bin")).unwrap(), b"mine");
    let forced = place.run(&[&get[..], &["bytes.bin", "--force", "--json"]].concat());
    insta::assert_snapshot!(forced, @r#"
    {"type":"saved","path":"bytes.bin","bytes":N}

    exit code 0
    "#);
    assert_eq!(std::fs::read(place.path("bytes.bin")).unwrap(), [0, 255, 10]);
    assert_eq!(place.names("."), ["bytes.bin"], "nothing half-written is left");
}
