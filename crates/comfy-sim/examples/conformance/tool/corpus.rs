//! Where the recordings are.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::Context as _;

/// The folder of recordings: `transcripts`, `validation`, `pixels` and `object_info`.
#[derive(Debug, Clone)]
pub(crate) struct Corpus {
    root: PathBuf,
}

impl Corpus {
    /// The recordings in this folder, or in the one that `COMFY_CORPUS` names, or in `../shared` beside the repository.
    ///
    /// # Errors
    /// There are none.
    pub(crate) fn find(root: Option<PathBuf>) -> anyhow::Result<Self> {
        let root = root
            .or_else(|| std::env::var_os("COMFY_CORPUS").map(PathBuf::from))
            .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
        let found = root.join("transcripts").is_dir();
        anyhow::ensure!(found, "no recordings in {} (COMFY_CORPUS names another folder)", root.display());
        Ok(Self { root })
    }

    /// The JSON files of a folder of the corpus by name, without their ending; none where there is no such folder.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub(crate) fn files(&self, folder: &str) -> anyhow::Result<Vec<(String, PathBuf)>> {
        let folder = self.root.join(folder);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.with_context(|| format!("cannot list {}", folder.display()))?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if let Some(name) = name.strip_suffix(".json") {
                files.push((name.to_owned(), path.clone()));
            }
        }
        files.sort();
        Ok(files)
    }

    /// What the real server of this version, with the small nodes for tests, said about its node classes.
    ///
    /// # Errors
    /// The file is not there.
    pub(crate) fn object_info(&self, version: &str) -> anyhow::Result<Vec<u8>> {
        let path = self.root.join(format!("object_info/{version}-with-test-nodes.json.gz"));
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}
