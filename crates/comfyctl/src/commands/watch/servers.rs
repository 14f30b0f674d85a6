//! Several servers, watched side by side.

use std::time::Duration;

use comfy_api_client::protocol::Message;
use comfy_api_client::{Client, ServerChange, ServerView};
use futures_util::future::join_all;
use tokio::sync::mpsc;

use crate::commands::connect::{Connected, connect_to};
use crate::failure::Failure;
use crate::settings::{Settings, Target};

/// Pauses between attempts to connect to a server that was never there.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];
/// News that wait for whoever shows them.
const MOST_NEWS: usize = 64;

/// Something new of one of the servers.
pub(super) struct News {
    /// Its place among the targets.
    pub(super) server: usize,
    pub(super) what: What,
}

pub(super) enum What {
    /// It can be asked.
    Connected(Client),
    /// It cannot be connected to; it is tried again unless the command line is wrong.
    Refused(Failure),
    Changed(ServerChange, Box<ServerView>),
    Message(std::sync::Arc<Message>),
}

/// Watches the servers while their news are shown.
pub(super) async fn watched(
    settings: &Settings,
    targets: &[Target],
    first: Option<Connected>,
    show: impl AsyncFnOnce(mpsc::Receiver<News>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (sender, receiver) = mpsc::channel(MOST_NEWS);
    let mut first = first;
    let watched = join_all(targets.iter().enumerate().map(|(server, target)| {
        let (sender, first) = (sender.clone(), first.take());
        async move {
            let tell = async |what| sender.send(News { server, what }).await.is_ok();
            let connected = match first {
                Some(connected) => Some(connected),
                None => connect(settings, target, &tell).await,
            };
            if let Some(connected) = connected {
                watch(connected.client(), &tell).await;
            }
        }
    }));
    drop(sender);
    tokio::select! {
        result = show(receiver) => result,
        // Nobody watches any more, so that the news come to their end.
        _ = watched => std::future::pending().await,
    }
}

/// Tries until it succeeds.
async fn connect(
    settings: &Settings,
    target: &Target,
    tell: &impl AsyncFn(What) -> bool,
) -> Option<Connected> {
    let mut pause = PAUSES[0];
    loop {
        match connect_to(settings, target).await {
            Ok(connected) => return Some(connected),
            Err(failure) => {
                if !tell(What::Refused(failure)).await {
                    return None;
                }
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES[1]);
    }
}

async fn watch(client: &Client, tell: &impl AsyncFn(What) -> bool) {
    let mut monitor = client.monitor();
    let mut goes_on = tell(What::Connected(client.clone())).await;
    while goes_on {
        goes_on = match monitor.next().await {
            ServerChange::Message(message) => tell(What::Message(message)).await,
            change => tell(What::Changed(change, Box::new(monitor.view().clone()))).await,
        };
    }
}
