//! Which server, and how to speak to it: flags, environment and the config file.

use std::sync::Arc;

use insta::assert_snapshot;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::support::{Place, Ran, ended, example, sim};

/// The first column of a table of `stats` is enough to know that a server has answered.
fn first_word(ran: &Ran) -> &str {
    ran.stdout.split_whitespace().next().unwrap_or_default()
}

#[test]
fn a_server_is_known_by_its_name_in_the_config_file() {
    let (place, sim) = (Place::new(), sim());
    place.write(
        "config.toml",
        format!(
            "server = 'home'\n[servers.home]\nurl = '{}'\n[servers.away]\nurl = '127.0.0.1:9'\n",
            sim.url()
        ),
    );
    for args in [
        &["stats", "--config", "config.toml", "-s", "home"][..],
        &["stats", "--config", "config.toml"],
        &["--config=config.toml", "stats", "-s", &sim.url()],
    ] {
        let ran = place.run(args);
        assert_eq!((ran.code, first_word(&ran)), (Some(0), "WHAT"), "{ran}");
    }
    assert_snapshot!(place.run(&["stats", "--config", "config.toml", "-s", "away"]), @"
    error: cannot connect to http://127.0.0.1:PORT: nothing listens there
    hint: start the server, or check host and port

    exit code 3
    ");
}

#[test]
fn the_config_file_is_found_in_the_platforms_folder_and_the_environment_wins_over_it() {
    let (place, sim) = (Place::new(), sim());
    std::fs::create_dir(place.path("comfyctl")).unwrap();
    place.write("comfyctl/config.toml", "server = 'away'\n[servers.away]\nurl = '127.0.0.1:9'\n");
    // Where the platform has another folder, it is the file of nobody.
    if cfg!(target_os = "linux") {
        assert_eq!(place.run(&["stats"]).code, Some(3));
    }
    let mut command = place.comfyctl(&["stats"]);
    command.env("COMFYUI_URL", sim.url());
    assert_eq!(ended(command, "").code, Some(0));
    let mut command = place.comfyctl(&["stats", "-s", &sim.url()]);
    command.env("COMFYUI_URL", "127.0.0.1:9");
    assert_eq!(ended(command, "").code, Some(0));
}

#[test]
fn mistakes_around_the_config_file() {
    let place = Place::new();
    place.write("wrong.toml", "[servers.gpu1]\nurl = 'a:1'\ntokn = 'secret'\n");
    assert_snapshot!(place.run(&["stats", "--config", "wrong.toml"]), @r#"
    error: the config file wrong.toml is wrong in line 3: unknown field `tokn`, expected one of `url`, `token`, `headers`, `tracking`, `insecure`, `ca`
    hint: servers are written as `[servers.NAME]` with `url = "…"`; see `comfyctl --help`

    exit code 2
    "#);
    assert_snapshot!(place.run(&["stats", "--config", "missing.toml", "--json"]), @r#"
    {"type":"result","status":"rejected","error":{"code":"config","message":"cannot read the config file missing.toml: no such file or folder","hint":"name another one with `--config FILE`, or none with `--config off`","details":null}}
    error: cannot read the config file missing.toml: no such file or folder
    hint: name another one with `--config FILE`, or none with `--config off`

    exit code 2
    "#);
    assert_snapshot!(place.run(&["stats", "-s", "a:1", "-s", "b:1"]), @"
    error: `--server` is given more than once
    hint: only `watch` takes several servers

    exit code 2
    ");
    // What needs no server needs no config file either.
    assert_eq!(place.run(&["show", &example("hello.json"), "--config", "wrong.toml"]).code, Some(0));
}

#[test]
fn headers_and_the_token_of_a_named_server_are_sent() {
    let place = Place::new();
    let (url, heard) = crate::support::server_that_listens();
    place.write(
        "config.toml",
        format!("[servers.a]\nurl = '{url}'\ntoken = 'from-file'\nheaders = {{ X-One = 'file', X-Two = 'file' }}\n"),
    );
    let args = ["stats", "--config", "config.toml", "-s", "a"];
    place.run(&args);
    let head = heard.recv().unwrap().to_lowercase();
    assert!(head.contains("authorization: bearer from-file") && head.contains("x-one: file"), "{head}");
    place.run(&[&args[..], &["--token", "given", "--header", "X-Two: given"]].concat());
    let head = heard.recv().unwrap().to_lowercase();
    assert!(head.contains("authorization: bearer given") && head.contains("x-two: given"), "{head}");
    assert!(head.contains("x-one: file") && !head.contains("x-two: file"), "{head}");
}

/// A simulator behind TLS with a certificate that nobody has signed; its address and the certificate as PEM.
fn tls_server(sim: &comfy_sim::Sim) -> (tokio::runtime::Runtime, String, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![cert.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let plain = sim.address();
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut upstream = TcpStream::connect(plain).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut upstream).await;
            });
        }
    });
    (runtime, url, cert.pem())
}

#[test]
fn a_certificate_of_ones_own_is_trusted_when_it_is_given_or_when_anything_is() {
    let (place, sim) = (Place::new(), sim());
    let (_runtime, url, pem) = tls_server(&sim);
    place.write("ca.pem", pem);
    place.write("config.toml", format!("[servers.a]\nurl = '{url}'\nca = 'ca.pem'\n"));
    insta::with_settings!({filters => vec![(r"localhost:\d+", "localhost:PORT")]}, {
        assert_snapshot!(place.run(&["stats", "-s", &url]), @"
        error: TLS with https://localhost:PORT failed: the server's certificate is not trusted
        hint: trust who signed it with `--ca FILE`, or anybody with `--insecure`

        exit code 3
        ");
    });
    for trust in [
        &["--ca", "ca.pem", "-s", &url][..],
        &["--insecure", "-s", &url],
        &["--config", "config.toml", "-s", "a"],
    ] {
        // A run, since the WebSocket has to trust it as well.
        let hello = example("hello.json");
        let ran = place.run(&[&["run", &hello, "--tracking", "ws", "-o", "out"][..], trust].concat());
        assert_eq!(ran.code, Some(0), "{trust:?}: {ran}");
    }
    assert_snapshot!(place.run(&["stats", "-s", &url, "--ca", "missing.pem"]), @"
    error: cannot read the certificate missing.pem: no such file or folder
    hint: give a PEM file with `--ca FILE`

    exit code 2
    ");
    place.write("no.pem", "no certificate");
    assert_snapshot!(place.run(&["stats", "-s", &url, "--ca", "no.pem"]), @"
    error: a root certificate cannot be read
    hint: give it as PEM text

    exit code 3
    ");
}

#[test]
fn a_number_alone_is_a_port_of_this_machine() {
    let (place, sim) = (Place::new(), sim());
    let port = sim.address().port().to_string();
    assert_eq!(place.run(&["stats", "-s", &port]).code, Some(0));
    assert_snapshot!(place.run(&["stats", "-s", "65536"]), @"
    error: `65536` is no server address: it is no port from 1 to 65535
    hint: give `host:port` or a URL such as `https://host/comfy`

    exit code 2
    ");
}

#[test]
fn what_a_command_does_not_take_or_need_is_said() {
    let (place, sim) = (Place::new(), sim());
    assert_snapshot!(place.run(&["history", "--limit", "5", "show", "abcdef", "-s", &sim.url()]), @"
    error: `--limit` is for the list alone
    hint: leave it out, or list with `comfyctl history --limit N`

    exit code 2
    ");
    assert_snapshot!(place.run(&["nodes", "-s", "127.0.0.1:9"]), @"
    error: cannot connect to http://127.0.0.1:PORT: nothing listens there
    hint: start the server, or check host and port; no server is needed with `--object-info FILE`

    exit code 3
    ");
}
