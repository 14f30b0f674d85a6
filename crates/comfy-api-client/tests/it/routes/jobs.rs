//! Jobs as the server lists them.

use comfy_api_client::protocol::route;
use comfy_api_client::protocol::routes::SortOrder;
use comfy_api_client::protocol::routes::jobs::{JobSort, JobStatus};
use comfy_api_client::{Cancellation, Client, ErrorKind, JobState};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

use crate::support::conversation::recorded;

/// Submits a small picture by hand, and waits for its record.
async fn run(client: &Client, prompt_id: &str, workflow_id: &str) {
    let prompt = json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 8, "batch_size": 1, "color": 1}, "_meta": {}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}, "_meta": {}},
    });
    let extra = json!({"extra_pnginfo": {"workflow": {"id": workflow_id}}});
    let body =
        json!({"prompt": prompt, "prompt_id": prompt_id, "client_id": "client-test", "extra_data": extra});
    let accepted: Value = client.post_json("/api/prompt", &body).await.unwrap();
    assert_eq!(accepted["prompt_id"], *prompt_id);
    while client.history(prompt_id).await.unwrap().is_none() {}
}

recorded! {
    async fn jobs_are_listed_filtered_sorted_and_paged(server) {
        let client = server.client();
        let (workflow, first, second) = (server.fresh(), server.fresh(), server.fresh());
        run(&client, &first, &workflow).await;
        run(&client, &second, &workflow).await;
        let jobs = || client.jobs().workflow_id(&workflow);

        let Some(all) = server.since(route::JOBS, jobs().await) else { return };
        let ids: Vec<_> = all.jobs.iter().map(|job| job.id.as_str()).collect();
        assert_eq!(ids, [&second, &first], "the newest first");
        assert_eq!((all.pagination.total, all.pagination.has_more), (2, false));
        assert_eq!(all.jobs[0].workflow_id, Some(json!(workflow)));

        let page = jobs().sort_by(JobSort::CreatedAt).sort_order(SortOrder::Ascending).limit(1).await.unwrap();
        assert_eq!((page.jobs.len(), page.jobs[0].id.as_str()), (1, first.as_str()));
        assert_eq!((page.pagination.total, page.pagination.has_more), (2, true));
        let rest = jobs().limit(1).offset(1).await.unwrap();
        assert_eq!(rest.jobs[0].id, first);

        let completed = jobs().status([JobStatus::Completed, JobStatus::Failed]).await.unwrap();
        assert_eq!(completed.jobs.len(), 2);
        assert!(jobs().status([JobStatus::Pending]).await.unwrap().jobs.is_empty());
        assert_eq!(jobs().sort_by(JobSort::ExecutionDuration).await.unwrap().jobs.len(), 2);

        let streamed: Vec<_> = jobs().limit(1).stream().map_ok(|job| job.id).try_collect().await.unwrap();
        assert_eq!(streamed, [second.clone(), first.clone()]);
    }
}

recorded! {
    async fn a_job_is_told_of_with_its_outputs_and_an_unknown_one_is_none(server) {
        let client = server.client();
        let (workflow, id, unknown) = (server.fresh(), server.fresh(), server.fresh());
        run(&client, &id, &workflow).await;
        let Some(job) = server.since(route::JOB, client.job_record(&id).await) else { return };
        let job = job.unwrap();
        assert_eq!((job.id.as_str(), job.status), (id.as_str(), JobStatus::Completed));
        assert!(job.outputs.unwrap()["2"].is_some());
        assert_eq!(job.preview_output.unwrap().file.unwrap().folder, "temp");
        assert!(job.execution_end_time >= job.execution_start_time);
        assert!(client.job_record(&unknown).await.unwrap().is_none());
    }
}

recorded! {
    async fn prompts_are_cancelled_by_their_routes_or_the_older_ones(server) {
        let client = server.client();
        let (running, waiting, last) = (server.fresh(), server.fresh(), server.fresh());
        let mut nodes = json!({
            "first": {"class_type": "EmptyImage", "inputs": {"width": 2048, "height": 2048, "batch_size": 1, "color": 1}, "_meta": {}},
            "save": {"class_type": "PreviewImage", "inputs": {"images": ["40", 0]}, "_meta": {}},
        });
        for index in 0..=40 {
            let from = if index == 0 { "first".to_owned() } else { (index - 1).to_string() };
            let inputs = json!({"image": [from, 0], "upscale_method": "bicubic", "width": 2000 + index, "height": 2000, "crop": "disabled"});
            nodes[index.to_string()] = json!({"class_type": "ImageScale", "inputs": inputs, "_meta": {}});
        }
        for id in [&running, &waiting, &last] {
            let body = json!({"prompt": nodes, "prompt_id": id, "client_id": "client-test"});
            let _: Value = client.post_json("/api/prompt", &body).await.unwrap();
        }
        assert_eq!(client.cancel(&waiting).await.unwrap(), Cancellation::Removed);
        assert_eq!(client.cancel(&waiting).await.unwrap(), Cancellation::Nothing);
        while !matches!(client.fetch(&running).await.unwrap(), JobState::Running) {}
        let several = client.cancel_jobs([&waiting, &last]).await;
        if let Some(cancelled) = server.since(route::CANCEL_JOBS, several) {
            assert!(cancelled);
            assert!(!client.cancel_jobs([&waiting, &last]).await.unwrap());
            let error = client.cancel_jobs(["no id"]).await.unwrap_err();
            assert!(error.to_string().contains("job_ids contains invalid id(s)"), "{error}");
        } else {
            assert_eq!(client.cancel(&last).await.unwrap(), Cancellation::Removed);
        }
        assert_eq!(client.cancel(&running).await.unwrap(), Cancellation::Interrupted);
        while !client.fetch(&running).await.unwrap().is_ended() {}
    }
}

#[tokio::test]
async fn a_method_that_a_new_enough_server_does_not_know_is_unsupported_and_a_thing_that_is_missing_is_not() {
    let stats = json!({"system": {"comfyui_version": "0.30.0"}, "devices": []});
    let router = axum::Router::new()
        .route("/api/system_stats", axum::routing::get(async || axum::Json(stats)))
        .route("/api/jobs/cancel", axum::routing::get(async || "not for POST"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::builder(listener.local_addr().unwrap().to_string()).build().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let error = client.cancel_jobs(["1"]).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unsupported, Some(405)));
    assert!(error.to_string().contains("ComfyUI 0.30.0 does not have"), "{error}");
    assert!(client.job_record("1").await.unwrap().is_none());
    server.abort();
}
