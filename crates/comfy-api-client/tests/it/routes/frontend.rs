//! What editors ask for.

use comfy_api_client::ErrorKind;
use comfy_api_client::protocol::route;

use crate::support::conversation::recorded;

recorded! {
    async fn extensions_and_their_files_are_given(server) {
        let client = server.client();
        let extensions = client.extensions().await.unwrap();
        assert!(extensions.iter().all(|path| path.starts_with("/extensions/")), "{extensions:?}");
        let script = client.frontend_file(&extensions[0]).await.unwrap();
        assert!(!script.is_empty());
        assert_eq!(client.extension_file("no such pack", "a b.js").await.unwrap_err().kind(), ErrorKind::NotFound);
        if extensions.iter().any(|path| path == "/extensions/client_test_pack/test.js") {
            let script = client.extension_file("client_test_pack", "test.js").await.unwrap();
            assert_eq!(script, "// client test\n");
        }
    }
}

recorded! {
    async fn templates_of_packs_and_of_the_core_are_given(server) {
        let client = server.client();
        for (pack, names) in client.workflow_templates().await.unwrap() {
            for name in names {
                assert!(client.workflow_template(&pack, &name).await.unwrap()["nodes"].is_array());
            }
        }
        let error = client.workflow_template("no_such_pack", "name").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let index = client.core_template("index").await.unwrap();
        assert!(index[0]["templates"].is_array());
        let bytes = client.template_file("index.json").await.unwrap();
        assert!(bytes.starts_with(b"["));
    }
}

recorded! {
    async fn pages_scripts_and_descriptions_of_the_editor_are_given(server) {
        let client = server.client();
        let page = client.front_page().await.unwrap();
        assert!(page.to_ascii_lowercase().starts_with(b"<!doctype html"));
        assert!(!client.frontend_file("scripts/app.js").await.unwrap().is_empty());
        assert!(!client.docs_file("KSampler/en.md").await.unwrap().is_empty());
        assert_eq!(client.docs_file("KSampler/no-such.md").await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(client.frontend_file("no/such.js").await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(client.frontend_file("../secret").await.unwrap_err().kind(), ErrorKind::Config);
    }
}

recorded! {
    async fn translations_are_given_by_language(server) {
        for (language, translations) in server.client().i18n().await.unwrap() {
            assert!(!language.is_empty() && !translations.is_empty());
        }
    }
}

recorded! {
    async fn global_subgraphs_are_given_whole_one_by_one(server) {
        let client = server.client();
        let all = client.global_subgraphs().await;
        let Some(all) = server.since(route::GLOBAL_SUBGRAPHS, all) else { return };
        assert!(all.values().all(|subgraph| subgraph.data.is_none()));
        if let Some((id, listed)) = all.first() {
            let whole = client.global_subgraph(id).await.unwrap().unwrap();
            assert_eq!(whole.name, listed.name);
            assert!(whole.data.unwrap().starts_with('{'));
        }
        assert!(client.global_subgraph("no such subgraph").await.unwrap().is_none());
    }
}

recorded! {
    async fn replacements_of_nodes_are_given_by_the_old_class(server) {
        let all = server.client().node_replacements().await;
        let Some(all) = server.since(route::NODE_REPLACEMENTS, all) else { return };
        let (old, replacements) = all.first().unwrap();
        assert!(!replacements[0].new_node_id.is_empty());
        assert_eq!(&replacements[0].old_node_id, old);
        let mappings = all.values().flatten().filter_map(|replacement| replacement.input_mapping.as_ref()).flatten();
        assert!(mappings.clone().count() > 0);
        for mapping in mappings {
            assert!(mapping.old_id.is_some() != mapping.set_value.is_some(), "{mapping:?}");
        }
    }
}
