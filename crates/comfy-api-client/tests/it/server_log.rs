//! The log of a server, followed as it goes on.

use std::time::Duration;

use comfy_api_client::{Client, LogEvent, LogEvents, LogLines, Tracking};
use comfy_sim::Sim;

use crate::support::relay::{Relay, Treatment};
use crate::support::{TestServer, behaviour, fresh, in_time, picture};

/// Reads on until a line with a text came, and returns all pieces on the way.
async fn until(events: &mut LogEvents, text: &str) -> Vec<(String, String)> {
    let (mut lines, mut pieces) = (LogLines::new(), Vec::new());
    loop {
        let LogEvent::Entries(entries) = in_time(events.next()).await.unwrap().unwrap() else { continue };
        pieces.extend(entries.iter().map(|entry| (entry.time.clone(), entry.message.clone())));
        if entries.iter().flat_map(|entry| lines.push(entry)).any(|line| line.text.contains(text)) {
            return pieces;
        }
    }
}

async fn each_piece_comes_once(server: &TestServer, url: &str, tracking: Tracking) {
    let client = Client::builder(url).tracking(tracking).connect().await.unwrap();
    let other = Client::connect(&server.url).await.unwrap();
    let mut events = client.follow_logs();
    let LogEvent::Entries(mut pieces) = in_time(events.next()).await.unwrap().unwrap() else {
        panic!("the log so far comes first")
    };
    let mut pieces: Vec<_> = pieces.drain(..).map(|entry| (entry.time, entry.message)).collect();
    for _ in 0..2 {
        other.submit(&picture(fresh())).await.unwrap().await.unwrap();
        pieces.extend(until(&mut events, "Prompt executed in").await);
    }
    let told = pieces.iter().filter(|(_, text)| text.contains("Prompt executed in")).collect::<Vec<_>>();
    assert!(told.len() >= 2);
    let mut times = told.clone();
    times.dedup();
    assert_eq!(times, told, "a piece came twice");
}

behaviour! {
    async fn the_log_is_followed_over_breaks(server) {
        for treatment in [Treatment::Fair, Treatment::CutAfter(2), Treatment::CutAfter(0)] {
            let relay = Relay::start(&server.url, treatment, true).await;
            each_piece_comes_once(server, &relay.url, Tracking::Auto).await;
        }
    }
}

behaviour! {
    async fn the_log_is_followed_without_a_socket(server) {
        each_piece_comes_once(server, &server.url, Tracking::Polling).await;
    }
}

#[tokio::test]
async fn a_server_that_goes_and_comes_back_is_told_of() {
    let sim = Sim::start().await.unwrap();
    let port = sim.url().rsplit(':').next().unwrap().parse().unwrap();
    let client =
        Client::builder(sim.url()).connect_timeout(Duration::from_millis(300)).connect().await.unwrap();
    let mut events = client.follow_logs();
    in_time(events.next()).await.unwrap().unwrap();
    drop(sim);
    loop {
        if let LogEvent::Lost = in_time(events.next()).await.unwrap().unwrap() {
            break;
        }
    }
    let sim = Sim::builder().port(port).start().await.unwrap();
    assert!(matches!(in_time(events.next()).await.unwrap().unwrap(), LogEvent::Back));
    Client::connect(sim.url()).await.unwrap().submit(&picture(fresh())).await.unwrap().await.unwrap();
    until(&mut events, "Prompt executed in").await;
}
