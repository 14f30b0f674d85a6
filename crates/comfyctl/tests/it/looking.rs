//! `graph`, `show` and `diff`, which ask no server.

use serde_json::{Value, json};

use crate::support::{Place, example, hello_with};

/// Schemas of the classes in `hello.json`, in a file of the place.
fn schemas(place: &Place) -> String {
    let input = |inputs: Value| json!({"required": inputs});
    let class = |name: &str, inputs: Value, outputs: Value| {
        json!({"name": name, "display_name": name, "category": "image", "input": input(inputs), "output": outputs,
               "output_name": outputs, "output_node": outputs == json!([])})
    };
    let int = json!(["INT", {"default": 1, "min": 0, "max": 0xffffff}]);
    let info = json!({
        "EmptyImage": class("EmptyImage", json!({"width": int, "height": int, "batch_size": int, "color": int}), json!(["IMAGE"])),
        "ImageInvert": class("ImageInvert", json!({"image": ["IMAGE"]}), json!(["IMAGE"])),
        "ImageBlend": class("ImageBlend", json!({"image1": ["IMAGE"], "image2": ["IMAGE"], "blend_factor": ["FLOAT", {}], "blend_mode": [["normal", "screen"]]}), json!(["IMAGE"])),
        "SaveImage": class("SaveImage", json!({"images": ["IMAGE"], "filename_prefix": ["STRING", {}]}), json!([])),
    });
    place.write("nodes.json", info.to_string());
    "nodes.json".to_owned()
}

#[test]
fn the_inputs_of_a_workflow_are_shown_as_a_table() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["show", &example("hello.json")]), @"
    NODE  CLASS        TITLE         INPUT            VALUE
    1     EmptyImage   Orange        width            256
    1     EmptyImage   Orange        height           256
    1     EmptyImage   Orange        batch_size       1
    1     EmptyImage   Orange        color            16744448
    2     ImageInvert  Its opposite  image            <- 1 output 0 (EmptyImage)
    3     ImageBlend   Blend         image1           <- 1 output 0 (EmptyImage)
    3     ImageBlend   Blend         image2           <- 2 output 0 (ImageInvert)
    3     ImageBlend   Blend         blend_factor     0.25
    3     ImageBlend   Blend         blend_mode       normal
    4     SaveImage    Save          images           <- 3 output 0 (ImageBlend)
    4     SaveImage    Save          filename_prefix  hello

    exit code 0
    ");
}

#[test]
fn a_workflow_of_the_editor_is_shown_as_its_file_has_it_or_as_it_would_run() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["show", &example("hello-editor.json")]), @"
    NODE  CLASS        TITLE         INPUT    VALUE
    1     EmptyImage   Orange        value 1  256
    1     EmptyImage   Orange        value 2  256
    1     EmptyImage   Orange        value 3  1
    1     EmptyImage   Orange        value 4  16744448
    2     ImageInvert  Its opposite  image    <- 1 output 0 (EmptyImage)
    3     Reroute                             <- 1 output 0 (EmptyImage)
    4     ImageBlend   Blend         value 1  0.25
    4     ImageBlend   Blend         value 2  normal
    4     ImageBlend   Blend         image1   <- 3 output 0 (Reroute)
    4     ImageBlend   Blend         image2   <- 2 output 0 (ImageInvert)
    5     SaveImage    Save          value 1  hello
    5     SaveImage    Save          images   <- 4 output 0 (ImageBlend)
    6     Note         What this is  text     Three parts of orange and one of its opposite.
    values are shown as the file has them; `--object-info` names them

    exit code 0
    ");
    let ran =
        place.run(&["show", &example("hello-editor.json"), "--object-info", &schemas(&place), "--json"]);
    let first: Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(
        first,
        json!({"type": "node", "node": "1", "class_type": "EmptyImage", "title": "Orange", "mode": "active",
               "inputs": {"width": 256, "height": 256, "batch_size": 1, "color": 16744448}})
    );
    assert_eq!(ran.stdout.lines().count(), 4);
}

#[test]
fn what_a_file_says_does_not_act_on_the_terminal() {
    let place = Place::new();
    let hostile = "\u{1b}[2J\r\n\u{202e}x";
    let workflow = hello_with(|hello| {
        hello["1"]["_meta"]["title"] = hostile.into();
        hello["4"]["inputs"]["filename_prefix"] = hostile.into();
        hello["2"]["class_type"] = hostile.into();
    });
    place.write("a.json", &workflow);
    for args in
        [["show", "a.json"].as_slice(), &["diff", "a.json", &example("hello.json")], &["graph", "a.json"]]
    {
        let ran = place.run(args);
        let acting = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!ran.stdout.contains(acting) && !ran.stdout.is_empty(), "{ran}");
    }
}

#[test]
fn workflows_that_do_the_same_are_no_difference() {
    let place = Place::new();
    let args =
        ["diff", &example("hello.json"), &example("hello-editor.json"), "--object-info", &schemas(&place)];
    let ran = place.run(&args);
    assert!(ran.stdout.is_empty() && ran.code == Some(0), "{ran}");
}

#[test]
fn differences_are_listed_and_are_exit_code_one() {
    let place = Place::new();
    place.write(
        "a.json",
        hello_with(|hello| {
            hello["1"]["inputs"]["color"] = json!(255);
            hello["3"]["inputs"]["image2"] = json!(["1", 0]);
            hello.as_object_mut().unwrap().remove("2");
        }),
    );
    insta::assert_snapshot!(place.run(&["diff", &example("hello.json"), "a.json"]), @r#"
    ~ node 1 "Orange" (EmptyImage)
        color: 16744448 -> 255
    - node 2 "Its opposite" (ImageInvert)
    ~ node 3 "Blend" (ImageBlend)
        image2: node 2 "Its opposite" (ImageInvert) output 0 -> node 1 "Orange" (EmptyImage) output 0

    exit code 1
    "#);
    insta::assert_snapshot!(place.run(&["diff", &example("hello.json"), "a.json", "--json"]), @r#"
    {"type":"change","before":"1","after":"1","title":"Orange","class_type":"EmptyImage","change":"input","input":"color","from":{"value":16744448},"to":{"value":255}}
    {"type":"change","before":"2","after":null,"title":"Its opposite","class_type":"ImageInvert","change":"removed"}
    {"type":"change","before":"3","after":"3","title":"Blend","class_type":"ImageBlend","change":"input","input":"image2","from":{"value":["2",0],"source":"node 2 \"Its opposite\" (ImageInvert)"},"to":{"value":["1",0],"source":"node 1 \"Orange\" (EmptyImage)"}}
    {"type":"result","status":"different","changes":3,"error":null}

    exit code 1
    "#);
}

#[test]
fn what_the_editor_saved_and_what_runs_need_schemas_to_be_compared() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["diff", "-", &example("hello.json")]).code.unwrap(), @"2");
    let ran = place.run(&["diff", &example("hello.json"), &example("hello-editor.json")]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("give the node schemas with `--object-info FILE`"), "{ran}");
    insta::assert_snapshot!(place.run(&["diff", "-", "-"]), @"
    error: stdin holds one workflow; `-` can stand for one of the two only

    exit code 2
    ");
}

#[test]
fn what_cannot_be_converted_is_not_compared_and_is_shown_in_part() {
    let place = Place::new();
    let mut info: Value =
        serde_json::from_slice(&std::fs::read(place.path(&schemas(&place))).unwrap()).unwrap();
    info.as_object_mut().unwrap().remove("ImageBlend");
    place.write("nodes.json", info.to_string());
    let editor = example("hello-editor.json");
    let ran = place.run(&["diff", &example("hello.json"), &editor, "--object-info", "nodes.json"]);
    assert!(
        ran.code == Some(4) && ran.stdout.is_empty() && ran.stderr.contains("no class `ImageBlend`"),
        "{ran}"
    );
    let ran = place.run(&["show", &editor, "--object-info", "nodes.json"]);
    assert!(ran.code == Some(0) && ran.stdout.contains("16744448"), "{ran}");
    assert!(ran.stderr.contains("no class `ImageBlend`"), "{ran}");
}

#[test]
fn a_drawing_goes_to_a_file_or_to_stdout() {
    let place = Place::new();
    let ran = place.run(&["graph", &example("hello-editor.json"), "-o", "hello.svg", "--theme", "light"]);
    assert!(ran.stdout.is_empty() && ran.code == Some(0), "{ran}");
    let svg = std::fs::read_to_string(place.path("hello.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains(">Colours</text>") && !svg.contains("@media"));
    let printed = place.run(&["graph", &example("hello-editor.json"), "-o", "-", "--theme", "light"]);
    assert_eq!(printed.stdout, svg);
    let piped = place.run_with(&["graph", "-", "--json"], std::fs::read(example("hello.json")).unwrap());
    let result: Value = serde_json::from_str(&piped.stdout).unwrap();
    assert!(result["svg"].as_str().unwrap().contains("Its opposite"));
}

#[test]
fn what_runs_is_drawn_where_the_file_has_it() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["graph", &example("hello-editor.json"), "--api"]).stderr.replace(&example(""), ""), @"
    error: hello-editor.json holds only what the editor saved, not what runs
    hint: convert it with `--object-info FILE`
    ");
    let ran =
        place.run(&["graph", &example("hello-editor.json"), "--api", "--object-info", &schemas(&place)]);
    // The note and the reroute do not run.
    assert!(ran.stdout.contains("4 nodes, 4 links") && !ran.stdout.contains("What this is"), "{ran}");
}

#[test]
fn a_file_that_is_no_workflow_is_wrong_usage_for_all() {
    let place = Place::new();
    place.write("a.txt", "hello");
    for args in [["show", "a.txt"].as_slice(), &["graph", "a.txt"], &["diff", "a.txt", "a.txt"]] {
        let ran = place.run(&[args, &["--json"]].concat());
        assert_eq!(ran.code, Some(2), "{ran}");
        let result: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((&result["type"], &result["status"]), (&json!("result"), &json!("rejected")));
    }
}
