//! Inputs that choose a file: which folder their list shows, and what is in that folder now.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use comfy_workflow::validate::{CheckInputs, CheckResult};
use serde_json::Value as Json;

use super::Check;
use crate::files::{Files, Folder};

/// Folders are looked through no deeper than this, and lists are no longer than that.
const DEPTH: usize = 8;
const MOST_FILES: usize = 100_000;

const PICTURES: [&str; 19] = [
    "avif", "bmp", "gif", "heic", "heif", "ico", "ief", "jpe", "jpeg", "jpg", "pbm", "pgm", "png", "pnm",
    "ppm", "svg", "tif", "tiff", "webp",
];
const VIDEOS: [&str; 14] =
    ["avi", "m1v", "m4v", "mkv", "mov", "movie", "mp4", "mpa", "mpe", "mpeg", "mpg", "ogv", "qt", "webm"];
const SOUNDS: [&str; 17] = [
    "aac", "adts", "aif", "aifc", "aiff", "au", "flac", "m4a", "mid", "midi", "mp2", "mp3", "oga", "ogg",
    "opus", "ra", "wav",
];
const MESHES: [&str; 5] = ["fbx", "glb", "gltf", "obj", "stl"];
const SPLATS: [&str; 4] = ["ksplat", "ply", "splat", "spz"];
const DOCUMENTS: [&str; 2] = ["pdf", "txt"];
const MODELS: [&str; 8] = ["bin", "ckpt", "pkl", "pt", "pt2", "pth", "safetensors", "sft"];

type RunCheck = fn(&CheckInputs, &Files) -> CheckResult;

/// What a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// The models of this kind.
    Models(&'static str),
    Pictures,
    Sounds,
    Videos,
    /// Those below `3d`.
    Meshes,
    MeshesAndSplats,
    Latents,
    Documents,
}

/// An input that chooses a file.
#[derive(Debug, Clone)]
pub(super) struct Chooser {
    /// `required` or `optional`.
    section: &'static str,
    input: String,
    pub(super) source: Source,
    /// Whether the class has a check of its own in place of the list's.
    pub(super) checked: bool,
}

/// The files of all lists at one moment.
pub(super) type Listing = BTreeMap<Source, Vec<String>>;

/// Where the files are.
#[derive(Debug, Clone, Default)]
pub(super) struct Folders {
    pub(super) files: Option<Files>,
    pub(super) models: Option<PathBuf>,
}

/// The inputs of a class that choose files.
pub(super) fn choosers(class: &str, facts: &Json) -> Vec<Chooser> {
    let types: Vec<&str> =
        facts["output"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let inputs = ["required", "optional"].into_iter().flat_map(|section| {
        facts["input"][section].as_object().into_iter().flatten().map(move |input| (section, input))
    });
    inputs
        .filter_map(|(section, (name, spec))| {
            choices(spec)?;
            let source = source(class, name, &spec[1], &types)?;
            Some(Chooser { section, input: name.clone(), source, checked: check(class).is_some() })
        })
        .collect()
}

fn source(class: &str, input: &str, options: &Json, types: &[&str]) -> Option<Source> {
    let has = |option: &str| options[option] == true;
    let gives = |kind: &str| types.contains(&kind);
    if options.get("remote").is_some() {
        return None;
    }
    Some(match input {
        _ if has("image_upload") => Source::Pictures,
        _ if has("audio_upload") => Source::Sounds,
        _ if has("video_upload") => Source::Videos,
        "model_file" if has("file_upload") && class == "Load3DAdvanced" => Source::Meshes,
        "model_file" if has("file_upload") => Source::MeshesAndSplats,
        "latent" if class == "LoadLatent" => Source::Latents,
        "file" if matches!(class, "OpenAIInputFiles" | "GeminiInputFiles") => Source::Documents,
        _ => Source::Models(model_kind(input, &gives)?),
    })
}

/// The kind of the models that an input lists: by its name, and where names are shared by what the class gives.
fn model_kind(input: &str, gives: &impl Fn(&str) -> bool) -> Option<&'static str> {
    Some(match input {
        "ckpt_name" => "checkpoints",
        "lora_name" | "existing_lora" => "loras",
        "vae_name" => "vae",
        "clip_name" if gives("CLIP_VISION") => "clip_vision",
        "clip_name" | "clip_name1" | "clip_name2" | "clip_name3" | "clip_name4" | "text_encoder" => {
            "text_encoders"
        }
        "unet_name" => "diffusion_models",
        "control_net_name" => "controlnet",
        "style_model_name" => "style_models",
        "gligen_name" => "gligen",
        "config_name" => "configs",
        "hypernetwork_name" => "hypernetworks",
        "photomaker_model_name" => "photomaker",
        "audio_encoder_name" => "audio_encoders",
        "bg_removal_name" => "background_removal",
        "model_path" if gives("MODEL") && gives("CLIP") => "diffusers",
        "name" if gives("MODEL_PATCH") => "model_patches",
        "model_name" => [
            ("UPSCALE_MODEL", "upscale_models"),
            ("LATENT_UPSCALE_MODEL", "latent_upscale_models"),
            ("INTERP_MODEL", "frame_interpolation"),
            ("OPTICAL_FLOW", "optical_flow"),
            ("MOGE_MODEL", "geometry_estimation"),
            ("DA3_MODEL", "geometry_estimation"),
            ("FACE_DETECTION_MODEL", "detection"),
        ]
        .into_iter()
        .find_map(|(kind, folder)| gives(kind).then_some(folder))?,
        _ => return None,
    })
}

/// The list of a combo in either style.
fn choices(spec: &Json) -> Option<&Vec<Json>> {
    match &spec[0] {
        Json::Array(choices) => Some(choices),
        Json::String(kind) if kind == "COMBO" => spec[1]["options"].as_array(),
        _ => None,
    }
}

impl Chooser {
    /// Puts the files of now into the description of a class. Entries of a list that are no files, such as `none`, stay.
    ///
    /// With `open`, a list of models without models becomes an input of this type.
    pub(super) fn fill(&self, facts: &mut Json, listing: &Listing, open: Option<&str>) {
        let Some(spec) = facts["input"][self.section].get_mut(&self.input) else { return };
        let Some(described) = choices(spec) else { return };
        let named: Vec<_> = described.iter().filter(|name| is_file(name)).cloned().collect();
        let fixed: Vec<_> = described.iter().filter(|name| !is_file(name)).cloned().collect();
        let is_model = matches!(self.source, Source::Models(_));
        let files: Vec<Json> = match listing.get(&self.source) {
            Some(files) => files.iter().map(|name| name.as_str().into()).collect(),
            None => named,
        };
        if let Some(open) = open.filter(|_| is_model && files.is_empty()) {
            spec[0] = open.into();
            return;
        }
        // Meshes follow the word for none, models come before the words.
        let all = if is_model { [files, fixed].concat() } else { [fixed, files].concat() };
        if spec[0].is_array() {
            spec[0] = all.into();
        } else {
            spec[1]["options"] = all.into();
        }
    }
}

fn is_file(name: &Json) -> bool {
    name.as_str().is_some_and(|name| name.rsplit_once('.').is_some_and(|(_, ending)| ending.len() <= 11))
}

impl Folders {
    /// What is in the folders of these lists now. Models are not there when there is no folder for them.
    pub(super) fn list(&self, sources: impl IntoIterator<Item = Source>) -> Listing {
        sources.into_iter().filter_map(|source| Some((source, self.files_of(source)?))).collect()
    }

    fn files_of(&self, source: Source) -> Option<Vec<String>> {
        let top = |endings: &[&[&str]]| {
            let names = self.files.as_ref()?.list(Folder::Input).into_iter();
            Some(names.filter(|name| endings.iter().any(|endings| ends_with(name, endings))).collect())
        };
        let below_3d = |endings: &[&[&str]]| {
            let mut names = Vec::new();
            let root = self.files.as_ref()?.root(Folder::Input).join("3d");
            walk(&root, "3d/", 0, &|name| endings.iter().any(|endings| ends_with(name, endings)), &mut names);
            names.sort_unstable();
            Some(names)
        };
        match source {
            Source::Models(kind) => Some(models(self.models.as_deref()?, kind)),
            Source::Pictures => top(&[&PICTURES]),
            Source::Sounds => top(&[&SOUNDS, &VIDEOS]),
            Source::Videos => top(&[&VIDEOS]),
            Source::Meshes => below_3d(&[&MESHES]),
            Source::MeshesAndSplats => below_3d(&[&MESHES, &SPLATS]),
            Source::Latents => top(&[&["latent"]]),
            Source::Documents => top(&[&DOCUMENTS]),
        }
    }
}

/// The models of a kind, relative to its folder.
fn models(root: &Path, kind: &str) -> Vec<String> {
    let folders: &[&str] = match kind {
        "text_encoders" => &["text_encoders", "clip"],
        "diffusion_models" => &["unet", "diffusion_models"],
        "controlnet" => &["controlnet", "t2i_adapter"],
        _ => &[kind],
    };
    let mut names = Vec::new();
    for folder in folders {
        let root = root.join(folder);
        match kind {
            "configs" => walk(&root, "", 0, &|name| ends_with(name, &["yaml"]), &mut names),
            "diffusers" => models_in_folders(&root, &mut names),
            _ => walk(&root, "", 0, &|name| ends_with(name, &MODELS), &mut names),
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// Models of this kind are folders with a certain file.
fn models_in_folders(root: &Path, names: &mut Vec<String>) {
    let entries = fs::read_dir(root).into_iter().flatten().filter_map(Result::ok);
    let models = entries.filter(|entry| entry.path().join("model_index.json").is_file());
    names.extend(models.filter_map(|entry| entry.file_name().into_string().ok()));
}

fn walk(folder: &Path, prefix: &str, depth: usize, wanted: &impl Fn(&str) -> bool, names: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = entry.path();
        if names.len() >= MOST_FILES {
            return;
        }
        if path.is_dir() {
            if depth < DEPTH && !name.starts_with('.') {
                walk(&path, &format!("{prefix}{name}/"), depth + 1, wanted, names);
            }
        } else if wanted(&name) {
            names.push(format!("{prefix}{name}"));
        }
    }
}

fn ends_with(name: &str, endings: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending.to_ascii_lowercase().as_str()))
}

/// The check that a class with a file chooser brings itself: the file has to be there.
pub(super) fn check(class: &str) -> Option<Check> {
    let (inputs, run): (&[&str], RunCheck) = match class {
        "LoadAudio" => (&["audio"], |inputs, files| exists(inputs, files, "audio", "audio")),
        "LoadVideo" => (&["file"], |inputs, files| exists(inputs, files, "file", "video")),
        "LoadLatent" => (&["latent"], |inputs, files| exists(inputs, files, "latent", "latent")),
        "LoadImageOutput" => (&["image"], |inputs, files| exists(inputs, files, "image", "image")),
        // Its list is written by the user.
        "CustomCombo" => (&["choice"], |_, _| CheckResult::Passed),
        _ => return None,
    };
    Some(Check { inputs, run })
}

/// The check of 3D files, since 0.30.0. It names inputs that are none of its business.
pub(super) fn mesh_check(class: &str) -> Option<Check> {
    let inputs: &[&str] = match class {
        "Load3D" => &["model_file", "image", "width", "height"],
        "Load3DAdvanced" => &["model_file", "viewport_state", "width", "height"],
        _ => return None,
    };
    Some(Check {
        inputs,
        run: |inputs, files| match inputs.values.get("model_file") {
            Some(Json::String(none)) if none == "none" => CheckResult::Passed,
            _ => exists(inputs, files, "model_file", "3D model"),
        },
    })
}

fn exists(inputs: &CheckInputs, files: &Files, input: &str, kind: &str) -> CheckResult {
    match inputs.values.get(input) {
        Some(Json::String(name)) => match files.resolve_annotated(name, Folder::Input) {
            Ok(path) if path.exists() => CheckResult::Passed,
            _ => CheckResult::failed(format!("Invalid {kind} file: {name}")),
        },
        _ => CheckResult::Passed,
    }
}

/// The choosers of all classes that have some.
pub(super) fn all_choosers<'a>(
    facts: impl IntoIterator<Item = (&'a String, &'a Json)>,
) -> BTreeMap<String, Vec<Chooser>> {
    let classes = facts.into_iter().map(|(name, facts)| (name.clone(), choosers(name, facts)));
    classes.filter(|(_, choosers)| !choosers.is_empty()).collect()
}
