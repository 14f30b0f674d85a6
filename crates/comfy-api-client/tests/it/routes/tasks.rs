//! Work in the background.

use comfy_api_client::ErrorKind;

use crate::support::conversation::recorded;

recorded! {
    async fn tasks_are_the_clouds_alone(server) {
        let client = server.client();
        for error in [client.task("1").await.unwrap_err(), client.cancel_task("1").await.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            let text = error.to_string();
            assert!(text.contains(&server.version.to_string()) && text.contains("cloud"), "{text}");
        }
    }
}
