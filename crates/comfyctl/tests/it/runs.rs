//! The main job: a workflow in, files out.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

use crate::support::{Place, example, sim};

/// A photo that is not square, as a camera's file.
fn photo() -> Vec<u8> {
    let picture = RgbImage::from_fn(300, 200, |x, y| Rgb([(x / 2) as u8, y as u8, 90]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

#[test]
fn a_run_saves_the_picture_and_prints_its_path_and_nothing_else() {
    let place = Place::new();
    let ran = place.run(&["run", &example("hello.json"), "-s", "embedded", "-o", "out"]);
    assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)));
    let path = ran.stdout.strip_suffix('\n').unwrap();
    assert_eq!(std::path::Path::new(path), std::path::Path::new("out").join("hello_00001_.png"));
    let picture = image::open(place.path(path)).unwrap().to_rgb8();
    assert_eq!(picture.dimensions(), (256, 256));
    // Three parts of orange and one of its opposite.
    assert!(picture.pixels().all(|pixel| *pixel == Rgb([191, 127, 63])), "{:?}", picture.get_pixel(0, 0));
    assert_eq!(place.names("out"), ["hello_00001_.png"]);
}

#[test]
fn a_run_without_a_folder_saves_where_it_is() {
    let place = Place::new();
    let ran = place.run(&["-s", "embedded", "run", &example("hello.json")]);
    assert_eq!(ran.code, Some(0), "{ran}");
    assert_eq!(place.names("."), ["hello_00001_.png"]);
}

#[test]
fn a_photo_is_uploaded_whatever_its_name() {
    let place = Place::new();
    for name in ["photo.jpg", "Mein schönes Foto.jpg"] {
        place.write(name, photo());
        let set = format!("LoadImage.image=@{name}");
        let args =
            ["run", &example("thumbnail.json"), "--set", &set, "-s", "embedded", "-o", "out", "--force"];
        let ran = place.run(&args);
        assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)), "{name}");
        let picture = image::open(place.path(ran.stdout.trim_end())).unwrap();
        assert_eq!((picture.width(), picture.height()), (256, 256), "{name}");
    }
}

#[test]
fn a_photo_in_another_folder_is_uploaded_under_its_own_name() {
    let (place, sim) = (Place::new(), sim());
    std::fs::create_dir(place.path("photos")).unwrap();
    place.write("photos/a.jpg", photo());
    let set = "LoadImage.image=@photos/a.jpg";
    let ran = place.run(&["run", &example("thumbnail.json"), "--set", set, "-s", &sim.url()]);
    assert_eq!(ran.code, Some(0), "{ran}");
    let (status, _) = crate::support::http(&sim.url(), "HEAD", "/view?filename=a.jpg&type=input", "");
    assert_eq!(status, 200);
}

#[test]
fn a_dash_reads_the_workflow_from_stdin() {
    let place = Place::new();
    let workflow = std::fs::read(example("hello.json")).unwrap();
    let ran = place.run_with(&["run", "-", "-s", "embedded", "-o", "out"], workflow);
    assert_eq!(ran.code, Some(0), "{ran}");
    assert_eq!(place.names("out"), ["hello_00001_.png"]);
}

#[test]
fn the_server_can_be_named_in_the_environment() {
    let (place, sim) = (Place::new(), sim());
    let mut command = place.comfyctl(&["run", &example("hello.json")]);
    command.env("COMFYUI_URL", sim.url());
    let ran = crate::support::ended(command, "");
    assert_eq!(ran.code, Some(0), "{ran}");
    assert_eq!(place.names("."), ["hello_00001_.png"]);
}

#[test]
fn a_file_that_exists_is_kept_and_the_new_one_gets_a_number() {
    let place = Place::new();
    std::fs::create_dir(place.path("out")).unwrap();
    place.write("out/hello_00001_.png", "mine");
    let ran = place.run(&["run", &example("hello.json"), "-s", "embedded", "-o", "out"]);
    assert_eq!(ran.stdout, format!("{}\n", std::path::Path::new("out").join("hello_00001_-1.png").display()));
    assert_eq!(std::fs::read(place.path("out/hello_00001_.png")).unwrap(), b"mine");
    assert!(image::open(place.path("out/hello_00001_-1.png")).is_ok());
    assert_eq!(place.names("out"), ["hello_00001_-1.png", "hello_00001_.png"]);
}

#[test]
fn force_overwrites_a_file_that_exists() {
    let place = Place::new();
    std::fs::create_dir(place.path("out")).unwrap();
    place.write("out/hello_00001_.png", "old");
    let ran = place.run(&["run", &example("hello.json"), "-s", "embedded", "-o", "out", "--force"]);
    assert_eq!(ran.code, Some(0), "{ran}");
    assert!(image::open(place.path("out/hello_00001_.png")).is_ok());
    assert_eq!(place.names("out"), ["hello_00001_.png"]);
}

#[test]
fn a_folder_that_does_not_exist_is_made_with_its_parents() {
    let place = Place::new();
    let ran = place.run(&["run", &example("hello.json"), "-s", "embedded", "-o", "a/b c/d"]);
    assert_eq!(ran.code, Some(0), "{ran}");
    assert_eq!(place.names("a/b c/d"), ["hello_00001_.png"]);
}

#[test]
fn several_files_are_printed_in_their_order() {
    let place = Place::new();
    let args = ["run", &example("hello.json"), "-s", "embedded", "--set", "1.batch_size=6"];
    let ran = place.run(&args);
    let printed: Vec<String> =
        ran.stdout.lines().map(|line| line.trim_start_matches("./").to_owned()).collect();
    assert_eq!(printed, (1..=6).map(|number| format!("hello_0000{number}_.png")).collect::<Vec<_>>());
    assert_eq!(place.names("."), printed);
}

#[test]
fn a_job_can_be_followed_in_every_way() {
    let (place, sim) = (Place::new(), sim());
    for how in ["auto", "ws", "poll"] {
        let color = format!("EmptyImage.color={}", how.as_bytes()[1]);
        let args =
            ["run", &example("hello.json"), "-s", &sim.url(), "--tracking", how, "-o", how, "--set", &color];
        let ran = place.run(&args);
        assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)), "{how}");
        assert_eq!(place.names(how).len(), 1);
    }
}
