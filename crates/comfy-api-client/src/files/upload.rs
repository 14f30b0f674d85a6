use std::future::{Future, IntoFuture};
use std::path::{Path, PathBuf};
use std::pin::Pin;

use bytes::Bytes;
use comfy_protocol::routes::system::Features;
use comfy_protocol::routes::upload::Uploaded;
use http::Method;
use reqwest::multipart::{Form, Part};
use tokio_util::io::ReaderStream;

use crate::{Client, Error, ErrorKind, Result};

/// A file about to be uploaded; made by [`Client::upload`] and [`Client::upload_bytes`]. Await it for the name that the
/// server gave it.
#[derive(Debug)]
#[must_use = "nothing is uploaded unless this is awaited"]
pub struct Upload<'a> {
    client: &'a Client,
    source: Source,
    name: Option<String>,
    subfolder: String,
    folder: String,
    overwrite: bool,
}

#[derive(Debug)]
enum Source {
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
        let (part, size) = match self.source {
            Source::Path(path) => stream_of(&path).await?,
            Source::Bytes(bytes) => {
                let size = bytes.len() as u64;
                (Part::stream_with_length(bytes, size), size)
            }
        };
        let mut form = Form::new().text("type", self.folder);
        if !self.subfolder.is_empty() {
            form = form.text("subfolder", self.subfolder);
        }
        if self.overwrite {
            form = form.text("overwrite", "true");
        }
        let form = form.part("image", part.file_name(name.clone()));
        let request = http.request(Method::POST, "api/upload/image")?.multipart(form);
        match http.send_ok(request).await {
            Ok(response) => http.read_json(response).await,
            // A server that finds the body too large may hang up before it was sent, and its answer is lost.
            Err(error) if error.kind() == ErrorKind::Disconnected || error.kind() == ErrorKind::TooLarge => {
                Err(self.client.explain_broken_upload(&name, size, error).await)
            }
            Err(error) => Err(error),
        }
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
            .get::<Features>("api/features")
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

/// The file's content in pieces, and its size.
async fn stream_of(path: &Path) -> Result<(Part, u64)> {
    let cannot_read = |error| Error::io(format!("cannot read {}", path.display()), error);
    let file = tokio::fs::File::open(path).await.map_err(cannot_read)?;
    let metadata = file.metadata().await.map_err(cannot_read)?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::Io, format!("{} is a folder, not a file", path.display())));
    }
    let size = metadata.len();
    Ok((Part::stream_with_length(reqwest::Body::wrap_stream(ReaderStream::new(file)), size), size))
}
