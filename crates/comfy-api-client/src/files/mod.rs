//! Files: uploads, downloads, and their names on this side.

mod download;
mod info;
mod limit;
mod mask;
mod name;
mod pieces;
mod request;
mod sending;
mod several;
mod source;
mod transfer;
mod upload;
mod write;

use std::io;
use std::path::Path;

use bytes::Bytes;
use comfy_protocol::FileRef;
use futures_util::Stream;

use crate::{Client, Result};

pub use download::Download;
pub use info::FileInfo;
pub(crate) use name::{chosen_path, local_path, numbered};
pub use request::{Channel, DownloadRequest, PictureFormat};
pub(crate) use sending::Sending;
pub use several::{DownloadedFile, Downloads};
pub(crate) use source::Source;
pub use upload::Upload;
pub(crate) use write::{blocking, bytes_at, bytes_in};

impl Client {
    /// Uploads a file from disk, to be used as an input. Await the result for its name on the server.
    ///
    /// It is read while it is sent, so that it may be larger than memory.
    pub fn upload(&self, path: impl AsRef<Path>) -> Upload<'_> {
        Upload::from_path(self, path.as_ref())
    }

    /// Uploads bytes under a name, to be used as an input. Await the result for their name on the server.
    pub fn upload_bytes(&self, name: impl Into<String>, bytes: impl Into<Bytes>) -> Upload<'_> {
        Upload::from_bytes(self, name.into(), bytes.into())
    }

    /// Uploads what a stream gives under a name, to be used as an input. Await the result for its name on the server.
    ///
    /// With a size in bytes, a stream that gives more or less fails and no file is made; without one, the body is sent
    /// in chunks and its size cannot be checked before it is sent.
    pub fn upload_stream(
        &self,
        name: impl Into<String>,
        stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        size: Option<u64>,
    ) -> Upload<'_> {
        Upload::from_stream(self, name.into(), stream, size)
    }

    /// Uploads a picture from disk as the mask of another one on the server; see [`Upload::mask_of`], which does the
    /// same for bytes and streams.
    pub fn upload_mask(&self, path: impl AsRef<Path>, original: &FileRef) -> Upload<'_> {
        self.upload(path).mask_of(original)
    }

    /// Downloads a file of the server. Await the result for the [`Download`], which has begun by then.
    ///
    /// ```no_run
    /// # async fn example(client: comfy_api_client::Client, file: comfy_api_client::protocol::FileRef) -> comfy_api_client::Result<()> {
    /// let (path, bytes) = client.download(&file).await?.save_in("out").await?;
    /// # Ok(()) }
    /// ```
    pub fn download(&self, file: &FileRef) -> DownloadRequest {
        DownloadRequest::new(self.clone(), file.clone())
    }

    /// Downloads several files into a folder, a few at a time. Await the result for where they are, or read them as
    /// they come with [`Downloads::into_stream`].
    pub fn download_all(
        &self,
        files: impl IntoIterator<Item = FileRef>,
        folder: impl AsRef<Path>,
    ) -> Downloads {
        Downloads::new(self.clone(), files.into_iter().collect(), folder.as_ref().to_owned())
    }

    /// The size of a file of the server, and when it was changed.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the server does not have it, or those of the connection.
    pub async fn file_info(&self, file: &FileRef) -> Result<FileInfo> {
        FileInfo::ask(self.http(), file).await
    }
}
