use std::fs;

use comfy_sim::{ServerVersion, Sim};
use serde_json::json;

use crate::support::{Answer, get, get_json, post, request};

fn status_and_type(answer: &Answer) -> (u16, Option<&str>) {
    (answer.status, answer.header("content-type"))
}

#[tokio::test]
async fn a_front_end_is_served_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("front");
    fs::create_dir_all(root.join("extensions/core")).unwrap();
    fs::create_dir_all(root.join("assets")).unwrap();
    fs::write(root.join("index.html"), "<html>").unwrap();
    fs::write(root.join("extensions/core/a.js"), "//").unwrap();
    fs::write(root.join("assets/f.woff2"), "font").unwrap();
    fs::write(folder.path().join("secret.js"), "//").unwrap();
    let sim = Sim::builder().front_end_root(&root).start().await.unwrap();
    for path in ["/", "/api/"] {
        let page = get(&sim, path).await;
        assert_eq!((page.text().as_str(), status_and_type(&page)), ("<html>", (200, Some("text/html"))));
        assert_eq!(page.header("cache-control"), Some("no-store, must-revalidate"));
        assert!(page.header("etag").is_some());
    }
    assert_eq!(get(&sim, "/index.html").await.header("cache-control"), None);
    assert_eq!(get_json(&sim, "/extensions").await, json!(["/extensions/core/a.js"]));
    let script = get(&sim, "/extensions/core/a.js").await;
    assert_eq!(status_and_type(&script), (200, Some("application/javascript")));
    assert_eq!(status_and_type(&get(&sim, "/assets/f.woff2").await), (200, Some("application/octet-stream")));
    let part = request(&sim, "GET", "/assets/f.woff2", &[("Range", "bytes=1-2")], b"").await;
    assert_eq!((part.status, part.text().as_str()), (206, "on"));
    for path in ["/assets", "/assets/", "/extensions/core"] {
        let answer = get(&sim, path).await;
        assert_eq!((answer.status, answer.text().as_str()), (403, "403: Forbidden"), "{path}");
    }
    for path in ["/../secret.js", "/..%2fsecret.js", "/assets/..%2f..%2fsecret.js", "/nope.js"] {
        assert_eq!(get(&sim, path).await.status, 404, "{path}");
    }
    let answer = request(&sim, "POST", "/extensions/core/a.js", &[], b"").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET,HEAD")));
}

#[tokio::test]
async fn node_packs_bring_scripts_translations_workflows_and_subgraphs() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("custom_nodes/demo");
    for part in ["web", "locales/en", "example_workflows", "subgraphs"] {
        fs::create_dir_all(pack.join(part)).unwrap();
    }
    fs::write(pack.join("web/sub file.js"), "//").unwrap();
    fs::write(pack.join("locales/en/main.json"), r#"{"hello": "world"}"#).unwrap();
    fs::write(pack.join("locales/en/nodeDefs.json"), r#"{"A": {"display_name": "a"}}"#).unwrap();
    fs::write(pack.join("example_workflows/demo.json"), r#"{"nodes": []}"#).unwrap();
    fs::write(pack.join("subgraphs/s.json"), "{}").unwrap();
    let sim = Sim::builder().base_dir(folder.path()).start().await.unwrap();
    assert_eq!(get_json(&sim, "/extensions").await, json!(["/extensions/demo/sub file.js"]));
    assert_eq!(get(&sim, "/extensions/demo/sub%20file.js").await.text(), "//");
    let translations = json!({"en": {"hello": "world", "nodeDefs": {"A": {"display_name": "a"}}}});
    assert_eq!(get_json(&sim, "/i18n").await, translations);
    assert_eq!(get_json(&sim, "/workflow_templates").await, json!({"demo": ["demo"]}));
    let workflow = get(&sim, "/api/workflow_templates/demo/demo.json").await;
    assert_eq!(
        (workflow.header("content-type"), workflow.json()),
        (Some("application/json"), json!({"nodes": []}))
    );
    for path in [
        "/workflow_templates/demo/demo.json",
        "/api/workflow_templates/demo/nope.json",
        "/api/workflow_templates/demo/..%2f..%2flocales%2fen%2fmain.json",
    ] {
        assert_eq!(get(&sim, path).await.status, 404, "{path}");
    }
    let subgraphs = get_json(&sim, "/global_subgraphs").await;
    let (id, entry) = subgraphs.as_object().unwrap().iter().next().unwrap();
    assert_eq!(
        entry,
        &json!({"source": "custom_node", "name": "s", "info": {"node_pack": "custom_nodes.demo"}})
    );
    assert_eq!(get_json(&sim, &format!("/global_subgraphs/{id}")).await["data"], "{}");
    assert_eq!(get_json(&sim, "/global_subgraphs/nope").await, json!(null));
}

#[tokio::test]
async fn routes_of_the_front_end_came_with_their_versions() {
    let start = |version| Sim::builder().version(version).start();
    let [old, middle, new] =
        [ServerVersion::V0_3_64, ServerVersion::V0_8_0, ServerVersion::V0_30_0].map(start);
    let (old, middle, new) = (old.await.unwrap(), middle.await.unwrap(), new.await.unwrap());
    assert_eq!(get(&old, "/global_subgraphs").await.status, 404);
    assert_eq!(get_json(&middle, "/global_subgraphs").await, json!({}));
    assert_eq!(get(&middle, "/node_replacements").await.status, 404);
    let replacements = get_json(&new, "/api/node_replacements").await;
    assert_eq!(replacements["T2IAdapterLoader"][0]["new_node_id"], "ControlNetLoader");
    for (sim, folder) in [(&old, 403), (&middle, 403), (&new, 404)] {
        assert_eq!(get(sim, "/templates").await.status, folder);
        assert_eq!(get(sim, "/templates/index.json").await.json(), json!([]));
        assert_eq!(get(sim, "/docs/").await.text(), "403: Forbidden");
        assert_eq!(status_and_type(&get(sim, "/index.html").await), (200, Some("text/html")));
    }
    assert_eq!(get_json(&new, "/templates/index_logo.json").await, json!({}));
    assert_eq!(get(&new, "/templates/x.json").await.text(), "404: Not Found");
}

#[tokio::test]
async fn internal_routes_know_the_folders_and_their_newest_files() {
    let folder = tempfile::tempdir().unwrap();
    let sim = Sim::builder().base_dir(folder.path()).start().await.unwrap();
    for (name, seconds) in [("old.png", 1), ("new.png", 9), (".hidden", 5)] {
        let file = fs::File::create(folder.path().join("output").join(name)).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        file.set_modified(time).unwrap();
    }
    let files = get_json(&sim, "/internal/files/output").await;
    assert_eq!(files, json!(["new.png [output]", "old.png [output]"]));
    let answer = get(&sim, "/internal/files/bogus").await;
    assert_eq!((answer.status, answer.json()), (400, json!({"error": "Invalid directory type"})));
    let paths = get_json(&sim, "/internal/folder_paths").await;
    assert!(paths["loras"][1].as_str().unwrap().ends_with("output/loras"), "{paths}");
    assert_eq!(paths.as_object().unwrap().len(), 27);
    assert_eq!(get(&sim, "/internal/nope").await.text(), "404: Not Found");
    assert_eq!(get(&sim, "/api/internal/folder_paths").await.status, 404);
}

#[tokio::test]
async fn a_prompt_with_an_old_node_is_queued_with_the_new_one() {
    let replacements = json!({"Old": [{
        "new_node_id": "EmptyImage",
        "old_node_id": "Old",
        "old_widget_ids": null,
        "input_mapping": [
            {"new_id": "width", "old_id": "w"}, {"new_id": "height", "set_value": 8},
            {"new_id": "batch_size", "set_value": 1}, {"new_id": "color", "set_value": 255},
        ],
        "output_mapping": null,
    }]});
    let sim = Sim::builder().node_replacements(replacements.clone()).start().await.unwrap();
    assert_eq!(get_json(&sim, "/node_replacements").await, replacements);
    let prompt = |meta: bool| {
        let mut prompt = json!({
            "1": {"class_type": "Old", "inputs": {"w": 16, "ignored": 5}},
            "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
        });
        if meta {
            prompt["1"]["_meta"] = json!({});
        }
        json!({"prompt": prompt})
    };
    let answer = post(&sim, "/prompt", &prompt(true)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(post(&sim, "/prompt", &prompt(false)).await.status, 500);
    for shape in [json!(null), json!([]), json!({"1": null}), json!({"1": 5})] {
        assert_eq!(post(&sim, "/prompt", &json!({"prompt": shape})).await.status, 500, "{shape}");
    }
}
