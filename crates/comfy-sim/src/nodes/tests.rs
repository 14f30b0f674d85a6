//! The pictures and texts of real servers against what the nodes here compute.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::*;
use crate::files::{Folder, Upload};

mod files;
mod rules;

/// A place for one prompt to run.
struct Bench {
    _directory: tempfile::TempDir,
    files: Files,
    extra_pnginfo: Option<Map<String, Json>>,
    instance: NodeInstance,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("temporary directory");
        let files = Files::new(directory.path());
        Self { _directory: directory, files, extra_pnginfo: None, instance: NodeInstance::new() }
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        self.files.store_upload(Folder::Input, "", name, &Upload::of(bytes, true)).expect("stored");
    }

    /// Runs every node of a prompt once, sources first; what the nodes show, by node id.
    fn run(&self, prompt: &Json) -> Result<HashMap<String, Map<String, Json>>, NodeError> {
        let mut done = HashMap::new();
        let nodes = prompt.as_object().expect("a prompt");
        for id in nodes.keys() {
            self.run_node(prompt, id, &mut done)?;
        }
        Ok(done.into_iter().filter_map(|(id, ran)| Some((id, ran.ui?))).collect())
    }

    fn run_node(&self, prompt: &Json, id: &str, done: &mut HashMap<String, Ran>) -> Result<(), NodeError> {
        if done.contains_key(id) {
            return Ok(());
        }
        let node = &prompt[id];
        let class = class(node["class_type"].as_str().expect("a class")).expect("a known class");
        let mut inputs = Inputs::default();
        for (name, input) in node["inputs"].as_object().expect("inputs") {
            let value = match input.as_array().map(Vec::as_slice) {
                Some([Json::String(source), slot]) => {
                    self.run_node(prompt, source, done)?;
                    done[source].outputs[slot.as_u64().expect("a slot") as usize].clone()
                }
                _ => Value::Json(input.clone()),
            };
            inputs.0.insert(name.clone(), value);
        }
        let constants = node["inputs"].as_object().expect("inputs");
        if let Some(check) = class.check {
            let values =
                check.inputs.iter().map(|name| ((*name).to_owned(), constants[*name].clone())).collect();
            let mut checked = CheckInputs::default();
            checked.values = values;
            assert_eq!((check.run)(&checked, &self.files), CheckResult::Passed);
        }
        let mut context = Context {
            files: &self.files,
            prompt,
            extra_pnginfo: self.extra_pnginfo.as_ref(),
            instance: &self.instance,
            setting: &Setting::default(),
            node: &id.into(),
            version: ServerVersion::V0_30_0,
            stage: &EmptyStage,
        };
        let ran = (class.run)(&inputs, &mut context)?;
        done.insert(id.to_owned(), ran);
        Ok(())
    }

    /// What the node `s` of a prompt shows.
    fn shown(&self, prompt: Json) -> Map<String, Json> {
        self.run(&prompt).expect("a run").remove("s").expect("something shown by s")
    }

    /// How the only node that can fail fails, as exception and text.
    fn failure(&self, prompt: Json) -> (String, String) {
        let error = self.run(&prompt).expect_err("a failure");
        (error.exception_type, error.message)
    }

    /// The bytes of the first picture that `s` of a prompt saves.
    fn saved(&self, prompt: Json) -> Vec<u8> {
        self.read(&self.shown(prompt)["images"][0])
    }

    fn read(&self, item: &Json) -> Vec<u8> {
        let text = |key: &str| item[key].as_str().expect("text");
        let folder = Folder::parse(text("type")).expect("a folder");
        let path = self.files.resolve_in(folder, text("subfolder"), text("filename")).expect("a path");
        std::fs::read(path).expect("the file")
    }
}

#[derive(Debug, PartialEq)]
struct Decoded {
    width: u32,
    height: u32,
    color: png::ColorType,
    bytes: Vec<u8>,
}

fn decode(png: &[u8]) -> Decoded {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().expect("a PNG");
    let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut bytes).expect("pixels");
    bytes.truncate(info.buffer_size());
    Decoded { width: info.width, height: info.height, color: info.color_type, bytes }
}

/// How far a byte may be from the recorded one. Methods that mix floats do so in another order than the server.
fn tolerance(prompt: &Json) -> u8 {
    let mixes = |node: &Json| match node["class_type"].as_str() {
        Some("ImageScale" | "ImageScaleBy") => {
            !matches!(node["inputs"]["upscale_method"].as_str(), Some("lanczos" | "nearest-exact"))
        }
        class => class == Some("ImageBatch"),
    };
    u8::from(prompt.as_object().into_iter().flat_map(Map::values).any(mixes))
}

/// What one case came to.
#[derive(Default)]
struct Outcome {
    pictures: usize,
    texts: usize,
    bytes: usize,
    /// Bytes that are off by one, where that is allowed.
    near: usize,
}

fn run_case(inputs: &Json, case: &Json) -> Outcome {
    let name = case["case"].as_str().expect("a name");
    let bench = Bench::new();
    for (file, content) in inputs.as_object().expect("inputs") {
        bench.put(file, &STANDARD.decode(content.as_str().expect("base64")).expect("base64"));
    }
    let shown = bench.run(&case["prompt"]).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let allowed = tolerance(&case["prompt"]);
    let mut outcome = Outcome::default();
    for (id, expected) in case["outputs"].as_object().expect("outputs") {
        let ui = &shown[id];
        for (key, texts) in expected["raw"].as_object().into_iter().flatten() {
            assert_eq!(&ui[key], texts, "{name}");
            outcome.texts += 1;
        }
        let pictures = expected["images"].as_array().map(Vec::as_slice).unwrap_or_default();
        let items = ui.get("images").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(items.len(), pictures.len(), "{name}: number of pictures");
        for (item, picture) in items.iter().zip(pictures) {
            let found = decode(&bench.read(item));
            let recorded = picture["png_base64"].as_str().expect("base64");
            let recorded = decode(&STANDARD.decode(recorded).expect("base64"));
            assert_eq!((found.width, found.height), (recorded.width, recorded.height), "{name}");
            assert_eq!(found.color, recorded.color, "{name}");
            for (at, (a, b)) in found.bytes.iter().zip(&recorded.bytes).enumerate() {
                let off = a.abs_diff(*b);
                assert!(off <= allowed, "{name}: byte {at} is {a}, recorded {b}");
                outcome.near += usize::from(off > 0);
            }
            outcome.bytes += recorded.bytes.len();
            outcome.pictures += 1;
        }
    }
    outcome
}

/// Runs the cases of a directory that need no other nodes than ours; their number, and what they came to.
fn run_directory(directory: &Path) -> (usize, Outcome) {
    let read = |path: &Path| -> Json {
        serde_json::from_str(&std::fs::read_to_string(path).expect("readable")).expect("JSON")
    };
    let inputs = read(&directory.join("inputs.json"));
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let (mut cases, mut sum) = (0, Outcome::default());
    for path in paths {
        if path.extension().is_none_or(|ending| ending != "json") || path.ends_with("inputs.json") {
            continue;
        }
        let case = read(&path);
        let mut nodes = case["prompt"].as_object().expect("a prompt").values();
        if !nodes.all(|node| node["class_type"].as_str().is_some_and(|name| class(name).is_some())) {
            continue;
        }
        let outcome = run_case(&inputs, &case);
        assert!(outcome.pictures + outcome.texts > 0, "{} shows nothing", path.display());
        cases += 1;
        sum.pictures += outcome.pictures;
        sum.texts += outcome.texts;
        sum.bytes += outcome.bytes;
        sum.near += outcome.near;
    }
    (cases, sum)
}

/// The recorded corpus, which is not part of the repository. It has to be there in CI.
fn corpus(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("COMFY_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let directory = root.join(part);
    if directory.is_dir() {
        return Some(directory);
    }
    let text = format!("no recorded corpus at {} (COMFY_CORPUS names another place)", directory.display());
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{text}");
    println!("skipped: {text}");
    None
}

#[test]
fn the_fixtures_come_out_as_recorded() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pixels");
    let (cases, sum) = run_directory(&directory);
    assert!(cases >= 15, "{cases} cases");
    assert!(sum.near * 100 <= sum.bytes, "{} of {} bytes are off by one", sum.near, sum.bytes);
}

#[test]
fn the_whole_corpus_comes_out_as_recorded() {
    let Some(directory) = corpus("pixels") else { return };
    let (cases, sum) = run_directory(&directory);
    println!(
        "{cases} cases, {} pictures, {} texts, {} of {} bytes off by one",
        sum.pictures, sum.texts, sum.near, sum.bytes
    );
    assert!(cases >= 76, "{cases} cases");
    assert!(sum.near * 100 <= sum.bytes, "{} of {} bytes are off by one", sum.near, sum.bytes);
}
