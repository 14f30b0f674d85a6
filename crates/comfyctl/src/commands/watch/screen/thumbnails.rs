//! The last pictures of a server, small.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use comfy_api_client::protocol::{FileRef, OutputKind};
use comfy_api_client::{Client, ServerView};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use crate::render::picture::Picture;

/// Pixels of the longer side: two for each row of the largest thumbnail.
const SIDE: u32 = 96;
/// Jobs whose picture is shown.
const NEWEST: usize = 8;
/// A file that is larger is not downloaded to be looked at in passing.
const MOST_BYTES: usize = 32 << 20;

/// The picture of a job, by the places of the server and the job's prompt id.
pub(super) type Made = (usize, String, Option<Picture>);

/// The pictures of the jobs of one server that were asked for.
#[derive(Debug, Default)]
pub(super) struct Thumbnails {
    asked: HashSet<String>,
    pub(super) made: HashMap<String, Arc<Picture>>,
}

impl Thumbnails {
    /// Asks for those that are missing, and forgets those of jobs that are shown no more.
    pub(super) fn ask(&mut self, server: usize, client: &Client, view: &ServerView, to: &mpsc::Sender<Made>) {
        let shown = || view.ended.iter().take(NEWEST);
        self.asked.retain(|id| shown().any(|job| job.job.prompt_id == *id));
        self.made.retain(|id, _| shown().any(|job| job.job.prompt_id == *id));
        for job in shown() {
            let id = job.job.prompt_id.clone();
            let picture = job.files().find(|output| output.kind() == OutputKind::Image);
            let Some(picture) = picture.filter(|_| self.asked.insert(id.clone())) else { continue };
            let (client, to) = (client.clone(), to.clone());
            tokio::spawn(async move {
                let made = made(&client, &picture.file).await;
                // Nobody may be looking any more.
                let _ = to.send((server, id, made)).await;
            });
        }
    }
}

/// A file that cannot be had or is no picture is shown by its name alone.
async fn made(client: &Client, file: &FileRef) -> Option<Picture> {
    let mut pieces = Box::pin(client.download(file).await.ok()?.into_stream());
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece.ok()?);
        if bytes.len() > MOST_BYTES {
            return None;
        }
    }
    let decoded = tokio::task::spawn_blocking(move || Picture::decode(&bytes).map(|it| it.reduced(SIDE)));
    decoded.await.ok().flatten()
}
