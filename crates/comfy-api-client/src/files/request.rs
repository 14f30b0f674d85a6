use std::future::{Future, IntoFuture};
use std::ops::{Bound, Range, RangeBounds};
use std::path::PathBuf;
use std::pin::Pin;

use comfy_protocol::FileRef;

use super::download::Download;
use super::transfer::{OnProgress, Transfer};
use crate::http::{Call, Http};
use crate::{Client, Error, ErrorKind, Result};

/// A file about to be downloaded; made by [`Client::download`]. Await it for the [`Download`].
///
/// # Errors
/// [`ErrorKind::NotFound`] when the file is gone (temporary files go with a restart of the server),
/// [`ErrorKind::Config`] for a range that is empty or begins after the file's end, or those of the connection. A preview
/// or a channel of a file that is no picture is [`ErrorKind::Status`] with 500.
#[must_use = "nothing is downloaded unless this is awaited"]
pub struct DownloadRequest {
    client: Client,
    wanted: Wanted,
    on_progress: Option<OnProgress>,
}

/// What is to be downloaded.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) file: FileRef,
    pub(super) range: Option<(Bound<u64>, Bound<u64>)>,
    preview: Option<(PictureFormat, u8)>,
    channel: Option<Channel>,
}

/// A format of pictures that servers make previews in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PictureFormat {
    /// WebP.
    Webp,
    /// JPEG, which has no transparency.
    Jpeg,
}

/// The channels of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Channel {
    /// All of them: the file as it is.
    Rgba,
    /// The colours alone, as a PNG without transparency.
    Rgb,
    /// The transparency alone, as a PNG.
    Alpha,
}

impl DownloadRequest {
    pub(super) fn new(client: Client, file: FileRef) -> Self {
        let wanted = Wanted { file, range: None, preview: None, channel: None };
        Self { client, wanted, on_progress: None }
    }

    /// Downloads a smaller form of a picture, which the server makes: of the same width and height, in this format and
    /// quality (1 to 100). It wins over a channel.
    pub fn preview(mut self, format: PictureFormat, quality: u8) -> Self {
        self.wanted.preview = Some((format, quality.clamp(1, 100)));
        self
    }

    /// Downloads some channels of a picture.
    pub fn channel(mut self, channel: Channel) -> Self {
        self.wanted.channel = Some(channel);
        self
    }

    /// Downloads a part of the file, counted in bytes: `1000..`, `..4096`. Previews and channels have no parts.
    pub fn range(mut self, range: impl RangeBounds<u64>) -> Self {
        self.wanted.range = Some((range.start_bound().cloned(), range.end_bound().cloned()));
        self
    }

    /// Calls this with the bytes that came so far and those that are to come in all, where the server says it: first
    /// with 0, then for every piece. The count goes back only where a file has to be downloaded again from its start.
    ///
    /// It is called between the pieces and must not take long.
    pub fn on_progress(mut self, report: impl FnMut(u64, Option<u64>) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(report));
        self
    }
}

impl IntoFuture for DownloadRequest {
    type Output = Result<Download>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let transfer = Transfer::begin(self.client, self.wanted, self.on_progress).await?;
            Ok(Download::new(transfer))
        })
    }
}

impl std::fmt::Debug for DownloadRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DownloadRequest").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

impl Wanted {
    /// Whether it is a file of the server byte for byte, and not something that is made of it.
    pub(super) fn is_plain(&self) -> bool {
        self.preview.is_none() && matches!(self.channel, None | Some(Channel::Rgba))
    }

    /// Where it belongs below a folder. What is made of a picture has the extension of what it is.
    pub(super) fn local_path(&self) -> PathBuf {
        let path = super::name::local_path(&self.file);
        match (self.preview, self.channel) {
            (Some((PictureFormat::Webp, _)), _) => path.with_extension("webp"),
            (Some((PictureFormat::Jpeg, _)), _) => path.with_extension("jpg"),
            (None, Some(Channel::Rgb | Channel::Alpha)) => path.with_extension("png"),
            (None, None | Some(Channel::Rgba)) => path,
        }
    }

    /// The call for it, without a range.
    pub(super) fn call<'a>(&self, http: &'a Http) -> Call<'a> {
        let mut call = super::info::view(http, &self.file);
        if let Some((format, quality)) = self.preview {
            let format = match format {
                PictureFormat::Webp => "webp",
                PictureFormat::Jpeg => "jpeg",
            };
            call = call.query("preview", format!("{format};{quality}"));
        }
        let channel = self.channel.map(|channel| match channel {
            Channel::Rgba => "rgba",
            Channel::Rgb => "rgb",
            Channel::Alpha => "a",
        });
        call.query_if("channel", channel)
    }

    /// The bytes that are wanted of a file of unknown size.
    pub(super) fn bytes(&self) -> Result<Range<u64>> {
        let Some((start, end)) = self.range else { return Ok(0..u64::MAX) };
        if !self.is_plain() {
            return Err(Error::new(ErrorKind::Config, "previews and channels of pictures have no parts")
                .with_hint("leave the range out"));
        }
        let start = match start {
            Bound::Included(start) => start,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match end {
            Bound::Included(last) => last.saturating_add(1),
            Bound::Excluded(end) => end,
            Bound::Unbounded => u64::MAX,
        };
        if start < end {
            Ok(start..end)
        } else {
            Err(Error::new(ErrorKind::Config, format!("the range {start}..{end} is empty")))
        }
    }
}
