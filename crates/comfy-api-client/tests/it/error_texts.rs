//! How failures read. The snapshot is one text, so that it can be read as what it is.

use std::error::Error as _;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect};
use comfy_api_client::protocol::FileRef;
use comfy_api_client::{Client, Result, Tracking, Workflow};
use comfy_sim::Sim;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{fresh, in_time, long_work, picture};

/// What went wrong, with all its causes.
struct Failures(String);

impl Failures {
    fn add<T>(&mut self, title: &str, result: Result<T>) {
        let Err(error) = result else { panic!("{title} is no failure") };
        write!(self.0, "{title}\n  {:?}: {error}", error.kind()).unwrap();
        let mut source = error.source();
        while let Some(cause) = source {
            write!(self.0, "\n    because: {cause}").unwrap();
            source = cause.source();
        }
        self.0.push_str("\n\n");
    }
}

async fn connect(address: &str) -> Result<Client> {
    in_time(Client::connect(address)).await
}

async fn serve<Answer>(answer: impl Fn() -> Answer + Clone + Send + Sync + 'static) -> String
where
    Answer: IntoResponse + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = Router::new().fallback(move || std::future::ready(answer()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A server that reads a request and writes these bytes.
async fn raw(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer).await;
        }
    });
    address
}

async fn of_addresses(failures: &mut Failures) {
    failures.add("an address that is none", connect("http://").await);
    failures.add("a scheme that is none of ours", connect("ftp://host").await);
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    failures.add("a server that is down", connect(&format!("127.0.0.1:{port}")).await);
    let sim = Sim::start().await.unwrap();
    failures.add("a path that is not the server's", connect(&format!("{}/comfy", sim.url())).await);
    failures.add("TLS with a plain server", connect(&sim.url().replace("http:", "https:")).await);
    failures.add("another program", connect(&serve(|| Html("<html>Please log in</html>")).await).await);
    failures
        .add("a server of another form", connect(&serve(|| axum::Json(json!({"exec_info": 1}))).await).await);
    failures.add("a server that wants credentials", connect(&serve(|| StatusCode::UNAUTHORIZED).await).await);
    failures.add("a server that moved", connect(&serve(|| Redirect::permanent("https://new/")).await).await);
    failures.add("a proxy whose server is down", connect(&serve(|| StatusCode::BAD_GATEWAY).await).await);
    failures.add("a server that hangs up", connect(&raw(b"").await).await);
    let cut = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"exec_info\"").await;
    failures.add("an answer that breaks off", connect(&cut).await);
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::builder(silent.local_addr().unwrap().to_string());
    let client = client.request_timeout(Duration::from_millis(50));
    failures.add("a server that says nothing", in_time(client.connect()).await);
}

async fn of_workflows(failures: &mut Failures) {
    let sim = Sim::start().await.unwrap();
    let client = Client::connect(sim.url()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    failures.add("a workflow file that is missing", client.open_workflow(Path::new("nowhere.json")).await);
    failures.add("a workflow file that is no JSON", client.open_workflow(write("a.json", "{")).await);
    failures.add("a workflow file that is none", client.open_workflow(write("b.json", "[1]")).await);
    let mut workflow = picture(1);
    workflow.set("1.width", 0).unwrap();
    workflow.node_mut("3").unwrap().inputs.remove("filename_prefix");
    failures.add("values and inputs that are refused", client.submit(&workflow).await);
    let mut workflow = picture(1);
    workflow.node_mut("2").unwrap().class_type = "ImageInvrt".into();
    failures.add("a class that the server lacks", client.submit(&workflow).await);
    let mut workflow = picture(1);
    workflow.node_mut("2").unwrap().inputs.insert("image".into(), json!(["9", 0]));
    failures.add("a link to nowhere", client.submit(&workflow).await);
    let nothing = Workflow::from_value(json!({"1": {"class_type": "EmptyImage", "inputs": {}}})).unwrap();
    failures.add("a workflow without outputs", client.submit(&nothing).await);
    let mut workflow = picture(1);
    workflow.node_mut("2").unwrap().inputs.insert("image".into(), json!(["2", 0]));
    failures.add("a cycle", client.submit(&workflow).await);
    failures.add("an id that the server refuses", client.submit(&picture(1)).prompt_id("Mine").await);
    let data = json!({"extra_pnginfo": null}).as_object().unwrap().clone();
    failures.add("extra data that breaks the server", client.submit(&picture(1)).extra_data(data).await);
    let broken = client.upload_bytes("broken.png", "no picture").await.unwrap();
    let load = Workflow::from_value(json!({
        "load": {"class_type": "LoadImage", "inputs": {"image": broken.input_value()}},
        "save": {"class_type": "PreviewImage", "inputs": {"images": ["load", 0]}},
    }))
    .unwrap();
    failures.add("a node that fails", client.submit(&load).await.unwrap().await);
}

async fn of_jobs(failures: &mut Failures) {
    let sim = Sim::builder().node_delay(Duration::from_secs(20)).start().await.unwrap();
    let port = sim.address().port();
    let builder = || Client::builder(sim.url()).silence(Duration::from_millis(50));
    let client = builder().connect().await.unwrap();
    let running = client.submit(&picture(1)).await.unwrap();
    let mut events = running.events();
    while !matches!(events.next().await, Some(Ok(comfy_api_client::Event::Started))) {}
    let waiting = client.submit(&picture(2)).await.unwrap();
    let again = client.submit(&picture(3)).prompt_id(waiting.id()).await;
    failures.add("an id that was submitted before", again);
    waiting.cancel().await.unwrap();
    failures.add("a prompt that was removed", waiting.await);
    running.cancel().await.unwrap();
    failures.add("a prompt that was interrupted", running.await);
    let limited = client.submit(&picture(4)).timeout(Duration::from_millis(50)).await.unwrap();
    failures.add("a job that takes too long", limited.await);
    failures.add("a prompt that nobody knows", client.job("3c1b7e2a-0000-4000-8000-000000000000").await);
    let lost = client.submit(&picture(5)).await.unwrap();
    let left = builder().give_up_after(Duration::from_millis(100)).connect().await.unwrap();
    let left = left.submit(&long_work(fresh(), 3)).await.unwrap();
    sim.shutdown().await;
    failures.add("a server that stays away", in_time(async { left.await }).await);
    let _sim = Sim::builder().port(port).start().await.unwrap();
    failures.add("a prompt that a restart forgot", in_time(async { lost.await }).await);
    let no_socket = serve(|| axum::Json(json!({"exec_info": {"queue_remaining": 0}}))).await;
    let strict = Client::builder(no_socket).tracking(Tracking::WebSocket).connect().await.unwrap();
    failures.add("a WebSocket that cannot be had", strict.submit(&picture(1)).await);
}

async fn of_files(failures: &mut Failures) {
    let sim = Sim::start().await.unwrap();
    let client = Client::connect(sim.url()).await.unwrap();
    failures.add("a file that is gone", client.download(&FileRef::new("gone.png")).await.map(drop));
    failures.add("a file to upload that is missing", client.upload("nowhere.png").await);
    let folder = tempfile::tempdir().unwrap();
    failures.add("a folder to upload", client.upload(folder.path()).await);
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let outputs = client.submit(&picture(1)).await.unwrap().await.unwrap();
    failures.add("a folder that is a file", outputs.save_all(&file).await);
}

async fn of_routes(failures: &mut Failures) {
    // What an old server answers where it lacks a route, and a new one where its assets are off.
    let octets = [(header::CONTENT_TYPE, "application/octet-stream")];
    let old = serve(move || (StatusCode::NOT_FOUND, octets.clone())).await;
    let client = Client::builder(old).build().unwrap();
    failures.add("a route that the server lacks", client.job_record("x").await);
    let off =
        json!({"error": {"code": "SERVICE_DISABLED", "message": "Assets are disabled.", "details": {}}});
    let off = serve(move || (StatusCode::SERVICE_UNAVAILABLE, axum::Json(off.clone()))).await;
    let client = Client::builder(off).build().unwrap();
    failures.add("assets that are switched off", client.asset("x").await);
    let none = json!({"error": {"code": "ASSET_NOT_FOUND", "message": "Asset x not found.", "details": {"id": "x"}}});
    let none = serve(move || (StatusCode::NOT_FOUND, axum::Json(none.clone()))).await;
    let client = Client::builder(none).build().unwrap();
    failures.add("an asset that is not there", client.delete_asset("x").await);
    let busy = serve(|| (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "0")], "slow down")).await;
    let client = Client::builder(busy).build().unwrap();
    failures.add("a server that is busy", client.queue().await);
    let large = serve(|| (StatusCode::PAYLOAD_TOO_LARGE, "Maximum request body size 100 exceeded.")).await;
    let client = Client::builder(large).build().unwrap();
    failures.add("a workflow that is too large", client.submit(&picture(1)).await);
    failures.add("an id that leads elsewhere", client.history("..").await);
}

#[tokio::test]
async fn failures_read_well() {
    let mut failures = Failures(String::new());
    of_addresses(&mut failures).await;
    of_workflows(&mut failures).await;
    of_jobs(&mut failures).await;
    of_files(&mut failures).await;
    of_routes(&mut failures).await;
    let count = failures.0.matches("\n\n").count();
    assert!(count >= 30, "{count}");
    let filters = [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
        (r"[/\w]+/\.tmp\w+", "FOLDER"),
        (r"[/\w]+/comfy-sim-\w+", "SERVER"),
        (r"in \d\.\d s\)", "in TIME)"),
    ];
    insta::with_settings!({filters => filters, omit_expression => true}, {
        insta::assert_snapshot!(failures.0);
    });
}
