//! Downloads: parts and other forms of files, breaks in the middle, several at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use comfy_api_client::protocol::FileRef;
use comfy_api_client::{Channel, Client, ErrorKind, PictureFormat};
use futures_util::StreamExt;

use crate::support::files::{
    Answer, answers, content, cutting, impatient, look_at, png_of, serve, temporary,
};
use crate::support::{TestServer, behaviour, fresh, in_time};

/// Uploads bytes under a name that nothing else has.
async fn stored(client: &Client, ending: &str, bytes: Vec<u8>) -> FileRef {
    let name = format!("client-test-{}{ending}", fresh());
    client.upload_bytes(name, bytes).folder("temp").overwrite(true).await.unwrap().file()
}

async fn collected(client: &Client, file: &FileRef) -> Result<Vec<u8>, comfy_api_client::Error> {
    let mut pieces = std::pin::pin!(client.download(file).await?.into_stream());
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes)
}

behaviour! {
    async fn a_download_goes_on_where_its_connection_broke(server) {
        let content = content(900_000);
        let file = stored(&server.client().await, ".bin", content.clone()).await;
        let cuts = vec![100_000, 500_000, 20, 200_000];
        let (url, sent) = cutting(&server.url, cuts).await;
        let client = Client::builder(url).retry(impatient(3)).build().unwrap();
        let progress = Arc::new(Mutex::new(Vec::new()));
        let reports = Arc::clone(&progress);
        let download = client.download(&file).on_progress(move |came, size| reports.lock().unwrap().push((came, size)));
        let folder = tempfile::tempdir().unwrap();
        let (path, bytes) = download.await.unwrap().save_in(folder.path()).await.unwrap();
        assert_eq!(bytes, 900_000);
        assert!(std::fs::read(path).unwrap() == content);

        let progress = progress.lock().unwrap();
        assert_eq!((progress[0], *progress.last().unwrap()), ((0, Some(900_000)), (900_000, Some(900_000))));
        assert!(progress.is_sorted(), "the count never goes back");
        let sent = String::from_utf8_lossy(&sent.lock().unwrap()).into_owned();
        assert_eq!(sent.matches("GET /api/view").count(), 5, "{sent}");
        // The third answer broke off in its head, so that two requests ask for the same rest.
        let ranges: Vec<u64> = sent
            .lines()
            .filter_map(|line| line.strip_prefix("range: bytes=")?.strip_suffix('-')?.parse().ok())
            .collect();
        assert_eq!((ranges.len(), ranges.is_sorted()), (4, true), "{ranges:?}");
        assert!(ranges[0] > 90_000 && ranges[1] > 500_000 && ranges[1] == ranges[2], "{ranges:?}");
        assert_eq!(sent.matches("if-range: \"").count(), 4);
    }
}

behaviour! {
    async fn a_part_of_a_file_is_downloaded(server) {
        let client = server.client().await;
        let content = content(100_000);
        let file = stored(&client, ".bin", content.clone()).await;
        let part = async |request: comfy_api_client::DownloadRequest| {
            let download = request.await?;
            let size = download.size();
            let bytes = download.bytes().await?;
            assert_eq!(size, Some(bytes.len() as u64));
            Ok::<_, comfy_api_client::Error>(bytes)
        };
        assert_eq!(part(client.download(&file).range(10..20)).await.unwrap(), content[10..20]);
        assert_eq!(part(client.download(&file).range(..=4)).await.unwrap(), content[..5]);
        assert_eq!(part(client.download(&file).range(99_990..)).await.unwrap(), content[99_990..]);
        assert_eq!(part(client.download(&file).range(99_990..200_000)).await.unwrap(), content[99_990..]);
        assert_eq!(part(client.download(&file).range(..)).await.unwrap(), content);
        let error = part(client.download(&file).range(100_000..)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.message().ends_with("ends before byte 100000"), "{error}");
        let error = part(client.download(&file).range(7..7)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    }
}

behaviour! {
    async fn other_forms_of_a_picture_are_downloaded(server) {
        let client = server.client().await;
        let picture = stored(&client, ".png", png_of(16, 8, &[200, 100, 50, 77])).await;
        let bytes = async |request: comfy_api_client::DownloadRequest| request.await.unwrap().bytes().await.unwrap();
        let preview = client.download(&picture).preview(PictureFormat::Webp, 50);
        assert_eq!(bytes(preview).await[8..12], *b"WEBP");
        let preview = client.download(&picture).preview(PictureFormat::Jpeg, 90);
        assert!(bytes(preview).await.starts_with(b"\xff\xd8\xff"));
        assert_eq!(look_at(&bytes(client.download(&picture).channel(Channel::Rgb)).await).0, [200, 100, 50]);
        let alpha = look_at(&bytes(client.download(&picture).channel(Channel::Alpha)).await).0;
        assert_eq!(alpha.last(), Some(&77));
        let whole = client.download(&picture).channel(Channel::Rgba).range(1..4);
        assert_eq!(bytes(whole).await, "PNG");

        let part = client.download(&picture).preview(PictureFormat::Webp, 50).range(..10).await.unwrap_err();
        assert_eq!(part.kind(), ErrorKind::Config);
        let text = stored(&client, ".txt", b"no picture".to_vec()).await;
        let error = client.download(&text).preview(PictureFormat::Webp, 50).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(500)), "{error}");
    }
}

behaviour! {
    async fn a_file_is_described_without_being_downloaded(server) {
        let client = server.client().await;
        let file = stored(&client, ".png", png_of(4, 4, &[1, 2, 3])).await;
        let info = client.file_info(&file).await.unwrap();
        let bytes = client.download(&file).await.unwrap().bytes().await.unwrap();
        assert_eq!(info.size, Some(bytes.len() as u64));
        assert_eq!(info.content_type.as_deref(), Some("image/png"));
        assert!(info.etag.is_some());
        // Servers round it up to the next second.
        let latest = std::time::SystemTime::now() + std::time::Duration::from_secs(2);
        assert!(info.modified.unwrap() < latest);
        let missing = client.file_info(&temporary("client-test-no-such-file.png")).await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }
}

behaviour! {
    async fn several_files_are_downloaded_in_their_order_and_keep_apart(server) {
        let client = server.client().await;
        let one = stored(&client, ".bin", content(100)).await;
        let two = stored(&client, ".bin", content(200_000)).await;
        let empty = stored(&client, ".bin", Vec::new()).await;
        let folder = tempfile::tempdir().unwrap();
        let files = [one.clone(), two.clone(), one.clone(), empty];
        let saved = client.download_all(files, folder.path()).at_once(2).await.unwrap();
        assert_eq!(saved.iter().map(|saved| saved.bytes).collect::<Vec<_>>(), [100, 200_000, 100, 0]);
        assert_ne!(saved[0].path, saved[2].path);
        for saved in &saved {
            assert!(std::fs::read(&saved.path).unwrap() == content(saved.bytes as usize));
        }
        let again = client.download_all([one.clone(), one], folder.path()).overwrite(true).at_once(1).await.unwrap();
        assert_eq!(again[0].path, again[1].path);

        let missing = temporary("client-test-no-such-file.bin");
        let each: Vec<_> = client.download_all([missing, two], folder.path()).into_stream().collect().await;
        assert_eq!(each[0].as_ref().unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(each[1].as_ref().unwrap().bytes, 200_000);
    }
}

#[tokio::test]
async fn no_more_downloads_run_at_once_than_allowed() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = {
        let most = Arc::clone(&most);
        async move || {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
            "content"
        }
    };
    let client = serve(Router::new().route("/api/view", get(counts))).await.build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..20).map(|n| FileRef::new(format!("{n}.txt"))).collect();
    let saved = in_time(client.download_all(files, folder.path()).at_once(3)).await.unwrap();
    assert_eq!(saved.len(), 20);
    assert!((2..=3).contains(&most.load(Ordering::SeqCst)), "{most:?} at once");
}

#[tokio::test]
async fn every_byte_that_comes_allows_the_full_number_of_attempts_again() {
    let content = content(20);
    let breaks = (0..15).map(|from| Answer::rest(&content, from, "a").breaks_after(1));
    let first = Answer::whole(&content, "a").breaks_after(0);
    let (builder, asked) = answers(std::iter::once(first).chain(breaks)).await;
    let client = builder.retry(impatient(2)).build().unwrap();
    let download = in_time(client.download(&FileRef::new("a.bin"))).await.unwrap();
    let error = in_time(download.bytes()).await.unwrap_err();
    // The answer after the last one is no break.
    assert_eq!((error.kind(), asked.lock().unwrap().len()), (ErrorKind::Status, 17), "{error}");

    let nothing = (0..5).map(|_| Answer::rest(&content, 10, "a").breaks_after(0));
    let first = Answer::whole(&content, "a").breaks_after(10);
    let (builder, asked) = answers(std::iter::once(first).chain(nothing)).await;
    let client = builder.retry(impatient(3)).build().unwrap();
    let error = in_time(collected(&client, &FileRef::new("a.bin"))).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Disconnected, 3), "{error}");
    assert_eq!(asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_file_that_was_changed_meanwhile_is_never_put_together_of_two() {
    let (old, new) = (content(1000), vec![7; 1000]);
    // As real servers answer, which do not look at the tag in `If-Range`.
    let script = || {
        let first = Answer::whole(&old, "old").breaks_after(400);
        [first, Answer::rest(&new, 400, "new"), Answer::whole(&new, "new")]
    };
    let (builder, asked) = answers(script()).await;
    let client = builder.build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let download = in_time(client.download(&FileRef::new("a.bin"))).await.unwrap();
    let (path, bytes) = in_time(download.save_in(folder.path())).await.unwrap();
    assert_eq!((bytes, std::fs::read(path).unwrap()), (1000, new.clone()));
    assert_eq!(asked.lock().unwrap()[1]["if-range"], "\"old\"");
    assert_eq!(asked.lock().unwrap()[2].get("range"), None);

    // A stream has handed out what it cannot take back.
    let client = answers(script()).await.0.build().unwrap();
    let error = in_time(collected(&client, &FileRef::new("a.bin"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
    assert!(error.message().contains("`a.bin` was changed on the server"), "{error}");

    // The whole new file in answer to a request for the rest, as servers do that heed the tag; and one that got shorter.
    for second in [Answer::whole(&new, "new"), Answer { status: 416, ..Answer::default() }] {
        let first = Answer::whole(&old, "old").breaks_after(400);
        let client = answers([first, second, Answer::whole(&new, "new")]).await.0.build().unwrap();
        let download = in_time(client.download(&FileRef::new("a.bin"))).await.unwrap();
        assert_eq!(in_time(download.bytes()).await.unwrap(), new);
    }
}

#[tokio::test]
async fn a_server_that_ignores_ranges_gives_no_byte_twice() {
    let content = content(1000);
    let script = || [Answer::whole(&content, "a").breaks_after(400), Answer::whole(&content, "a")];
    let client = answers(script()).await.0.build().unwrap();
    assert_eq!(in_time(collected(&client, &FileRef::new("a.bin"))).await.unwrap(), content);

    let client = answers([Answer::whole(&content, "a")]).await.0.build().unwrap();
    let download = in_time(client.download(&FileRef::new("a.bin")).range(10..20)).await.unwrap();
    assert_eq!(download.size(), Some(10));
    assert_eq!(in_time(download.bytes()).await.unwrap(), content[10..20]);
}

#[tokio::test]
async fn what_cannot_go_on_begins_again_unless_something_was_handed_out() {
    let content = content(1000);
    let script = || [Answer::whole(&content, "").breaks_after(400), Answer::whole(&content, "")];
    let client = answers(script()).await.0.build().unwrap();
    let progress = Arc::new(Mutex::new(Vec::new()));
    let reports = Arc::clone(&progress);
    let request = client.download(&FileRef::new("a.bin"));
    let request = request.on_progress(move |came, _| reports.lock().unwrap().push(came));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    let download = in_time(request).await.unwrap();
    assert_eq!(in_time(download.save_as(&path)).await.unwrap(), 1000);
    assert_eq!(std::fs::read(path).unwrap(), content);
    assert_eq!(*progress.lock().unwrap(), [0, 400, 0, 1000]);

    let client = answers(script()).await.0.build().unwrap();
    let error = in_time(collected(&client, &FileRef::new("a.bin"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
}

#[tokio::test]
async fn a_download_that_stands_still_goes_on_over_another_connection() {
    let content = content(1000);
    let first = Answer { stalls: true, ..Answer::whole(&content, "a").breaks_after(400) };
    let (builder, asked) = answers([first, Answer::rest(&content, 400, "a")]).await;
    let client = builder.idle_timeout(std::time::Duration::from_millis(200)).build().unwrap();
    assert_eq!(in_time(collected(&client, &FileRef::new("a.bin"))).await.unwrap(), content);
    assert_eq!(asked.lock().unwrap()[1]["range"], "bytes=400-");
}

#[tokio::test]
async fn a_part_that_ends_early_is_no_finished_file() {
    let content = content(1000);
    // A server that gives parts of 300 bytes at most.
    let part = |from: usize| {
        let end = (from + 300).min(1000);
        let mut answer = Answer::rest(&content, from, "a");
        answer.body.truncate(end - from);
        answer.headers[0].1 = format!("bytes {from}-{}/1000", end - 1);
        answer
    };
    let first = Answer::whole(&content, "a").breaks_after(50);
    let client = answers([first, part(50), part(350), part(650), part(950)]).await.0.build().unwrap();
    assert_eq!(in_time(collected(&client, &FileRef::new("a.bin"))).await.unwrap(), content);

    // One that answers with another part than it was asked for.
    let first = Answer::whole(&content, "a").breaks_after(50);
    let client = answers([first, part(60)]).await.0.build().unwrap();
    let error = in_time(collected(&client, &FileRef::new("a.bin"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
}

#[tokio::test]
async fn a_download_that_fails_leaves_nothing_behind() {
    let first = Answer::whole(&content(1000), "").breaks_after(400);
    let client = answers([first]).await.0.build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let saved = in_time(client.download_all([FileRef::new("a.bin")], folder.path())).await;
    assert_eq!(saved.unwrap_err().kind(), ErrorKind::Status);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

behaviour! {
    async fn a_file_of_the_user_comes_in_pieces(server) {
        let client = server.client().await;
        let path = format!("client-test/{} 50%.bin", fresh());
        let bytes: Vec<u8> = (0..300_000_u32).map(|place| (place % 251) as u8).collect();
        client.store_user_file(&path, bytes.clone()).await.unwrap();
        let content = client.user_file_content(&path).await.unwrap();
        assert_eq!(content.size(), Some(300_000));
        let pieces: Vec<_> = content.into_stream().map(|piece| piece.unwrap()).collect().await;
        assert_eq!(pieces.concat(), bytes);
        client.delete_user_file(&path).await.unwrap();
        let gone = client.user_file_content(&path).await.unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound);
    }
}
