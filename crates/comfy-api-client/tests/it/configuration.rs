//! What is sent with every request and with the WebSocket, through which proxy, how often, and for how long.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use comfy_api_client::{Client, ClientBuilder, ErrorKind, RetryPolicy};
use comfy_sim::Sim;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{fresh, in_time, picture};

/// A server whose answers a closure makes.
async fn server(answer: impl Fn(Request) -> Response + Clone + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = Router::new().fallback(move |request: Request| async move { answer(request) });
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn empty_queue() -> Response {
    axum::Json(json!({"exec_info": {"queue_remaining": 0}, "queue_running": [], "queue_pending": []}))
        .into_response()
}

/// The headers of a request and of the upgrade of a WebSocket.
async fn sent(configure: impl FnOnce(ClientBuilder) -> ClientBuilder) -> [HeaderMap; 2] {
    let seen: Arc<Mutex<Vec<(bool, HeaderMap)>>> = Arc::default();
    let noting = Arc::clone(&seen);
    let address = server(move |request| {
        let is_socket = request.uri().path() == "/ws";
        noting.lock().unwrap().push((is_socket, request.headers().clone()));
        if is_socket { StatusCode::BAD_REQUEST.into_response() } else { empty_queue() }
    })
    .await;
    let client = in_time(configure(Client::builder(&address)).connect()).await.unwrap();
    // It fails, but not before it has asked for a socket.
    let _ = in_time(async { client.submit(&picture(1)).await }).await;
    let seen = seen.lock().unwrap();
    let first = |socket: bool| seen.iter().find(|(is_socket, _)| *is_socket == socket).unwrap().1.clone();
    [first(false), first(true)]
}

#[tokio::test]
async fn credentials_cookies_users_and_headers_go_with_requests_and_sockets() {
    for headers in sent(|builder| {
        builder
            .token("secret")
            .cookie("session=abc")
            .cookie("theme=dark")
            .user("me_1")
            .header("X-Many", "one")
            .header("x-many", "two")
    })
    .await
    {
        assert_eq!(headers["authorization"], "Bearer secret");
        let cookies = headers["cookie"].to_str().unwrap();
        assert!(cookies.contains("session=abc") && cookies.contains("theme=dark"), "{cookies}");
        assert_eq!(headers["comfy-user"], "me_1");
        assert_eq!(headers["x-many"], "one, two");
        assert!(headers["user-agent"].to_str().unwrap().starts_with("comfy-api-client/"));
        assert!(!headers.contains_key("origin"), "servers compare it with the host");
    }
    for headers in sent(|builder| builder.token("earlier").basic("me", "pass:word")).await {
        assert_eq!(headers["authorization"], "Basic bWU6cGFzczp3b3Jk");
    }
}

#[tokio::test]
async fn compression_is_offered_unless_it_is_switched_off() {
    let [request, _] = sent(|builder| builder).await;
    assert!(request["accept-encoding"].to_str().unwrap().contains("gzip"));
    let [request, _] = sent(|builder| builder.compression(false)).await;
    assert!(request.get("accept-encoding").is_none_or(|value| !value.to_str().unwrap().contains("gzip")));
}

#[test]
fn settings_that_are_not_valid_are_named() {
    let error = Client::builder("host").header("no name", "x").build().unwrap_err();
    assert!(error.to_string().contains("`no name` is no name of a header"), "{error}");
    let error = Client::builder("host").header("x", "line\nbreak").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let error = Client::builder("host").proxy("http://[secret").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("proxy") && !format!("{error:?}").contains("secret"), "{error:?}");
}

#[test]
fn secrets_are_in_no_debug_text() {
    let builder = Client::builder("http://me:hunter2@host")
        .token("hunter2")
        .cookie("session=hunter2")
        .header("x-key", "hunter2")
        .proxy("http://me:hunter2@proxy:3128")
        .client_certificate("hunter2")
        .root_certificates("hunter2");
    let shown = format!("{builder:?}");
    assert!(shown.contains("x-key") && !shown.contains("hunter2"), "{shown}");
}

/// A proxy for plain requests and tunnels, which counts both.
async fn proxy(plain: Arc<AtomicUsize>, tunnels: Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (plain, tunnels) = (Arc::clone(&plain), Arc::clone(&tunnels));
            tokio::spawn(async move {
                let mut head = vec![0; 65536];
                let length = client.read(&mut head).await.unwrap();
                let text = String::from_utf8_lossy(&head[..length]).into_owned();
                let target = text.split(' ').nth(1).unwrap_or_default();
                if text.starts_with("CONNECT ") {
                    tunnels.fetch_add(1, Ordering::SeqCst);
                    let mut server = TcpStream::connect(target).await.unwrap();
                    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                    return;
                }
                // The server takes the whole URL as well as its path.
                plain.fetch_add(1, Ordering::SeqCst);
                let host = target.trim_start_matches("http://").split('/').next().unwrap_or_default();
                let path = target.trim_start_matches("http://").trim_start_matches(host);
                let mut server = TcpStream::connect(host).await.unwrap();
                server.write_all(text.replacen(target, path, 1).as_bytes()).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn requests_go_through_the_proxy_that_is_given() {
    let (plain, tunnels) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let proxy = proxy(Arc::clone(&plain), Arc::clone(&tunnels)).await;
    let sim = Sim::start().await.unwrap();
    in_time(Client::builder(sim.url()).proxy(&proxy).connect()).await.unwrap();
    assert_eq!(plain.load(Ordering::SeqCst), 1);
    in_time(Client::builder(sim.url()).proxy(&proxy).no_proxy().connect()).await.unwrap();
    assert_eq!(plain.load(Ordering::SeqCst), 1);
    // What is to be encrypted goes through a tunnel, here to a server that does not speak TLS.
    let error = Client::builder(sim.url().replace("http:", "https:")).proxy(&proxy).connect();
    assert_eq!(in_time(error).await.unwrap_err().kind(), ErrorKind::Tls);
    assert_eq!(tunnels.load(Ordering::SeqCst), 1);
}

/// A server that fails so often with a status before it answers.
async fn recovering(failures: usize, status: StatusCode) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    let address = server(move |_| {
        if counting.fetch_add(1, Ordering::SeqCst) < failures {
            status.into_response()
        } else {
            empty_queue()
        }
    })
    .await;
    (address, asked)
}

fn eager() -> RetryPolicy {
    RetryPolicy::at_most(4).pauses(Duration::from_millis(1), Duration::from_millis(5))
}

#[tokio::test]
async fn what_changes_nothing_is_asked_again_while_the_server_is_busy() {
    let (address, asked) = recovering(3, StatusCode::SERVICE_UNAVAILABLE).await;
    let client = Client::builder(&address).retry(eager()).build().unwrap();
    in_time(client.queue()).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 4);

    let (address, asked) = recovering(9, StatusCode::BAD_GATEWAY).await;
    let client = Client::builder(&address).retry(eager()).build().unwrap();
    let error = in_time(client.queue()).await.unwrap_err();
    assert_eq!((asked.load(Ordering::SeqCst), error.attempts()), (4, 4));
    assert_eq!(error.operation(), Some("GET /queue"));
    assert!(error.is_retryable() && error.elapsed().is_some());
    assert!(error.to_string().contains("4 attempts"), "{error}");
}

#[tokio::test]
async fn a_server_that_says_when_to_come_back_is_asked_then_and_not_later_than_the_longest_pause() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    let address = server(move |_| {
        counting.fetch_add(1, Ordering::SeqCst);
        (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "3600")]).into_response()
    })
    .await;
    let pause = Duration::from_millis(20);
    let policy = RetryPolicy::at_most(12).pauses(pause, pause);
    let client = Client::builder(&address).retry(policy).build().unwrap();
    let error = in_time(client.queue()).await.unwrap_err();
    assert_eq!((asked.load(Ordering::SeqCst), error.attempts()), (12, 12));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
}

#[tokio::test]
async fn limits_beyond_all_clocks_are_none() {
    let sim = Sim::start().await.unwrap();
    let client = Client::builder(sim.url()).job_timeout(Duration::MAX).build().unwrap();
    in_time(client.wait_until_ready(Duration::MAX)).await.unwrap();
    in_time(async { client.submit(&picture(fresh())).await.unwrap().await.unwrap() }).await;
}

#[tokio::test]
async fn a_port_where_nobody_answers_is_not_waited_for_longer_than_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::builder(listener.local_addr().unwrap().to_string()).build().unwrap();
    let began = std::time::Instant::now();
    let error = in_time(client.wait_until_ready(Duration::from_millis(200))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let submit = async { client.submit(&picture(1)).timeout(Duration::from_millis(200)).await };
    let error = in_time(submit).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn what_may_change_something_or_failed_for_good_is_asked_once() {
    let (address, asked) = recovering(9, StatusCode::SERVICE_UNAVAILABLE).await;
    let client = Client::builder(&address).retry(eager()).build().unwrap();
    in_time(client.interrupt_any()).await.unwrap_err();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let (address, asked) = recovering(9, StatusCode::INTERNAL_SERVER_ERROR).await;
    let client = Client::builder(&address).retry(eager()).build().unwrap();
    in_time(client.queue()).await.unwrap_err();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let (address, asked) = recovering(9, StatusCode::SERVICE_UNAVAILABLE).await;
    let client = Client::builder(&address).retry(RetryPolicy::never()).build().unwrap();
    in_time(client.queue()).await.unwrap_err();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_server_that_is_starting_is_waited_for() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let client = Client::builder(format!("127.0.0.1:{port}")).build().unwrap();
    let error = in_time(client.wait_until_ready(Duration::from_millis(150))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("was not ready within"), "{error}");
    let ready = client.wait_until_ready(Duration::from_secs(30));
    let starting = async {
        // Not before it was asked for in vain.
        tokio::task::yield_now().await;
        Sim::builder().port(port).start().await.unwrap()
    };
    let (ready, _sim) = in_time(async { tokio::join!(ready, starting) }).await;
    ready.unwrap();
    in_time(async { client.submit(&picture(fresh())).await.unwrap().await.unwrap() }).await;
}

#[tokio::test]
async fn a_proxy_whose_server_is_starting_is_waited_for() {
    let (address, asked) = recovering(3, StatusCode::BAD_GATEWAY).await;
    let client = Client::builder(&address).build().unwrap();
    in_time(client.wait_until_ready(Duration::from_secs(30))).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    let (address, asked) = recovering(3, StatusCode::UNAUTHORIZED).await;
    let client = Client::builder(&address).build().unwrap();
    let error = in_time(client.wait_until_ready(Duration::from_secs(30))).await.unwrap_err();
    assert_eq!((error.kind(), asked.load(Ordering::SeqCst)), (ErrorKind::Unauthorized, 1));
}

#[tokio::test]
async fn an_answer_that_does_not_begin_in_time_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let client = Client::builder(address).request_timeout(Duration::from_millis(50)).build().unwrap();
    let error = in_time(client.queue()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 1));
}
