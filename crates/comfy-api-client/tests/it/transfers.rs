//! Transfers of files over connections that are slow, stand still, or break, and many submits at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use comfy_api_client::protocol::FileRef;
use comfy_api_client::{Client, ClientBuilder, ErrorKind, Tracking};
use futures_util::StreamExt;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::{in_time, picture};

const SIZE: usize = 24 << 20;

async fn server(router: Router) -> ClientBuilder {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Client::builder(address)
}

fn uploaded() -> Json<Value> {
    Json(json!({"name": "a.bin", "subfolder": "", "type": "input"}))
}

#[tokio::test]
async fn an_upload_that_is_slow_but_goes_on_is_no_timeout() {
    let reads_slowly = async |body: Body| {
        let mut pieces = body.into_data_stream();
        let mut bytes = 0;
        while let Some(piece) = pieces.next().await {
            let before = bytes / (2 << 20);
            bytes += piece.unwrap().len();
            if bytes / (2 << 20) > before {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        uploaded()
    };
    let router = Router::new().route("/api/upload/image", post(reads_slowly));
    let client = server(router).await.idle_timeout(Duration::from_millis(900)).build().unwrap();
    let began = std::time::Instant::now();
    in_time(async { client.upload_bytes("a.bin", vec![7; SIZE]).await.unwrap() }).await;
    assert!(began.elapsed() > Duration::from_millis(1800));
}

#[tokio::test]
async fn an_upload_or_a_download_that_stands_still_is_a_timeout() {
    let never_reads = async |body: Body| {
        std::future::pending::<()>().await;
        drop(body);
        uploaded()
    };
    let stops_halfway = async || {
        let half = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"half"))]);
        Body::from_stream(half.chain(futures_util::stream::pending()))
    };
    let router = Router::new()
        .route("/api/upload/image", post(never_reads))
        .route("/api/view", get(stops_halfway))
        .route("/api/queue", get(async || std::future::pending::<()>().await));
    let client = server(router).await.idle_timeout(Duration::from_millis(100)).build().unwrap();
    let error = in_time(async { client.upload_bytes("a.bin", vec![7; SIZE]).await.unwrap_err() }).await;
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    let download = in_time(client.download(&FileRef::new("a.bin"))).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = in_time(download.save_in(folder.path())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no part files are left");
}

#[tokio::test]
async fn an_answer_may_take_as_long_as_a_request_may() {
    let thinks = async || {
        tokio::time::sleep(Duration::from_millis(400)).await;
        Json(json!({"queue_running": [], "queue_pending": []}))
    };
    let client = server(Router::new().route("/api/queue", get(thinks))).await;
    let client = client.idle_timeout(Duration::from_millis(100)).build().unwrap();
    in_time(client.queue()).await.unwrap();
}

#[tokio::test]
async fn a_file_that_grows_while_it_is_uploaded_arrives_as_it_was() {
    let (started, go_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let reads_later = {
        let (started, go_on) = (Arc::clone(&started), Arc::clone(&go_on));
        async move |body: Body| {
            started.add_permits(1);
            go_on.acquire().await.unwrap().forget();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let is_whole = body.ends_with(b"--\r\n") && !body.contains(&b'+');
            if is_whole { uploaded().into_response() } else { StatusCode::BAD_REQUEST.into_response() }
        }
    };
    let client = server(Router::new().route("/api/upload/image", post(reads_later))).await.build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    std::fs::write(&path, vec![7; SIZE]).unwrap();
    let grows = async {
        started.acquire().await.unwrap().forget();
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        std::io::Write::write_all(&mut file, &[b'+'; 100_000]).unwrap();
        go_on.add_permits(1);
    };
    let upload = async { client.upload(&path).await };
    let (uploaded, ()) = in_time(async { tokio::join!(upload, grows) }).await;
    uploaded.unwrap();
}

#[tokio::test]
async fn a_file_that_a_proxy_compresses_is_saved_whole() {
    // The text below, compressed.
    let packed: &'static [u8] = &[
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7, 0x51,
        0xc8, 0xc0, 0x49, 0x71, 0x01, 0x00, 0x32, 0xbd, 0xb1, 0xf0, 0x22, 0x00, 0x00, 0x00,
    ];
    let router = Router::new()
        .route("/api/view", get(async move || ([("content-encoding", "gzip")], packed).into_response()));
    let client = server(router).await.build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let download = in_time(client.download(&FileRef::new("a.txt"))).await.unwrap();
    assert_eq!(download.size(), None);
    let (path, bytes) = in_time(download.save_in(folder.path())).await.unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!((text.as_str(), bytes), ("hello, hello, hello, hello, hello\n", 34));
}

#[tokio::test]
async fn of_an_endless_error_only_the_beginning_is_read() {
    let endless = async || {
        let body =
            futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(b"trouble ")));
        let body = body.then(async |piece| {
            tokio::task::yield_now().await;
            piece
        });
        (StatusCode::INTERNAL_SERVER_ERROR, [("content-type", "text/plain")], Body::from_stream(body))
    };
    let client = server(Router::new().route("/api/view", get(endless))).await.build().unwrap();
    let error = in_time(client.download(&FileRef::new("a.png"))).await.unwrap_err();
    assert_eq!(error.status(), Some(500));
    assert!(error.to_string().contains("trouble trouble"), "{error}");
}

#[tokio::test]
async fn many_submits_at_once_take_few_connections() {
    const JOBS: usize = 300;
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = {
        let most = Arc::clone(&most);
        async move |Json(body): Json<Value>| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
            Json(json!({"prompt_id": body["prompt_id"], "number": 0, "node_errors": {}}))
        }
    };
    let client = server(Router::new().route("/api/prompt", post(counts))).await;
    let client = client.tracking(Tracking::Polling).build().unwrap();
    let workflow = picture(1);
    let submits = (0..JOBS).map(|_| async { client.submit(&workflow).await.unwrap() });
    assert_eq!(in_time(join_all(submits)).await.len(), JOBS);
    let most = most.load(Ordering::SeqCst);
    assert!((2..=64).contains(&most), "{most} at once");
}
