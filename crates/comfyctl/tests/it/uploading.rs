//! `upload`.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use crate::downloading::large;
use crate::pty::Terminal;
use crate::support::{Place, example, sim};

#[test]
fn an_upload_prints_the_value_for_an_input() {
    let (place, sim) = (Place::new(), sim());
    let url = sim.url();
    place.write("a b.txt", "one");
    place.write("c.txt", "two");
    insta::assert_snapshot!(place.run(&["upload", "a b.txt", "c.txt", "-s", &url]), @"
    a b.txt
    c.txt

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["upload", "c.txt", "--subfolder", "s/t/", "--type", "temp", "-s", &url]), @"
    s/t/c.txt [temp]

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["upload", "c.txt", "--name", "d.txt", "--json", "-s", &url]), @r#"
    {"type":"uploaded","value":"d.txt","file":{"filename":"d.txt","subfolder":"","type":"input"},"bytes":N,"existed":false}

    exit code 0
    "#);
    insta::assert_snapshot!(place.run_with(&["upload", "-", "--name", "e.txt", "--json", "-s", &url], large()), @r#"
    {"type":"uploaded","value":"e.txt","file":{"filename":"e.txt","subfolder":"","type":"input"},"bytes":N,"existed":false}

    exit code 0
    "#);
    let ran = place.run(&["download", "e.txt", "--type", "input", "-s", &url]);
    assert_eq!(ran.code, Some(0), "{ran}");
    assert!(std::fs::read(place.path("e.txt")).unwrap() == large());
}

#[test]
fn a_name_that_is_taken_is_said() {
    let (place, sim) = (Place::new(), sim());
    let url = sim.url();
    place.write("a.txt", "one");
    place.run(&["upload", "a.txt", "-s", &url]);
    insta::assert_snapshot!(place.run(&["upload", "a.txt", "-s", &url]), @"
    a.txt
    `a.txt` was on the server already, with the same content

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["upload", "a.txt", "-s", &url, "--json"]), @r#"
    {"type":"uploaded","value":"a.txt","file":{"filename":"a.txt","subfolder":"","type":"input"},"bytes":N,"existed":true}

    exit code 0
    "#);
    place.write("a.txt", "two");
    insta::assert_snapshot!(place.run(&["upload", "a.txt", "-s", &url]), @"
    a (1).txt
    the server has another `a.txt`, and calls this one `a (1).txt`

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["upload", "a.txt", "--overwrite", "-s", &url]), @"
    a.txt

    exit code 0
    ");
    assert_eq!(place.run(&["download", "a.txt [input]", "-o", "-", "-s", &url]).stdout, "two");
}

#[test]
fn a_mask_is_put_on_a_picture_of_the_server() {
    let (place, sim) = (Place::new(), sim());
    let url = sim.url();
    place.run(&["run", &example("hello.json"), "-s", &url]);
    let upload = |args: &[&str]| place.run(&[&["upload", "hello_00001_.png", "-s", &url], args].concat());
    upload(&[]);
    insta::assert_snapshot!(upload(&["--name", "m.png", "--mask-of", "hello_00001_.png"]), @"
    m.png

    exit code 0
    ");
    insta::assert_snapshot!(upload(&["--name", "n.png", "--mask-of", "hello_00001_.png [output]"]), @"
    n.png

    exit code 0
    ");
    insta::assert_snapshot!(upload(&["--mask-of", "nothing.png"]), @"
    error: the original `nothing.png` of the mask is not in the server's folder `input`
    hint: upload the original first, and give its subfolder and folder too

    exit code 1
    ");
}

#[test]
fn what_cannot_be_uploaded_is_found_before_anything_is_sent() {
    let (place, sim) = (Place::new(), sim());
    let url = sim.url();
    place.write("a.txt", "one");
    std::fs::create_dir(place.path("folder")).unwrap();
    let upload = |args: &[&str]| place.run(&[&["upload", "a.txt", "-s", &url], args].concat());
    insta::assert_snapshot!(upload(&["folder"]), @"
    error: folder is a folder, not a file
    hint: upload what is in it: `comfyctl upload folder/*`

    exit code 2
    ");
    insta::assert_snapshot!(upload(&["nothing.txt"]), @"
    error: cannot read nothing.txt: no such file or folder

    exit code 2
    ");
    insta::assert_snapshot!(upload(&["a.txt", "--name", "b.txt"]), @"
    error: `--name` is for one file, and there are several
    hint: upload them one by one

    exit code 2
    ");
    insta::assert_snapshot!(upload(&["--subfolder", "../up"]), @"
    error: the subfolder `../up` leads out of the server's folder
    hint: give one below it, such as `faces/today`

    exit code 2
    ");
    insta::assert_snapshot!(upload(&["--name", "../up.txt", "--json"]).stdout, @r#"{"type":"result","status":"rejected","error":{"code":"usage","message":"the name `../up.txt` leads out of the server's folder","hint":"give one below it, such as `faces/today`","details":null}}"#);
    insta::assert_snapshot!(place.run(&["upload", "-", "-s", &url]), @"
    error: what comes from stdin has no name
    hint: give it one with `--name NAME`

    exit code 2
    ");
    assert!(sim.requests().to("POST", "/upload/image").is_empty());
}

#[test]
fn a_file_that_the_server_finds_too_large_is_said_to_be() {
    let place = Place::new();
    let sim = comfy_sim::Sim::builder().max_upload_megabytes(1.0);
    let sim = tokio::runtime::Runtime::new().unwrap().block_on(sim.start()).unwrap();
    place.write("large", large());
    insta::assert_snapshot!(place.run(&["upload", "large", "-s", &sim.url()]), @"
    error: `large` (3000000 bytes) is too large: the server takes at most 1048576 bytes at once, with the form around the file
    hint: start the server with a larger `--max-upload-size`, or send a smaller file

    exit code 1
    ");
}

/// A server that knows nothing, and takes only the beginning of what is sent to it.
fn server_that_takes_the_beginning() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            let length = stream.read(&mut head).unwrap();
            if head[..length].starts_with(b"POST") {
                held.push(stream);
                continue;
            }
            let body = match head[..length].starts_with(b"GET /api/prompt ") {
                true => r#"{"exec_info":{"queue_remaining":0}}"#,
                false => "{}",
            };
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    url
}

#[test]
fn a_run_shows_how_far_the_upload_of_a_file_is() {
    let (place, url) = (Place::new(), server_that_takes_the_beginning());
    // More than what systems keep of what nobody reads.
    std::fs::File::create(place.path("large.png")).unwrap().set_len(64 << 20).unwrap();
    let thumbnail = example("thumbnail.json");
    let args = ["run", &thumbnail, "--set", "LoadImage.image=@large.png", "-s", &url];
    let mut terminal = Terminal::start(place, &args, (60, 10), &[]);
    let screen = terminal.wait_for("/64.0 MiB");
    assert!(screen.contains("large.png"), "{screen}");
    terminal.send("\x03");
    assert_eq!(terminal.end().code, 130);
}
