use comfy_sim::{Assets, Clock, Fault, Kept, ServerVersion, Sim};
use serde_json::{Value, json};

use crate::support::{Answer, Socket, get, get_json, post, request, submit, three_nodes};

async fn start(assets: Assets) -> Sim {
    Sim::builder().assets(assets).start().await.unwrap()
}

/// Sends a form: names, names of files, contents.
async fn form(sim: &Sim, path: &str, parts: &[(&str, Option<&str>, &str)]) -> Answer {
    let mut body = String::new();
    for (name, file, content) in parts {
        body += &format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"");
        if let Some(file) = file {
            body += &format!("; filename=\"{file}\"");
        }
        body += &format!("\r\n\r\n{content}\r\n");
    }
    body += "--b--\r\n";
    let headers = [("Content-Type", "multipart/form-data; boundary=b")];
    request(sim, "POST", path, &headers, body.as_bytes()).await
}

/// Reads messages of scans up to and with the end of one.
async fn scan_events(socket: &mut Socket) -> Vec<String> {
    let mut heard = Vec::new();
    loop {
        let message = socket.next().await;
        let Some(event) = message["type"].as_str().unwrap().strip_prefix("assets.seed.") else { continue };
        let mut data = message["data"].clone();
        // The server looks at its outputs by itself as well.
        if data["roots"] == json!(["output"]) || (event == "completed" && data["phase"] == "enrich") {
            continue;
        }
        data.as_object_mut().unwrap().remove("elapsed");
        heard.push(format!("{event} {data}"));
        if ["completed", "cancelled"].contains(&event) {
            return heard;
        }
    }
}

/// Waits for the scan at the start.
async fn settle(sim: &Sim) {
    while get_json(sim, "/api/assets/seed/status").await["state"] != "IDLE" {}
}

#[tokio::test]
async fn without_assets_all_their_routes_are_disabled_and_older_servers_have_none() {
    let sim = Sim::start().await.unwrap();
    let id = "00000000-0000-4000-8000-000000000001";
    for (method, path) in [
        ("GET", "/api/assets".to_owned()),
        ("POST", "/api/assets".to_owned()),
        ("DELETE", format!("/api/assets/{id}")),
        ("DELETE", format!("/api/assets/{id}/tags")),
        ("POST", "/api/assets/seed".to_owned()),
        ("GET", "/api/tags".to_owned()),
    ] {
        let answer = request(&sim, method, &path, &[], b"").await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (503, &json!("SERVICE_DISABLED")),
            "{path}"
        );
    }
    assert_eq!(get(&sim, "/api/assets/not-a-uuid").await.status, 404);
    assert_eq!(get(&sim, "/api/api/assets").await.status, 404);
    let answer = request(&sim, "PATCH", "/api/assets", &[], b"").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET,HEAD,POST")));
    let answer = request(&sim, "PATCH", "/api/assets/not-a-uuid", &[], b"").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET,HEAD")));
    let answer = request(&sim, "PATCH", &format!("/api/assets/{id}"), &[], b"").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("DELETE,GET,HEAD,PUT")));
    assert_eq!(get_json(&sim, "/features").await["assets"], false);

    let old = Sim::builder().version(ServerVersion::V0_8_0).assets(Assets::On).start().await.unwrap();
    assert_eq!(get(&old, "/api/assets").await.status, 404);
    assert_eq!(get(&old, "/api/tags").await.status, 404);
}

#[tokio::test]
async fn an_uploaded_file_is_an_asset_that_its_hash_leads_to() {
    let sim = start(Assets::On).await;
    settle(&sim).await;
    assert_eq!(get_json(&sim, "/features").await["assets"], true);
    let parts = [("tags", None, "[\"input\",\"foo\",\"bar baz\"]"), ("file", Some("o.bin"), "other bytes")];
    let answer = form(&sim, "/api/assets", &parts).await;
    let asset = answer.json();
    let digits = "0f99291c18546987f9ab5c61f83ce6243e94703a514c2ac0d753a64020d54f2a";
    let hash = format!("blake3:{digits}");
    assert_eq!((answer.status, &asset["hash"], &asset["created_new"]), (201, &json!(hash), &json!(true)));
    assert_eq!(asset["loader_path"], format!("{digits}.bin"));
    assert_eq!(asset["tags"], json!(["bar baz", "foo", "input", "uploaded"]));
    let again = form(&sim, "/api/assets", &[("file", Some("../x.txt"), "other bytes")]).await;
    let other = again.json();
    assert_eq!((again.status, &other["name"], &other["created_new"]), (200, &json!("x.txt"), &json!(false)));
    assert_eq!((other.get("loader_path"), other.get("preview_url")), (None, None));

    let found = get(&sim, &format!("/view?filename={hash}")).await;
    assert_eq!((found.status, found.text().as_str()), (200, "other bytes"));
    assert_eq!(found.header("content-disposition"), Some("filename=\"o.bin\""));
    assert_eq!(found.header("content-type"), Some("application/octet-stream"));
    let known = request(&sim, "HEAD", &format!("/api/assets/hash/{}", hash.to_uppercase()), &[], b"").await;
    assert_eq!(known.status, 200);
    assert_eq!(get(&sim, &format!("/api/assets/hash/{hash}")).await.status, 404);
    let id = asset["id"].as_str().unwrap();
    let content = get(&sim, &format!("/api/assets/{}/content?disposition=inline", id.to_uppercase())).await;
    assert_eq!(content.header("content-disposition"), Some("inline; filename*=UTF-8''o.bin"));

    let changed = request(&sim, "PUT", &format!("/api/assets/{id}"), &[], b"{\"name\": \"new\"}").await;
    assert_eq!((changed.status, &changed.json()["name"]), (200, &json!("new")));
    assert_eq!(request(&sim, "DELETE", &format!("/api/assets/{id}"), &[], b"").await.status, 204);
    assert_eq!(get(&sim, &format!("/api/assets/{id}")).await.status, 404);
    let tags = post(&sim, &format!("/api/assets/{id}/tags"), &json!({"tags": ["never"]})).await;
    assert_eq!((tags.status, &tags.json()["error"]["details"]), (404, &json!({"id": id})));
    assert_eq!(get_json(&sim, "/api/tags?prefix=never").await["total"], 0);
    assert_eq!(get(&sim, &format!("/view?filename={hash}")).await.status, 404);
    let answer = post(&sim, "/api/assets/from-hash", &json!({"hash": hash, "tags": ["x"]})).await;
    assert_eq!((answer.status, &answer.json()["name"]), (201, &json!(digits)));
}

#[tokio::test]
async fn bad_requests_are_refused_in_the_words_of_the_server() {
    let sim = start(Assets::On).await;
    let file = ("file", Some("a.bin"), "new");
    let known = "blake3:1111111111111111111111111111111111111111111111111111111111111111";
    for (parts, code, message) in [
        (vec![file], "INVALID_BODY", "tags are required for new asset uploads"),
        (
            vec![file, ("tags", None, "temp")],
            "INVALID_BODY",
            "uploads require exactly one destination role: input, models, or output",
        ),
        (
            vec![file, ("tags", None, "models")],
            "INVALID_BODY",
            "models uploads require exactly one model_type:<folder_name> tag",
        ),
        (
            vec![file, ("tags", None, "models,model_type:configs")],
            "INVALID_BODY",
            "unknown model category 'configs'",
        ),
        (vec![file, ("hash", None, "junk")], "INVALID_HASH", "hash must be like 'blake3:<hex>'"),
        (
            vec![file, ("hash", None, known)],
            "HASH_MISMATCH",
            "Uploaded file hash does not match provided hash.",
        ),
        (vec![("hash", None, known)], "MISSING_FILE", "Form must include a 'file' part or a known 'hash'."),
        (vec![("file", Some("e.bin"), "")], "EMPTY_UPLOAD", "Uploaded file is empty."),
        (
            vec![("id", None, "x")],
            "UNSUPPORTED_FIELD",
            "Client-provided 'id' is not supported. Asset IDs are assigned by the server.",
        ),
    ] {
        let answer = form(&sim, "/api/assets", &parts).await;
        let error = json!({"code": code, "message": message, "details": {}});
        assert_eq!((answer.status, &answer.json()["error"]), (400, &error), "{parts:?}");
    }
    let answer = form(&sim, "/api/assets", &[file, ("user_metadata", None, "[]")]).await;
    assert_eq!(
        answer.json()["error"]["message"],
        "Validation failed: [{\"type\":\"value_error\",\"loc\":[\"user_metadata\"],\"msg\":\"Value error, user_metadata must be a JSON object\",\"input\":\"[]\",\"ctx\":{\"error\":\"user_metadata must be a JSON object\"},\"url\":\"https://errors.pydantic.dev/2.14/v/value_error\"}]"
    );
    assert_eq!(post(&sim, "/api/assets", &json!({})).await.status, 415);
    let answer = get(&sim, "/api/assets?limit=0&sort=bogus").await;
    let errors = json!([
        {
            "type": "greater_than_equal", "loc": ["limit"], "msg": "Input should be greater than or equal to 1",
            "input": "0", "ctx": {"ge": 1}, "url": "https://errors.pydantic.dev/2.14/v/greater_than_equal",
        },
        {
            "type": "literal_error", "loc": ["sort"],
            "msg": "Input should be 'name', 'created_at', 'updated_at', 'size' or 'last_access_time'",
            "input": "bogus",
            "ctx": {"expected": "'name', 'created_at', 'updated_at', 'size' or 'last_access_time'"},
            "url": "https://errors.pydantic.dev/2.14/v/literal_error",
        },
    ]);
    assert_eq!((answer.status, &answer.json()["error"]["details"]["errors"]), (400, &errors));
    let answer = get(&sim, "/api/assets?sort=last_access_time&after=junk").await;
    assert_eq!(answer.json()["error"]["code"], "INVALID_CURSOR");
}

#[tokio::test]
async fn a_scan_is_told_to_everyone_and_there_is_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let sim = Sim::builder().base_dir(folder.path()).assets(Assets::Hashed).start().await.unwrap();
    settle(&sim).await;
    let mut socket = Socket::open(&sim, "a").await;
    std::fs::write(folder.path().join("input/a.txt"), "x").unwrap();
    let input = json!({"roots": ["input", "bogus"]});
    assert_eq!(post(&sim, "/api/assets/seed", &input).await.json(), json!({"status": "started"}));
    let second = post(&sim, "/api/assets/seed", &input).await;
    assert_eq!((second.status, second.json()), (409, json!({"status": "already_running"})));
    let heard = [
        "started {\"roots\":[\"input\"],\"total\":1,\"phase\":\"fast\"}",
        "fast_complete {\"roots\":[\"input\"],\"created\":1,\"skipped\":0,\"total\":1}",
        "started {\"roots\":[\"input\"],\"phase\":\"enrich\"}",
        "enrich_complete {\"roots\":[\"input\"],\"enriched\":1}",
        "completed {\"phase\":\"full\",\"total\":1,\"created\":1,\"enriched\":1,\"skipped\":0}",
    ];
    assert_eq!(scan_events(&mut socket).await, heard);
    let asset = get_json(&sim, "/api/assets").await["assets"][0].clone();
    assert!(asset["hash"].as_str().unwrap().starts_with("blake3:"), "{asset}");

    settle(&sim).await;
    let done = post(&sim, "/api/assets/seed?wait=true", &json!({})).await.json();
    assert_eq!(done["progress"], json!({"scanned": 0, "total": 1, "created": 0, "skipped": 1}));
    scan_events(&mut socket).await;
    assert_eq!(post(&sim, "/api/assets/seed", &json!({})).await.status, 202);
    assert_eq!(post(&sim, "/api/assets/prune", &json!({})).await.status, 409);
    let cancelled = post(&sim, "/api/assets/seed/cancel", &json!({})).await;
    assert_eq!(cancelled.json(), json!({"status": "cancelling"}));
    assert_eq!(scan_events(&mut socket).await, ["cancelled {\"scanned\":0,\"total\":0,\"created\":0}"]);
    for roots in [json!([]), json!("input")] {
        let answer = post(&sim, "/api/assets/seed", &json!({"roots": roots})).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["message"]),
            (400, &json!("No valid roots specified"))
        );
    }
    assert_eq!(post(&sim, "/api/assets/seed", &json!({"roots": null})).await.status, 500);
}

#[tokio::test]
async fn a_server_that_was_started_again_looks_for_its_assets_anew() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("input")).unwrap();
    std::fs::write(folder.path().join("input/a.txt"), "x").unwrap();
    let sim = Sim::builder().base_dir(folder.path()).assets(Assets::On).start().await.unwrap();
    settle(&sim).await;
    let before = get_json(&sim, "/api/assets").await;
    sim.fault(Fault::restart(Kept::Lost));
    settle(&sim).await;
    let after = get_json(&sim, "/api/assets").await;
    assert_eq!((&before["total"], &after["total"]), (&json!(1), &json!(1)));
    assert_ne!(before["assets"][0]["id"], after["assets"][0]["id"]);
}

#[tokio::test]
async fn the_times_of_assets_are_those_of_the_clock() {
    let start = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let sim = Sim::builder().clock(Clock::Virtual(start)).assets(Assets::On).start().await.unwrap();
    let parts = [("tags", None, "input"), ("file", Some("a.txt"), "x")];
    let asset = form(&sim, "/api/assets", &parts).await.json();
    assert_eq!(asset["created_at"], "2001-09-09T01:46:40");
}

#[tokio::test]
async fn outputs_have_the_ids_of_their_assets_and_uploads_are_assets() {
    let sim = start(Assets::On).await;
    settle(&sim).await;
    let mut socket = Socket::open(&sim, "a").await;
    let id = submit(&sim, "a", three_nodes("x")).await;
    socket.until("executing null").await;
    let history = get_json(&sim, &format!("/history/{id}")).await;
    let item = history[&id]["outputs"]["3"]["images"][0].clone();
    let asset = get_json(&sim, &format!("/api/assets/{}", item["id"].as_str().unwrap())).await;
    assert_eq!((&asset["name"], &asset["job_id"]), (&item["filename"], &json!(id)));

    let upload = async |parts: &[(&str, Option<&str>, &str)]| {
        form(&sim, "/upload/image", parts).await.json()["asset"].clone()
    };
    let first = upload(&[("image", Some("n.txt"), "text")]).await;
    let keys: Vec<_> = first.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["id", "name", "asset_hash", "size", "mime_type", "tags"]);
    let second = upload(&[("image", Some("n.txt"), "other"), ("overwrite", None, "true")]).await;
    assert_eq!(first["id"], second["id"]);
    assert_ne!(first["asset_hash"], second["asset_hash"]);
    let pasted = upload(&[("image", Some("p.txt"), "x"), ("subfolder", None, "pasted")]).await;
    assert_eq!(pasted["tags"], json!(["input", "pasted", "uploaded"]));
    let temporary = upload(&[("image", Some("t.txt"), "x"), ("type", None, "temp")]).await;
    assert_eq!(temporary["tags"], json!(["input", "temp", "uploaded"]));
    assert_eq!(Value::Null, get_json(&sim, "/api/assets?limit=1").await["assets"][0]["created_new"]);
}
