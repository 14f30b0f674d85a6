//! `comfyctl convert`.

use std::io::Write;

use serde_json::Value;

use crate::json_lines::result_of;
use crate::support::{Place, editor_with, example, http, sim};

/// A folder with `nodes.json`: the schemas that the example needs.
fn place() -> Place {
    let place = Place::new();
    let sim = sim();
    let classes = ["EmptyImage", "ImageInvert", "ImageBlend", "SaveImage"];
    let answers = classes.map(|class| http(&sim.url(), "GET", &format!("/object_info/{class}"), "").1);
    let classes = answers
        .iter()
        .flat_map(|answer| serde_json::from_str::<serde_json::Map<String, Value>>(answer).unwrap());
    place.write("nodes.json", Value::Object(classes.collect()).to_string());
    place
}

fn convert(place: &Place, file: &str, args: &[&str]) -> crate::support::Ran {
    place.run(&[&["convert", file, "--object-info", "nodes.json"], args].concat())
}

#[test]
fn a_file_of_the_editor_becomes_what_a_server_runs() {
    let place = place();
    let ran = convert(&place, &example("hello-editor.json"), &[]);
    assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)));
    insta::assert_snapshot!(ran.stdout, @r#"
    {
      "1": {
        "inputs": {
          "width": 256,
          "height": 256,
          "batch_size": 1,
          "color": 16744448
        },
        "class_type": "EmptyImage",
        "_meta": {
          "title": "Orange"
        }
      },
      "2": {
        "inputs": {
          "image": [
            "1",
            0
          ]
        },
        "class_type": "ImageInvert",
        "_meta": {
          "title": "Its opposite"
        }
      },
      "4": {
        "inputs": {
          "blend_factor": 0.25,
          "blend_mode": "normal",
          "image1": [
            "1",
            0
          ],
          "image2": [
            "2",
            0
          ]
        },
        "class_type": "ImageBlend",
        "_meta": {
          "title": "Blend"
        }
      },
      "5": {
        "inputs": {
          "filename_prefix": "hello",
          "images": [
            "4",
            0
          ]
        },
        "class_type": "SaveImage",
        "_meta": {
          "title": "Save"
        }
      }
    }
    "#);
    let embedded = place.run(&["convert", &example("hello-editor.json"), "-s", "embedded"]);
    assert_eq!(embedded.stdout, ran.stdout);
}

#[test]
fn the_result_can_go_to_a_file_and_the_document_come_from_stdin() {
    let place = place();
    let document = std::fs::read(example("hello-editor.json")).unwrap();
    let args = ["convert", "-", "--object-info", "nodes.json", "-o", "prompt.json"];
    let ran = place.run_with(&args, document);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.code), ("", "", Some(0)));
    let ran = convert(&place, &example("hello-editor.json"), &[]);
    assert_eq!(std::fs::read_to_string(place.path("prompt.json")).unwrap(), ran.stdout);
    // What is in the API format already is printed as it is.
    assert_eq!(place.run(&["convert", "prompt.json"]).stdout, ran.stdout);
}

#[test]
fn schemas_can_be_packed() {
    let place = place();
    let plain = convert(&place, &example("hello-editor.json"), &[]).stdout;
    let nodes = std::fs::read(place.path("nodes.json")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&nodes).unwrap();
    place.write("nodes.json", packed.finish().unwrap());
    let ran = convert(&place, &example("hello-editor.json"), &[]);
    assert_eq!((ran.stdout, ran.code), (plain, Some(0)));
}

#[test]
fn chance_and_clock_can_be_given() {
    let place = place();
    place.write(
        "editor.json",
        editor_with(|nodes| {
            nodes[4]["widgets_values"][0] = "%date:yyyy-MM-dd_hh-mm-ss%_%Orange.width%".into();
        }),
    );
    let prefix = |args: &[&str]| {
        let ran = convert(&place, "editor.json", args);
        let prompt: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"));
        prompt["5"]["inputs"]["filename_prefix"].as_str().unwrap().to_owned()
    };
    let now = ["--now", "2025-01-02T03:04:05+09:00"];
    assert_eq!(prefix(&now), "2025-01-02_03-04-05_256");
    assert_ne!(prefix(&[]), prefix(&now));
    insta::assert_snapshot!(convert(&place, "editor.json", &["--now", "yesterday"]), @"
    error: invalid value 'yesterday' for '--now <RFC3339>': it is no time; write it as 2025-01-02T03:04:05Z

    For more information, try '--help'.

    exit code 2
    ");
}

#[test]
fn a_conversion_with_errors_prints_nothing_unless_a_part_is_wanted() {
    let place = place();
    place.write("editor.json", editor_with(|nodes| nodes[1]["type"] = "ImageInvrt".into()));
    let ran = convert(&place, "editor.json", &[]);
    insta::assert_snapshot!(ran, @r#"
    error: editor.json cannot be converted to the API format
      node 2 "Its opposite" (ImageInvrt): the server has no class `ImageInvrt`; did you mean `ImageInvert`?
    hint: install the custom node on the server, or take the node out of the workflow

    exit code 4
    "#);
    let ran = convert(&place, "editor.json", &["--partial"]);
    let prompt: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&prompt["1"]["class_type"], ran.code), (&"EmptyImage".into(), Some(4)));
}

#[test]
fn in_json_there_is_one_result_with_all_problems() {
    let place = place();
    let result = result_of(&convert(&place, &example("hello-editor.json"), &["--json"]));
    assert_eq!((&result["status"], &result["error"]), (&"success".into(), &Value::Null));
    assert_eq!(result["workflow"]["1"]["class_type"], "EmptyImage");
    place.write("editor.json", editor_with(|nodes| nodes[1]["type"] = "ImageInvrt".into()));
    let ran = convert(&place, "editor.json", &["--json"]);
    insta::assert_snapshot!(ran.stdout, @r#"{"type":"result","status":"rejected","workflow":null,"problems":[{"severity":"error","kind":"unknown_class","node":"2","title":"Its opposite","class_type":"ImageInvrt","input":null,"message":"the server has no class `ImageInvrt`; did you mean `ImageInvert`?"}],"error":{"code":"conversion","message":"editor.json cannot be converted to the API format\nnode 2 \"Its opposite\" (ImageInvrt): the server has no class `ImageInvrt`; did you mean `ImageInvert`?","hint":"install the custom node on the server, or take the node out of the workflow","details":[{"severity":"error","kind":"unknown_class","node":"2","title":"Its opposite","class_type":"ImageInvrt","input":null,"message":"the server has no class `ImageInvrt`; did you mean `ImageInvert`?"}]}}"#);
    assert_eq!(ran.code, Some(4));
    assert!(result_of(&convert(&place, "editor.json", &["--json", "--partial"]))["workflow"].is_object());
    let refused = result_of(&place.run(&["convert", "a.json", "--json", "--nonsense"]));
    assert_eq!((&refused["status"], &refused["error"]["code"]), (&"rejected".into(), &"usage".into()));
    let missing = result_of(&place.run(&["convert", "missing.json", "--json"]));
    assert_eq!((&missing["status"], &missing["error"]["code"]), (&"rejected".into(), &"io".into()));
}

#[test]
fn files_that_hold_no_schemas() {
    let place = place();
    let with = |nodes: &str| place.run(&["convert", &example("hello-editor.json"), "--object-info", nodes]);
    insta::assert_snapshot!(with("missing.json"), @"
    error: cannot read missing.json: no such file or folder
    hint: save the body of a server's `/object_info` in a file, as JSON or packed by gzip

    exit code 2
    ");
    insta::assert_snapshot!(with(&example("hello.json")).to_string().replace(&example("hello.json"), "hello.json"), @"
    error: hello.json has no node schemas: its entries, such as `1`, `2`, `3`, describe no node classes
    hint: save the body of a server's `/object_info` in a file, as JSON or packed by gzip

    exit code 2
    ");
    place.write("list.json", "[1]");
    insta::assert_snapshot!(with("list.json"), @"
    error: list.json has no node schemas: invalid type: sequence, expected an object of node classes at line 1 column 0, near `[1]`
    hint: save the body of a server's `/object_info` in a file, as JSON or packed by gzip

    exit code 2
    ");
    place.write("empty.json", "{}");
    insta::assert_snapshot!(with("empty.json"), @"
    error: empty.json has no node schemas: it is an empty object
    hint: save the body of a server's `/object_info` in a file, as JSON or packed by gzip

    exit code 2
    ");
    place.write("cut.json", b"\x1f\x8b\x08\0\0\0");
    insta::assert_snapshot!(with("cut.json"), @"
    error: cannot read cut.json: unexpected end of file
    hint: save the body of a server's `/object_info` in a file, as JSON or packed by gzip

    exit code 2
    ");
}

#[test]
fn a_server_that_is_down() {
    let place = place();
    insta::assert_snapshot!(place.run(&["convert", &example("hello-editor.json"), "-s", "127.0.0.1:1"]), @"
    error: cannot connect to http://127.0.0.1:PORT: nothing listens there
    hint: start the server, or check host and port; no server is needed with `--object-info FILE`

    exit code 3
    ");
    // What is found wrong without a server is said first.
    place.write("empty.json", "");
    assert_eq!(place.run(&["convert", "empty.json", "-s", "127.0.0.1:1"]).code, Some(2));
}
