//! Paths that no method is for.

use comfy_api_client::protocol::json;
use comfy_api_client::{Client, ErrorKind};
use futures_util::TryStreamExt;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json as value};

use crate::support::{TestServer, behaviour};

#[derive(Deserialize)]
struct Info {
    exec_info: Value,
}

behaviour! {
    async fn any_path_can_be_asked_for_json(server) {
        let client = server.client().await;
        let info: Info = client.get_json("/api/prompt").await.unwrap();
        assert!(info.exec_info["queue_remaining"].is_u64());
        let none: Value = client.get_json("/history?max_items=0").await.unwrap();
        assert_eq!(none, value!({}));
        let () = client.post_json("/api/interrupt", &value!({"prompt_id": "no such prompt"})).await.unwrap();
        let error = client.get_json::<Value>("/api/no/such/path").await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::NotFound, Some("GET /api/no/such/path")));
        let error = client.get_json::<Vec<u8>>("/api/prompt").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply);
        let error = client.post_json::<_, Value>("/api/prompt", &value!({})).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Status, Some(400)));
    }
}

behaviour! {
    async fn requests_give_any_answer_as_it_is(server) {
        let client = server.client().await;
        let answer = client.request(Method::GET, "/api/history").query("max_items", "0").await.unwrap();
        assert_eq!((answer.status(), answer.content_type()), (StatusCode::OK, Some("application/json")));
        assert_eq!(answer.json::<Value>().await.unwrap(), value!({}));

        let answer = client.request(Method::POST, "/api/prompt").json(&value!({"client_id": "x"})).await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        assert!(answer.text().await.unwrap().contains("no_prompt"));

        let body = r#"{"prompt_id": "no such prompt"}"#;
        let request = client.request(Method::POST, "/api/interrupt").body(body).header("content-type", "text/plain");
        let answer = request.await.unwrap();
        assert_eq!((answer.status(), answer.size()), (StatusCode::OK, Some(0)));
        assert!(answer.bytes().await.unwrap().is_empty());

        let answer = client.request(Method::GET, "/api/system_stats").await.unwrap();
        let pieces: Vec<_> = answer.into_stream().try_collect().await.unwrap();
        let stats: Value = json::from_slice(&pieces.concat()).unwrap();
        assert!(stats["system"]["comfyui_version"].is_string());

        assert_eq!(client.request(Method::GET, "/no/such").await.unwrap().status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn requests_that_cannot_be_sent_say_why_without_secrets() {
    let client = Client::builder("127.0.0.1:1").build().unwrap();
    let request =
        client.request(Method::GET, "/api/queue").header("x-key", "secret\n").query("key", "secret");
    assert!(!format!("{request:?}").contains("secret"));
    let error = request.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("x-key") && !format!("{error:?}").contains("secret"));
}
