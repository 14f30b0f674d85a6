//! Answers that are lost after the server has done what was asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use comfy_api_client::{Cancellation, Client, ErrorKind, Tracking};
use comfy_sim::Sim;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{fresh, in_time, picture};

/// What a relay does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    Pass,
    /// It is passed on, and the relay hangs up instead of giving the answer.
    DropAnswer,
    /// It is passed on, and its answer comes after a pause.
    DelayAnswer,
    /// The relay hangs up instead of passing it on.
    Refuse,
    /// It is not passed on, and the connection stays open.
    Hold,
}

/// A relay to a server that decides by the first line of each request and how many of that line came before.
async fn relay(server: String, care: impl Fn(&str, usize) -> Care + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (care, seen) = (Arc::new(care), Arc::new(std::sync::Mutex::new(Vec::<String>::new())));
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut upstream = TcpStream::connect(&server).await.unwrap();
            let (care, seen) = (Arc::clone(&care), Arc::clone(&seen));
            tokio::spawn(async move {
                let (mut request, mut answer) = (vec![0; 65536], vec![0; 65536]);
                let mut now = Care::Pass;
                loop {
                    tokio::select! {
                        read = client.read(&mut request) => {
                            let Ok(length @ 1..) = read else { return };
                            let text = String::from_utf8_lossy(&request[..length]);
                            if let Some(line) = text.lines().next().filter(|line| line.ends_with("HTTP/1.1")) {
                                let mut seen = seen.lock().unwrap();
                                now = care(line, seen.iter().filter(|other| *other == line).count());
                                seen.push(line.to_owned());
                            }
                            match now {
                                Care::Refuse => return,
                                Care::Hold => continue,
                                _ => {}
                            }
                            if upstream.write_all(&request[..length]).await.is_err() { return }
                        }
                        read = upstream.read(&mut answer) => {
                            let Ok(length @ 1..) = read else { return };
                            match now {
                                Care::DropAnswer => return,
                                Care::DelayAnswer => tokio::time::sleep(Duration::from_millis(600)).await,
                                _ => {}
                            }
                            if client.write_all(&answer[..length]).await.is_err() { return }
                        }
                    }
                }
            });
        }
    });
    address
}

const SUBMIT: &str = "POST /api/prompt HTTP/1.1";
const QUEUE: &str = "GET /api/queue HTTP/1.1";

#[tokio::test]
async fn a_submit_whose_answer_is_lost_is_found_in_the_queue() {
    let sim = Sim::start().await.unwrap();
    let care = |line: &str, _| if line == SUBMIT { Care::DropAnswer } else { Care::Pass };
    let client = Client::connect(relay(sim.address().to_string(), care).await).await.unwrap();
    let outputs = in_time(async { client.submit(&picture(fresh())).await.unwrap().await.unwrap() }).await;
    assert_eq!(outputs.files().count(), 1);
}

#[tokio::test]
async fn a_submit_whose_answer_is_lost_is_known_to_be_taken_when_the_socket_speaks_of_it() {
    let sim = Sim::start().await.unwrap();
    let care = |line: &str, _| match line {
        SUBMIT => Care::DropAnswer,
        QUEUE => Care::Refuse,
        _ => Care::Pass,
    };
    let client = Client::connect(relay(sim.address().to_string(), care).await).await.unwrap();
    let outputs = in_time(async { client.submit(&picture(fresh())).await.unwrap().await.unwrap() }).await;
    assert_eq!(outputs.files().count(), 1);
}

#[tokio::test]
async fn a_submit_that_may_have_been_taken_is_not_retryable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // It goes away for good in the middle of the submit.
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut request = vec![0; 65536];
            let length = client.read(&mut request).await.unwrap();
            let body = match &request[..length] {
                request if request.starts_with(b"POST") => return,
                request if request.starts_with(b"GET /ws") => "",
                _ => r#"{"exec_info": {"queue_remaining": 0}}"#,
            };
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            client.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let client = Client::builder(address).connect().await.unwrap();
    let error = in_time(async { client.submit(&picture(fresh())).await.unwrap_err() }).await;
    assert!(!error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains(error.prompt_id().unwrap()), "{error}");
    assert!(error.to_string().contains("may have taken it"), "{error}");
}

#[tokio::test]
async fn a_submit_that_never_arrived_is_retryable() {
    let sim = Sim::start().await.unwrap();
    let care = |line: &str, before| if line == SUBMIT && before == 0 { Care::Refuse } else { Care::Pass };
    let client = Client::connect(relay(sim.address().to_string(), care).await).await.unwrap();
    in_time(async {
        let error = client.submit(&picture(fresh())).await.unwrap_err();
        assert!(error.is_retryable() && error.prompt_id().is_some(), "{error:?}");
        client.submit(&picture(fresh())).await.unwrap().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_submit_that_stands_still_is_not_retryable_since_it_can_arrive_later() {
    let sim = Sim::start().await.unwrap();
    let care = |line: &str, _| if line == SUBMIT { Care::Hold } else { Care::Pass };
    let address = relay(sim.address().to_string(), care).await;
    let client =
        Client::builder(address).request_timeout(Duration::from_millis(300)).connect().await.unwrap();
    let error = in_time(async { client.submit(&picture(fresh())).await.unwrap_err() }).await;
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(!error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains(error.prompt_id().unwrap()), "{error}");
    assert!(error.to_string().contains("may have taken it or take it yet"), "{error}");
}

#[tokio::test]
async fn a_submit_is_not_retryable_when_the_server_was_out_of_reach_and_then_knows_nothing_of_it() {
    let old = Sim::start().await.unwrap();
    let new = Sim::start().await.unwrap();
    // The old server takes the submit, and then there is another in its place.
    let (old_address, new_address) = (old.address().to_string(), new.address().to_string());
    let to_old =
        relay(old_address, |line: &str, _| if line == SUBMIT { Care::DropAnswer } else { Care::Refuse })
            .await;
    let questions = AtomicUsize::new(0);
    let to_new = relay(new_address, move |line: &str, _| match line {
        QUEUE if questions.fetch_add(1, Ordering::SeqCst) == 0 => Care::Refuse,
        _ => Care::Pass,
    })
    .await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut head = [0; 4];
            while client.peek(&mut head).await.is_ok_and(|length| (1..4).contains(&length)) {}
            let server = if &head == b"POST" { &to_old } else { &to_new };
            let mut upstream = TcpStream::connect(server).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut upstream).await });
        }
    });
    let client = Client::builder(address).tracking(Tracking::Polling).build().unwrap();
    let error = in_time(async { client.submit(&picture(fresh())).await.unwrap_err() }).await;
    let taken = old.records().record(error.prompt_id().unwrap());
    assert!(taken.is_some(), "the old server ran it");
    assert!(!error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn a_job_is_removed_and_not_lost_when_cancelling_it_takes_time() {
    let sim = Sim::builder().node_delay(Duration::from_secs(20)).start().await.unwrap();
    // One question about the jobs fails, so that the server may have been started again; and the answer about the
    // removal comes late, so that the job is missed before.
    let care = |line: &str, before| match line {
        QUEUE if before == 0 => Care::Refuse,
        "POST /api/queue HTTP/1.1" => Care::DelayAnswer,
        _ => Care::Pass,
    };
    let address = relay(sim.address().to_string(), care).await;
    let client = Client::builder(address).tracking(Tracking::Polling).connect().await.unwrap();
    in_time(async {
        let running = client.submit(&picture(fresh())).await.unwrap();
        let waiting = client.submit(&picture(fresh())).await.unwrap();
        let mut events = waiting.events();
        events.next().await.unwrap().unwrap();
        let (cancellation, end) = tokio::join!(waiting.cancel(), waiting.outputs());
        assert_eq!(cancellation.unwrap(), Cancellation::Removed);
        assert_eq!(end.unwrap_err().kind(), ErrorKind::Removed);
        drop(running);
    })
    .await;
}
