//! Files of rows, each of which is there once, whenever the process ends.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tempfile::TempPath;

use super::entry::{Entry, Saved};
use super::journal::{Intent, Journal, Open};
use super::{Namer, RowEvent, RowInfo};
use crate::files::{blocking, bytes_at, numbered};
use crate::{Client, Error, ErrorKind, OutputFile, Outputs, Result, SavedFile};

/// Files of a row that are downloaded at the same time.
const AT_ONCE: usize = 4;

/// Bytes between two reports of a download.
const REPORT: u64 = 256 << 10;

/// Where files go.
pub(super) struct Saver<'a> {
    pub(super) client: Client,
    pub(super) journal: Journal,
    pub(super) folder: PathBuf,
    pub(super) namer: Option<Namer<'a>>,
    pub(super) overwrite: bool,
}

/// A file that is wanted.
struct Wanted {
    place: usize,
    output: OutputFile,
    /// Relative to the folder, as all paths here unless they are joined to it.
    path: PathBuf,
}

impl Saver<'_> {
    /// Saves what is not there yet. After a failure no further file is begun, and those that have been come to their end.
    pub(super) async fn save(
        &self,
        row: &RowInfo,
        outputs: &Outputs,
        open: &Open,
        tell: &(dyn Fn(RowEvent) + Send + Sync),
    ) -> Result<()> {
        let failed = AtomicBool::new(false);
        let files: Vec<OutputFile> = outputs.files().collect();
        let count = files.len();
        let wanted = self.wanted(row, files, 0, open);
        let saves = futures_util::stream::iter(wanted).map(|wanted| {
            let failed = &failed;
            let saving: Pin<Box<dyn Future<Output = Result<()>> + Send + '_>> = Box::pin(async move {
                if failed.load(Ordering::Relaxed) {
                    return Ok(());
                }
                self.save_one(row, wanted, open, tell).await
            });
            saving
        });
        let mut saves = std::pin::pin!(saves.buffer_unordered(AT_ONCE));
        let mut result = Ok(());
        while let Some(saved) = saves.next().await {
            failed.fetch_or(saved.is_err(), Ordering::Relaxed);
            result = result.and(saved);
        }
        result?;
        let images: Vec<_> = outputs.socket_images().collect();
        let named = images.iter().map(|image| image.output()).collect();
        for wanted in self.wanted(row, named, count, open) {
            let Some(image) = images.get(wanted.place - count) else { continue };
            let part = self.part(row, &wanted);
            let file = bytes_at(image.bytes().clone(), &self.folder.join(&part)).await?;
            self.put(row, wanted, part, file, image.bytes().len() as u64, tell).await?;
        }
        Ok(())
    }

    /// Those of the files that are to be saved and were not. `first` is the place of the first.
    fn wanted(&self, row: &RowInfo, files: Vec<OutputFile>, first: usize, open: &Open) -> Vec<Wanted> {
        let wanted = (first..).zip(files).filter(|(place, _)| !open.saved.contains_key(place));
        let wanted = wanted.filter_map(|(place, output)| {
            let path = match &self.namer {
                Some(name) => name(row, place, &output)?,
                None => output.local_path(),
            };
            Some(Wanted { place, output, path })
        });
        wanted.collect()
    }

    async fn save_one(
        &self,
        row: &RowInfo,
        wanted: Wanted,
        open: &Open,
        tell: &(dyn Fn(RowEvent) + Send + Sync),
    ) -> Result<()> {
        if let Some(intent) = open.saving.get(&wanted.place).cloned() {
            let folder = self.folder.clone();
            let found = blocking(move || Ok(found(&folder, intent))).await?;
            match found {
                Some(Found::Named(path, bytes)) => return self.note(row, wanted, path, bytes, tell),
                Some(Found::Part(part, file, bytes)) => {
                    return self.put(row, wanted, part, file, bytes, tell).await;
                }
                None => {}
            }
        }
        let name = wanted.output.file.filename.clone();
        // Told to a reader that reads while this is polled, and not more often than anybody can see.
        let (progress, mut reports) = tokio::sync::watch::channel((0, None));
        let mut told = 0;
        let download = self.client.download(&wanted.output.file).on_progress(move |bytes, size| {
            if bytes >= told + REPORT || bytes < told || size == Some(bytes) {
                told = bytes;
                let _ = progress.send((bytes, size));
            }
        });
        let part = self.part(row, &wanted);
        let part_path = self.folder.join(&part);
        let mut saving = std::pin::pin!(async { download.await?.save_part(&part_path).await });
        let (file, bytes) = loop {
            tokio::select! {
                saved = &mut saving => break saved?,
                Ok(()) = reports.changed() => {
                    let (bytes, size) = *reports.borrow_and_update();
                    tell(RowEvent::Downloading { name: name.clone(), bytes, size });
                }
            }
        };
        self.put(row, wanted, part, file, bytes, tell).await
    }

    /// The temporary name of a file, which is the same every time.
    fn part(&self, row: &RowInfo, wanted: &Wanted) -> PathBuf {
        let of = format!("{}\n{}\n{}", self.journal.id(), row.key, wanted.place);
        let hash: String = Sha256::digest(of).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        wanted.path.with_file_name(format!(".comfy-{hash}.part"))
    }

    /// Gives a complete file its name: written down first, so that it is known for this one afterwards.
    async fn put(
        &self,
        row: &RowInfo,
        wanted: Wanted,
        part: PathBuf,
        file: TempPath,
        bytes: u64,
        tell: &(dyn Fn(RowEvent) + Send + Sync),
    ) -> Result<()> {
        let (folder, journal, overwrite) = (self.folder.clone(), self.journal.clone(), self.overwrite);
        let (key, place, path) = (row.key.clone(), wanted.place, wanted.path.clone());
        let path = blocking(move || {
            let intend = |path: &Path| {
                let (path, part) = (path.to_owned(), part.clone());
                journal.add(Entry::Saving { row: key.clone(), place, path, part, bytes })
            };
            let _naming = journal.naming();
            if overwrite {
                intend(&path)?;
                let full = folder.join(&path);
                return file.persist(&full).map(|()| path).map_err(|error| cannot_write(&full, error.error));
            }
            put_beside_others(&folder, &path, file, intend)
        })
        .await?;
        self.note(row, wanted, path, bytes, tell)
    }

    fn note(
        &self,
        row: &RowInfo,
        wanted: Wanted,
        path: PathBuf,
        bytes: u64,
        tell: &(dyn Fn(RowEvent) + Send + Sync),
    ) -> Result<()> {
        let Wanted { place, output, .. } = wanted;
        self.journal.add(Entry::Saved(Saved {
            row: row.key.clone(),
            place,
            node: output.node.clone(),
            key: output.key.clone(),
            file: output.file.clone(),
            path: path.clone(),
            bytes,
        }))?;
        tell(RowEvent::Saved(SavedFile::new(output, self.folder.join(path), bytes)));
        Ok(())
    }
}

/// A file that was about to be renamed when the process ended.
enum Found {
    /// It has its name.
    Named(PathBuf, u64),
    /// It has still the temporary one.
    Part(PathBuf, TempPath, u64),
}

fn found(folder: &Path, intent: Intent) -> Option<Found> {
    let Intent { path, part, bytes } = intent;
    let (full, full_part) = (folder.join(&path), folder.join(&part));
    let size = |path: &Path| {
        std::fs::symlink_metadata(path).ok().filter(|file| file.is_file()).map(|file| file.len())
    };
    match (size(&full_part), size(&full)) {
        // Where the system cannot rename without overwriting, a file has both names for a moment.
        (Some(_), Some(_)) if is_same(&full_part, &full) => {
            let _ = std::fs::remove_file(full_part);
            Some(Found::Named(path, bytes))
        }
        (Some(size), _) if size == bytes => {
            let file = TempPath::try_from_path(full_part).ok()?;
            Some(Found::Part(part, file, bytes))
        }
        (None, Some(size)) if size == bytes => Some(Found::Named(path, bytes)),
        _ => None,
    }
}

#[cfg(unix)]
fn is_same(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &Path| std::fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()));
    matches!((id(one), id(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(not(unix))]
fn is_same(_: &Path, _: &Path) -> bool {
    false
}

/// Gives a file the first name of its kind that nobody has, of which `intend` is told before.
fn put_beside_others(
    folder: &Path,
    path: &Path,
    mut file: TempPath,
    intend: impl Fn(&Path) -> Result<()>,
) -> Result<PathBuf> {
    for number in 0.. {
        let numbered = numbered(path, number);
        let full = folder.join(&numbered);
        if std::fs::symlink_metadata(&full).is_ok() {
            continue;
        }
        intend(&numbered)?;
        match file.persist_noclobber(&full) {
            Ok(()) => return Ok(numbered),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => file = error.path,
            Err(error) => return Err(cannot_write(&full, error.error)),
        }
    }
    Err(Error::new(ErrorKind::Io, format!("no free name for {}", path.display())))
}

fn cannot_write(path: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot write {}", path.display()), error)
}
