use std::future::{Future, IntoFuture};
use std::io;
use std::path::Path;
use std::pin::Pin;

use bytes::Bytes;
use comfy_protocol::routes::upload::Uploaded;
use comfy_protocol::{FileRef, route};
use futures_util::Stream;
use reqwest::Response;
use reqwest::multipart::{Form, Part};
use tokio::sync::watch;

use super::limit::Limited;
use super::mask::Mask;
use super::source::{Pieces, Source, Trouble, counted};
use crate::http::{Call, Http};
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

type OnProgress<'a> = Box<dyn FnMut(u64, Option<u64>) + Send + 'a>;

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

    async fn send(mut self) -> Result<Uploaded> {
        let http = self.client.http();
        let shown = self.shown();
        let name = self.checked_name()?;
        let source = std::mem::replace(&mut self.source, Source::Bytes(Bytes::new()));
        let (pieces, size) = source.open().await?;
        let (count, counts) = watch::channel(0);
        let trouble = Trouble::default();
        let pieces: Pieces = Box::pin(counted(pieces, size, count, trouble.clone()));

        let mask = match self.original.take() {
            Some(original) => {
                let place = Uploaded::new(name.clone(), self.subfolder.clone(), self.folder.clone());
                let place = self.overwrite.then(|| place.file());
                Some(Mask::prepare(http, original, place).await?)
            }
            None => None,
        };
        let call = self.call(http, &name, mask.as_ref(), pieces, size)?;
        let limited = Limited { http, name: &name, size, body: call.body_size() };
        limited.check().await?;

        let mut progress = Progress { counts, size, reported: None, report: self.on_progress.take() };
        let answer = while_it_moves(http, call.send(), &mut progress).await;
        let sent = *progress.counts.borrow();
        let answer = match (answer, trouble.take()) {
            (Ok(answer), _) => answer,
            (Err(_), Some(cause)) => return Err(Error::io(format!("cannot read {shown}"), cause)),
            (Err(error), None) if mask.is_some() => {
                return Err(Mask::explain(limited.explain(error, sent).await));
            }
            (Err(error), None) => return Err(limited.explain(error, sent).await),
        };
        let uploaded: Uploaded = http.read_json(answer).await?;
        if let Some(mask) = mask {
            mask.verify(http, &uploaded).await?;
        }
        Ok(uploaded)
    }

    /// What is uploaded, for messages.
    fn shown(&self) -> String {
        let name = self.name.as_deref().unwrap_or_default();
        match &self.source {
            Source::Path(path) => path.display().to_string(),
            _ => format!("the content of `{}`", crate::text::one_line(name, 100)),
        }
    }

    fn checked_name(&mut self) -> Result<String> {
        let name = self.name.take().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Error::new(ErrorKind::Io, "the file to upload has no name"))?;
        if name.contains(['\r', '\n', '\0']) {
            let shown = crate::text::one_line(&name, 100);
            let message = format!("the name `{shown}` has a line break or a NUL in it");
            return Err(
                Error::new(ErrorKind::Config, message).with_hint("upload the file under another name")
            );
        }
        Ok(name)
    }

    fn call<'h>(
        &mut self,
        http: &'h Http,
        name: &str,
        mask: Option<&Mask>,
        pieces: Pieces,
        size: Option<u64>,
    ) -> Result<Call<'h>> {
        let body = reqwest::Body::wrap_stream(pieces);
        let part = match size {
            Some(size) => Part::stream_with_length(body, size),
            None => Part::stream(body),
        };
        let mut part = part.file_name(name.to_owned());
        if let Some(content_type) = &self.content_type {
            part = part.mime_str(content_type).map_err(|error| {
                let shown = crate::text::one_line(content_type, 60);
                Error::new(ErrorKind::Config, format!("`{shown}` is no media type"))
                    .with_hint("give one such as `image/png`")
                    .with_source(error)
            })?;
        }
        let mut form = Form::new().text("type", std::mem::take(&mut self.folder));
        if !self.subfolder.is_empty() {
            form = form.text("subfolder", std::mem::take(&mut self.subfolder));
        }
        if self.overwrite {
            form = form.text("overwrite", "true");
        }
        if let Some(mask) = mask {
            form = form.text("original_ref", mask.original_ref());
        }
        let route = if mask.is_some() { route::UPLOAD_MASK } else { route::UPLOAD_IMAGE };
        Ok(http.call(route, &[]).multipart(form.part("image", part)).unhurried())
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

/// How far an upload is, and who hears of it.
struct Progress<'a> {
    counts: watch::Receiver<u64>,
    size: Option<u64>,
    reported: Option<u64>,
    report: Option<OnProgress<'a>>,
}

impl Progress<'_> {
    fn report(&mut self) {
        let sent = *self.counts.borrow_and_update();
        if let Some(report) = self.report.as_mut().filter(|_| self.reported != Some(sent)) {
            self.reported = Some(sent);
            report(sent, self.size);
        }
    }
}

/// Sends a request whose body may take long to send, but must not stand still; nor must the answer after it.
async fn while_it_moves(
    http: &Http,
    send: impl Future<Output = Result<Response>>,
    progress: &mut Progress<'_>,
) -> Result<Response> {
    let mut send = std::pin::pin!(send);
    progress.report();
    loop {
        tokio::select! {
            answer = &mut send => {
                progress.report();
                return answer;
            }
            moved = http.step(progress.counts.changed()) => {
                if moved?.is_err() {
                    return http.step(send).await?;
                }
                progress.report();
            }
        }
    }
}
