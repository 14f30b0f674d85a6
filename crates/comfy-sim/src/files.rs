//! The server's folders.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

mod counters;
mod naming;
mod path;
#[cfg(test)]
mod tests;
mod times;

pub(crate) use naming::SaveTarget;
pub(crate) use path::{inside, refuse_links_outside};
pub(crate) use times::FileTime;

/// One of the folders that the server reads from and writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Folder {
    Input,
    Output,
    Temp,
}

impl Folder {
    pub(crate) const ALL: [Self; 3] = [Self::Input, Self::Output, Self::Temp];

    /// The name on the wire, and the folder's name under the base directory.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::Temp => "temp",
        }
    }

    /// The folder of this name; upper case is not understood.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|folder| folder.as_str() == name)
    }
}

/// Why a path cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilesError {
    /// It leaves its folder.
    #[error("the path leaves its folder")]
    Outside,
    /// It names nothing that can be a file.
    #[error("not a file name")]
    BadName,
    /// A picture was to be saved outside the folder, in the server's words.
    #[error(
        "**** ERROR: Saving image outside the output folder is not allowed.\n full_output_folder: {directory}\n         output_dir: {root}"
    )]
    SaveOutside { directory: String, root: String },
    /// The file system refused.
    #[error("{source}")]
    Io { path: PathBuf, source: io::Error },
}

impl FilesError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

/// A file that was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upload<'a> {
    pub(crate) sent: &'a [u8],
    /// What is stored of it, if anything.
    pub(crate) written: Option<&'a [u8]>,
    pub(crate) overwrite: bool,
}

impl<'a> Upload<'a> {
    /// A file that is stored as it was sent.
    pub(crate) fn of(bytes: &'a [u8], overwrite: bool) -> Self {
        Self { sent: bytes, written: Some(bytes), overwrite }
    }
}

/// Where an upload went: what the server answers, besides the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredName {
    pub(crate) name: String,
    /// As it was asked for, not tidied up.
    pub(crate) subfolder: String,
    pub(crate) folder: Folder,
}

/// The folders `input`, `output` and `temp` under a base directory.
///
/// Whatever names come in, nothing outside these folders is read or written.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    base: PathBuf,
    counters: counters::Counters,
}

impl Files {
    pub(crate) fn new(base: impl Into<PathBuf>) -> Self {
        let base = base.into();
        Self { base: std::path::absolute(&base).unwrap_or(base), counters: counters::Counters::default() }
    }

    /// The directory that all folders are in.
    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    /// The path of a folder, which may not exist yet.
    pub(crate) fn root(&self, folder: Folder) -> PathBuf {
        self.base.join(folder.as_str())
    }

    /// The path of a folder that exists.
    fn made_root(&self, folder: Folder) -> Result<PathBuf, FilesError> {
        let root = self.root(folder);
        fs::create_dir_all(&root).map_err(FilesError::io(&root))?;
        Ok(root)
    }

    /// The path of something in a folder, whether it exists or not. `relative` may hold subfolders; an empty one is
    /// the folder itself.
    pub(crate) fn resolve(&self, folder: Folder, relative: &str) -> Result<PathBuf, FilesError> {
        let root = self.made_root(folder)?;
        let path = path::inside(&root, folder.as_str(), relative)?;
        path::refuse_links_outside(&root, &path)?;
        Ok(path)
    }

    /// The path of a file by subfolder and name. Both may hold further subfolders.
    pub(crate) fn resolve_in(
        &self,
        folder: Folder,
        subfolder: &str,
        name: &str,
    ) -> Result<PathBuf, FilesError> {
        if subfolder.is_empty() {
            return self.resolve(folder, name);
        }
        if path::is_absolute(name) {
            return Err(FilesError::Outside);
        }
        self.resolve(folder, &format!("{subfolder}/{name}"))
    }

    /// A name with its folder: `a.png [output]`. Without a suffix it belongs to `default`.
    pub(crate) fn split_annotation(name: &str, default: Folder) -> (&str, Folder) {
        for folder in Folder::ALL {
            let suffix = name
                .strip_suffix(']')
                .and_then(|rest| rest.strip_suffix(folder.as_str()))
                .and_then(|rest| rest.strip_suffix(" ["));
            if let Some(plain) = suffix {
                return (plain, folder);
            }
        }
        (name, default)
    }

    /// The path of a file by a name that may carry its folder.
    pub(crate) fn resolve_annotated(&self, name: &str, default: Folder) -> Result<PathBuf, FilesError> {
        let (name, folder) = Self::split_annotation(name, default);
        self.resolve(folder, name)
    }

    /// The files at the top of a folder, sorted by name.
    pub(crate) fn list(&self, folder: Folder) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.root(folder)) else { return Vec::new() };
        let mut names: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort_unstable();
        names
    }

    /// Stores an upload. Without `overwrite` a name that is taken gets " (1)", " (2)" and so on, unless the file
    /// there has the content that was sent.
    pub(crate) fn store_upload(
        &self,
        folder: Folder,
        subfolder: &str,
        name: &str,
        upload: &Upload<'_>,
    ) -> Result<StoredName, FilesError> {
        // The parser of the server's forms takes slashes off the start of a name.
        let name = name.trim_start_matches('/');
        if name.is_empty() {
            return Err(FilesError::BadName);
        }
        let root = self.resolve(folder, subfolder)?;
        let first = self.resolve_in(folder, subfolder, name)?;
        if first == root {
            return Err(FilesError::BadName);
        }
        // Only what was named as the subfolder is made: a name with a slash needs a folder that is there.
        fs::create_dir_all(&root).map_err(FilesError::io(&root))?;
        let stored =
            |name: &str| StoredName { name: name.to_owned(), subfolder: subfolder.to_owned(), folder };
        if upload.overwrite {
            if let Some(written) = upload.written {
                fs::write(&first, written).map_err(FilesError::io(&first))?;
            }
            return Ok(stored(name));
        }
        let (stem, extension) = naming::split_extension(name);
        for number in 0_u64.. {
            let candidate =
                if number == 0 { name.to_owned() } else { format!("{stem} ({number}){extension}") };
            let path = self.resolve_in(folder, subfolder, &candidate)?;
            let Some(written) = upload.written else {
                if path.exists() && !has_content(&path, upload.sent) {
                    continue;
                }
                return Ok(stored(&candidate));
            };
            // The server compares it with the upload, and a folder cannot be read.
            if path.is_dir() {
                return Err(FilesError::BadName);
            }
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    file.write_all(written).map_err(FilesError::io(&path))?;
                    return Ok(stored(&candidate));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if has_content(&path, upload.sent) {
                        return Ok(stored(&candidate));
                    }
                }
                Err(error) => return Err(FilesError::io(&path)(error)),
            }
        }
        Err(FilesError::BadName)
    }

    /// Where pictures with this prefix go, and under which number the next one.
    pub(crate) fn save_target(
        &self,
        folder: Folder,
        prefix: &str,
        width: usize,
        height: usize,
    ) -> Result<SaveTarget, FilesError> {
        naming::save_target(&self.root(folder), &self.counters, folder, prefix, width, height)
    }

    /// Removes the temporary files, as the server does when it starts, and makes the folders.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.root(Folder::Temp)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Folder::ALL.into_iter().try_for_each(|folder| fs::create_dir_all(self.root(folder)))
    }
}

fn has_content(path: &Path, bytes: &[u8]) -> bool {
    // The length first: a large file with another length need not be read.
    let same_length = fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() == bytes.len() as u64);
    same_length && fs::read(path).is_ok_and(|content| content == bytes)
}
