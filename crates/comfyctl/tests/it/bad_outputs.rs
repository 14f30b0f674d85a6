//! Folders that cannot be written.

#[cfg(target_os = "linux")]
use crate::support::Ran;
use crate::support::{Place, example};

#[test]
fn a_file_in_the_place_of_the_folder() {
    let place = Place::new();
    place.write("out", "a file");
    insta::assert_snapshot!(place.run(&["run", &example("hello.json"), "-s", "embedded", "-o", "out"]), @"
    error: cannot make the folder out: a file of that name is in the way
    hint: choose another folder with `-o DIR`

    exit code 2
    ");
}

#[cfg(unix)]
#[test]
fn a_folder_below_a_file() {
    let place = Place::new();
    place.write("file", "a file");
    insta::assert_snapshot!(place.run(&["run", &example("hello.json"), "-s", "embedded", "-o", "file/out"]), @"
    error: cannot make the folder file/out: a part of the path is a file, not a folder
    hint: choose another folder with `-o DIR`

    exit code 2
    ");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_the_system_does_not_allow() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["run", &example("hello.json"), "-s", "embedded", "-o", "/proc/out"]), @"
    error: cannot make the folder /proc/out: no such file or folder
    hint: choose another folder with `-o DIR`

    exit code 2
    ");
}

/// Runs `hello.json` with a change on a disk of 16 KiB, and returns what is on the disk after it.
///
/// Nothing where the disk cannot be had; it must be there in CI.
#[cfg(target_os = "linux")]
fn on_a_small_disk(change: &str) -> Option<(Place, Ran, Vec<String>)> {
    use std::process::Command;

    let place = Place::new();
    std::fs::create_dir(place.path("small")).unwrap();
    // The disk goes with the namespace in which it is mounted.
    let script =
        "mount -t tmpfs -o size=16k tmpfs small || exit 99; \"$@\"; code=$?; ls -A small > left; exit $code";
    let mut command = place.program("unshare");
    command.args(["-m", "sh", "-c", script, "sh"]).arg(assert_cmd::cargo::cargo_bin!("comfyctl"));
    command.args(["run", &example("hello.json"), "-s", "embedded", "-o", "small", "--set", change]);
    let may = Command::new("unshare").args(["-m", "true"]).output().is_ok_and(|done| done.status.success());
    let ran = may.then(|| crate::support::ended(command, "")).filter(|ran| ran.code != Some(99));
    let Some(ran) = ran else {
        let id = Command::new("id").arg("-u").output().unwrap().stdout;
        let must = std::env::var_os("CI").is_some() && id.trim_ascii() == b"0";
        assert!(!must, "root cannot mount a small disk");
        eprintln!("skipped: mounting a small disk is not permitted here");
        return None;
    };
    let left = std::fs::read_to_string(place.path("left")).unwrap();
    Some((place, ran, left.lines().map(|name| format!("small/{name}")).collect()))
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_and_no_part_is_left() {
    let Some((_place, ran, left)) = on_a_small_disk("1.width=8000") else { return };
    insta::assert_snapshot!(ran, @"
    error: cannot write small/hello_00001_.png: the disk is full
    hint: free some space or choose another folder; the files are still on the server

    exit code 1
    ");
    assert!(left.is_empty(), "{left:?}");
}

/// Six files of one page each, of which four have room.
#[cfg(target_os = "linux")]
#[test]
fn what_was_saved_before_the_disk_was_full_is_printed() {
    let Some((_place, ran, left)) = on_a_small_disk("1.batch_size=6") else { return };
    assert!(ran.stderr.contains("the disk is full"), "{ran}");
    assert_eq!(ran.code, Some(1));
    assert!(!left.is_empty());
    assert_eq!(ran.stdout.lines().collect::<Vec<_>>(), left);
}
