//! The folders whose files are assets.

use std::path::{Path, PathBuf};

use crate::files::{Files, Folder};
use crate::models::{self, DEEPEST, Models, is_weights};

/// Folders in the input folder that give their files a tag.
const TAGGED_FOLDERS: [&str; 5] = ["pasted", "webcam", "painter", "3d", "threed"];

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

/// All files of a root.
pub(super) fn files_in(root: Root, files: &Files, models: &Models) -> Vec<Found> {
    let mut found = Vec::new();
    let folder = match root {
        Root::Models => {
            for kind in models.kinds().filter(|kind| kind.has_assets()) {
                for folder in models.folders_among_models(kind) {
                    gather(&folder, &mut |relative, path| {
                        let category = Some(kind.name.to_owned());
                        if is_weights(&relative) {
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
    gather(&files.root(folder), &mut |relative, path| {
        found.push(Found { path, root, category: None, relative });
    });
    found
}

fn gather(folder: &Path, take: &mut dyn FnMut(String, PathBuf)) {
    models::walk(folder, "", DEEPEST, &|_| false, take);
}

/// A path below another one, with slashes; `None` when it is not below it or is no text.
fn relative(start: &Path, path: &Path) -> Option<String> {
    let parts: Option<Vec<_>> = path.strip_prefix(start).ok()?.iter().map(|part| part.to_str()).collect();
    parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("/"))
}
