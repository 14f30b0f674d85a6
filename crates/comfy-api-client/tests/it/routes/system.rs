//! The server itself.

use comfy_api_client::ErrorKind;
use comfy_api_client::protocol::Version;

use crate::support::conversation::recorded;

recorded! {
    async fn the_server_tells_its_version_devices_and_features(server) {
        let client = server.client();
        let stats = client.system_stats().await.unwrap();
        assert_eq!(stats.system.comfyui_version, server.version.to_string());
        assert!(stats.system.ram_total > 0 && !stats.system.embedded_python);
        assert!(stats.system.required_frontend_version.is_some());
        assert!(stats.system.argv[0].ends_with("main.py"));
        assert!(!stats.devices.is_empty());
        let features = client.features().await.unwrap();
        assert!(features.supports_preview_metadata() && features.max_upload_size().is_some());
        assert_eq!(features.supports_manager_v4(), server.version >= Version::V0_8_0);
        let newest = server.version >= Version::V0_30_0;
        assert_eq!(features.node_replacements(), newest);
        assert_eq!(features.supports_model_type_tags(), newest);
        assert_eq!(features.assets(), newest.then_some(server.has_assets));
    }
}

recorded! {
    async fn the_log_is_given_as_text_and_in_pieces(server) {
        let client = server.client();
        assert!(!client.log_text().await.unwrap().is_empty());
        let logs = client.log_entries().await.unwrap();
        assert!(logs.entries.iter().all(|entry| entry.time.starts_with("20")));
        assert!(logs.size.unwrap().cols > 0);
        client.subscribe_logs("client-test-nobody", true).await.unwrap();
        client.subscribe_logs("client-test-nobody", false).await.unwrap();
    }
}

recorded! {
    async fn folders_and_the_files_in_them_are_given(server) {
        let client = server.client();
        let folders = client.folder_paths().await.unwrap();
        assert!(folders["checkpoints"].iter().all(|path| path.starts_with('/')));
        for folder in ["input", "output", "temp"] {
            client.folder_files(folder).await.unwrap();
        }
        let error = client.folder_files("models").await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(400)));
    }
}
