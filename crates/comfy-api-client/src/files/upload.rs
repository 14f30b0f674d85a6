use std::future::{Future, IntoFuture};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use bytes::Bytes;
use comfy_protocol::route;
use comfy_protocol::routes::system::Features;
use comfy_protocol::routes::upload::Uploaded;
use futures_util::StreamExt;
use reqwest::Response;
use reqwest::multipart::{Form, Part};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;
use tokio_util::io::ReaderStream;

use crate::http::Http;
use crate::{Client, Error, ErrorKind, Result};

/// Bytes that are sent at a time.
pub(crate) const PIECE: usize = 64 * 1024;

/// A file about to be uploaded; made by [`Client::upload`] and [`Client::upload_bytes`]. Await it for the name that the
/// server gave it.
#[must_use = "nothing is uploaded unless this is awaited"]
pub struct Upload<'a> {
    client: &'a Client,
    source: Source,
    name: Option<String>,
    subfolder: String,
    folder: String,
    overwrite: bool,
}

/// Where the content of an upload comes from.
#[derive(Debug)]
pub(crate) enum Source {
    Path(PathBuf),
    Bytes(Bytes),
}

impl<'a> Upload<'a> {
    pub(crate) fn from_path(client: &'a Client, path: &Path) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Self::new(client, Source::Path(path.to_owned()), name)
    }

    pub(crate) fn from_bytes(client: &'a Client, name: String, bytes: Bytes) -> Self {
        Self::new(client, Source::Bytes(bytes), Some(name))
    }

    fn new(client: &'a Client, source: Source, name: Option<String>) -> Self {
        Self { client, source, name, subfolder: String::new(), folder: "input".into(), overwrite: false }
    }

    /// The name that the file is to have; that of the local file unless set.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The folder below that of its type; none unless set.
    pub fn subfolder(mut self, subfolder: impl Into<String>) -> Self {
        self.subfolder = subfolder.into();
        self
    }

    /// `input`, `temp` or `output`; `input` unless set.
    pub fn folder(mut self, folder: impl Into<String>) -> Self {
        self.folder = folder.into();
        self
    }

    /// Whether to replace a file of the same name. Otherwise the server appends a number to the name, unless the
    /// content is the same.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    async fn send(self) -> Result<Uploaded> {
        let http = self.client.http();
        let name = self.name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Error::new(ErrorKind::Io, "the file to upload has no name"))?;
        let (content, size) = self.source.open().await?;
        let (moved, moves) = watch::channel(());
        let pieces = ReaderStream::with_capacity(content, PIECE).inspect(move |_| moved.send_replace(()));
        let part = Part::stream_with_length(reqwest::Body::wrap_stream(pieces), size);
        let mut form = Form::new().text("type", self.folder);
        if !self.subfolder.is_empty() {
            form = form.text("subfolder", self.subfolder);
        }
        if self.overwrite {
            form = form.text("overwrite", "true");
        }
        let form = form.part("image", part.file_name(name.clone()));
        let call = http.call(route::UPLOAD_IMAGE, &[]).multipart(form).unhurried();
        match while_it_moves(http, call.send(), moves).await {
            Ok(response) => http.read_json(response).await,
            // A server that finds the body too large may hang up before it was sent, and its answer is lost.
            Err(error) if error.kind() == ErrorKind::Disconnected || error.kind() == ErrorKind::TooLarge => {
                Err(self.client.explain_broken_upload(&name, size, error).await)
            }
            Err(error) => Err(error),
        }
    }
}

impl std::fmt::Debug for Upload<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("name", &self.name)
            .field("subfolder", &self.subfolder)
            .field("folder", &self.folder)
            .field("overwrite", &self.overwrite)
            .finish_non_exhaustive()
    }
}

impl<'a> IntoFuture for Upload<'a> {
    type Output = Result<Uploaded>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl Client {
    async fn explain_broken_upload(&self, name: &str, size: u64, error: Error) -> Error {
        let limit = self
            .http()
            .call(route::FEATURES, &[])
            .once()
            .read::<Features>()
            .await
            .ok()
            .and_then(|features| features.max_upload_size());
        match limit {
            Some(limit) if size >= limit => {
                let name = crate::text::one_line(name, 100);
                let message =
                    format!("`{name}` has {size} bytes, and the server takes at most {limit} bytes at once");
                let hint = "start the server with a larger `--max-upload-size`, or send a smaller file";
                Error::new(ErrorKind::TooLarge, message).with_hint(hint).with_status(413).with_source(error)
            }
            _ => error,
        }
    }
}

impl Source {
    /// The content, and its size.
    pub(crate) async fn open(self) -> Result<(Box<dyn AsyncRead + Send + Unpin>, u64)> {
        let path = match self {
            Self::Bytes(bytes) => {
                let size = bytes.len() as u64;
                return Ok((Box::new(Cursor::new(bytes)), size));
            }
            Self::Path(path) => path,
        };
        let cannot_read = |error| Error::io(format!("cannot read {}", path.display()), error);
        let file = tokio::fs::File::open(&path).await.map_err(cannot_read)?;
        let metadata = file.metadata().await.map_err(cannot_read)?;
        if metadata.is_dir() {
            return Err(Error::new(ErrorKind::Io, format!("{} is a folder, not a file", path.display())));
        }
        // A file that grows meanwhile must not send more than was announced.
        Ok((Box::new(file.take(metadata.len())), metadata.len()))
    }
}

/// Sends a request whose body may take long to send, but must not stand still; nor must the answer after it.
pub(crate) async fn while_it_moves(
    http: &Http,
    send: impl Future<Output = Result<Response>>,
    mut moves: watch::Receiver<()>,
) -> Result<Response> {
    let mut send = std::pin::pin!(send);
    loop {
        tokio::select! {
            answer = &mut send => return answer,
            moved = http.step(moves.changed()) => {
                if moved?.is_err() {
                    return http.step(send).await?;
                }
            }
        }
    }
}
