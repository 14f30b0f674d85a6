use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;

use super::name;
use super::transfer::{Step, Transfer};
use super::write::{self, blocking, put_over, put_without_overwriting};
use crate::http::LARGEST_BODY;
use crate::{Error, ErrorKind, Result};

/// How much is reserved at most on the word of the server.
const LARGEST_RESERVE: u64 = 128 << 20;

/// A file on its way from the server; made by [`Client::download`](crate::Client::download).
///
/// When the connection breaks in the middle, the download goes on where it was, as often as
/// [`RetryPolicy`](crate::RetryPolicy) allows without a byte in between, if the file is still the same. Where it is not,
/// or the server cannot give a part of it, [`bytes`](Self::bytes) and the `save` methods begin again; a
/// [stream](Self::into_stream), of which something was handed out, ends with an error. A file that is shorter than
/// announced is always an error.
pub struct Download {
    transfer: Transfer,
    name: Option<String>,
}

impl Download {
    pub(super) fn new(transfer: Transfer) -> Self {
        Self { transfer, name: None }
    }

    /// The size in bytes of what is downloaded, if the server says it.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.transfer.size()
    }

    /// The name under which it is saved: that on the server made safe for this side, without its subfolder. Previews and
    /// channels of pictures have the extension of their own format.
    #[must_use]
    pub fn local_name(&self) -> PathBuf {
        let path = self.transfer.wanted().local_path();
        path.file_name().map(PathBuf::from).unwrap_or(path)
    }

    /// The whole file in memory.
    ///
    /// # Errors
    /// Those of the connection; a file over 1 GiB.
    pub async fn bytes(mut self) -> Result<Bytes> {
        let reserve = self.size().unwrap_or_default().min(LARGEST_RESERVE);
        let mut bytes = BytesMut::with_capacity(usize::try_from(reserve).unwrap_or_default());
        while let Some(step) = self.transfer.next(true).await? {
            match step {
                Step::StartsOver => bytes.clear(),
                Step::Piece(piece) if bytes.len() + piece.len() > LARGEST_BODY => {
                    let name = crate::text::one_line(&self.transfer.wanted().file.filename, 100);
                    return Err(Error::new(
                        ErrorKind::UnexpectedReply,
                        format!("`{name}` is larger than 1 GiB"),
                    )
                    .with_hint("save it in a file, or read it as a stream"));
                }
                Step::Piece(piece) => bytes.extend_from_slice(&piece),
            }
        }
        Ok(bytes.freeze())
    }

    /// The file in pieces as they come.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes>> + Send + use<> {
        futures_util::stream::try_unfold(self.transfer, async |mut transfer| {
            loop {
                match transfer.next(false).await? {
                    Some(Step::Piece(piece)) => return Ok(Some((piece, transfer))),
                    // Nothing was handed out yet.
                    Some(Step::StartsOver) => {}
                    None => return Ok(None),
                }
            }
        })
    }

    /// Gives the file another name, under which [`save_in`](Self::save_in) and [`save_over`](Self::save_over) put it below
    /// their folder: `cats/first.png`. A `/` leads into a subfolder. What leads out of the folder or cannot be written is
    /// left out or replaced, so that the name may be made of what the server said.
    ///
    /// ```no_run
    /// # async fn example(download: comfy_api_client::Download) -> comfy_api_client::Result<()> {
    /// let (path, bytes) = download.named("cats/first.png").save_in("out").await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Saves the file in a folder, under its name on the server made safe and below its subfolder, and returns where it
    /// is and how many bytes it has. The folder is made if it does not exist.
    ///
    /// Nothing is overwritten: where a file of that name is, a number is appended. The file appears only when it is
    /// complete.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the folder or file cannot be written, or those of the connection.
    pub async fn save_in(self, folder: impl AsRef<Path>) -> Result<(PathBuf, u64)> {
        let path = self.path_in(folder.as_ref());
        self.save_as_new(path).await
    }

    /// Saves the file in a folder as [`save_in`](Self::save_in) does, but over a file of the same name.
    ///
    /// # Errors
    /// As [`save_in`](Self::save_in).
    pub async fn save_over(self, folder: impl AsRef<Path>) -> Result<(PathBuf, u64)> {
        let path = self.path_in(folder.as_ref());
        let bytes = self.save_as(&path).await?;
        Ok((path, bytes))
    }

    /// Saves the file as `path` until what is returned is dropped.
    pub(crate) async fn save_part(self, path: &Path) -> Result<(tempfile::TempPath, u64)> {
        write::at(self.transfer, path).await
    }

    /// Saves the file as `path`, overwriting what is there, and returns how many bytes it has.
    ///
    /// # Errors
    /// As [`save_in`](Self::save_in).
    pub async fn save_as(self, path: impl AsRef<Path>) -> Result<u64> {
        let path = path.as_ref().to_owned();
        let (part, bytes) = write::beside(self.transfer, &path).await?;
        let (_, bytes) = blocking(move || put_over(part, path, bytes)).await?;
        Ok(bytes)
    }

    /// Saves the file as `path`, with a number appended where a file of that name is, and returns where it is and how
    /// many bytes it has.
    ///
    /// # Errors
    /// As [`save_in`](Self::save_in).
    pub async fn save_as_new(self, path: impl AsRef<Path>) -> Result<(PathBuf, u64)> {
        let path = path.as_ref().to_owned();
        let (part, bytes) = write::beside(self.transfer, &path).await?;
        blocking(move || put_without_overwriting(part, path, bytes)).await
    }
}

impl Download {
    fn path_in(&self, folder: &Path) -> PathBuf {
        folder.join(match &self.name {
            Some(name) => name::chosen_path(name),
            None => self.transfer.wanted().local_path(),
        })
    }
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download")
            .field("wanted", self.transfer.wanted())
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}
