//! Runs of what the editor saves, and of pictures.

use serde_json::{Value, json};

use crate::support::{Place, Ran, editor_with, ended, example, sim};

fn run(content: impl AsRef<[u8]>) -> Ran {
    let place = Place::new();
    place.write("editor.json", content);
    let ran = place.run(&["run", "editor.json", "-s", "embedded", "-o", "out"]);
    assert!(ran.stdout.is_empty() && place.names("out").is_empty(), "{ran}");
    ran
}

#[test]
fn a_file_of_the_editor_runs_and_so_does_its_picture() {
    let place = Place::new();
    let ran = place.run(&["run", &example("hello-editor.json"), "-s", "embedded", "-o", "out"]);
    assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)));
    let picture = place.path(ran.stdout.trim_end());
    assert_eq!(image::open(&picture).unwrap().to_rgb8().get_pixel(0, 0).0, [191, 127, 63]);
    let has = |what: &[u8]| std::fs::read(&picture).unwrap().windows(what.len()).any(|bytes| bytes == what);
    assert!(has(b"tEXtprompt\0") && has(b"tEXtworkflow\0"), "it carries both");

    let picture = picture.to_str().unwrap();
    let set = ["--set", "EmptyImage.width=64", "--set", r#""Orange".color=255"#];
    let ran = place.run(&[&["run", picture, "-s", "embedded", "-o", "again"], &set[..]].concat());
    assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)));
    let again = image::open(place.path(ran.stdout.trim_end())).unwrap().to_rgb8();
    assert_eq!((again.dimensions(), again.get_pixel(0, 0).0), ((64, 256), [63, 63, 191]));
    // What the editor opens of the second picture are the values that ran.
    let again = ran.stdout.trim_end().to_owned();
    let ran = place.run(&["extract", "--ui", &again]);
    let editor: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(editor["nodes"][0]["widgets_values"], json!([64, 256, 1, 255]));
    let ran = place.run(&["convert", &again]);
    let prompt: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(prompt["1"]["inputs"], json!({"width": 64, "height": 256, "batch_size": 1, "color": 255}));
}

#[test]
fn changes_of_a_file_of_the_editor_are_checked_with_the_schemas() {
    let place = Place::new();
    let set = ["--set", "ImageBlend.blend_mode=norma"];
    let ran = place.run(&[&["run", &example("hello-editor.json"), "-s", "embedded"], &set[..]].concat());
    insta::assert_snapshot!(ran, @r#"
    error: --set: input `blend_mode` of node 4 "Blend" (ImageBlend) has no choice `norma`; did you mean `normal`?

    exit code 4
    "#);
}

#[test]
fn nodes_that_the_server_does_not_have() {
    insta::assert_snapshot!(run(editor_with(|nodes| {
        nodes[1]["type"] = "ImageInvrt".into();
        nodes[3]["type"] = "A pack's node".into();
        nodes[3].as_object_mut().unwrap().remove("title");
    })), @r#"
    error: editor.json cannot be converted to the API format
      node 2 "Its opposite" (ImageInvrt): the server has no class `ImageInvrt`; did you mean `ImageInvert`?
      node 4 (A pack's node): the server has no class `A pack's node`; install the custom nodes that bring it, or mute or bypass the node
    hint: install the custom node on the server, or take the node out of the workflow

    exit code 4
    "#);
}

#[test]
fn a_node_that_the_server_does_not_have_may_be_muted() {
    let place = Place::new();
    place.write(
        "editor.json",
        editor_with(|nodes| {
            nodes[5]["type"] = "A pack's node".into();
            nodes[5]["mode"] = 2.into();
        }),
    );
    let ran = place.run(&["run", "editor.json", "-s", "embedded", "-o", "out"]);
    assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)));
}

#[test]
fn a_value_that_the_editor_takes_and_the_server_does_not() {
    let ran = run(editor_with(|nodes| nodes[3]["widgets_values"] = json!([0.25, "norma"])));
    insta::assert_snapshot!(ran, @r#"
    error: the server would reject the workflow
      node 4 "Blend" (ImageBlend): input blend_mode: "norma" is not one of "normal", "multiply", "screen", "overlay", "soft_light", "difference"; did you mean "normal"?
    hint: change inputs with `--set NODE.INPUT=VALUE`, or correct the workflow

    exit code 4
    "#);
}

#[test]
fn a_server_that_is_down_while_schemas_are_needed() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["run", &example("hello-editor.json"), "-s", "127.0.0.1:1"]), @"
    error: cannot connect to http://127.0.0.1:PORT: nothing listens there
    hint: start the server, or check host and port

    exit code 3
    ");
}

#[test]
fn schemas_are_kept_between_commands_and_never_in_the_way() {
    let (place, sim) = (Place::new(), sim());
    let run = |document: &str| {
        let mut command = place.comfyctl(&["run", document, "-s", &sim.url(), "-o", "out", "-q"]);
        command.env("COMFYCTL_CACHE_DIR", place.path("cache"));
        ended(command, "")
    };
    let questions = || sim.requests().to("GET", "/object_info").len();
    let document = example("hello-editor.json");
    for _ in 0..3 {
        let ran = run(&document);
        assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)));
    }
    assert_eq!(questions(), 1);
    let names = place.names("cache");
    assert!(names.len() == 1 && names[0].ends_with(".json.gz"), "{names:?}");

    place.write(&format!("cache/{}", names[0]), "{}");
    assert_eq!(run(&document).code, Some(0));
    assert_eq!(questions(), 2);
    place.write("unknown.json", editor_with(|nodes| nodes[1]["type"] = "Unknown".into()));
    assert_eq!(run("unknown.json").code, Some(4));
    assert_eq!(questions(), 2);
    assert_eq!(sim.requests().to("GET", "/object_info/Unknown").len(), 1, "it may be a node of today");
}
