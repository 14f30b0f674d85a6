//! Files of users.

use comfy_api_client::ErrorKind;
use comfy_api_client::protocol::routes::users::UserFile;

use super::users::client_has_no_user;
use crate::support::conversation::recorded;

recorded! {
    async fn files_of_a_user_are_stored_listed_moved_and_deleted(server) {
        let client = server.client();
        if client_has_no_user(&client).await {
            return;
        }
        let folder = format!("client-test-{}", server.fresh());
        let path = |name: &str| format!("{folder}/{name}");
        assert_eq!(client.user_files(&folder).await.unwrap_err().kind(), ErrorKind::NotFound);

        let stored = client.store_user_file(&path("a b.json"), "{}").await.unwrap();
        assert_eq!((stored.path, stored.size), (path("a b.json"), 2));
        let error = client.store_user_file(&path("a b.json"), "[1]").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        client.store_user_file(&path("a b.json"), "[1]").overwrite(true).await.unwrap();
        assert_eq!(client.user_file(&path("a b.json")).await.unwrap(), "[1]");
        // Bytes as they are, names with all that paths give trouble with.
        let odd = path("sub/ü #?&+'100%41.bin");
        client.store_user_file(&odd, vec![0, 255, 1]).await.unwrap();
        assert_eq!(client.user_file(&odd).await.unwrap().as_ref(), [0, 255, 1]);

        assert_eq!(client.user_files(&folder).await.unwrap(), ["a b.json"]);
        let mut all = client.user_files(&folder).recurse(true).await.unwrap();
        all.sort();
        assert_eq!(all, ["a b.json", "sub/ü #?&+'100%41.bin"]);
        let infos = client.user_files(&folder).recurse(true).full_info().await.unwrap();
        let info = infos.iter().find(|info| info.path == "a b.json").unwrap();
        assert_eq!(info.size, 3);
        let year_2001_to_2100 = 1e12..4.1e12;
        assert!(year_2001_to_2100.contains(&info.modified_ms().unwrap()), "{info:?}");
        assert!(year_2001_to_2100.contains(&info.created_ms().unwrap()), "{info:?}");
        let split = client.user_files(&folder).recurse(true).split().await.unwrap();
        assert!(split.iter().any(|split| split.parts == ["sub", "ü #?&+'100%41.bin"]), "{split:?}");

        let entries = client.user_entries(&folder).await.unwrap();
        assert!(entries.iter().any(|entry| entry.is_folder() && entry.path == path("sub")), "{entries:?}");
        assert!(entries.iter().any(|entry| !entry.is_folder() && entry.size == Some(3)));
        assert_eq!(client.user_entries("no/such/folder").await.unwrap_err().kind(), ErrorKind::NotFound);

        let moved: UserFile = client.move_user_file(&odd, &path("50%41.bin")).await.unwrap();
        assert_eq!(moved.path, path("50%41.bin"));
        let error = client.move_user_file(&path("50%41.bin"), &path("a b.json")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        client.move_user_file(&path("50%41.bin"), &path("a b.json")).overwrite(true).await.unwrap();
        assert_eq!(client.user_file(&path("a b.json")).await.unwrap().as_ref(), [0, 255, 1]);

        client.delete_user_file(&path("a b.json")).await.unwrap();
        for result in [
            client.delete_user_file(&path("a b.json")).await,
            client.user_file(&path("a b.json")).await.map(drop),
            client.move_user_file(&path("a b.json"), &path("c.json")).await.map(drop),
        ] {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
        }
    }
}
