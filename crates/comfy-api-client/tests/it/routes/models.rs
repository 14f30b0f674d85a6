//! Models.

use comfy_api_client::ErrorKind;

use crate::support::conversation::recorded;

recorded! {
    async fn kinds_of_models_and_their_files_are_listed(server) {
        let client = server.client();
        let folders = client.model_folders().await.unwrap();
        assert!(folders.iter().any(|folder| folder == "checkpoints"), "{folders:?}");
        let details = client.model_folder_details().await.unwrap();
        assert!(details.iter().all(|folder| folder.folders.iter().all(|path| path.starts_with('/'))));
        assert!(details.iter().any(|folder| folder.name == "checkpoints"));
        let names = client.models("loras").await.unwrap();
        let files = client.model_files("loras").await.unwrap();
        for file in &files {
            assert!(names.contains(&file.name));
            assert!(file.modified.unwrap() > 1e9 && file.size.is_some());
        }
        client.embeddings().await.unwrap();
        for error in [client.models("no such kind").await.unwrap_err(), client.model_files("no such kind").await.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(error.hint().unwrap().contains("kinds of models"));
        }
    }
}

recorded! {
    async fn models_have_metadata_and_previews_or_none(server) {
        let client = server.client();
        let files = client.model_files("loras").await.unwrap();
        if let Some(tiny) = files.iter().find(|file| file.name == "client-test-tiny.safetensors") {
            let metadata = client.model_metadata("loras", &tiny.name).await.unwrap().unwrap();
            assert_eq!(metadata["modelspec.title"], "tiny");
            let preview = client.model_preview("loras", tiny.path_index, &tiny.name).await.unwrap().unwrap();
            assert!(preview.starts_with(b"RIFF") && preview[8..12] == *b"WEBP");
        } else {
            eprintln!("skipped: the server does not have the model `client-test-tiny.safetensors`");
        }
        assert!(client.model_metadata("loras", "no-such.safetensors").await.unwrap().is_none());
        assert!(client.model_preview("loras", 0, "no-such.safetensors").await.unwrap().is_none());
    }
}
