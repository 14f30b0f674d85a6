//! `--set`: what it changes.

use image::Rgb;

use crate::support::{Place, example};

fn hello(place: &Place, changes: &[&str]) -> image::RgbImage {
    let workflow = example("hello.json");
    let mut args = vec!["run", &workflow, "-s", "embedded", "-o", "out", "--force"];
    args.extend(changes.iter().flat_map(|change| ["--set", change]));
    let ran = place.run(&args);
    assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)), "{changes:?}");
    image::open(place.path(ran.stdout.trim_end())).unwrap().to_rgb8()
}

#[test]
fn a_value_takes_the_type_of_its_input() {
    let place = Place::new();
    let changes = ["EmptyImage.color=255", "ImageBlend.blend_factor=0", "SaveImage.filename_prefix=007"];
    let picture = hello(&place, &changes);
    assert_eq!(picture.get_pixel(0, 0), &Rgb([0, 0, 255]));
    assert_eq!(place.names("out"), ["007_00001_.png"]);
}

#[test]
fn a_value_can_be_given_as_json() {
    let place = Place::new();
    let picture = hello(&place, &["1.width:=64", r#"3.blend_mode:="multiply""#]);
    assert_eq!(picture.dimensions(), (64, 256));
}

#[test]
fn a_doubled_at_sign_is_a_literal_one() {
    let place = Place::new();
    hello(&place, &["SaveImage.filename_prefix=@@home"]);
    assert_eq!(place.names("out"), ["@home_00001_.png"]);
}

#[test]
fn an_input_is_named_by_id_class_or_title_or_everywhere() {
    let place = Place::new();
    for (selector, name) in
        [("4", "id"), ("SaveImage", "class"), ("Save", "word"), (r#""Save""#, "title"), ("*", "everywhere")]
    {
        hello(&place, &[&format!("{selector}.filename_prefix={name}")]);
        assert!(place.names("out").contains(&format!("{name}_00001_.png")), "{selector}");
    }
}

#[test]
fn of_two_changes_of_one_input_the_last_counts() {
    let place = Place::new();
    let picture = hello(&place, &["1.width=64", "1.width=32"]);
    assert_eq!(picture.width(), 32);
}
