//! Workflow files that are none, and workflows that the server refuses.

use serde_json::json;

use crate::support::{Place, Ran, example, hello_with};

/// Runs a file of this content. Nothing is left behind.
fn run(name: &str, content: impl AsRef<[u8]>) -> (Place, Ran) {
    let place = Place::new();
    place.write(name, content);
    let ran = place.run(&["run", name, "-s", "embedded", "-o", "out"]);
    assert!(ran.stdout.is_empty(), "{ran}");
    assert!(place.names("out").is_empty());
    (place, ran)
}

#[test]
fn a_file_that_is_missing() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["run", "missing.json", "-s", "embedded"]), @"
    error: cannot read missing.json: no such file or folder
    hint: check the path of the workflow file

    exit code 2
    ");
}

#[test]
fn a_folder() {
    let place = Place::new();
    std::fs::create_dir(place.path("workflows")).unwrap();
    let ran = place.run(&["run", "workflows", "-s", "embedded"]);
    #[cfg(unix)]
    insta::assert_snapshot!(ran, @"
    error: cannot read workflows: it is a folder, not a file
    hint: check the path of the workflow file

    exit code 2
    ");
    assert_eq!(ran.code, Some(2));
}

#[test]
fn an_empty_file() {
    let (_place, ran) = run("empty.json", "\n");
    insta::assert_snapshot!(ran, @"
    error: empty.json is empty
    hint: give a workflow that the editor saved or exported, or a picture that ComfyUI made

    exit code 2
    ");
}

#[test]
fn nothing_on_stdin() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["run", "-", "-s", "embedded"]), @"
    error: stdin is empty
    hint: give a workflow that the editor saved or exported, or a picture that ComfyUI made

    exit code 2
    ");
}

#[test]
fn a_file_that_is_no_json() {
    let (_place, ran) = run("page.json", "<html>\n<p>Not here</p>");
    insta::assert_snapshot!(ran, @"
    error: page.json is an HTML page; download the file that the page shows, such as the raw file of a repository
    hint: give a workflow that the editor saved or exported, or a picture that ComfyUI made

    exit code 2
    ");
}

#[test]
fn a_file_that_was_cut_off() {
    let (_place, ran) = run("cut.json", r#"{"1": {"class_type": "EmptyImage", "inputs": {"width": "#);
    insta::assert_snapshot!(ran, @r#"
    error: cut.json is no JSON: it ends too early at line 1 column 55, near `ype": "EmptyImage", "inputs": {"width":`
    hint: give a workflow that the editor saved or exported, or a picture that ComfyUI made

    exit code 2
    "#);
}

#[test]
fn json_that_is_no_workflow() {
    let (_place, ran) = run("package.json", r#"{"name": "x", "version": 1}"#);
    insta::assert_snapshot!(ran, @"
    error: package.json is no workflow: no entry of it has a `class_type`; it has the keys `name`, `version`
    hint: give a workflow that the editor saved or exported, or a picture that ComfyUI made

    exit code 2
    ");
    let (_place, ran) = run("list.json", "[1, 2]");
    insta::assert_snapshot!(ran, @"
    error: list.json is no workflow: it is a list, not an object of nodes
    hint: give a workflow that the editor saved or exported, or a picture that ComfyUI made

    exit code 2
    ");
}

#[test]
fn a_picture_without_a_workflow() {
    let place = Place::new();
    image::RgbImage::new(2, 2).save(place.path("picture.png")).unwrap();
    insta::assert_snapshot!(place.run(&["run", "picture.png", "-s", "embedded"]), @"
    error: picture.png is a PNG file that carries no workflow; it has no texts at all: another program has made it, or a copy of it that lacks them; use the file that ComfyUI saved
    hint: give a workflow that the editor saved or exported, or a picture that ComfyUI made

    exit code 2
    ");
}

#[test]
fn an_unknown_class_of_node() {
    let (_place, ran) = run("a.json", hello_with(|hello| hello["2"]["class_type"] = "ImageInverse".into()));
    insta::assert_snapshot!(ran, @r#"
    error: the server rejected the workflow
      node 2 "Its opposite" (ImageInverse): the server has no such class; a custom node may be missing
    hint: install the custom node on the server, or take the node out of the workflow

    exit code 4
    "#);
}

#[test]
fn a_missing_input() {
    let (_place, ran) = run("a.json", hello_with(|hello| hello["2"]["inputs"] = json!({})));
    insta::assert_snapshot!(ran, @r#"
    error: the server rejected the workflow
      node 2 "Its opposite" (ImageInvert): input image: required, but missing
    hint: change inputs with `--set NODE.INPUT=VALUE`, or correct the workflow

    exit code 4
    "#);
}

#[test]
fn a_value_out_of_range() {
    let (_place, ran) = run("a.json", hello_with(|hello| hello["3"]["inputs"]["blend_factor"] = json!(7)));
    insta::assert_snapshot!(ran, @r#"
    error: the server rejected the workflow
      node 3 "Blend" (ImageBlend): input blend_factor: value 7.0 is bigger than the maximum 1.0
    hint: change inputs with `--set NODE.INPUT=VALUE`, or correct the workflow

    exit code 4
    "#);
}

#[test]
fn a_value_of_the_wrong_type() {
    let (_place, ran) = run("a.json", hello_with(|hello| hello["1"]["inputs"]["width"] = json!("wide")));
    insta::assert_snapshot!(ran, @r#"
    error: the server rejected the workflow
      node 1 "Orange" (EmptyImage): input width: "wide" is not a whole number
    hint: change inputs with `--set NODE.INPUT=VALUE`, or correct the workflow

    exit code 4
    "#);
}

#[test]
fn several_problems_at_once() {
    let change = |hello: &mut serde_json::Value| {
        hello["1"]["inputs"]["width"] = json!(0);
        hello["3"]["inputs"]["blend_mode"] = json!("norma");
    };
    let (_place, ran) = run("a.json", hello_with(change));
    insta::assert_snapshot!(ran, @r#"
    error: the server rejected the workflow
      node 1 "Orange" (EmptyImage): input width: value 0 is smaller than the minimum 1
      node 3 "Blend" (ImageBlend): input blend_mode: "norma" is not one of "normal", "multiply", "screen", "overlay", "soft_light", "difference"; did you mean "normal"?
    hint: change inputs with `--set NODE.INPUT=VALUE`, or correct the workflow

    exit code 4
    "#);
}

#[test]
fn a_picture_that_is_not_on_the_server() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["run", &example("thumbnail.json"), "-s", "embedded"]), @r#"
    error: the server rejected the workflow
      node 1 "Photo" (LoadImage): input image: Invalid image file: photo.jpg
    hint: upload the file with `--set 1.image=@FILE`

    exit code 4
    "#);
}

#[test]
fn a_workflow_without_outputs() {
    let change = |hello: &mut serde_json::Value| {
        hello.as_object_mut().unwrap().remove("4");
    };
    let (_place, ran) = run("a.json", hello_with(change));
    insta::assert_snapshot!(ran, @"
    error: the server rejected the workflow
      no output node to run, such as SaveImage

    exit code 4
    ");
}
