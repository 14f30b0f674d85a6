//! `--set` with mistakes.

use serde_json::json;

use crate::support::{Place, Ran, example, hello_with};

fn hello_with_set(change: &str) -> (Place, Ran) {
    let place = Place::new();
    let ran = place.run(&["run", &example("hello.json"), "-s", "embedded", "-o", "out", "--set", change]);
    assert!(ran.stdout.is_empty(), "{ran}");
    assert!(place.names("out").is_empty());
    (place, ran)
}

#[test]
fn a_value_out_of_range() {
    let (_place, ran) = hello_with_set("ImageBlend.blend_factor=7");
    insta::assert_snapshot!(ran, @r#"
    error: --set: input `blend_factor` of node 3 "Blend" (ImageBlend) must be at most 1.0, and 7.0 is larger

    exit code 4
    "#);
}

#[test]
fn a_value_of_the_wrong_type() {
    let (_place, ran) = hello_with_set("ImageBlend.blend_factor=much");
    insta::assert_snapshot!(ran, @r#"
    error: --set: input `blend_factor` of node 3 "Blend" (ImageBlend) takes a number, not `much`

    exit code 4
    "#);
    let (_place, ran) = hello_with_set(r#"1.width:="64""#);
    insta::assert_snapshot!(ran, @r#"
    error: --set: input `width` of node 1 "Orange" (EmptyImage) takes a whole number, not the text `64`

    exit code 4
    "#);
}

#[test]
fn a_value_that_is_no_choice() {
    let (_place, ran) = hello_with_set("ImageBlend.blend_mode=norma");
    insta::assert_snapshot!(ran, @r#"
    error: --set: input `blend_mode` of node 3 "Blend" (ImageBlend) has no choice `norma`; did you mean `normal`?

    exit code 4
    "#);
}

#[test]
fn a_node_that_is_not_there() {
    let (_place, ran) = hello_with_set("ImageBlen.blend_factor=0.5");
    insta::assert_snapshot!(ran, @"
    error: --set: no node has the id, class or title `ImageBlen`; did you mean `ImageBlend`, `ImageInvert`?

    exit code 2
    ");
    let (_place, ran) = hello_with_set(r#""Oragne".color=5"#);
    insta::assert_snapshot!(ran, @r#"
    error: --set: no node has the title "Oragne"; did you mean `Orange`?

    exit code 2
    "#);
    let (_place, ran) = hello_with_set("KSampler.seed=5");
    insta::assert_snapshot!(ran, @"
    error: --set: no node has the id, class or title `KSampler`; there are `1`, `EmptyImage`, `Orange`, `2`, `ImageInvert`, `Its opposite`, `3`, `ImageBlend`, `Blend`, `4`, `SaveImage`, `Save`

    exit code 2
    ");
}

#[test]
fn an_input_that_is_not_there() {
    let (_place, ran) = hello_with_set("ImageBlend.blend_facto=0.5");
    insta::assert_snapshot!(ran, @r#"
    error: --set: node 3 "Blend" (ImageBlend) has no input `blend_facto`; did you mean `blend_factor`, `blend_mode`?

    exit code 2
    "#);
    let (_place, ran) = hello_with_set("*.sed=5");
    insta::assert_snapshot!(ran, @"
    error: --set: no node has an input `sed`; there are `width`, `height`, `batch_size`, `color`, `image`, `image1`, `image2`, `blend_factor`, `blend_mode`, `images`, `filename_prefix`

    exit code 2
    ");
}

#[test]
fn a_selector_that_names_several_nodes() {
    let place = Place::new();
    let change = |hello: &mut serde_json::Value| {
        hello["5"] = hello["1"].clone();
        hello["5"]["_meta"] = json!({"title": "Background"});
    };
    place.write("two.json", hello_with(change));
    let ran = place.run(&["run", "two.json", "-s", "embedded", "--set", "EmptyImage.color=5"]);
    insta::assert_snapshot!(ran, @r#"
    error: --set: `EmptyImage.color` matches 2 nodes: node 1 "Orange" (EmptyImage), node 5 "Background" (EmptyImage); name one by its id or as CLASS[INDEX], or all with `*.INPUT`

    exit code 2
    "#);
}

#[test]
fn an_input_that_is_a_link() {
    let (_place, ran) = hello_with_set("ImageBlend.image1=5");
    insta::assert_snapshot!(ran, @r#"
    error: --set: input `image1` of node 3 "Blend" (ImageBlend) is a link from node 1 "Orange" (EmptyImage); set an input of that node instead

    exit code 2
    "#);
}

#[test]
fn a_change_without_an_equals_sign() {
    let (_place, ran) = hello_with_set("ImageBlend.blend_factor");
    insta::assert_snapshot!(ran, @"
    error: `--set ImageBlend.blend_factor`: it has no `=`
    hint: write `--set NODE.INPUT=VALUE`, `--set NODE.INPUT:=JSON` or `--set NODE.INPUT=@FILE`

    exit code 2
    ");
}

#[test]
fn a_change_without_an_input() {
    let (_place, ran) = hello_with_set("ImageBlend=5");
    insta::assert_snapshot!(ran, @r#"
    error: --set: `ImageBlend` is no selector: it has no dot between node and input; it has the form NODE.INPUT, such as `3.seed`, `KSampler.seed` or `"My title".text`

    exit code 2
    "#);
}

#[test]
fn a_value_that_is_no_json() {
    let (_place, ran) = hello_with_set("1.width:={64");
    insta::assert_snapshot!(ran, @"
    error: `--set 1.width:={64`: the value is no JSON: key must be a string at line 1 column 2, near `{64`
    hint: write `--set NODE.INPUT=VALUE`, `--set NODE.INPUT:=JSON` or `--set NODE.INPUT=@FILE`

    exit code 2
    ");
}

#[test]
fn a_file_to_upload_that_is_missing_or_a_folder() {
    let place = Place::new();
    std::fs::create_dir(place.path("photos")).unwrap();
    let thumbnail = example("thumbnail.json");
    let ran = place.run(&["run", &thumbnail, "-s", "embedded", "--set", "LoadImage.image=@missing.png"]);
    insta::assert_snapshot!(ran, @"
    error: cannot read missing.png: no such file or folder
    hint: check the path after `@`; a text that begins with `@` is written `@@`

    exit code 2
    ");
    let ran = place.run(&["run", &thumbnail, "-s", "embedded", "--set", "LoadImage.image=@photos"]);
    insta::assert_snapshot!(ran, @"
    error: cannot upload photos: it is a folder, not a file
    hint: name one file after `@`

    exit code 2
    ");
}

#[test]
fn a_file_to_upload_that_is_no_picture() {
    let place = Place::new();
    place.write("notes.txt", "milk, eggs");
    let set = "LoadImage.image=@notes.txt";
    let ran = place.run(&["run", &example("thumbnail.json"), "-s", "embedded", "--set", set]);
    insta::assert_snapshot!(ran, @"
    error: node 1 (LoadImage) failed: PIL.UnidentifiedImageError: cannot identify image file 'SIM/input/notes.txt'
    hint: the traceback is in the server's log, and in the result of `--json`

    exit code 1
    ");
}
