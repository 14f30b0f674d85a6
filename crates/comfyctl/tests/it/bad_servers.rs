//! Servers that are not there, or not what they should be.

use crate::support::{Place, Ran, example, server_that_answers, sim};

fn hello_on(server: &str) -> (Place, Ran) {
    let place = Place::new();
    let ran = place.run(&["run", &example("hello.json"), "-s", server, "-o", "out"]);
    assert!(ran.stdout.is_empty(), "{ran}");
    assert!(place.names("out").is_empty());
    (place, ran)
}

#[test]
fn a_server_that_is_down() {
    // A port that no program listens on without being asked to.
    let (_place, ran) = hello_on("127.0.0.1:1");
    insta::assert_snapshot!(ran, @"
    error: cannot connect to http://127.0.0.1:PORT: nothing listens there
    hint: start the server, or check host and port

    exit code 3
    ");
}

#[test]
fn a_host_without_a_route() {
    // The limited broadcast address: nothing leaves the machine.
    let (_place, ran) = hello_on("255.255.255.255");
    #[cfg(target_os = "linux")]
    insta::assert_snapshot!(ran, @"
    error: cannot connect to http://255.255.255.255:8188: there is no route to that host
    hint: check the host's address and your network

    exit code 3
    ");
    assert_eq!(ran.code, Some(3), "{ran}");
}

#[test]
fn tls_on_a_plain_port() {
    let sim = sim();
    let (_place, ran) = hello_on(&sim.url().replace("http://", "https://"));
    insta::assert_snapshot!(ran, @"
    error: TLS with https://127.0.0.1:PORT failed: the server does not speak TLS on that port
    hint: use an address that begins with `http://`

    exit code 3
    ");
}

#[test]
fn a_wrong_path() {
    let sim = sim();
    let (_place, ran) = hello_on(&format!("{}/wrong", sim.url()));
    insta::assert_snapshot!(ran, @"
    error: no ComfyUI answers at http://127.0.0.1:PORT/wrong (status 404)
    hint: check the path in the address

    exit code 3
    ");
}

#[test]
fn another_program_at_the_address() {
    let url = server_that_answers("404 Not Found", "text/html", "<html>nothing here</html>");
    let (_place, ran) = hello_on(&url);
    insta::assert_snapshot!(ran, @"
    error: no ComfyUI answers at http://127.0.0.1:PORT (status 404)
    hint: check host and port; a server behind a proxy may need a path, such as `https://host/comfy`

    exit code 3
    ");
}

#[test]
fn a_reply_that_is_no_json() {
    let url = server_that_answers("200 OK", "text/html", "<html>Please log in</html>");
    let (_place, ran) = hello_on(&url);
    insta::assert_snapshot!(ran, @"
    error: the answer of http://127.0.0.1:PORT/api/prompt is no JSON: expected value at line 1 column 1, near `<html>Please log in</html>`
    hint: check that ComfyUI itself answers at http://127.0.0.1:PORT, not a login page or another program

    exit code 3
    ");
}

#[test]
fn a_reply_of_another_program() {
    let url = server_that_answers("200 OK", "application/json", r#"{"hello": "world"}"#);
    let (_place, ran) = hello_on(&url);
    insta::assert_snapshot!(ran, @r#"
    error: the answer of http://127.0.0.1:PORT/api/prompt has an unknown form: missing field `exec_info` at line 1 column 18, near `{"hello": "world"}`
    hint: check that ComfyUI itself answers at http://127.0.0.1:PORT, not a login page or another program

    exit code 3
    "#);
}

#[test]
fn a_server_that_asks_for_credentials() {
    let url = server_that_answers("401 Unauthorized", "application/json", r#"{"error": "who are you?"}"#);
    let (_place, ran) = hello_on(&url);
    insta::assert_snapshot!(ran, @"
    error: http://127.0.0.1:PORT/api/prompt refused the request (401 Unauthorized): who are you?
    hint: give what the server asks for with `--token` or `--header`

    exit code 3
    ");
}

#[test]
fn a_proxy_whose_server_is_down() {
    let url = server_that_answers("502 Bad Gateway", "text/plain", "upstream is down");
    let (_place, ran) = hello_on(&url);
    insta::assert_snapshot!(ran, @"
    error: no ComfyUI answers at http://127.0.0.1:PORT (status 502)
    hint: a proxy answers there, but not the server behind it; see that ComfyUI runs

    exit code 3
    ");
}

#[test]
fn an_address_that_is_none() {
    let (_place, ran) = hello_on("ftp://host");
    insta::assert_snapshot!(ran, @"
    error: `ftp://host` is no server address: the scheme is not http or https
    hint: give `host:port` or a URL such as `https://host/comfy`

    exit code 2
    ");
}

#[test]
fn secrets_of_the_address_are_not_shown() {
    let (_place, ran) = hello_on("http://me:hunter2@127.0.0.1:1");
    assert!(!ran.to_string().contains("hunter2"), "{ran}");
    assert_eq!(ran.code, Some(3));
    let place = Place::new();
    let mut help = place.comfyctl(&["run", "--help"]);
    help.env("COMFYUI_URL", "http://me:hunter2@127.0.0.1:1").env("COMFYUI_TOKEN", "hunter2");
    assert!(!crate::support::ended(help, "").to_string().contains("hunter2"));
}

#[test]
fn the_causes_are_shown_when_they_are_asked_for() {
    let place = Place::new();
    let ran = place.run(&["run", &example("hello.json"), "-s", "127.0.0.1:1", "-v"]);
    assert!(ran.stderr.contains("\n  caused by: "), "{ran}");
}
