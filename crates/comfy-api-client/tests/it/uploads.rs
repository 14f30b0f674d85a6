//! Uploads: paths, bytes and streams, masks, names, and what is too large.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use comfy_api_client::protocol::FileRef;
use comfy_api_client::{Client, Error, ErrorKind};
use futures_util::{Stream, StreamExt};
use serde_json::{Value, json};

use crate::support::files::{Taking, content, look_at, png_of, refusing, serve, temporary};
use crate::support::{TestServer, behaviour, fresh, in_time};

fn pieces(content: &[u8], length: usize) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
    let pieces: Vec<_> = content.chunks(length).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    futures_util::stream::iter(pieces)
}

/// As many zeros, in pieces.
fn zeros(bytes: u64) -> impl Stream<Item = io::Result<Bytes>> + Send {
    futures_util::stream::unfold(bytes, async |left| {
        let length = left.min(65536);
        let piece = Bytes::from_static(&[0; 65536]).slice(..length as usize);
        (left > 0).then_some((Ok(piece), left - length))
    })
}

async fn bytes_of(client: &Client, file: &FileRef) -> Bytes {
    client.download(file).await.unwrap().bytes().await.unwrap()
}

behaviour! {
    async fn bytes_and_streams_and_files_arrive_as_they_are_and_tell_how_far_they_are(server) {
        let client = server.client().await;
        let content = content(1_000_000);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client-test-data.xyz");
        std::fs::write(&path, &content).unwrap();
        let size = Some(1_000_000);
        for (upload, size) in [
            (client.upload(&path), size),
            (client.upload_bytes("x", content.clone()), size),
            (client.upload_stream("x", pieces(&content, 33_333), size), size),
            (client.upload_stream("x", pieces(&content, 33_333), None), None),
        ] {
            let mut progress = Vec::new();
            let name = format!("client-test-{}.xyz", fresh());
            let upload = upload.name(&name).folder("temp").subfolder("client-test").content_type("video/x-own");
            let uploaded = upload.on_progress(|sent, size| progress.push((sent, size))).await.unwrap();
            assert_eq!((&uploaded.name, uploaded.subfolder.as_str(), uploaded.folder.as_str()), (&name, "client-test", "temp"));
            assert!(bytes_of(&client, &uploaded.file()).await == content);
            assert_eq!((progress[0], *progress.last().unwrap()), ((0, size), (1_000_000, size)));
            assert!(progress.is_sorted(), "the count never goes back");
        }
        let empty = client.upload_bytes(format!("client-test-{}.bin", fresh()), "").folder("temp").await.unwrap();
        assert_eq!(client.file_info(&empty.file()).await.unwrap().size, Some(0));
    }
}

behaviour! {
    async fn files_keep_their_names_whatever_characters_they_have(server) {
        let client = server.client().await;
        for odd in ["ü ß", "日本 🎨", "a\"b", "a\\b", "a;b=c", "a%20b", "a'b", "a&b+c#d", "a[temp]", "(1)", "a\tb"] {
            let name = format!("client-test-{}-{odd}.bin", fresh());
            let uploaded = client.upload_bytes(&name, "x").folder("temp").await.unwrap();
            assert_eq!(uploaded.name, name);
            assert_eq!(bytes_of(&client, &uploaded.file()).await, "x", "{name}");
        }
        for impossible in ["a\nb.bin", "a\r\nContent-Type: x\r\n\r\n.bin", "a\0b"] {
            let error = client.upload_bytes(impossible, "x").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        }
        let error = client.upload_bytes("client-test.bin", "x").content_type("no type").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    }
}

behaviour! {
    async fn what_is_larger_than_the_server_takes_is_one_error_however_it_is_found_out(server) {
        let client = server.client().await;
        let limit = client.features().await.unwrap().max_upload_size().unwrap();
        let name = "client-test-large.bin";
        let upload = async |stream_size: u64, size| {
            client.upload_stream(name, zeros(stream_size), size).folder("temp").overwrite(true).await
        };
        let error = upload(limit, Some(limit)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        let expected = format!("`{name}` ({limit} bytes) is too large: the server takes at most {limit} bytes at once, with the form around the file");
        assert_eq!(error.message(), expected);
        // Servers with the usual limit would be sent a hundred megabytes.
        if limit > 10 << 20 {
            eprintln!("skipped: the server's limit is too large to send more than that");
            return;
        }
        for size in [limit, 3 * limit] {
            let error = upload(size, None).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TooLarge);
            assert_eq!(error.message(), expected.replace(&format!(" ({limit} bytes)"), ""));
        }
        // As much as it takes, with the form around it.
        let largest = limit - 1000;
        assert_eq!(upload(largest, Some(largest)).await.unwrap().name, name);
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_anything_is_sent() {
    let (uploads, questions) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let takes = {
        let uploads = Arc::clone(&uploads);
        async move |_: Body| {
            uploads.fetch_add(1, Ordering::SeqCst);
            Json(json!({"name": "a.bin", "subfolder": "", "type": "input"}))
        }
    };
    let tells = {
        let questions = Arc::clone(&questions);
        async move || {
            questions.fetch_add(1, Ordering::SeqCst);
            Json(json!({"max_upload_size": 2000.0}))
        }
    };
    let router = Router::new().route("/api/upload/image", post(takes)).route("/api/features", get(tells));
    let client = serve(router).await.build().unwrap();
    in_time(async {
        for _ in 0..3 {
            client.upload_bytes("a.bin", vec![0; 1000]).await.unwrap();
        }
        assert_eq!(questions.load(Ordering::SeqCst), 1, "the limit is kept");
        // The file alone would be taken; the form around it makes it too large.
        let error = client.upload_bytes("a.bin", vec![0; 1999]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
        let mut read = 0;
        let stream = zeros(5000).inspect(|_| unreachable!("nothing is read"));
        let upload = client.upload_stream("a.bin", stream, Some(5000)).on_progress(|_, _| read += 1);
        assert_eq!(upload.await.unwrap_err().kind(), ErrorKind::TooLarge);
        assert_eq!((read, uploads.load(Ordering::SeqCst)), (0, 3));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_hangs_up_or_refuses_gives_the_error_of_one_that_was_asked_first() {
    const SIZE: usize = 8 << 20;
    let failure = async |taking, limits, size: Option<u64>| -> Error {
        let client = refusing(taking, limits).await.build().unwrap();
        let upload = client.upload_stream("a.bin", zeros(SIZE as u64), size);
        in_time(upload).await.unwrap_err()
    };
    let size = Some(SIZE as u64);
    let asked = failure(Taking::HangsUp, vec![100_000], size).await;
    assert_eq!(asked.kind(), ErrorKind::TooLarge);
    // Servers that were started again with a smaller limit since they were asked.
    for taking in [Taking::HangsUp, Taking::Refuses] {
        let error = failure(taking, vec![1 << 30, 100_000], size).await;
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::TooLarge, asked.to_string()), "{taking:?}");
        assert!(!error.is_retryable());
        let error = failure(taking, vec![100_000], None).await;
        let unknown_size = asked.to_string().replace(&format!(" ({SIZE} bytes)"), "");
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::TooLarge, unknown_size), "{taking:?}");
    }
    // What the server would take is not too large because the connection broke; but a proxy may take less.
    let error = failure(Taking::HangsUp, vec![1 << 30], size).await;
    assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
    let error = failure(Taking::Refuses, vec![1 << 30], size).await;
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.message().ends_with("too large for the server or a proxy before it"), "{error}");
}

#[tokio::test]
async fn content_that_cannot_be_read_is_named_as_the_cause() {
    let takes = async |body: Body| match axum::body::to_bytes(body, usize::MAX).await {
        Ok(_) => Json(json!({"name": "a.bin", "subfolder": "", "type": "input"})).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    };
    let client = serve(Router::new().route("/api/upload/image", post(takes))).await.build().unwrap();
    let breaks =
        || zeros(200_000).chain(futures_util::stream::iter([Err(io::Error::other("the disk is gone"))]));
    for (stream, size, cause) in [
        (breaks().boxed(), None, "the disk is gone"),
        (breaks().boxed(), Some(300_000), "the disk is gone"),
        (zeros(200_000).boxed(), Some(200_001), "200000 bytes came where 200001 were announced"),
        (zeros(200_000).boxed(), Some(199_999), "200000 bytes came where 199999 were announced"),
    ] {
        let error = in_time(client.upload_stream("a.bin", stream, size)).await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Io, "cannot read the content of `a.bin`"));
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), cause);
    }
    let error = in_time(client.upload("no/such/file.bin")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
}

behaviour! {
    async fn a_mask_is_put_on_its_original(server) {
        let client = server.client().await;
        let number = fresh();
        let (picture, mask) = (png_of(8, 4, &[10, 20, 30]), png_of(8, 4, &[1, 2, 3, 77]));
        let original = client.upload_bytes(format!("client-test-{number}.png"), picture).folder("temp").await.unwrap().file();
        let name = format!("client-test-{number}-mask.png");
        let upload = |mask: &[u8]| client.upload_bytes(&name, mask.to_vec()).folder("temp").mask_of(&original);
        let masked = upload(&mask).await.unwrap();
        assert_eq!(masked.name, name);
        let (pixel, texts) = look_at(&bytes_of(&client, &masked.file()).await);
        assert_eq!((pixel, texts), (vec![10, 20, 30, 77], vec!["{\"note\": 1}".to_owned()]));

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(&name);
        std::fs::write(&path, png_of(8, 4, &[0, 0, 0, 5])).unwrap();
        let again = client.upload_mask(&path, &original).folder("temp").overwrite(true).await.unwrap();
        assert_eq!(again.name, name);
        assert_eq!(look_at(&bytes_of(&client, &again.file()).await).0, [10, 20, 30, 5]);
        let other = upload(&mask).await.unwrap();
        assert_ne!(other.name, name);

        for (what, wrong) in [("another size", png_of(4, 4, &[1, 2, 3, 4])), ("no picture", b"nothing".to_vec())] {
            let error = upload(&wrong).await.unwrap_err();
            assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(500)), "{what}");
            assert!(error.hint().unwrap().contains("as wide and high"), "{error}");
        }
    }
}

behaviour! {
    async fn a_mask_without_its_original_is_an_error(server) {
        let client = server.client().await;
        let name = format!("client-test-{}.png", fresh());
        let mask = client.upload_bytes(&name, png_of(8, 4, &[1, 2, 3, 77])).folder("temp");
        let error = mask.mask_of(&FileRef::new("client-test-no-such-file.png")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.message().contains("`client-test-no-such-file.png`"), "{error}");
        assert_eq!(client.file_info(&temporary(&name)).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn a_mask_that_the_server_did_not_write_is_an_error() {
    // The original goes between the question for it and the upload.
    let view = async |axum::extract::Query(query): axum::extract::Query<Value>| {
        let is_there = query["filename"] == "original.png" || query["filename"] == "old.png";
        let status = if is_there { StatusCode::OK } else { StatusCode::NOT_FOUND };
        (status, [("etag", "\"same\"")])
    };
    let takes = async |body: String| {
        let name = if body.contains("\"old.png\"") { "old.png" } else { "new.png" };
        Json(json!({"name": name, "subfolder": "", "type": "input"}))
    };
    let router = Router::new().route("/api/view", get(view)).route("/api/upload/mask", post(takes));
    let client = serve(router).await.build().unwrap();
    // Nothing is under the one name, and what was before is under the other.
    for (name, overwrite) in [("new.png", false), ("old.png", true)] {
        let mask =
            client.upload_bytes(name, "mask").overwrite(overwrite).mask_of(&FileRef::new("original.png"));
        let error = in_time(mask).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{name}: {error}");
        assert!(error.message().contains(&format!("took the mask `{name}` and wrote no file")), "{error}");
    }
}
