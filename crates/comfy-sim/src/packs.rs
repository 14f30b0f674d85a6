//! What node packs bring besides nodes: scripts, translations, example workflows and subgraphs. The packs are the folders
//! below `custom_nodes` in the base directory, as for the server; their Python code is not looked at.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::files::Files;

/// Folders of a pack that have example workflows.
const EXAMPLES: [&str; 5] = ["example_workflows", "example", "examples", "workflow", "workflows"];

/// Folders of a pack that have its scripts. The server is told by the pack's code which it is.
const SCRIPTS: [&str; 2] = ["web", "js"];

/// How deep folders are looked into.
const DEEPEST: usize = 16;

/// The folders of the packs with their names, sorted.
fn packs(files: &Files) -> Vec<(String, PathBuf)> {
    let mut packs: Vec<_> = entries(&files.base().join("custom_nodes"));
    packs.retain(|(name, path)| path.is_dir() && !name.starts_with(['.', '_']));
    packs
}

fn pack(files: &Files, name: &str) -> Option<PathBuf> {
    packs(files).into_iter().find(|(known, _)| known == name).map(|(_, path)| path)
}

fn entries(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<_> =
        entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path()))).collect();
    found.sort_unstable();
    found
}

/// The scripts below a folder, as paths from it on.
pub(crate) fn scripts_below(folder: &Path) -> Vec<String> {
    fn gather(folder: &Path, before: &str, deepest: usize, found: &mut Vec<String>) {
        for (name, path) in entries(folder) {
            let whole = format!("{before}{name}");
            if path.is_dir() && deepest > 0 {
                gather(&path, &format!("{whole}/"), deepest - 1, found);
            } else if name.ends_with(".js") && path.is_file() {
                found.push(whole);
            }
        }
    }
    let mut found = Vec::new();
    gather(folder, "", DEEPEST, &mut found);
    found
}

/// The folder that has the scripts of a pack.
pub(crate) fn script_folder(files: &Files, name: &str) -> Option<PathBuf> {
    let pack = pack(files, name)?;
    SCRIPTS.iter().map(|folder| pack.join(folder)).find(|path| path.is_dir())
}

/// The scripts of all packs, each as `pack/script.js`.
pub(crate) fn scripts(files: &Files) -> Vec<String> {
    let mut found = Vec::new();
    for (name, _) in packs(files) {
        if let Some(folder) = script_folder(files, &name) {
            found.extend(scripts_below(&folder).into_iter().map(|script| format!("{name}/{script}")));
        }
    }
    found
}

/// The translations of all packs: `{language: {…}}`.
pub(crate) fn translations(files: &Files) -> Json {
    let mut all = Map::new();
    for (_, pack) in packs(files) {
        for (language, folder) in entries(&pack.join("locales")) {
            if !folder.is_dir() {
                continue;
            }
            let Some(known) = all.entry(language).or_insert_with(|| json!({})).as_object_mut() else {
                continue;
            };
            if let Some(Json::Object(main)) = read(&folder.join("main.json")) {
                known.extend(main);
            }
            for part in ["nodeDefs", "commands", "settings"] {
                if let Some(Json::Object(entries)) = read(&folder.join(part).with_extension("json"))
                    && let Some(part) = known.entry(part).or_insert_with(|| json!({})).as_object_mut()
                {
                    part.extend(entries);
                }
            }
        }
    }
    Json::Object(all)
}

/// The example workflows of all packs: `{pack: [name]}`.
pub(crate) fn templates(files: &Files) -> Json {
    let mut all = Map::new();
    for (name, pack) in packs(files) {
        let names: Vec<_> =
            EXAMPLES.iter().flat_map(|folder| jsons(&pack.join(folder))).map(|(name, _)| name).collect();
        if !names.is_empty() {
            all.insert(name, names.into());
        }
    }
    Json::Object(all)
}

/// The folders that may have a pack's example workflow.
pub(crate) fn template_folders(files: &Files, name: &str) -> Vec<PathBuf> {
    let pack = pack(files, name);
    pack.into_iter()
        .flat_map(|pack| EXAMPLES.map(|folder| pack.join(folder)))
        .filter(|path| path.is_dir())
        .collect()
}

/// The subgraphs of all packs by their ids, each with its file.
pub(crate) fn subgraphs(files: &Files) -> Vec<(String, Json, PathBuf)> {
    let mut all = Vec::new();
    for (pack_name, pack) in packs(files) {
        for (name, path) in jsons(&pack.join("subgraphs")) {
            let id: String = Sha256::digest(format!("custom_node{pack_name}/{name}"))
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let info = json!({"node_pack": format!("custom_nodes.{pack_name}")});
            all.push((id, json!({"source": "custom_node", "name": name, "info": info}), path));
        }
    }
    all
}

/// The JSON files at the top of a folder, with their names without the ending.
fn jsons(folder: &Path) -> Vec<(String, PathBuf)> {
    let named = entries(folder).into_iter().filter(|(_, path)| path.is_file());
    named.filter_map(|(name, path)| Some((name.strip_suffix(".json")?.to_owned(), path))).collect()
}

fn read(path: &Path) -> Option<Json> {
    comfy_protocol::json::from_str(&fs::read_to_string(path).ok()?).ok()
}
