use std::future::{Future, IntoFuture};
use std::path::PathBuf;
use std::pin::Pin;

use comfy_protocol::FileRef;
use futures_util::{Stream, StreamExt, TryStreamExt};

use crate::{Client, Result};

/// Downloads that run at the same time, unless set.
const AT_ONCE: usize = 4;

/// Files about to be downloaded; made by [`Client::download_all`]. Await them for where they are, in the order in which
/// they were given.
///
/// Nothing is overwritten unless set: where a file of a name is, a number is appended. Names from the server are made
/// safe, and a file appears only when it is complete.
///
/// # Errors
/// The first one of [`Client::download`] or [`Download::save_in`](crate::Download::save_in); files that were saved
/// before stay.
#[must_use = "nothing is downloaded unless this is awaited"]
#[derive(Debug, Clone)]
pub struct Downloads {
    client: Client,
    files: Vec<FileRef>,
    folder: PathBuf,
    at_once: usize,
    overwrite: bool,
}

/// A file that was downloaded; see [`Client::download_all`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DownloadedFile {
    /// The file on the server.
    pub file: FileRef,
    /// Where it is now.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
}

impl Downloads {
    pub(super) fn new(client: Client, files: Vec<FileRef>, folder: PathBuf) -> Self {
        Self { client, files, folder, at_once: AT_ONCE, overwrite: false }
    }

    /// How many are downloaded at the same time, at least 1; 4 unless set.
    pub fn at_once(mut self, files: usize) -> Self {
        self.at_once = files.max(1);
        self
    }

    /// Whether to write over files of the same names in the folder.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// The files as they are done, in the order in which they were given, or what went wrong with each. Those that were
    /// begun are given up when the stream is dropped.
    pub fn into_stream(self) -> impl Stream<Item = Result<DownloadedFile>> + Send + use<> {
        let Self { client, files, folder, at_once, overwrite } = self;
        let downloads = futures_util::stream::iter(files).map(move |file| {
            let (client, folder) = (client.clone(), folder.clone());
            async move {
                let download = client.download(&file).await?;
                let (path, bytes) = if overwrite {
                    download.save_over(folder).await?
                } else {
                    download.save_in(folder).await?
                };
                Ok(DownloadedFile { file, path, bytes })
            }
        });
        downloads.buffered(at_once)
    }
}

impl IntoFuture for Downloads {
    type Output = Result<Vec<DownloadedFile>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.into_stream().try_collect())
    }
}
