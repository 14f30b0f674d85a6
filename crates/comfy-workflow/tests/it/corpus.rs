//! The recorded answers of real servers, which live outside the repository.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder with the recordings, or nothing (with a word about it) when it is not there. In CI it has to be.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("COMFY_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    if folder.join("validation").is_dir() && folder.join("object_info").is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "no recordings in {}", folder.display());
    println!("skipped: no recordings in {}; set COMFY_CORPUS to their folder", folder.display());
    None
}

/// Reads a gzipped JSON file.
pub(crate) fn gzipped(path: &Path) -> Value {
    let mut bytes = Vec::new();
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    comfy_workflow::json::from_slice(&bytes).unwrap()
}

/// The JSON files of a folder, by name.
pub(crate) fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
}
