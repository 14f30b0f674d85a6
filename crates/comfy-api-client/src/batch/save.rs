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
use super::{Namer, RowEvent, RowInfo, Wants};
use crate::files::{blocking, bytes_at, chosen_path, local_path, numbered};
use crate::{Client, Error, ErrorKind, OutputFile, Outputs, Result, SavedFile, SocketImage};

/// Files of a row that are downloaded at the same time.
const AT_ONCE: usize = 4;

/// Bytes between two reports of a download.
const REPORT: u64 = 256 << 10;

type Saving<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Where files go.
pub(super) struct Saver<'a> {
    pub(super) client: Client,
    pub(super) journal: Journal,
    pub(super) folder: PathBuf,
    pub(super) wants: Option<Wants<'a>>,
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
        let images: Vec<_> = outputs.socket_images().collect();
        let files = outputs.files().chain(images.iter().map(|image| image.output()));
        let first_image = outputs.files().count();
        let saves = self.wanted(row, files, open).into_iter().map(|wanted| {
            let (failed, images) = (&failed, &images);
            let saving: Saving<'_> = Box::pin(async move {
                if failed.load(Ordering::Relaxed) {
                    return Ok(());
                }
                match wanted.place.checked_sub(first_image).and_then(|place| images.get(place)) {
                    Some(image) => self.save_picture(row, wanted, image, tell).await,
                    None => self.save_file(row, wanted, open, tell).await,
                }
            });
            saving
        });
        let mut saves = std::pin::pin!(futures_util::stream::iter(saves).buffer_unordered(AT_ONCE));
        let mut result = Ok(());
        while let Some(saved) = saves.next().await {
            failed.fetch_or(saved.is_err(), Ordering::Relaxed);
            result = result.and(saved);
        }
        result
    }

    /// Those of the files that are to be saved and were not.
    fn wanted(&self, row: &RowInfo, files: impl Iterator<Item = OutputFile>, open: &Open) -> Vec<Wanted> {
        let wants = |output: &OutputFile| self.wants.as_ref().is_none_or(|wants| wants(output));
        let files = files.enumerate().filter(|(_, output)| wants(output)).enumerate();
        let missing = files.filter(|(_, (place, _))| !open.saved.contains_key(place));
        let wanted = missing.map(|(index, (place, output))| {
            let name = self.namer.as_ref().and_then(|name| name(row, index, &output));
            let path = match name {
                Some(name) => chosen_path(&name),
                None => local_path(&output.file),
            };
            Wanted { place, output, path }
        });
        wanted.collect()
    }

    async fn save_picture(
        &self,
        row: &RowInfo,
        wanted: Wanted,
        image: &SocketImage,
        tell: &(dyn Fn(RowEvent) + Send + Sync),
    ) -> Result<()> {
        let part = self.part(row, &wanted);
        let file = bytes_at(image.bytes().clone(), &self.folder.join(&part)).await?;
        self.put(row, wanted, part, file, image.bytes().len() as u64, tell).await
    }

    async fn save_file(
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
