//! `--watch-dir`: each new picture once.

#![cfg(unix)]

use std::io::Cursor;

use comfy_sim::Sim;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::Value;

use crate::support::{Place, example, http, sim};

fn picture(shade: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(8, 8, Rgb([shade, 0, 0])).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn args<'a>(url: &'a str, workflow: &'a str) -> Vec<&'a str> {
    let set = ["--set", "LoadImage.image=@{}", "--set", "SaveImage.filename_prefix={.}"];
    let args =
        ["run", workflow, "-s", url, "-o", "out", "--json", "--watch-dir", "in", "--watch-interval", "5ms"];
    [&args[..], &set].concat()
}

/// The prompts that the server has run.
fn ran(sim: &Sim) -> usize {
    let (_, history) = http(&sim.url(), "GET", "/history", "");
    serde_json::from_str::<serde_json::Map<String, Value>>(&history).unwrap().len()
}

#[test]
fn each_picture_is_run_once_also_after_a_restart() {
    let (place, sim) = (Place::new(), sim());
    let (url, workflow) = (sim.url(), example("thumbnail.json"));
    std::fs::create_dir(place.path("in")).unwrap();
    place.write("in/first.png", picture(1));
    let mut running = place.start(&args(&url, &workflow));
    assert_eq!(running.wait_for("row")["label"], "first.png");
    place.write("in/a {} b.png", picture(2));
    let row = running.wait_for("row");
    assert_eq!((&row["label"], &row["status"]), (&"a {} b.png".into(), &"success".into()), "{row}");
    running.signal("INT");
    let ran_first = running.end();
    assert_eq!(ran_first.code, Some(0), "{ran_first}");
    insta::assert_snapshot!(ran_first.stderr, @"
    watching in; Ctrl-C ends it
    2 done; journal: out/comfy-watch.jsonl
    ");
    assert_eq!(ran(&sim), 2);

    place.write("in/third.png", picture(3));
    let mut running = place.start(&args(&url, &workflow));
    assert_eq!(running.wait_for("row")["label"], "third.png");
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
    assert_eq!(ran(&sim), 3);
    let names = ["a {} b_00001_.png", "comfy-watch.jsonl", "first_00001_.png", "third_00001_.png"];
    assert_eq!(place.names("out"), names);
}

#[test]
fn a_broken_picture_is_told_and_run_again_when_it_has_changed() {
    let (place, sim) = (Place::new(), sim());
    let (url, workflow) = (sim.url(), example("thumbnail.json"));
    std::fs::create_dir(place.path("in")).unwrap();
    place.write("in/x.png", "no picture");
    let mut running = place.start(&args(&url, &workflow));
    let row = running.wait_for("row");
    assert_eq!(row["label"], "x.png");
    assert_ne!(row["status"], "success");
    running.signal("INT");
    let told = running.end();
    assert!(told.stderr.contains("error: x.png: "), "{told}");
    assert_eq!(told.code, Some(0));

    place.write("in/y.png", picture(4));
    let mut running = place.start(&args(&url, &workflow));
    assert_eq!(running.wait_for("row")["label"], "y.png");
    place.write("in/x.png", picture(5));
    let row = running.wait_for("row");
    assert_eq!((&row["label"], &row["status"]), (&"x.png".into(), &"success".into()), "{row}");
    running.signal("INT");
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn a_folder_that_cannot_be_watched_is_refused() {
    let (place, sim) = (Place::new(), sim());
    let (url, workflow) = (sim.url(), example("thumbnail.json"));
    let run = |args: &[&str]| place.run(&[&["run", &workflow, "-s", &url], args].concat());
    let set = ["--set", "LoadImage.image=@{}"];
    insta::assert_snapshot!(run(&[&["--watch-dir", "missing", "-o", "out"][..], &set].concat()), @"
    error: cannot read the folder missing: no such file or folder
    hint: give the folder with the pictures with `--watch-dir DIR`

    exit code 2
    ");
    insta::assert_snapshot!(run(&[&["--watch-dir", "."][..], &set].concat()), @"
    error: `--watch-dir` and `-o` are the same folder, .: every result would be run again
    hint: choose another folder with `-o DIR`

    exit code 2
    ");
    insta::assert_snapshot!(run(&["--watch-dir", "out", "-o", "."]), @"
    error: `--watch-dir` does not say where the pictures go
    hint: add `--set LoadImage.image=@{}`

    exit code 2
    ");
}
