//! Recorded runs: those in `fixtures`, and the larger collection where it is at hand.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Recorded scenarios of the fixtures.
pub(crate) fn fixtures() -> Vec<(String, Value)> {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/transcripts"))
}

/// Recorded scenarios of the larger collection; empty with a printed reason where it is not at hand.
pub(crate) fn collection() -> Vec<(String, Value)> {
    let folder = std::env::var_os("COMFY_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from)
        .join("transcripts");
    if !folder.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "the recorded transcripts are missing");
        eprintln!("skipped: the collection of recorded transcripts is not at hand");
        return Vec::new();
    }
    read(&folder)
}

fn read(folder: &Path) -> Vec<(String, Value)> {
    let mut scenarios = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scenarios.extend(read(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let scenario: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let version = scenario["server_version"].as_str().unwrap_or_default();
            let name = format!("{version}/{}", path.file_stem().unwrap().to_string_lossy());
            scenarios.push((name, scenario));
        }
    }
    scenarios.sort_by(|a, b| a.0.cmp(&b.0));
    scenarios
}
