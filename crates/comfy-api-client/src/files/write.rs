//! Files on this side, which appear only when they are complete.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::{Builder, NamedTempFile, TempPath};
use tokio::sync::mpsc;

use super::name;
use super::transfer::{Step, Transfer};
use crate::{Error, ErrorKind, Result};

/// Pieces that may wait to be written.
const WAITING: usize = 4;

/// Writes a download under a temporary name in the folder where it is to be.
pub(super) async fn beside(transfer: Transfer, path: &Path) -> Result<(TempPath, u64)> {
    let folder = folder_of(path).to_owned();
    let (part, part_path) = blocking(move || Ok(part_file(&folder)?.into_parts())).await?;
    let bytes = fill(transfer, part, path.display().to_string()).await?;
    Ok((part_path, bytes))
}

/// Writes a download as `path`, in place of what is there. It is removed when that fails, or is given up.
pub(super) async fn at(transfer: Transfer, path: &Path) -> Result<(TempPath, u64)> {
    let made = path.to_owned();
    let (part, part_path) = blocking(move || anew(&made)).await?;
    let bytes = fill(transfer, part, path.display().to_string()).await?;
    Ok((part_path, bytes))
}

/// Writes bytes as `path`, in place of what is there.
pub(crate) async fn bytes_at(content: Bytes, path: &Path) -> Result<TempPath> {
    let path = path.to_owned();
    blocking(move || {
        let (mut part, part_path) = anew(&path)?;
        part.write_all(&content)
            .map_err(|error| Error::io(format!("cannot write {}", path.display()), error))?;
        Ok(part_path)
    })
    .await
}

/// A new file of this name, made with its folder.
fn anew(path: &Path) -> Result<(File, TempPath)> {
    let folder = folder_of(path);
    std::fs::create_dir_all(folder)
        .map_err(|error| Error::io(format!("cannot make the folder {}", folder.display()), error))?;
    let made = match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        // Nothing that others put there meanwhile is written to.
        _ => File::create_new(path),
    };
    let file =
        made.map_err(|error| Error::io(format!("cannot write in the folder {}", folder.display()), error))?;
    let path = TempPath::try_from_path(path)
        .map_err(|error| Error::io(format!("cannot write {}", path.display()), error))?;
    Ok((file, path))
}

/// The folder that a path is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a download into a file, and gives back how many bytes it has.
async fn fill(mut transfer: Transfer, part: File, shown: String) -> Result<u64> {
    // The next piece comes in while one is written.
    let (steps, waiting) = mpsc::channel(WAITING);
    let writer = blocking(move || {
        write(part, waiting).map_err(|error| Error::io(format!("cannot write {shown}"), error))
    });
    let reader = async move {
        while let Some(step) = transfer.next(true).await? {
            // A writer that is gone has an error of its own.
            if steps.send(step).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    // Both, since not every system removes a file that is still open.
    let (read, written): (Result<()>, _) = tokio::join!(reader, writer);
    let bytes = written?;
    read?;
    Ok(bytes)
}

/// Saves bytes in a folder under a name as a file of the server is saved; over a file of that name only if `over`.
pub(crate) async fn bytes_in(
    folder: &Path,
    name: &str,
    content: Bytes,
    over: bool,
) -> Result<(PathBuf, u64)> {
    let path = folder.join(name::chosen_path(name));
    blocking(move || {
        let (mut part, part_path) = part_file(path.parent().unwrap_or(Path::new(".")))?.into_parts();
        part.write_all(&content)
            .map_err(|error| Error::io(format!("cannot write {}", path.display()), error))?;
        let bytes = content.len() as u64;
        if over {
            return put_over(part_path, path, bytes);
        }
        put_without_overwriting(part_path, path, bytes)
    })
    .await
}

fn write(mut part: File, mut steps: mpsc::Receiver<Step>) -> io::Result<u64> {
    let mut bytes = 0;
    while let Some(step) = steps.blocking_recv() {
        match step {
            Step::Piece(piece) => {
                part.write_all(&piece)?;
                bytes += piece.len() as u64;
            }
            Step::StartsOver => {
                part.set_len(0)?;
                part.rewind()?;
                bytes = 0;
            }
        }
    }
    part.flush()?;
    Ok(bytes)
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

pub(super) fn put_over(part: TempPath, path: PathBuf, bytes: u64) -> Result<(PathBuf, u64)> {
    match part.persist(&path) {
        Ok(()) => Ok((path, bytes)),
        Err(error) => Err(Error::io(format!("cannot write {}", path.display()), error.error)),
    }
}

pub(super) fn put_without_overwriting(
    mut part: TempPath,
    path: PathBuf,
    bytes: u64,
) -> Result<(PathBuf, u64)> {
    for number in 0.. {
        let numbered = name::numbered(&path, number);
        match part.persist_noclobber(&numbered) {
            Ok(()) => return Ok((numbered, bytes)),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => part = error.path,
            Err(error) => return Err(Error::io(format!("cannot write {}", numbered.display()), error.error)),
        }
    }
    Err(Error::new(ErrorKind::Io, format!("no free name for {}", path.display())))
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let result = tokio::task::spawn_blocking(work).await;
    result.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::Io, "writing files was stopped").with_source(error))
    })
}
