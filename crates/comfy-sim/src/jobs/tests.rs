use comfy_protocol::NodeOutput;
use comfy_protocol::routes::history::{HistoryStatus, StatusMessage};
use comfy_workflow::NodeId;
use indexmap::IndexMap;

use super::*;

const NEW: ServerVersion = ServerVersion::V0_30_0;
const OLD: ServerVersion = ServerVersion::V0_8_0;

fn item(id: &str, created: u64, extra: Json) -> SharedItem {
    let Json::Object(mut extra_data) = extra else { panic!("no object") };
    extra_data.insert("create_time".into(), created.into());
    let prompt = Arc::new(json!({"1": {}}));
    SharedItem(Arc::new(Item {
        number: created.into(),
        prompt_id: id.into(),
        prompt,
        extra_data,
        outputs: vec!["1".into()],
    }))
}

fn outputs(json: &Json) -> IndexMap<NodeId, Option<NodeOutput>> {
    let nodes = json.as_object().expect("nodes").iter();
    nodes
        .map(|(node, output)| {
            let output = output.as_object().map(|output| NodeOutput(output.clone()));
            (NodeId::from(node.as_str()), output)
        })
        .collect()
}

fn record(item: SharedItem, end: &str, took: u64, given: &Json) -> (String, Arc<Entry>) {
    let id = item.0.prompt_id.clone();
    let message =
        |kind: &str, time: u64| StatusMessage(kind.into(), json!({"prompt_id": id, "timestamp": time}));
    let messages = vec![message("execution_start", 100), message(end, 100 + took)];
    let status = HistoryStatus::new(end == "execution_success", messages);
    (id, Arc::new(Entry::new(item, outputs(given), status, IndexMap::new())))
}

fn snapshot() -> Snapshot {
    let workflow = |id: Json| json!({"extra_pnginfo": {"workflow": {"id": id}}});
    Snapshot {
        running: vec![item("run", 6, workflow(json!("w")))],
        pending: vec![item("p8", 8, json!({})), item("p7", 7, workflow(json!(5)))],
        history: vec![
            record(
                item("good", 1, workflow(json!("w"))),
                "execution_success",
                5,
                &json!({"1": {"images": [{"filename": "a.png", "type": "output"}]}}),
            ),
            record(item("bad", 2, json!({})), "execution_error", 9, &json!({})),
            record(item("cut", 3, json!({})), "execution_interrupted", 5, &json!({})),
        ],
    }
}

fn ids(query: &str, version: ServerVersion) -> String {
    let query = Query::parse(query, version).expect("a good query");
    let answer = list(&snapshot(), &query, version).expect("well formed");
    let jobs = answer["jobs"].as_array().expect("jobs").iter();
    jobs.map(|job| job["id"].as_str().expect("an id")).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_outputs_of_jobs_are_told_as_real_servers_tell_them() {
    let cases: Vec<Json> = serde_json::from_str(include_str!("recorded_outputs.json")).expect("cases");
    for case in &cases {
        let given = outputs(&case["outputs"]);
        for version in [OLD, NEW] {
            let found = outputs::summary(&given, version).map(|summary| {
                let mut found = json!({"count": summary.count, "preview": summary.preview});
                let shown = Json::from(outputs::shown(&given, version));
                if shown != case["outputs"] {
                    found["outputs"] = shown;
                }
                found
            });
            assert_eq!(
                found.unwrap_or_default(),
                case[version.to_string()],
                "{version}: {}",
                case["outputs"]
            );
        }
    }
    assert!(cases.len() > 100);
}

#[test]
fn a_long_text_is_cut_at_1024_characters() {
    let given = outputs(&json!({"1": {"text": ["é".repeat(1025)]}}));
    let preview = outputs::summary(&given, NEW).expect("well formed").preview.expect("a text");
    assert_eq!(preview["content"], json!("é".repeat(1024)));
    assert_eq!(preview["truncated"], json!(true));
    let given = outputs(&json!({"1": {"text": ["é".repeat(1024)]}}));
    let preview = outputs::summary(&given, NEW).expect("well formed").preview.expect("a text");
    assert!(!preview.contains_key("truncated"));
}

#[test]
fn jobs_are_listed_by_time_or_duration_and_equal_ones_as_they_come() {
    assert_eq!(ids("", NEW), "p8 p7 run cut bad good");
    assert_eq!(ids("sort_order=asc", NEW), "good bad cut run p7 p8");
    assert_eq!(ids("sort_by=execution_duration", NEW), "bad good cut run p8 p7");
    assert_eq!(ids("sort_by=execution_duration&sort_order=asc", NEW), "run p8 p7 good cut bad");
}

#[test]
fn jobs_are_chosen_by_status_workflow_and_page() {
    assert_eq!(ids("status=pending,in_progress", NEW), "p8 p7 run");
    assert_eq!(ids("status=cancelled", NEW), "cut");
    assert_eq!(ids("status=failed", NEW), "bad");
    assert_eq!(ids("status=failed", OLD), "cut bad");
    assert_eq!(ids("status=,", NEW), "");
    assert_eq!(ids("workflow_id=w", NEW), "run good");
    assert_eq!(ids("workflow_id=5", NEW), "");
    assert_eq!(ids("limit=2&offset=1", NEW), "p7 run");
    let query = Query::parse("limit=2&offset=-3", NEW).expect("good");
    let page = list(&snapshot(), &query, NEW).expect("well formed");
    assert_eq!(page["pagination"], json!({"offset": 0, "limit": 2, "total": 6, "has_more": true}));
    let query = Query::parse("offset=99999999999999999999999", NEW).expect("good");
    let page = list(&snapshot(), &query, NEW).expect("well formed");
    let text = crate::wire::to_json(&page["pagination"]);
    assert_eq!(text, r#"{"offset": 99999999999999999999999, "limit": null, "total": 6, "has_more": false}"#);
}

#[test]
fn a_job_that_has_ended_is_told_in_full() {
    let job = one(&snapshot(), "good", NEW).expect("well formed").expect("known");
    let keys: Vec<_> = job.as_object().expect("a job").keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "id",
            "status",
            "priority",
            "create_time",
            "execution_start_time",
            "execution_end_time",
            "outputs_count",
            "preview_output",
            "workflow_id",
            "outputs",
            "execution_status",
            "workflow"
        ]
    );
    assert_eq!(job["workflow"]["prompt"], json!({"1": {}}));
    let failed = one(&snapshot(), "bad", NEW).expect("well formed").expect("known");
    assert_eq!(failed["execution_error"], json!({"prompt_id": "bad", "timestamp": 109}));
    let cut = one(&snapshot(), "cut", OLD).expect("well formed").expect("known");
    assert_eq!((&cut["status"], cut.get("execution_error")), (&json!("failed"), None));
    let waiting = one(&snapshot(), "p7", NEW).expect("well formed").expect("known");
    assert_eq!(
        waiting,
        json!({"id": "p7", "status": "pending", "priority": 7, "create_time": 7, "outputs_count": 0, "workflow_id": 5})
    );
    assert_eq!(one(&snapshot(), "nope", NEW), Ok(None));
}

#[test]
fn one_prompt_that_cannot_be_read_spoils_the_lists_that_it_is_looked_at_for() {
    for extra in [
        json!({"extra_pnginfo": null}),
        json!({"extra_pnginfo": {"workflow": []}}),
        json!({"extra_pnginfo": 5}),
    ] {
        let mut snapshot = snapshot();
        snapshot.history.push(record(item("x", 9, extra), "execution_success", 1, &json!({})));
        let answer = |query: &str, version| {
            let query = Query::parse(query, version).expect("good");
            list(&snapshot, &query, version).is_ok()
        };
        assert!(!answer("", NEW) && !answer("limit=1&offset=50", NEW) && !answer("", OLD));
        assert!(answer("status=pending", NEW) && answer("status=,", NEW));
        assert!(!answer("status=failed", NEW) && answer("status=failed", OLD));
        assert_eq!(one(&snapshot, "x", NEW), Err(Malformed));
        assert!(one(&snapshot, "good", NEW).is_ok());
    }
}
