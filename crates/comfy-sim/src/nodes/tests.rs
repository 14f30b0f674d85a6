//! The pictures and texts of real servers against what the nodes here compute.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::*;
use crate::files::{Folder, Upload};

mod files;
mod rules;
mod savers;

/// A place for one prompt to run.
struct Bench {
    _directory: tempfile::TempDir,
    files: Files,
    extra_pnginfo: Option<Map<String, Json>>,
    instance: NodeInstance,
    version: ServerVersion,
}

/// Classes that take lists.
static TAKING_LISTS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let registry = Registry::new(ServerVersion::V0_30_0, None, false).expect("bundled classes");
    let schemas = registry.schemas_for(&Json::Null);
    schemas.iter().filter(|(_, schema)| schema.is_input_list).map(|(name, _)| name.to_owned()).collect()
});

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("temporary directory");
        let files = Files::new(directory.path());
        let version = ServerVersion::V0_30_0;
        Self { _directory: directory, files, extra_pnginfo: None, instance: NodeInstance::new(), version }
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
        let takes_lists = TAKING_LISTS.contains(class.name);
        let mut inputs = Inputs::default();
        for (name, input) in node["inputs"].as_object().expect("inputs") {
            let value = match input.as_array().map(Vec::as_slice) {
                Some([Json::String(source), slot]) => {
                    self.run_node(prompt, source, done)?;
                    done[source].outputs[slot.as_u64().expect("a slot") as usize].clone()
                }
                _ => Value::Json(input.clone()),
            };
            let value = match value {
                list @ Value::List(_) => list,
                one if takes_lists => Value::List(vec![one]),
                one => one,
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
            call: 0,
            snapshot: None,
            version: self.version,
            stage: &EmptyStage,
        };
        let ran = if takes_lists {
            (class.run)(&inputs, &mut context)?
        } else {
            self.run_on_lists(class, &inputs, &mut context)?
        };
        done.insert(id.to_owned(), ran);
        Ok(())
    }

    /// Runs a class that takes no lists once for each element of the longest one.
    fn run_on_lists(
        &self,
        class: &NodeClass,
        inputs: &Inputs,
        context: &mut Context<'_>,
    ) -> Result<Ran, NodeError> {
        let list = |value: &Value| if let Value::List(values) = value { values.len() } else { 1 };
        let longest = inputs.0.values().map(list).max().unwrap_or(1);
        if !inputs.0.values().any(|value| matches!(value, Value::List(_))) {
            return (class.run)(inputs, context);
        }
        let mut sum = Ran::default();
        for index in 0..longest {
            let element = |value: &Value| match value {
                Value::List(values) => values[index.min(values.len() - 1)].clone(),
                one => one.clone(),
            };
            let inputs =
                Inputs(inputs.0.iter().map(|(name, value)| (name.clone(), element(value))).collect());
            let ran = (class.run)(&inputs, context)?;
            for (slot, value) in ran.outputs.into_iter().enumerate() {
                match sum.outputs.get_mut(slot) {
                    Some(Value::List(values)) => values.push(value),
                    _ => sum.outputs.push(Value::List(vec![value])),
                }
            }
            for (key, items) in ran.ui.into_iter().flatten() {
                let all =
                    sum.ui.get_or_insert_default().entry(key).or_insert_with(|| Json::Array(Vec::new()));
                all.as_array_mut().expect("a list").extend(items.as_array().expect("a list").clone());
            }
        }
        Ok(sum)
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

/// How far a byte may be from the recorded one. Classes that mix floats do so in another order than the server.
fn tolerance(prompt: &Json) -> u8 {
    const MIXING: [&str; 18] = [
        "AudioEqualizer3Band",
        "BatchImagesNode",
        "Canny",
        "ImageBatch",
        "ImageBlur",
        "ImageCompositeMasked",
        "ImageRGBToYUV",
        "ImageScale",
        "ImageScaleBy",
        "ImageScaleToMaxDimension",
        "ImageScaleToTotalPixels",
        "ImageSharpen",
        "ImageYUVToRGB",
        "JoinImageWithAlpha",
        "PorterDuffImageComposite",
        "ResizeAndPadImage",
        "ResizeImageMaskNode",
        "BatchMasksNode",
    ];
    let mixes = |node: &Json| {
        let class = node["class_type"].as_str().unwrap_or_default();
        let exact = ["upscale_method", "interpolation", "scale_method"]
            .iter()
            .any(|name| matches!(node["inputs"][*name].as_str(), Some("lanczos" | "nearest-exact")));
        MIXING.contains(&class) && !exact
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
    /// What is not as recorded.
    differences: Vec<String>,
}

impl Outcome {
    fn add(&mut self, other: Self, case: &Json) {
        if other.pictures + other.texts == 0 && other.differences.is_empty() {
            self.differences.push(format!("{} shows nothing", case["case"]));
        }
        self.pictures += other.pictures;
        self.texts += other.texts;
        self.bytes += other.bytes;
        self.near += other.near;
        self.differences.extend(other.differences);
    }

    fn compare_picture(&mut self, found: &Decoded, recorded: &Decoded, allowed: u8) -> Result<(), String> {
        if (found.width, found.height) != (recorded.width, recorded.height) || found.color != recorded.color {
            let shape =
                |picture: &Decoded| format!("{}x{} {:?}", picture.width, picture.height, picture.color);
            return Err(format!("{}, recorded {}", shape(found), shape(recorded)));
        }
        let mut worst = (0, 0, 0, 0);
        let mut far = 0;
        for (at, (a, b)) in found.bytes.iter().zip(&recorded.bytes).enumerate() {
            let off = a.abs_diff(*b);
            far += usize::from(off > allowed);
            self.near += usize::from(off > 0 && off <= allowed);
            if off > worst.0 {
                worst = (off, at, *a, *b);
            }
        }
        self.bytes += recorded.bytes.len();
        self.pictures += 1;
        if far > 0 {
            let (_, at, a, b) = worst;
            return Err(format!("{far} of {} bytes, most byte {at}: {a}, recorded {b}", found.bytes.len()));
        }
        Ok(())
    }
}

fn run_case(inputs: &Json, case: &Json, version: ServerVersion) -> Outcome {
    let name = case["case"].as_str().expect("a name");
    let mut bench = Bench::new();
    bench.version = version;
    let named = case["prompt"].to_string();
    for (file, content) in inputs.as_object().expect("inputs") {
        if !named.contains(file.as_str()) {
            continue;
        }
        bench.put(file, &STANDARD.decode(content.as_str().expect("base64")).expect("base64"));
    }
    let mut outcome = Outcome::default();
    let shown = match bench.run(&case["prompt"]) {
        Ok(shown) => shown,
        Err(error) if case.get("error").is_some() => {
            let recorded = &case["error"];
            outcome.texts += 1;
            let found = [error.exception_type, format!("{}\n", error.message)];
            if recorded[0] != found[0] || recorded[1] != found[1] {
                outcome.differences.push(format!("{name} ({version}): {found:?}, recorded {recorded}"));
            }
            return outcome;
        }
        Err(error) => {
            outcome
                .differences
                .push(format!("{name} ({version}): {} {}", error.exception_type, error.message));
            return outcome;
        }
    };
    if let Some(error) = case.get("error") {
        outcome.differences.push(format!("{name} ({version}): no error, recorded {error}"));
        return outcome;
    }
    let allowed = tolerance(&case["prompt"]);
    for (id, expected) in case["outputs"].as_object().expect("outputs") {
        let none = Map::new();
        let ui = shown.get(id).unwrap_or(&none);
        for (key, texts) in expected["raw"].as_object().into_iter().flatten() {
            outcome.texts += 1;
            if ui.get(key) != Some(texts) {
                let found = ui.get(key).unwrap_or(&Json::Null);
                outcome.differences.push(format!("{name} ({version}): {key} {found}, recorded {texts}"));
            }
        }
        let pictures = expected["images"].as_array().map(Vec::as_slice).unwrap_or_default();
        let items = ui.get("images").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        if items.len() != pictures.len() {
            let text = format!("{name} ({version}): {} pictures, recorded {}", items.len(), pictures.len());
            outcome.differences.push(text);
        }
        for (item, picture) in items.iter().zip(pictures) {
            let found = decode(&bench.read(item));
            let recorded = picture["png_base64"].as_str().expect("base64");
            let recorded = decode(&STANDARD.decode(recorded).expect("base64"));
            if let Err(difference) = outcome.compare_picture(&found, &recorded, allowed) {
                outcome.differences.push(format!("{name} ({version}): {difference}"));
            }
        }
    }
    outcome
}

/// Runs the cases of a directory that need no other nodes than ours, each as the versions it was recorded on; their
/// number, and what they came to.
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
        // A file holds one case, or a list of them.
        let recorded = match read(&path) {
            Json::Array(cases) => cases,
            one => vec![one],
        };
        for case in recorded {
            let mut nodes = case["prompt"].as_object().expect("a prompt").values();
            if !nodes.all(|node| node["class_type"].as_str().is_some_and(|name| class(name).is_some())) {
                println!("not computed: {}", case["case"]);
                continue;
            }
            for version in case["server_version"].as_array().expect("versions") {
                let version = version.as_str().expect("a version").parse().expect("a version");
                sum.add(run_case(&inputs, &case, version), &case);
            }
            cases += 1;
        }
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
    assert!(sum.differences.is_empty(), "{}", sum.differences.join("\n"));
    assert!(cases >= 23, "{cases} cases");
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
    assert!(sum.differences.is_empty(), "{}", sum.differences.join("\n"));
    assert!(cases >= 141, "{cases} cases");
    assert!(sum.near * 100 <= sum.bytes, "{} of {} bytes are off by one", sum.near, sum.bytes);
}
