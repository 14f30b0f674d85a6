//! The folders whose files are assets.

use std::fs;
use std::path::{Path, PathBuf};

use crate::files::{Files, Folder};
use crate::model_folders::ModelFolder;
use crate::version::ServerVersion;

/// How deep folders are looked into.
const DEEPEST: usize = 32;

/// Folders in the input folder that give their files a tag.
const TAGGED_FOLDERS: [&str; 5] = ["pasted", "webcam", "painter", "3d", "threed"];

/// Endings of files that nodes load models from.
const MODEL_ENDINGS: [&str; 8] = ["bin", "ckpt", "pkl", "pt", "pt2", "pth", "safetensors", "sft"];

/// A group of folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    Models,
    Input,
    Output,
    /// Never scanned: only what is reported is known.
    Temp,
}

impl Root {
    /// Those that are scanned, in the server's order.
    pub(crate) const SCANNED: [Self; 3] = [Self::Models, Self::Input, Self::Output];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Models => "models",
            Self::Input => "input",
            Self::Output => "output",
            Self::Temp => "temp",
        }
    }

    pub(crate) fn of(folder: Folder) -> Self {
        match folder {
            Folder::Input => Self::Input,
            Folder::Output => Self::Output,
            Folder::Temp => Self::Temp,
        }
    }
}

/// A file in one of the folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) root: Root,
    /// The kind of a model.
    pub(crate) category: Option<String>,
    /// Its path in its folder; of models, in the folder of their kind.
    pub(crate) relative: String,
}

impl Found {
    /// A file in one of the server's folders.
    pub(crate) fn in_folder(files: &Files, folder: Folder, path: &Path) -> Option<Self> {
        let relative = relative(&files.root(folder), path)?;
        Some(Self { path: path.to_owned(), root: Root::of(folder), category: None, relative })
    }

    /// What the place of a file says about it.
    pub(super) fn tags(&self) -> Vec<String> {
        let mut tags = vec![self.root.as_str().to_owned()];
        if let Some(category) = &self.category {
            tags.push(format!("model_type:{category}"));
        }
        let folder = self.relative.rsplit_once('/').map_or("", |(folder, _)| folder);
        if self.root == Root::Input && TAGGED_FOLDERS.contains(&folder) {
            tags.push(folder.to_owned());
        }
        tags
    }
}

/// The kinds of models that assets can be of.
pub(crate) fn categories() -> impl Iterator<Item = &'static ModelFolder> {
    ModelFolder::of(ServerVersion::V0_30_0).filter(|folder| folder.holds_assets())
}

/// Whether a node loads models from files of such a name.
pub(super) fn is_model(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    MODEL_ENDINGS.contains(&ending.as_str())
}

/// All files of a root.
pub(super) fn files_in(root: Root, files: &Files, models: &Path) -> Vec<Found> {
    let mut found = Vec::new();
    let folder = match root {
        Root::Models => {
            for folder in categories() {
                for path in folder.among(models) {
                    gather(&path, &path, DEEPEST, &mut |path, relative| {
                        let category = Some(folder.name.to_owned());
                        if is_model(&relative) {
                            found.push(Found { path, root, category, relative });
                        }
                    });
                }
            }
            return found;
        }
        Root::Input => Folder::Input,
        Root::Output => Folder::Output,
        Root::Temp => Folder::Temp,
    };
    let path = files.root(folder);
    gather(&path, &path, DEEPEST, &mut |path, relative| {
        found.push(Found { path, root, category: None, relative });
    });
    found
}

fn gather(start: &Path, folder: &Path, deepest: usize, take: &mut dyn FnMut(PathBuf, String)) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort_unstable();
    for path in paths {
        if path.is_file() {
            if let Some(relative) = relative(start, &path) {
                take(path, relative);
            }
        } else if deepest > 0 && path.is_dir() {
            gather(start, &path, deepest - 1, take);
        }
    }
}

/// A path below another one, with slashes; `None` when it is not below it or is no text.
fn relative(start: &Path, path: &Path) -> Option<String> {
    let parts: Option<Vec<_>> = path.strip_prefix(start).ok()?.iter().map(|part| part.to_str()).collect();
    parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("/"))
}
