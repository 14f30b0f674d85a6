//! Assets and their tags.

use comfy_api_client::ErrorKind;
use comfy_api_client::protocol::route;
use comfy_api_client::protocol::routes::SortOrder;
use comfy_api_client::protocol::routes::assets::{AssetSort, TagOrder};
use futures_util::TryStreamExt;
use serde_json::{Map, Value, json};

use crate::support::conversation::recorded;

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

recorded! {
    async fn assets_are_made_from_bytes_files_and_hashes_changed_and_deleted(server) {
        let client = server.client();
        let content = server.fresh();
        let upload = client.create_asset_bytes("client-test ü.txt", content.clone()).tags(["input", "client-test"]);
        let made = upload.name("A text").user_metadata(map(json!({"mine": 1}))).mime_type("text/plain").await;
        let Some(made) = server.with_assets(route::CREATE_ASSET, made) else { return };
        assert_eq!((made.name.as_str(), made.size, made.created_new), ("A text", Some(36), Some(true)));
        assert!(made.tags.contains(&"client-test".to_owned()), "{:?}", made.tags);
        assert_eq!(made.user_metadata.as_ref().unwrap()["mine"], 1);
        let hash = made.hash.clone().unwrap();

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client-test-same.txt");
        std::fs::write(&path, &content).unwrap();
        let same = client.create_asset(&path).hash(&hash).preview_id(&made.id).await.unwrap();
        assert_eq!((same.hash.as_ref(), same.created_new), (Some(&hash), Some(false)));
        assert_eq!((same.name.as_str(), same.preview_id.as_ref()), ("client-test-same.txt", Some(&made.id)));
        let third = client.create_asset_from_hash(&hash).name("third").tags(["client-test"]);
        let third = third.user_metadata(map(json!({"k": "v"}))).mime_type("text/plain").preview_id(&made.id).await.unwrap();
        assert_eq!(third.name, "third");

        assert!(client.asset_exists(&hash).await.unwrap());
        let unknown = format!("blake3:{}", "0".repeat(64));
        assert!(!client.asset_exists(&unknown).await.unwrap());
        assert_eq!(client.asset_exists("junk").await.unwrap_err().status(), Some(400));
        let error = client.create_asset_from_hash(&unknown).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some("ASSET_NOT_FOUND")));

        assert_eq!(client.asset(&made.id).await.unwrap().unwrap().name, "A text");
        let nobody = server.fresh();
        assert!(client.asset(&nobody).await.unwrap().is_none());
        assert!(client.asset("no-uuid").await.unwrap().is_none());
        let update = client.update_asset(&made.id).name("Another").user_metadata(map(json!({"mine": 2})));
        let changed = update.preview_id(&third.id).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.preview_id.as_ref()), ("Another", Some(&third.id)));
        assert_eq!(client.update_asset(&made.id).await.unwrap_err().code(), Some("INVALID_BODY"));
        assert_eq!(client.update_asset(&nobody).name("x").await.unwrap_err().kind(), ErrorKind::NotFound);

        let answer = client.asset_content(&made.id).await.unwrap();
        assert_eq!(answer.content_type(), Some("text/plain"));
        assert_eq!(answer.bytes().await.unwrap(), content.as_bytes());
        let pieces: Vec<_> = client.asset_content(&third.id).await.unwrap().into_stream().try_collect().await.unwrap();
        assert_eq!(pieces.concat(), content.as_bytes());
        assert_eq!(client.asset_content(&nobody).await.unwrap_err().kind(), ErrorKind::NotFound);

        for id in [&made.id, &same.id, &third.id] {
            client.delete_asset(id).await.unwrap();
        }
        assert_eq!(client.delete_asset(&made.id).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}

recorded! {
    async fn uploads_that_a_server_refuses_say_why(server) {
        let client = server.client();
        let any = client.assets().limit(1).await;
        if server.with_assets(route::ASSETS, any).is_none() {
            return;
        }
        let no_role = client.create_asset_bytes("client-test.txt", server.fresh()).tags(["client-test"]).await;
        assert_eq!(no_role.unwrap_err().code(), Some("INVALID_BODY"));
        let empty = client.create_asset_bytes("client-test.txt", "").await.unwrap_err();
        assert_eq!((empty.kind(), empty.code()), (ErrorKind::Status, Some("EMPTY_UPLOAD")));
        let other = client.create_asset_bytes("client-test.txt", "x").hash(format!("blake3:{}", "1".repeat(64)));
        assert_eq!(other.await.unwrap_err().code(), Some("HASH_MISMATCH"));
    }
}

recorded! {
    async fn assets_are_listed_filtered_sorted_and_paged(server) {
        let client = server.client();
        let tag = format!("client-test-{}", server.fresh());
        let mut ids = Vec::new();
        for index in 0..3 {
            let upload = client.create_asset_bytes(format!("{index}.txt"), server.fresh()).tags(["input", &tag]);
            let made = upload.name(format!("name {index}")).user_metadata(map(json!({"index": index}))).await;
            let Some(made) = server.with_assets(route::CREATE_ASSET, made) else {
                server.with_assets(route::ASSETS, client.assets().await.map(drop));
                return;
            };
            ids.push(made.id);
        }
        let assets = || client.assets().include_tags([&tag]);
        let names = |list: Vec<comfy_api_client::protocol::routes::assets::Asset>| -> Vec<String> {
            list.into_iter().map(|asset| asset.name).collect()
        };
        let all = assets().await.unwrap();
        assert_eq!((all.total, all.has_more), (3, false));
        assert_eq!(names(all.assets), ["name 2", "name 1", "name 0"]);
        let by_name = || assets().sort_by(AssetSort::Name).sort_order(SortOrder::Ascending).limit(2);
        let page = by_name().await.unwrap();
        assert!(page.has_more);
        let cursor = page.next_cursor.unwrap();
        assert_eq!(names(page.assets), ["name 0", "name 1"]);
        assert_eq!(names(by_name().after(&cursor).await.unwrap().assets), ["name 2"]);
        assert_eq!(names(by_name().offset(1).await.unwrap().assets), ["name 1", "name 2"]);
        assert_eq!(assets().after("junk").await.unwrap_err().code(), Some("INVALID_CURSOR"));
        assert_eq!(names(assets().name_contains("me 1").await.unwrap().assets), ["name 1"]);
        assert_eq!(names(assets().metadata(map(json!({"index": 2}))).await.unwrap().assets), ["name 2"]);
        assert!(assets().exclude_tags(["input"]).await.unwrap().assets.is_empty());

        let streamed: Vec<_> = by_name().limit(1).stream().try_collect().await.unwrap();
        assert_eq!(names(streamed), ["name 0", "name 1", "name 2"]);
        let streamed: Vec<_> =
            assets().sort_by(AssetSort::LastAccessTime).limit(2).stream().try_collect().await.unwrap();
        assert_eq!(streamed.len(), 3, "without cursors");
        for id in &ids {
            client.delete_asset(id).await.unwrap();
        }
    }
}

recorded! {
    async fn tags_are_added_removed_listed_and_counted(server) {
        let client = server.client();
        let tag = format!("client-test-{}", server.fresh());
        let listed = client.tags().prefix(&tag).limit(5).await;
        let Some(listed) = server.with_assets(route::TAGS, listed) else {
            let nobody = server.fresh();
            server.with_assets(route::ADD_ASSET_TAGS, client.add_asset_tags(&nobody, ["a"]).await);
            server.with_assets(route::REMOVE_ASSET_TAGS, client.remove_asset_tags(&nobody, ["a"]).await);
            server.with_assets(route::ASSET_TAG_COUNTS, client.asset_tag_counts().await);
            return;
        };
        assert_eq!((listed.total, listed.has_more), (0, false));
        let made = client.create_asset_bytes("t.txt", server.fresh()).tags(["input"]).name("tagged").await.unwrap();
        let (one, two) = (format!("{tag}-1"), format!("{tag}-2"));
        let added = client.add_asset_tags(&made.id, [&one, &two, "input"]).await.unwrap();
        assert_eq!((added.changed.len(), added.unchanged), (2, vec!["input".to_owned()]));
        assert!(added.total_tags.contains(&one));
        assert_eq!(client.add_asset_tags(&made.id, [""; 0]).await.unwrap_err().code(), Some("INVALID_BODY"));

        let listed = client.tags().prefix(&tag).order(TagOrder::Name).include_zero(false).await.unwrap();
        assert_eq!(listed.tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>(), [&one, &two]);
        assert_eq!(client.tags().prefix(&tag).offset(1).limit(1).await.unwrap().tags.len(), 1);
        let counts = client.asset_tag_counts().include_tags([&one]).exclude_tags(["output"]).name_contains("tag");
        assert_eq!(counts.limit(10).await.unwrap().tag_counts[&two], 1);

        let removed = client.remove_asset_tags(&made.id, [&one, "not there"]).await.unwrap();
        assert_eq!((removed.changed, removed.unchanged), (vec![one], vec!["not there".to_owned()]));
        let nobody = server.fresh();
        assert_eq!(client.remove_asset_tags(&nobody, ["a"]).await.unwrap_err().kind(), ErrorKind::NotFound);
        client.delete_asset(&made.id).await.unwrap();
    }
}

recorded! {
    async fn the_server_looks_for_files_and_for_missing_ones(server) {
        let client = server.client();
        let scan = loop {
            match client.scan_assets().roots(["input"]).wait(true).await {
                // The server scans by itself now and then.
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                scan => break scan,
            }
        };
        let Some(scan) = server.with_assets(route::SCAN_ASSETS, scan) else {
            server.with_assets(route::ASSET_SCAN, client.asset_scan().await);
            server.with_assets(route::CANCEL_ASSET_SCAN, client.cancel_asset_scan().await);
            server.with_assets(route::PRUNE_ASSETS, client.prune_assets().await);
            server.with_assets(route::ASSET_HASH, client.asset_exists("blake3:00").await);
            return;
        };
        assert_eq!((scan.status.as_str(), scan.is_running()), ("completed", false));
        assert!(scan.progress.unwrap()["total"].is_u64());
        let pruned = client.prune_assets().await.unwrap();
        assert_eq!(pruned.status, "completed");
        assert_eq!(client.scan_assets().roots(["nowhere"]).await.unwrap_err().code(), Some("INVALID_BODY"));
        let status = client.asset_scan().await.unwrap();
        assert!(!status.status.is_empty() && status.errors.is_empty());
        let cancelled = client.cancel_asset_scan().await.unwrap();
        assert!(["idle", "cancelling"].contains(&cancelled.status.as_str()), "{cancelled:?}");
    }
}

recorded! {
    async fn assets_that_are_off_or_unknown_say_what_to_do(server) {
        let client = server.client();
        let id = server.fresh();
        // Each of the routes that the other tests reach only with assets.
        let results = [
            (route::ASSET, client.asset(&id).await.map(|asset| assert!(asset.is_none()))),
            (route::ASSET_HASH, client.asset_exists(&format!("blake3:{}", "0".repeat(64))).await.map(|found| assert!(!found))),
        ];
        for (route, result) in results {
            server.with_assets(route, result);
        }
        if !server.has_assets {
            for result in [
                client.update_asset(&id).name("x").await.map(drop),
                client.delete_asset(&id).await,
                client.asset_content(&id).await.map(drop),
                client.create_asset_from_hash("blake3:00").await.map(drop),
            ] {
                server.with_assets(route::ASSETS, result);
            }
        }
    }
}
