//! `download`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::support::{PATIENCE, Place, example, sim};

/// A file that fills more than one piece of a transfer.
pub(crate) fn large() -> Vec<u8> {
    (0..3_000_000u32).map(|number| (number % 251) as u8).collect()
}

#[test]
fn downloads_are_named_as_on_the_server_and_overwrite_nothing() {
    let (place, sim) = (Place::new(), sim());
    let url = sim.url();
    place.run(&["run", &example("hello.json"), "-o", "made", "-s", &url]);
    let download = |args: &[&str]| place.run(&[&["download", "-s", &url], args].concat());
    insta::assert_snapshot!(download(&["hello_00001_.png"]), @"
    hello_00001_.png

    exit code 0
    ");
    insta::assert_snapshot!(download(&["hello_00001_.png"]), @"
    hello_00001_-1.png

    exit code 0
    ");
    insta::assert_snapshot!(download(&["hello_00001_.png", "--force", "--json"]), @r#"
    {"type":"downloaded","path":"hello_00001_.png","file":{"filename":"hello_00001_.png","subfolder":"","type":"output"},"bytes":N}

    exit code 0
    "#);
    assert_eq!(download(&["hello_00001_.png", "hello_00001_.png", "-o", "new/"]).code, Some(0));
    assert_eq!(place.names("new"), ["hello_00001_-1.png", "hello_00001_.png"]);
    insta::assert_snapshot!(download(&["hello_00001_.png", "-o", "made"]), @"
    made/hello_00001_-1.png

    exit code 0
    ");
    insta::assert_snapshot!(download(&["hello_00001_.png", "-o", "b.png"]), @"
    b.png

    exit code 0
    ");
    insta::assert_snapshot!(download(&["hello_00001_.png", "-o", "b.png"]), @"
    b.png

    exit code 0
    ");
    insta::assert_snapshot!(download(&["hello_00001_.png", "--preview", "webp:80", "-o", "small/"]), @"
    small/hello_00001_.webp

    exit code 0
    ");
    assert_eq!(place.names("."), ["b.png", "hello_00001_-1.png", "hello_00001_.png", "made", "new", "small"]);
    assert_eq!(&std::fs::read(place.path("small/hello_00001_.webp")).unwrap()[8..12], b"WEBP");
    let of = |name: &str| std::fs::read(place.path(name)).unwrap();
    assert_eq!(of("b.png"), of("made/hello_00001_.png"));
}

#[test]
fn files_of_subfolders_and_other_folders_are_found_by_their_names() {
    let (place, sim) = (Place::new(), sim());
    let url = sim.url();
    place.write("a.txt", "one");
    place.run(&["upload", "a.txt", "--subfolder", "s/t", "-s", &url]);
    let download = |args: &[&str]| place.run(&[&["download", "-s", &url, "-o", "-"], args].concat());
    for args in [
        &["s/t/a.txt [input]"][..],
        &["s/t/a.txt", "--type", "input"],
        &["a.txt[input]", "--subfolder", "s/t/"],
        &["t/a.txt", "--subfolder", "s", "--type", "input"],
    ] {
        assert_eq!(download(args).to_string(), "one\nexit code 0", "{args:?}");
    }
}

#[test]
fn files_that_are_not_there_are_said_and_the_others_come() {
    let (place, sim) = (Place::new(), sim());
    let url = sim.url();
    place.write("a.txt", "one");
    place.run(&["upload", "a.txt", "-s", &url]);
    place.run(&["upload", "a.txt", "--type", "output", "--name", "b.txt", "-s", &url]);
    let download = |args: &[&str]| place.run(&[&["download", "-s", &url], args].concat());
    insta::assert_snapshot!(download(&["nothing.png", "b.txt", "a.txt"]), @"
    b.txt
    error: the server has no file `nothing.png` in its folder `output`
    hint: `comfyctl history show ID` names the files of a prompt, with their subfolders
    error: the server has no file `a.txt` in its folder `output`
    hint: there is one in another: `comfyctl download 'a.txt [input]'`

    exit code 1
    ");
    insta::assert_snapshot!(download(&["nothing.png [temp]", "--json"]), @r#"
    {"type":"result","status":"error","error":{"code":"not_found","message":"the server has no file `nothing.png` in its folder `temp`","hint":"temporary files go when the server restarts; run the workflow again","details":null}}
    error: the server has no file `nothing.png` in its folder `temp`
    hint: temporary files go when the server restarts; run the workflow again

    exit code 1
    "#);
    insta::assert_snapshot!(download(&["b.txt", "--preview", "webp"]), @"
    error: the server cannot make a preview of `b.txt`
    hint: only pictures have previews; leave `--preview` out

    exit code 1
    ");
    assert_eq!(place.names("."), ["a.txt", "b.txt"]);
}

#[test]
fn wrong_uses_of_download_are_told_apart() {
    let place = Place::new();
    let download = |args: &[&str]| place.run(&[&["download", "-s", "127.0.0.1:9"], args].concat());
    insta::assert_snapshot!(download(&["a", "b", "-o", "c.png"]), @"
    error: `-o FILE` is for one file, and there are several
    hint: give a folder, with a `/` at its end if it does not exist yet

    exit code 2
    ");
    insta::assert_snapshot!(download(&["a", "b", "-o", "-"]), @"
    error: `-o -` is for one file, and there are several
    hint: download them one by one

    exit code 2
    ");
    insta::assert_snapshot!(download(&["a", "--json", "-o", "-"]), @r#"
    {"type":"result","status":"rejected","error":{"code":"usage","message":"`-o -` and `--json` both write to stdout","hint":"leave one of them out","details":null}}
    error: `-o -` and `--json` both write to stdout
    hint: leave one of them out

    exit code 2
    "#);
    insta::assert_snapshot!(download(&["sub/"]), @"
    error: `sub/` is the name of no file
    hint: give a name such as `a.png`, `sub/a.png` or `a.png [input]`

    exit code 2
    ");
    insta::assert_snapshot!(download(&["../secret"]), @"
    error: `../secret` leads out of the server's folders
    hint: servers give out what is below their folders `output`, `input` and `temp`

    exit code 2
    ");
    insta::assert_snapshot!(download(&["a", "--preview", "png"]), @"
    error: invalid value 'png' for '--preview <FORMAT[;QUALITY]>': the format is `webp` or `jpeg`

    For more information, try '--help'.

    exit code 2
    ");
}

/// What the next answer for a file does.
#[derive(Clone, Copy, PartialEq)]
enum Answer {
    /// Stops in the middle and stays open.
    Stops,
    /// Breaks off in the middle.
    Breaks,
    Whole,
}

/// A server that has one file, and gives it out as it is told, answer by answer.
fn server(answers: &'static [Answer]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut answers = answers.iter().copied();
        let mut open = Vec::new();
        for stream in listener.incoming() {
            open.extend(answer(stream.unwrap(), &mut answers));
        }
    });
    url
}

fn answer(mut stream: TcpStream, answers: &mut impl Iterator<Item = Answer>) -> Option<TcpStream> {
    let (mut line, mut is_file, mut start) = (String::new(), false, 0);
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
        is_file |= line.contains("/view");
        let range = line.to_lowercase();
        if let Some(from) = range.strip_prefix("range: bytes=") {
            start = from.split('-').next().unwrap().parse().unwrap();
        }
        line.clear();
    }
    if !is_file {
        let body = r#"{"exec_info": {"queue_remaining": 0}}"#;
        let length = body.len();
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        return None;
    }
    let (how, file) = (answers.next()?, large());
    let (rest, size) = (&file[start..], file.len());
    let status = match start {
        0 => "200 OK".to_owned(),
        _ => format!("206 Partial Content\r\nContent-Range: bytes {start}-{}/{size}", size - 1),
    };
    let length = rest.len();
    // The client may have gone.
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nETag: \"e\"\r\nConnection: close\r\n\r\n"
    );
    let sent = if how == Answer::Whole { rest } else { &rest[..rest.len() / 2] };
    let _ = stream.write_all(sent);
    (how == Answer::Stops).then_some(stream)
}

#[test]
fn a_transfer_that_breaks_goes_on_where_it_was() {
    let place = Place::new();
    let url = server(&[Answer::Breaks, Answer::Breaks, Answer::Whole]);
    let ran = place.run(&["download", "a.bin", "-s", &url]);
    assert_eq!((ran.stdout.as_str(), ran.code), ("a.bin\n", Some(0)), "{ran}");
    assert!(std::fs::read(place.path("a.bin")).unwrap() == large());
}

/// Waits until something of the file is on the disk, under whatever name.
#[cfg(unix)]
fn wait_for_a_part(place: &Place) -> Vec<String> {
    let began = std::time::Instant::now();
    while began.elapsed() < PATIENCE {
        let names = place.names(".");
        if names.iter().any(|name| std::fs::metadata(place.path(name)).is_ok_and(|file| file.len() > 0)) {
            return names;
        }
    }
    panic!("nothing came");
}

#[cfg(unix)]
#[test]
fn a_download_that_is_killed_leaves_no_file_that_looks_finished() {
    let place = Place::new();
    let url = server(&[Answer::Stops, Answer::Whole]);
    let running = place.start(&["download", "a.bin", "-s", &url]);
    let names = wait_for_a_part(&place);
    running.signal("KILL");
    assert_eq!(running.end().code, None);
    assert!(names.iter().all(|name| name.starts_with(".comfy-") && name.ends_with(".part")), "{names:?}");
    assert!(!place.path("a.bin").exists());
    let ran = place.run(&["download", "a.bin", "-s", &url]);
    assert_eq!((ran.stdout.as_str(), ran.code), ("a.bin\n", Some(0)), "{ran}");
    assert!(std::fs::read(place.path("a.bin")).unwrap() == large());
}

#[cfg(unix)]
#[test]
fn ctrl_c_takes_away_what_is_not_complete() {
    for signal in ["INT", "TERM"] {
        let place = Place::new();
        let url = server(&[Answer::Stops]);
        let running = place.start(&["download", "a.bin", "-s", &url]);
        wait_for_a_part(&place);
        running.signal(signal);
        insta::allow_duplicates! {
            insta::assert_snapshot!(running.end(), @"
            stopped; what is not complete was removed

            exit code 130
            ");
        }
        assert!(place.names(".").is_empty());
    }
}

#[test]
fn a_time_limit_takes_away_what_is_not_complete() {
    let place = Place::new();
    let url = server(&[Answer::Stops]);
    insta::assert_snapshot!(place.run(&["download", "a.bin", "--timeout", "300ms", "-s", &url]), @"
    error: the time limit of 300ms was reached
    hint: allow more time with `--timeout`

    exit code 5
    ");
    assert!(place.names(".").is_empty());
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let place = Place::new();
    let url = server(&[Answer::Whole]);
    let mut command = place.comfyctl(&["download", "a.bin", "-o", "-", "-s", &url]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = [0; 10];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    let ended = child.wait_with_output().unwrap();
    assert_eq!((first.as_slice(), ended.status.code()), (&large()[..10], Some(0)));
    assert!(ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[cfg(unix)]
#[test]
fn a_narrow_terminal_shows_how_far_a_download_is_and_ctrl_c_ends_it() {
    use portable_pty::{CommandBuilder, PtySize, native_pty_system};

    let place = Place::new();
    let url = server(&[Answer::Stops]);
    let size = PtySize { rows: 10, cols: 60, pixel_width: 0, pixel_height: 0 };
    let pty = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(assert_cmd::cargo::cargo_bin!("comfyctl"));
    command.args(["download", "a file with a name that is much too long.bin", "-s", &url]);
    command.cwd(place.path("."));
    for (name, value) in [("TERM", "xterm"), ("COMFYCTL_CONFIG", "off")] {
        command.env(name, value);
    }
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut reader = pty.master.try_clone_reader().unwrap();
    let mut writer = pty.master.take_writer().unwrap();
    let mut screen = vt100::Parser::new(10.try_into().unwrap(), 60.try_into().unwrap(), 0);
    let (mut piece, mut is_stopped) = ([0; 4096], false);
    // The end of the program ends the terminal.
    while let Ok(length @ 1..) = reader.read(&mut piece) {
        screen.process(&piece[..length]);
        let shown = screen.screen().contents();
        if !is_stopped && shown.contains("50 %  1.4/2.9 MiB") {
            assert_eq!(shown.lines().count(), 1, "{shown}");
            assert!(shown.contains("/s  ") && shown.contains("a file"), "{shown}");
            writer.write_all(b"\x03").unwrap();
            is_stopped = true;
        }
    }
    assert!(is_stopped, "{}", screen.screen().contents());
    assert_eq!(child.wait().unwrap().exit_code(), 130);
    let shown = screen.screen().contents();
    assert!(shown.contains("stopped; what is not complete was removed"), "{shown}");
    assert!(place.names(".").is_empty());
}
