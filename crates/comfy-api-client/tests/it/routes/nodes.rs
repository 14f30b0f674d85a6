//! Schemas of nodes.

use std::sync::Arc;

use crate::support::{TestServer, behaviour};

behaviour! {
    async fn schemas_are_kept_until_they_are_asked_for_again(server) {
        let client = server.client().await;
        let clone = client.clone();
        let (first, second) = tokio::join!(client.schemas(), clone.schemas());
        let (first, second) = (first.unwrap(), second.unwrap());
        assert!(Arc::ptr_eq(&first, &second), "asked for twice");
        assert!(first.contains("SaveImage"));
        let third = client.refresh_schemas().await.unwrap();
        assert!(!Arc::ptr_eq(&first, &third));
        assert_eq!(first.len(), third.len());
        assert!(Arc::ptr_eq(&third, &clone.schemas().await.unwrap()));
    }
}

behaviour! {
    async fn one_class_is_described_and_an_unknown_one_is_not(server) {
        let client = server.client().await;
        let one = client.object_info_of("SaveImage").await.unwrap();
        assert!(one.len() == 1 && one.get("SaveImage").unwrap().output_node);
        assert!(client.object_info_of("No such/class").await.unwrap().is_empty());
        assert!(client.object_info().await.unwrap().len() > 1);
    }
}
