//! Every recorded prompt of `validation/` gets the recorded answer, over HTTP.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use comfy_protocol::json::exact;
use comfy_sim::{ServerVersion, Sim};
use flate2::read::GzDecoder;
use indexmap::IndexMap;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::support::{get, request};

/// Cases that are answered otherwise on purpose. The name of a picture that leads out of the input folder is refused, also
/// where older servers find the file.
const DIFFERENT: [(ServerVersion, &str); 2] =
    [(ServerVersion::V0_3_64, "load_image_traversal"), (ServerVersion::V0_8_0, "load_image_traversal")];

/// The folder with the recordings, or nothing (with a word about it) when it is not there. In CI it has to be.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("COMFY_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    if folder.join("validation").is_dir() && folder.join("object_info").is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "no recordings in {}", folder.display());
    println!("skipped: no recordings in {}; set COMFY_CORPUS to their folder", folder.display());
    None
}

fn object_info(folder: &Path, version: &str) -> Map<String, Value> {
    let path = folder.join(format!("object_info/{version}-with-test-nodes.json.gz"));
    let mut bytes = Vec::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    let Value::Object(info) = exact::from_slice(&bytes).unwrap() else { panic!("no object") };
    info
}

/// What the recorded server had. The newest recording lacks the probe nodes, which were there.
fn classes(folder: &Path, version: ServerVersion) -> Vec<u8> {
    let mut info = object_info(folder, &version.to_string());
    if version == ServerVersion::V0_30_0 {
        for (name, mut class) in object_info(folder, "0.8.0") {
            if name.starts_with("Probe") {
                if let Some(multi) = class.pointer_mut("/input/optional/mc/1/multi_select") {
                    *multi = json!({});
                }
                info.insert(name, class);
            }
        }
    }
    serde_json::to_vec(&info).unwrap()
}

/// An answer without what no two servers have in common, and with all that has no order sorted.
fn comparable(mut answer: Value) -> Value {
    let nodes = answer.get_mut("node_errors").and_then(Value::as_object_mut);
    for node in nodes.into_iter().flat_map(|nodes| nodes.values_mut()) {
        for error in node["errors"].as_array_mut().unwrap() {
            if let Some(info) = error["extra_info"].as_object_mut() {
                info.shift_remove("traceback");
            }
        }
        for list in ["errors", "dependent_outputs"] {
            node[list].as_array_mut().unwrap().sort_by_key(Value::to_string);
        }
    }
    if let Some(Value::String(details)) = answer.pointer_mut("/error/details") {
        let mut lines: Vec<&str> = details.split('\n').collect();
        lines.sort_unstable();
        *details = lines.join("\n");
    }
    if let Some(object) = answer.as_object_mut() {
        object.shift_remove("prompt_id");
        object.shift_remove("number");
    }
    answer
}

async fn post(sim: &Sim, path: &str, body: &str) -> (u16, Vec<u8>) {
    let answer = request(sim, "POST", path, &[("Content-Type", "application/json")], body.as_bytes()).await;
    (answer.status, answer.body)
}

/// Posts a case. What is wrong with the answer, or nothing.
async fn differences(sim: &Sim, text: &[u8]) -> Option<String> {
    // Field by field as it is written, since not all of it is JSON to everyone.
    let case: IndexMap<String, Box<RawValue>> = serde_json::from_slice(text).unwrap();
    let read = |field: &str| exact::from_slice(case[field].get().as_bytes()).unwrap();
    let mut body = format!(r#"{{"client_id": "validation", "prompt": {}"#, case["prompt"]);
    if let Some(extra) = case.get("extra") {
        let extra: IndexMap<String, Box<RawValue>> = serde_json::from_str(extra.get()).unwrap();
        for (key, value) in extra {
            body += &format!(", {}: {value}", Value::from(key));
        }
    }
    let (status, answer) = post(sim, "/prompt", &(body + "}")).await;
    if status != read("status") {
        return Some(format!("status {status} instead of {}", case["status"]));
    }
    let recorded = match case.contains_key("response") {
        true => read("response"),
        false => {
            let text = read("response_text");
            exact::from_slice(text.as_str().unwrap().as_bytes()).unwrap_or(text)
        }
    };
    let found = exact::from_slice(&answer);
    let found = found.unwrap_or_else(|_| String::from_utf8_lossy(&answer).into_owned().into());
    let (expected, got) = (comparable(recorded), comparable(found));
    if expected != got {
        return Some(format!("{got:.1500}\n  instead of {expected:.1500}"));
    }
    if status != 200 {
        return None;
    }
    let queue = exact::from_slice(&get(sim, "/queue").await.body).unwrap();
    let item = &queue["queue_pending"][0];
    post(sim, "/queue", r#"{"clear": true}"#).await;
    let mut outputs: Vec<&str> = item[4].as_array()?.iter().filter_map(Value::as_str).collect();
    outputs.sort_unstable();
    let inputs: Map<String, Value> = item[2]
        .as_object()?
        .iter()
        .map(|(id, node)| (id.clone(), node.get("inputs").cloned().unwrap_or_default()))
        .collect();
    let queued = read("queued");
    let found = json!({"outputs_to_execute": outputs, "inputs": inputs});
    (found["outputs_to_execute"] != queued["outputs_to_execute"] || found["inputs"] != queued["inputs"])
        .then(|| format!("queued as {found:.1500}\n  instead of {queued:.1500}"))
}

#[tokio::test]
async fn every_recorded_prompt_gets_the_recorded_answer_over_http() {
    let Some(folder) = folder() else { return };
    let mut failures = String::new();
    for version in ServerVersion::ALL {
        let builder = Sim::builder().version(version).test_nodes(true).object_info(classes(&folder, version));
        // A prompt runs all the time, so that those that are accepted wait.
        let sim = builder.node_delay(std::time::Duration::from_secs(3600)).start().await.unwrap();
        let busy = r#"{"prompt": {"1": {"class_type": "PreviewAny", "inputs": {"source": "busy"}}}}"#;
        assert_eq!(post(&sim, "/prompt", busy).await.0, 200);
        while get(&sim, "/queue").await.json()["queue_running"].as_array().is_none_or(Vec::is_empty) {
            tokio::task::yield_now().await;
        }
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder.join("validation").join(version.to_string()))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        files.sort();
        let mut equal = 0;
        for file in &files {
            let name = file.file_stem().unwrap().to_string_lossy();
            let is_known = DIFFERENT.contains(&(version, &*name));
            match differences(&sim, &std::fs::read(file).unwrap()).await {
                None if is_known => failures += &format!("\n{version} {name} is no different any more\n"),
                None => equal += 1,
                Some(_) if is_known => {}
                Some(text) => failures += &format!("\n{version} {name}: {text}\n"),
            }
        }
        println!("{version}: {equal}/{} equal", files.len());
        assert!(!files.is_empty(), "no cases for {version}");
        post(&sim, "/interrupt", "{}").await;
    }
    assert!(failures.is_empty(), "{failures}");
}
