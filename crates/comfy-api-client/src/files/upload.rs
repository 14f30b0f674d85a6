use std::future::{Future, IntoFuture};
use std::io;
use std::path::Path;
use std::pin::Pin;

use bytes::Bytes;
use comfy_protocol::routes::upload::Uploaded;
use comfy_protocol::{FileRef, route};
use futures_util::Stream;
use reqwest::multipart::Form;

use super::mask::Mask;
use super::sending::{OnProgress, Sending};
use super::source::Source;
use crate::{Client, Error, ErrorKind, Result};

/// A file about to be uploaded; made by [`Client::upload`], [`Client::upload_bytes`], [`Client::upload_stream`] and
/// [`Client::upload_mask`]. Await it for the name that the server gave it.
///
/// It is sent as it is, whatever it holds, and read while it is sent.
///
/// # Errors
/// [`ErrorKind::TooLarge`] when it is larger than the server takes, which is found out before anything is sent where
/// the size is known; [`ErrorKind::Io`] when it cannot be read; or those of the connection. Uploads are not repeated.
#[must_use = "nothing is uploaded unless this is awaited"]
pub struct Upload<'a> {
    client: &'a Client,
    source: Source,
    name: Option<String>,
    subfolder: String,
    folder: String,
    overwrite: bool,
    content_type: Option<String>,
    original: Option<FileRef>,
    on_progress: Option<OnProgress<'a>>,
}

impl<'a> Upload<'a> {
    pub(super) fn from_path(client: &'a Client, path: &Path) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Self::new(client, Source::Path(path.to_owned()), name)
    }

    pub(super) fn from_bytes(client: &'a Client, name: String, bytes: Bytes) -> Self {
        Self::new(client, Source::Bytes(bytes), Some(name))
    }

    pub(super) fn from_stream(
        client: &'a Client,
        name: String,
        stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        size: Option<u64>,
    ) -> Self {
        Self::new(client, Source::Stream(Box::pin(stream), size), Some(name))
    }

    fn new(client: &'a Client, source: Source, name: Option<String>) -> Self {
        Self {
            client,
            source,
            name,
            subfolder: String::new(),
            folder: "input".into(),
            overwrite: false,
            content_type: None,
            original: None,
            on_progress: None,
        }
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

    /// The media type that is sent with the file, such as `image/png`; none unless set. Servers tell files by their
    /// names.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Uploads the file as the mask of a picture on the server: its transparency is put on that picture, and the result
    /// stored under the mask's name, with the texts that the original carries. Both must be of the same size. The name
    /// tells the format of the result, which must have transparency, such as `.png`.
    ///
    /// Awaiting it fails with [`ErrorKind::NotFound`] when the original is not on the server.
    pub fn mask_of(mut self, original: &FileRef) -> Self {
        self.original = Some(original.clone());
        self
    }

    /// Calls this with the bytes of the file that were sent so far and its size, where that is known: first with 0, then
    /// as it goes on, and last with all of it. What was sent may still be on its way.
    ///
    /// It is called while the upload is awaited and must not take long.
    pub fn on_progress(mut self, report: impl FnMut(u64, Option<u64>) + Send + 'a) -> Self {
        self.on_progress = Some(Box::new(report));
        self
    }

    async fn send(self) -> Result<Uploaded> {
        let http = self.client.http();
        let name = self.name.unwrap_or_default();
        let (sending, mut part) = Sending::open(self.source, &name, self.on_progress).await?;
        if let Some(content_type) = &self.content_type {
            part = part.mime_str(content_type).map_err(|error| {
                let shown = crate::text::one_line(content_type, 60);
                Error::new(ErrorKind::Config, format!("`{shown}` is no media type"))
                    .with_hint("give one such as `image/png`")
                    .with_source(error)
            })?;
        }
        let mut form = Form::new().text("type", self.folder.clone());
        if !self.subfolder.is_empty() {
            form = form.text("subfolder", self.subfolder.clone());
        }
        if self.overwrite {
            form = form.text("overwrite", "true");
        }
        let Some(original) = self.original else {
            let call = http.call(route::UPLOAD_IMAGE, &[]).multipart(form.part("image", part));
            return http.read_json(sending.send(http, call.unhurried()).await?).await;
        };
        let place = Uploaded::new(name, self.subfolder, self.folder).file();
        let mask = Mask::prepare(http, original, self.overwrite.then_some(place)).await?;
        let form = form.text("original_ref", mask.original_ref()).part("image", part);
        let call = http.call(route::UPLOAD_MASK, &[]).multipart(form).unhurried();
        let answer = sending.send(http, call).await.map_err(Mask::explain)?;
        let uploaded: Uploaded = http.read_json(answer).await?;
        mask.verify(http, &uploaded).await?;
        Ok(uploaded)
    }
}

impl std::fmt::Debug for Upload<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("name", &self.name)
            .field("subfolder", &self.subfolder)
            .field("folder", &self.folder)
            .field("overwrite", &self.overwrite)
            .field("content_type", &self.content_type)
            .field("original", &self.original)
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
