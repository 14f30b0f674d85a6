use std::path::{Path, PathBuf};

use bytes::Bytes;
use comfy_protocol::{FileRef, route};
use futures_util::{Stream, StreamExt};
use tempfile::{Builder, NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt;

use super::name;
use crate::{Client, Error, ErrorKind, Result};

/// A file on its way from the server; made by [`Client::download`].
pub struct Download {
    client: Client,
    file: FileRef,
    response: reqwest::Response,
}

impl Download {
    pub(crate) async fn start(client: &Client, file: &FileRef) -> Result<Self> {
        let http = client.http();
        let call = http.call(route::VIEW, &[]).query("filename", &file.filename);
        let call = call.query("subfolder", &file.subfolder).query("type", &file.folder);
        let response = http.step(call.unhurried().send()).await?.map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                let name = crate::text::one_line(&file.filename, 100);
                let gone = Error::new(
                    ErrorKind::NotFound,
                    format!("the file `{name}` is not on the server any more"),
                );
                gone.with_hint("temporary files go when the server restarts; run the workflow again")
                    .with_status(404)
                    .with_source(error)
            }
            _ => error,
        })?;
        Ok(Self { client: client.clone(), file: file.clone(), response })
    }

    /// The file's size in bytes, if the server says it.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The whole file in memory.
    ///
    /// # Errors
    /// Those of the connection; a file over 1 GiB.
    pub async fn bytes(self) -> Result<Bytes> {
        self.client.http().read_body(self.response).await
    }

    /// The file in pieces as they come.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes>> + Send + use<> {
        futures_util::stream::try_unfold(self, async |mut download| {
            let piece = download.client.http().next_piece(&mut download.response).await?;
            Ok(piece.map(|piece| (piece, download)))
        })
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
        let path = folder.as_ref().join(name::local_path(&self.file));
        let (part, bytes) = self.write_beside(&path).await?;
        blocking(move || put_without_overwriting(part, path, bytes)).await
    }

    /// Saves the file in a folder as [`save_in`](Self::save_in) does, but over a file of the same name.
    ///
    /// # Errors
    /// As [`save_in`](Self::save_in).
    pub async fn save_over(self, folder: impl AsRef<Path>) -> Result<(PathBuf, u64)> {
        let path = folder.as_ref().join(name::local_path(&self.file));
        let bytes = self.save_as(&path).await?;
        Ok((path, bytes))
    }

    /// Saves the file as `path`, overwriting what is there, and returns how many bytes it has.
    ///
    /// # Errors
    /// As [`save_in`](Self::save_in).
    pub async fn save_as(self, path: impl AsRef<Path>) -> Result<u64> {
        let path = path.as_ref().to_owned();
        let (part, bytes) = self.write_beside(&path).await?;
        blocking(move || match part.persist(&path) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(Error::io(format!("cannot write {}", path.display()), error.error)),
        })
        .await
    }

    /// Writes the file under a temporary name in the folder where it is to be.
    async fn write_beside(self, path: &Path) -> Result<(TempPath, u64)> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
            .to_owned();
        let shown = path.display().to_string();
        let (part, part_path) = blocking(move || Ok(part_file(&folder)?.into_parts())).await?;
        let mut part = tokio::fs::File::from_std(part);
        let cannot_write = |error| Error::io(format!("cannot write {shown}"), error);
        let expected = self.size();
        let mut pieces = std::pin::pin!(self.into_stream());
        let mut bytes = 0;
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            part.write_all(&piece).await.map_err(cannot_write)?;
            bytes += piece.len() as u64;
        }
        part.flush().await.map_err(cannot_write)?;
        if expected.is_some_and(|expected| expected != bytes) {
            return Err(Error::new(ErrorKind::Disconnected, format!("only {bytes} bytes of {shown} came"))
                .with_hint("try again"));
        }
        Ok((part_path, bytes))
    }
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download")
            .field("file", &self.file)
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

fn part_file(folder: &Path) -> Result<NamedTempFile> {
    std::fs::create_dir_all(folder)
        .map_err(|error| Error::io(format!("cannot make the folder {}", folder.display()), error))?;
    let mut builder = Builder::new();
    builder.prefix(".comfy-").suffix(".part");
    // Temporary files are private by default; this one becomes an ordinary file.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
        .tempfile_in(folder)
        .map_err(|error| Error::io(format!("cannot write in the folder {}", folder.display()), error))
}

fn put_without_overwriting(mut part: TempPath, path: PathBuf, bytes: u64) -> Result<(PathBuf, u64)> {
    for number in 0.. {
        let numbered = name::numbered(&path, number);
        match part.persist_noclobber(&numbered) {
            Ok(()) => return Ok((numbered, bytes)),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => part = error.path,
            Err(error) => return Err(Error::io(format!("cannot write {}", numbered.display()), error.error)),
        }
    }
    Err(Error::new(ErrorKind::Io, format!("no free name for {}", path.display())))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let result = tokio::task::spawn_blocking(work).await;
    result.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::Io, "writing files was stopped").with_source(error))
    })
}
