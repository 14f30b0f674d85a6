//! The file of an option `-o FILE`.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use tempfile::NamedTempFile;

use crate::failure::{Failure, one_line};

/// Writes a whole file, in place of the one that is there. Whoever reads it meanwhile reads the old one.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let written = match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        // A pipe or a device is no place to put another file.
        Ok(found) if !found.is_file() => {
            File::options().write(true).open(path).and_then(|mut file| file.write_all(content))
        }
        _ => replace(path, content),
    };
    written.map_err(|error| unwritten(path, &error))
}

/// Writes what comes in pieces. The file appears when it is complete, and over one that is there only with `force`.
pub(crate) async fn stream(
    path: &Path,
    mut pieces: impl Stream<Item = Result<Bytes, Failure>> + Unpin,
    force: bool,
) -> Result<(), Failure> {
    let in_the_way = || {
        let message = format!("{} exists already", one_line(&path.display().to_string()));
        Failure::usage("io", message).with_hint("write over it with `--force`, or choose another file")
    };
    if !force && path.exists() {
        return Err(in_the_way());
    }
    let failed = |error: io::Error| match error.kind() {
        // Another program was faster.
        io::ErrorKind::AlreadyExists => in_the_way(),
        _ => unwritten(path, &error),
    };
    let (mut part, path) = part_of(path).map_err(failed)?;
    while let Some(piece) = pieces.try_next().await? {
        part.write_all(&piece).map_err(failed)?;
    }
    let put = if force { part.persist(&path) } else { part.persist_noclobber(&path) };
    put.map(drop).map_err(|error| failed(error.error))
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::of_file("io", &format!("cannot write {}", one_line(&path.display().to_string())), error)
        .with_hint("choose another file with `-o FILE`")
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let (mut part, path) = part_of(path)?;
    part.write_all(content)?;
    part.persist(&path).map(drop).map_err(|error| error.error)
}

/// A file beside the one that is to be, and the path of that.
fn part_of(path: &Path) -> io::Result<(NamedTempFile, PathBuf)> {
    // A link stays one.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".comfy-").suffix(".part");
    // Temporary files are private by default; this one becomes an ordinary file.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    Ok((builder.tempfile_in(folder)?, path))
}
