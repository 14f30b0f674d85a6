//! The folders of models: which there are, and what is in them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::files::refuse_links_outside;
use crate::version::ServerVersion;

/// Endings of files that have weights.
pub(crate) const WEIGHTS: [&str; 8] = ["bin", "ckpt", "pkl", "pt", "pt2", "pth", "safetensors", "sft"];

/// How deep folders are looked into.
pub(crate) const DEEPEST: usize = 32;

/// Where the folders of a kind are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Among the models.
    Models(&'static str),
    /// In the base directory.
    Base(&'static str),
}

/// Which files of its folders belong to a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Members {
    /// Those with weights.
    Weights,
    /// Those with this ending.
    Ending(&'static str),
    /// Those without an ending.
    NoEnding,
    /// None: what counts are folders.
    Folders,
    All,
}

/// A kind of models.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// The server's word for it, such as `loras`.
    pub(crate) name: &'static str,
    pub(crate) members: Members,
    /// Its folders, the first of which counts when two have a file of one name.
    places: &'static [Place],
    since: ServerVersion,
}

const fn kind(name: &'static str, places: &'static [Place]) -> Kind {
    Kind { name, members: Members::Weights, places, since: ServerVersion::V0_3_64 }
}

impl Kind {
    const fn with(self, members: Members) -> Self {
        Self { members, ..self }
    }

    const fn since(self, since: ServerVersion) -> Self {
        Self { since, ..self }
    }

    /// Whether it is one that has models, and not only files of the server.
    pub(crate) fn is_public(&self) -> bool {
        !matches!(self.name, "configs" | "custom_nodes")
    }

    /// Whether its files are assets: they are models then, and no code and no data.
    pub(crate) fn has_assets(&self) -> bool {
        self.is_public() && self.name != "datasets"
    }

    fn has(&self, name: &str) -> bool {
        let ending = ending(name);
        match self.members {
            Members::Weights => is_weights(name),
            Members::Ending(wanted) => ending.is_some_and(|ending| ending == wanted),
            Members::NoEnding => ending.is_none(),
            Members::Folders => false,
            Members::All => true,
        }
    }
}

use Place::{Base, Models as In};

/// All kinds, in the server's order.
const KINDS: [Kind; 27] = [
    kind("checkpoints", &[In("checkpoints"), Base("output/checkpoints")]),
    kind("configs", &[In("configs")]).with(Members::Ending("yaml")),
    kind("loras", &[In("loras"), Base("output/loras")]),
    kind("vae", &[In("vae"), Base("output/vae")]),
    kind("text_encoders", &[In("text_encoders"), In("clip"), Base("output/clip")]),
    kind("diffusion_models", &[In("unet"), In("diffusion_models"), Base("output/diffusion_models")]),
    kind("clip_vision", &[In("clip_vision")]),
    kind("style_models", &[In("style_models")]),
    kind("embeddings", &[In("embeddings")]),
    kind("diffusers", &[In("diffusers")]).with(Members::Folders),
    kind("vae_approx", &[In("vae_approx")]),
    kind("controlnet", &[In("controlnet"), In("t2i_adapter")]),
    kind("gligen", &[In("gligen")]),
    kind("upscale_models", &[In("upscale_models")]),
    kind("latent_upscale_models", &[In("latent_upscale_models")]).since(ServerVersion::V0_8_0),
    kind("custom_nodes", &[Base("custom_nodes")]).with(Members::All),
    kind("datasets", &[Base("datasets")]).with(Members::All).since(ServerVersion::V0_30_0),
    kind("hypernetworks", &[In("hypernetworks")]),
    kind("photomaker", &[In("photomaker")]),
    kind("classifiers", &[In("classifiers")]).with(Members::NoEnding),
    kind("model_patches", &[In("model_patches")]),
    kind("audio_encoders", &[In("audio_encoders")]),
    kind("background_removal", &[In("background_removal")]).since(ServerVersion::V0_30_0),
    kind("frame_interpolation", &[In("frame_interpolation")]).since(ServerVersion::V0_30_0),
    kind("geometry_estimation", &[In("geometry_estimation")]).since(ServerVersion::V0_30_0),
    kind("optical_flow", &[In("optical_flow")]).since(ServerVersion::V0_30_0),
    kind("detection", &[In("detection")]).since(ServerVersion::V0_30_0),
];

/// The models that a simulator offers: files by kind. What is in them matters only to those who ask for it.
#[derive(Debug, Clone)]
pub(crate) struct Models {
    version: ServerVersion,
    root: PathBuf,
    base: PathBuf,
}

/// A file with weights.
#[derive(Debug)]
pub(crate) struct ModelPath {
    /// Its name below the folder of its kind, with `/` between folders.
    pub(crate) name: String,
    /// Which of the kind's folders it is in.
    pub(crate) place: usize,
    pub(crate) path: PathBuf,
}

impl Models {
    /// The models below `root`, or in the base directory.
    pub(crate) fn new(version: ServerVersion, root: Option<PathBuf>, base: &Path) -> Self {
        let root = root.unwrap_or_else(|| base.join("models"));
        Self { version, root: std::path::absolute(&root).unwrap_or(root), base: base.to_owned() }
    }

    /// The kinds that the version has.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &'static Kind> + use<> {
        let version = self.version;
        KINDS.iter().filter(move |kind| kind.since <= version)
    }

    /// The kind of this name.
    pub(crate) fn kind(&self, name: &str) -> Option<&'static Kind> {
        self.kinds().find(|kind| kind.name == name)
    }

    /// The folders of a kind, which need not exist.
    pub(crate) fn folders(&self, kind: &Kind) -> Vec<PathBuf> {
        let folder = |place: &Place| match place {
            In(name) => self.root.join(name),
            Base(name) => self.base.join(name),
        };
        kind.places.iter().map(folder).collect()
    }

    /// Its folders among the models, without those beside them in the base directory.
    pub(crate) fn folders_among_models(&self, kind: &Kind) -> Vec<PathBuf> {
        let mut folders = self.folders(kind);
        let mut places = kind.places.iter();
        folders.retain(|_| places.next().is_some_and(|place| matches!(place, In(_))));
        folders
    }

    /// The names of a kind's files, below its folders, sorted: what nodes offer and `GET /models/{folder}` lists.
    pub(crate) fn names(&self, kind: &Kind) -> Vec<String> {
        let mut names = Vec::new();
        for folder in self.folders(kind) {
            walk(&folder, "", DEEPEST, &|name| name == ".git", &mut |name, _| {
                if kind.has(&name) {
                    names.push(name);
                }
            });
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The files with weights in a kind's folders, folder by folder, those at the top first. Hidden ones do not count.
    pub(crate) fn weights(&self, kind: &Kind) -> Vec<ModelPath> {
        let mut found = Vec::new();
        for (place, folder) in self.folders(kind).into_iter().enumerate() {
            walk(&folder, "", DEEPEST, &|name| name.starts_with('.'), &mut |name, path| {
                let is_hidden = name.rsplit('/').next().is_some_and(|name| name.starts_with('.'));
                if is_weights(&name) && !is_hidden {
                    found.push(ModelPath { name, place, path });
                }
            });
        }
        found
    }

    /// The path of a kind's file; `..` in its name leads no further than to the folder. Links that lead out of the
    /// folder are not followed.
    pub(crate) fn find(&self, kind: &Kind, name: &str) -> Option<PathBuf> {
        let relative = clamped(name)?;
        self.folders(kind).into_iter().find_map(|folder| {
            let path = folder.join(&relative);
            (path.is_file() && refuse_links_outside(&folder, &path).is_ok()).then_some(path)
        })
    }
}

/// A relative path in which every `..` has been worked out.
fn clamped(name: &str) -> Option<PathBuf> {
    if name.contains('\0') || (cfg!(windows) && name.contains([':', '\\'])) {
        return None;
    }
    let mut kept = PathBuf::new();
    for part in name.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            kept.pop();
        } else {
            kept.push(part);
        }
    }
    Some(kept)
}

fn ending(name: &str) -> Option<String> {
    let name = name.rsplit('/').next().unwrap_or(name);
    // Dots at the start do not begin an ending.
    let (_, ending) = name.trim_start_matches('.').rsplit_once('.')?;
    Some(ending.to_ascii_lowercase())
}

pub(crate) fn is_weights(name: &str) -> bool {
    ending(name).is_some_and(|ending| WEIGHTS.contains(&ending.as_str()))
}

/// Visits the files below a folder, sorted, those of a folder before those of the folders in it. Links to files count,
/// links to folders are not followed: they may lead round in a circle.
pub(crate) fn walk(
    folder: &Path,
    prefix: &str,
    depth: usize,
    is_left_out: &dyn Fn(&str) -> bool,
    visit: &mut dyn FnMut(String, PathBuf),
) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry)))
        .collect();
    entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let mut folders = Vec::new();
    for (name, entry) in entries {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            folders.push((name, entry.path()));
        } else if entry.path().is_file() {
            visit(format!("{prefix}{name}"), entry.path());
        }
    }
    for (name, path) in folders {
        if depth > 0 && !is_left_out(&name) {
            walk(&path, &format!("{prefix}{name}/"), depth - 1, is_left_out, visit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(files: &[&str]) -> (tempfile::TempDir, Models) {
        let base = tempfile::tempdir().unwrap();
        for file in files {
            let path = base.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        }
        let models = Models::new(ServerVersion::V0_30_0, None, base.path());
        (base, models)
    }

    fn names(models: &Models, kind: &str) -> Vec<String> {
        models.names(models.kind(kind).unwrap())
    }

    #[test]
    fn the_kinds_grow_with_the_versions() {
        let count = |version| Models::new(version, None, Path::new("/")).kinds().count();
        assert_eq!(ServerVersion::ALL.map(count), [20, 21, 27]);
        let old = Models::new(ServerVersion::V0_3_64, None, Path::new("/"));
        assert!(
            old.kind("optical_flow").is_none() && old.kind("unet").is_none() && old.kind("LORAS").is_none()
        );
    }

    #[test]
    fn every_kind_has_files_of_its_own_sort() {
        let (_base, models) = models(&[
            "models/gligen/b/UP.SAFETENSORS",
            "models/gligen/b/.hidden.safetensors",
            "models/gligen/z.ckpt",
            "models/gligen/n.txt",
            "models/gligen/n.gguf",
            "models/gligen/.git/x.safetensors",
            "models/gligen/p.safetensors.bak",
            "models/configs/a.yaml",
            "models/configs/c.safetensors",
            "models/classifiers/noext",
            "models/classifiers/a.txt",
            "models/diffusers/x.safetensors",
            "models/clip/one.safetensors",
            "models/text_encoders/two.safetensors",
            "models/text_encoders/one.safetensors",
            "output/clip/three.safetensors",
            "datasets/set/any.thing",
        ]);
        assert_eq!(names(&models, "gligen"), ["b/.hidden.safetensors", "b/UP.SAFETENSORS", "z.ckpt"]);
        assert_eq!(names(&models, "configs"), ["a.yaml"]);
        assert_eq!(names(&models, "classifiers"), ["noext"]);
        assert_eq!(names(&models, "diffusers"), [""; 0]);
        assert_eq!(
            names(&models, "text_encoders"),
            ["one.safetensors", "three.safetensors", "two.safetensors"]
        );
        assert_eq!(names(&models, "datasets"), ["set/any.thing"]);
        let weights = models.weights(models.kind("gligen").unwrap());
        let weights: Vec<_> = weights.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(weights, ["z.ckpt", "b/UP.SAFETENSORS"]);
    }

    #[test]
    fn names_lead_nowhere_but_into_the_folders() {
        let (_base, models) = models(&["models/loras/a.safetensors", "models/vae/b.safetensors"]);
        let find = |name: &str| models.find(models.kind("loras").unwrap(), name);
        assert!(find("a.safetensors").is_some());
        assert!(find("../../a.safetensors").is_some());
        for nothing in ["../vae/b.safetensors", "", "..", "a.safetensors\0", "/etc/passwd"] {
            assert_eq!(find(nothing), None, "{nothing}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_listed_and_not_followed_out_of_the_folders() {
        let (base, models) = models(&["models/loras/a.safetensors", "secret.safetensors"]);
        let loras = base.path().join("models/loras");
        std::os::unix::fs::symlink(base.path().join("secret.safetensors"), loras.join("l.safetensors"))
            .unwrap();
        std::os::unix::fs::symlink(&loras, loras.join("round")).unwrap();
        assert_eq!(names(&models, "loras"), ["a.safetensors", "l.safetensors"]);
        assert_eq!(models.find(models.kind("loras").unwrap(), "l.safetensors"), None);
    }
}
