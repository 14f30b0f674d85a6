//! Servers that are not there, are something else, or go away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use comfy_api_client::{Client, ConnectionStatus, Error, ErrorKind, Event, Tracking};
use comfy_sim::Sim;
use futures_util::StreamExt;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use crate::support::relay::pass_until_socket;
use crate::support::{fresh, in_time, long_work, picture};

async fn refusal(address: &str) -> Error {
    in_time(Client::connect(address)).await.unwrap_err()
}

async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn a_server_that_is_down_is_said_to_be() {
    let port = free_port().await;
    let error = refusal(&format!("127.0.0.1:{port}")).await;
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(
        error.to_string(),
        format!(
            "cannot connect to http://127.0.0.1:{port}: nothing listens there; start the server, or check host and port"
        )
    );
}

#[tokio::test]
async fn a_host_without_a_route_is_said_to_have_none() {
    // The limited broadcast address: no system makes a TCP connection to it, and nothing leaves the machine.
    let error = refusal("255.255.255.255:8188").await;
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.message().starts_with("cannot connect to http://255.255.255.255:8188: "), "{error}");
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn tls_on_a_plain_port_is_told_from_a_bad_certificate() {
    let sim = Sim::start().await.unwrap();
    let error = refusal(&sim.url().replace("http://", "https://")).await;
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
    assert!(error.hint().unwrap().contains("http://"));
}

#[tokio::test]
async fn a_wrong_path_prefix_is_said_to_be_one() {
    let sim = Sim::start().await.unwrap();
    let error = refusal(&format!("{}/comfy", sim.url())).await;
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply);
    assert!(error.to_string().contains("check the path"), "{error}");
    let elsewhere = serve(Router::new()).await;
    assert!(refusal(&elsewhere).await.to_string().starts_with("no ComfyUI answers at"));
}

#[tokio::test]
async fn a_path_prefix_and_a_trailing_slash_are_understood() {
    let sim = Sim::start().await.unwrap();
    let prefixed = Router::new().nest(
        "/comfy/ui",
        Router::new()
            .route("/api/prompt", get(|| async { axum::Json(json!({"exec_info": {"queue_remaining": 0}})) })),
    );
    let address = serve(prefixed).await;
    in_time(Client::connect(format!("http://{address}/comfy/ui/"))).await.unwrap();
    in_time(Client::connect(format!("{}/", sim.url()))).await.unwrap();
}

#[tokio::test]
async fn a_server_is_reached_over_ipv6() {
    let Ok(listener) = TcpListener::bind("[::1]:0").await else {
        assert!(std::env::var_os("CI").is_none(), "this machine has no IPv6");
        eprintln!("skipped: this machine has no IPv6");
        return;
    };
    let sim = Sim::start().await.unwrap();
    let server = sim.address();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut upstream = TcpStream::connect(server).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut upstream).await });
        }
    });
    let client =
        in_time(Client::builder(address.to_string()).tracking(Tracking::WebSocket).connect()).await.unwrap();
    in_time(async { client.submit(&picture(fresh())).await.unwrap().await.unwrap() }).await;
}

#[tokio::test]
async fn a_reply_that_is_no_json_is_shown() {
    let address = serve(Router::new().fallback(|| async { Html("<html>Please log in</html>") })).await;
    let error = refusal(&address).await;
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply);
    assert!(error.to_string().contains("is no JSON"), "{error}");
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("Please log in"));
    let odd = serve(Router::new().fallback(|| async { axum::Json(json!({"exec_info": 5})) })).await;
    assert!(refusal(&odd).await.to_string().contains("unknown form"));
}

#[tokio::test]
async fn a_server_that_wants_credentials_or_redirects_is_said_to() {
    let locked = serve(Router::new().fallback(|| async { StatusCode::UNAUTHORIZED })).await;
    assert_eq!(refusal(&locked).await.kind(), ErrorKind::Unauthorized);
    let moved =
        serve(Router::new().fallback(|| async { axum::response::Redirect::permanent("https://elsewhere/") }))
            .await;
    let error = refusal(&moved).await;
    assert!(error.to_string().contains("redirects to https://elsewhere/"), "{error}");
}

#[tokio::test]
async fn a_server_that_takes_the_connection_and_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let _held = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    let error = in_time(Client::builder(address).request_timeout(Duration::from_millis(200)).connect())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn secrets_appear_in_no_error_and_no_debug_text() {
    let port = free_port().await;
    let client = Client::builder(format!("http://user:hunter2@127.0.0.1:{port}"))
        .token("hunter2")
        .header("X-Key", "hunter2");
    let shown = format!("{client:?}");
    let client = client.build().unwrap();
    let error = client.queue().await.unwrap_err();
    let mut texts = format!("{shown} {client:?} {} {error} {error:?}", client.url());
    let mut next = std::error::Error::source(&error);
    while let Some(source) = next {
        texts.push_str(&format!(" {source} {source:?}"));
        next = source.source();
    }
    assert!(!texts.contains("hunter2"), "{texts}");
}

#[tokio::test]
async fn what_is_sent_along_with_a_workflow_appears_in_no_debug_text() {
    let client = Client::builder("localhost").build().unwrap();
    let workflow = picture(1);
    let secrets = json!({"api_key_comfy_org": "hunter2"});
    let submit = client.submit(&workflow).extra_data(secrets.as_object().unwrap().clone());
    let shown = format!("{submit:?}");
    assert!(shown.contains("api_key_comfy_org") && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_job_that_waits_is_lost_when_its_server_restarts_at_once() {
    let sim = Sim::builder().node_delay(Duration::from_secs(20)).start().await.unwrap();
    let port = sim.address().port();
    let client = Client::connect(sim.url()).await.unwrap();
    let _running = client.submit(&picture(fresh())).await.unwrap();
    let waiting = client.submit(&picture(fresh())).await.unwrap();
    sim.shutdown().await;
    let _sim = Sim::builder().port(port).start().await.unwrap();
    let error = in_time(async { waiting.await.unwrap_err() }).await;
    assert_eq!(error.kind(), ErrorKind::Lost, "{error}");
}

#[tokio::test]
async fn a_job_that_waits_ends_when_it_is_cancelled_and_not_when_it_is_asked_for_next() {
    let sim = Sim::builder().node_delay(Duration::from_secs(20)).start().await.unwrap();
    let client = Client::builder(sim.url()).silence(Duration::from_secs(3600)).connect().await.unwrap();
    let _running = client.submit(&picture(fresh())).await.unwrap();
    let waiting = client.submit(&picture(fresh())).await.unwrap();
    waiting.cancel().await.unwrap();
    let error = in_time(async { waiting.outputs().await.unwrap_err() }).await;
    assert_eq!(error.kind(), ErrorKind::Removed, "{error}");
    drop(sim);
    // There is nothing left to cancel, and nobody to ask for it.
    waiting.cancel().await.unwrap();
}

#[tokio::test]
async fn a_job_of_a_server_that_restarts_is_lost() {
    let sim = Sim::builder().node_delay(Duration::from_secs(20)).start().await.unwrap();
    let port = sim.address().port();
    let client = Client::builder(sim.url()).silence(Duration::from_millis(100)).connect().await.unwrap();
    let running = client.submit(&picture(fresh())).await.unwrap();
    let waiting = client.submit(&picture(fresh())).await.unwrap();
    let mut events = running.events();
    events.next().await.unwrap().unwrap();
    sim.shutdown().await;
    // While nothing listens there, the jobs wait.
    in_time(async {
        while client.queue().await.is_ok_and(|_| true) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let sim = Sim::builder().port(port).start().await.unwrap();
    let error = in_time(async { running.await.unwrap_err() }).await;
    assert_eq!(error.kind(), ErrorKind::Lost, "{error}");
    assert!(error.to_string().contains("submit the workflow again"), "{error}");
    let error = in_time(async { waiting.await.unwrap_err() }).await;
    assert!(matches!(error.kind(), ErrorKind::Lost | ErrorKind::Removed), "{error}");
    // And the client goes on with the new one.
    in_time(async { client.submit(&picture(fresh())).await.unwrap().await.unwrap() }).await;
    drop(sim);
}

#[tokio::test]
async fn a_job_of_a_server_that_stays_away_is_given_up() {
    let sim = Sim::builder().node_delay(Duration::from_secs(20)).start().await.unwrap();
    let client = Client::builder(sim.url())
        .silence(Duration::from_millis(100))
        .give_up_after(Duration::from_millis(300))
        .connect()
        .await
        .unwrap();
    let job = client.submit(&long_work(fresh(), 3)).await.unwrap();
    drop(sim);
    let error = in_time(async { job.await.unwrap_err() }).await;
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert!(error.prompt_id().is_some());
    assert!(!error.is_retryable(), "another submit could run it twice");
}

#[tokio::test]
async fn a_server_without_a_websocket_is_polled_unless_a_websocket_is_asked_for() {
    let sim = Sim::start().await.unwrap();
    let address = without_socket(sim.address().to_string(), usize::MAX).await;
    let client = Client::builder(&address).connect().await.unwrap();
    let outputs = in_time(async { client.submit(&picture(fresh())).await.unwrap().await.unwrap() }).await;
    assert_eq!(outputs.files().count(), 1);
    let strict = Client::builder(&address).tracking(Tracking::WebSocket).connect().await.unwrap();
    let error = in_time(async { strict.submit(&picture(fresh())).await.unwrap_err() }).await;
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("WebSocket"), "{error}");
}

#[tokio::test]
async fn a_websocket_that_can_be_had_later_is_used_from_then_on() {
    let sim = Sim::builder().node_delay(Duration::from_millis(50)).start().await.unwrap();
    let address = without_socket(sim.address().to_string(), 1).await;
    let client = Client::builder(&address).connect().await.unwrap();
    in_time(async {
        let polled = client.submit(&picture(fresh())).await.unwrap();
        let mut status = client.events();
        let events: Vec<Event> = polled.events().map(Result::unwrap).collect().await;
        assert!(!events.iter().any(|event| matches!(event, Event::NodeStarted(_))), "{events:?}");
        while !matches!(client.status(), ConnectionStatus::Connected) {
            status.next().await.unwrap();
        }
        let heard = client.submit(&picture(fresh())).await.unwrap();
        let events: Vec<Event> = heard.events().map(Result::unwrap).collect().await;
        assert!(events.iter().any(|event| matches!(event, Event::NodeStarted(_))), "{events:?}");
    })
    .await;
}

/// A relay that answers the first upgrades as a proxy does that knows no WebSockets.
async fn without_socket(server: String, refusals: usize) -> String {
    use tokio::io::AsyncWriteExt;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let refused = Arc::new(AtomicUsize::new(0));
        while let Ok((mut client, _)) = listener.accept().await {
            let (server, refused) = (server.clone(), Arc::clone(&refused));
            tokio::spawn(async move {
                if pass_until_socket(&mut client, &server).await {
                    if refused.fetch_add(1, Ordering::SeqCst) >= refusals {
                        let mut server = TcpStream::connect(&server).await.unwrap();
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                        return;
                    }
                    let answer =
                        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    let _ = client.write_all(answer).await;
                }
            });
        }
    });
    address
}
