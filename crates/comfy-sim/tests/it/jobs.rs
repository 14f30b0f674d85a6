//! The jobs routes, by version.

use std::time::Duration;

use comfy_sim::{ServerVersion, Sim};
use serde_json::{Value, json};

use crate::support::{get, get_json, post, request, three_nodes};

const IDS: [&str; 3] = [
    "00000000-0000-4000-8000-000000000001",
    "00000000-0000-4000-8000-000000000002",
    "00000000-0000-4000-8000-000000000003",
];

/// A simulator on which the first of three prompts runs.
async fn busy(version: ServerVersion) -> Sim {
    let sim = Sim::builder().version(version).node_delay(Duration::from_secs(3600)).start().await.unwrap();
    for id in IDS {
        let body = json!({"prompt": three_nodes(id), "prompt_id": id, "client_id": "a"});
        assert_eq!(post(&sim, "/prompt", &body).await.status, 200);
    }
    wait(&sim, &[IDS[0]]).await;
    sim
}

/// Waits until the prompts with these ids run.
async fn wait(sim: &Sim, ids: &[&str]) {
    loop {
        let queue = get_json(sim, "/queue").await;
        let running = queue["queue_running"].as_array().unwrap().iter();
        if running.map(|item| item[1].as_str().unwrap()).eq(ids.iter().copied()) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn cancel(sim: &Sim, id: &str) -> Value {
    let answer = post(sim, &format!("/api/jobs/{id}/cancel"), &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["cancelled"].clone()
}

#[tokio::test]
async fn the_oldest_version_has_no_jobs() {
    let sim = Sim::builder().version(ServerVersion::V0_3_64).start().await.unwrap();
    for path in ["/api/jobs", "/api/jobs/x", "/jobs"] {
        assert_eq!(get(&sim, path).await.status, 404, "{path}");
    }
    assert_eq!(post(&sim, "/api/jobs/cancel", &json!({"job_ids": []})).await.status, 405);
}

#[tokio::test]
async fn jobs_can_be_listed_before_they_can_be_cancelled() {
    let sim = busy(ServerVersion::V0_8_0).await;
    assert_eq!(get_json(&sim, "/api/jobs").await["pagination"]["total"], 3);
    let answer = post(&sim, "/api/jobs/cancel", &json!({"job_ids": IDS})).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET,HEAD")));
    let answer = get(&sim, "/api/jobs?status=cancelled").await;
    assert_eq!(answer.status, 400);
    post(&sim, "/queue", &json!({"clear": true})).await;
    post(&sim, "/interrupt", &json!({"prompt_id": IDS[0]})).await;
    wait(&sim, &[]).await;
    let job = get_json(&sim, &format!("/api/jobs/{}", IDS[0])).await;
    assert_eq!((&job["status"], job.get("execution_error")), (&json!("failed"), None));
}

#[tokio::test]
async fn a_cancelled_job_that_waits_vanishes_and_one_that_runs_is_interrupted() {
    let sim = busy(ServerVersion::V0_30_0).await;
    assert_eq!(cancel(&sim, IDS[1]).await, true);
    assert_eq!(cancel(&sim, IDS[1]).await, false);
    assert_eq!(cancel(&sim, "not-a-uuid").await, false);
    assert_eq!(get(&sim, &format!("/api/jobs/{}", IDS[1])).await.status, 404);
    assert_eq!(cancel(&sim, IDS[0]).await, true);
    wait(&sim, &[IDS[2]]).await;
    let jobs = get_json(&sim, "/api/jobs?status=cancelled").await;
    assert_eq!(jobs["jobs"][0]["id"], IDS[0]);
    assert_eq!(
        get_json(&sim, &format!("/history/{}", IDS[0])).await[IDS[0]]["status"]["status_str"],
        "error"
    );
    cancel(&sim, IDS[2]).await;
}

#[tokio::test]
async fn many_jobs_are_cancelled_at_once_or_none() {
    let sim = busy(ServerVersion::V0_30_0).await;
    let post = async |body: &str| {
        let answer = request(&sim, "POST", "/api/jobs/cancel", &[], body.as_bytes()).await;
        (answer.status, answer.json())
    };
    for body in ["", "{bad"] {
        assert_eq!(post(body).await, (400, json!({"error": "Request body must be valid JSON"})));
    }
    for body in ["{}", "[]", "NaN", r#"{"job_ids": "x"}"#] {
        assert_eq!(post(body).await, (400, json!({"error": "job_ids must be a list"})));
    }
    let mixed = json!({"job_ids": [5, null, {"a": 1}, "nope", IDS[1]]}).to_string();
    let refusal =
        json!({"error": "job_ids contains invalid id(s)", "invalid_ids": ["5", "None", "{'a': 1}", "nope"]});
    assert_eq!(post(&mixed).await, (400, refusal));
    assert_eq!(get_json(&sim, "/api/jobs?status=pending").await["pagination"]["total"], 2);
    assert_eq!(post(r#"{"job_ids": []}"#).await, (200, json!({"cancelled": false})));
    assert_eq!(post(&json!({"job_ids": IDS}).to_string()).await, (200, json!({"cancelled": true})));
    wait(&sim, &[]).await;
    let jobs = get_json(&sim, "/api/api/jobs").await;
    assert_eq!(jobs["pagination"]["total"], 1);
}

#[tokio::test]
async fn methods_and_paths_of_jobs_are_those_of_the_server() {
    let sim = Sim::start().await.unwrap();
    for (method, path, status, allow) in [
        ("GET", "/jobs", 404, None),
        ("GET", "/api/jobs/", 404, None),
        ("POST", "/api/jobs", 405, Some("GET,HEAD")),
        ("DELETE", "/api/jobs/x", 405, Some("GET,HEAD")),
        ("GET", "/api/jobs/cancel", 404, None),
        ("GET", "/api/jobs/x/cancel", 404, None),
        ("PUT", "/api/jobs/cancel", 405, Some("GET,HEAD,POST")),
        ("DELETE", "/api/jobs/x/cancel", 405, Some("GET,HEAD,POST")),
        ("POST", "/jobs/cancel", 405, Some("GET,HEAD")),
        ("POST", "/api/jobs/x/cancel/", 405, Some("GET,HEAD")),
        ("OPTIONS", "/api/jobs/cancel", 200, None),
        ("HEAD", "/api/jobs", 200, None),
    ] {
        let answer = request(&sim, method, path, &[], b"").await;
        assert_eq!((answer.status, answer.header("allow")), (status, allow), "{method} {path}");
    }
    assert_eq!(get(&sim, "/api/jobs/cancel").await.json(), json!({"error": "Job not found"}));
}
