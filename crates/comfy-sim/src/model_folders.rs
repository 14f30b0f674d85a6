//! The folders that the server keeps models in, by the kind of model.

use std::path::{Path, PathBuf};

use crate::version::ServerVersion;

/// One kind of model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ModelFolder {
    /// Its name on the wire.
    pub(crate) name: &'static str,
    /// Its folders, from the folder of all models on. What begins with `../` is beside that folder.
    folders: &'static [&'static str],
    since: ServerVersion,
}

use ServerVersion::{V0_3_64, V0_8_0, V0_30_0};

const fn folder(name: &'static str, folders: &'static [&'static str], since: ServerVersion) -> ModelFolder {
    ModelFolder { name, folders, since }
}

/// All kinds, in the server's order.
static ALL: [ModelFolder; 27] = [
    folder("checkpoints", &["checkpoints", "../output/checkpoints"], V0_3_64),
    folder("configs", &["configs"], V0_3_64),
    folder("loras", &["loras", "../output/loras"], V0_3_64),
    folder("vae", &["vae", "../output/vae"], V0_3_64),
    folder("text_encoders", &["text_encoders", "clip", "../output/clip"], V0_3_64),
    folder("diffusion_models", &["unet", "diffusion_models", "../output/diffusion_models"], V0_3_64),
    folder("clip_vision", &["clip_vision"], V0_3_64),
    folder("style_models", &["style_models"], V0_3_64),
    folder("embeddings", &["embeddings"], V0_3_64),
    folder("diffusers", &["diffusers"], V0_3_64),
    folder("vae_approx", &["vae_approx"], V0_3_64),
    folder("controlnet", &["controlnet", "t2i_adapter"], V0_3_64),
    folder("gligen", &["gligen"], V0_3_64),
    folder("upscale_models", &["upscale_models"], V0_3_64),
    folder("latent_upscale_models", &["latent_upscale_models"], V0_8_0),
    folder("custom_nodes", &["../custom_nodes"], V0_3_64),
    folder("datasets", &["../datasets"], V0_30_0),
    folder("hypernetworks", &["hypernetworks"], V0_3_64),
    folder("photomaker", &["photomaker"], V0_3_64),
    folder("classifiers", &["classifiers"], V0_3_64),
    folder("model_patches", &["model_patches"], V0_3_64),
    folder("audio_encoders", &["audio_encoders"], V0_3_64),
    folder("background_removal", &["background_removal"], V0_30_0),
    folder("frame_interpolation", &["frame_interpolation"], V0_30_0),
    folder("geometry_estimation", &["geometry_estimation"], V0_30_0),
    folder("optical_flow", &["optical_flow"], V0_30_0),
    folder("detection", &["detection"], V0_30_0),
];

impl ModelFolder {
    /// The kinds that a version has.
    pub(crate) fn of(version: ServerVersion) -> impl Iterator<Item = &'static Self> {
        ALL.iter().filter(move |folder| folder.since <= version)
    }

    /// Whether assets of this kind are known: not where there is code or data instead of models.
    pub(crate) fn holds_assets(&self) -> bool {
        !matches!(self.name, "configs" | "custom_nodes" | "datasets")
    }

    /// The paths of its folders, those among the models only.
    pub(crate) fn among(&self, models: &Path) -> impl Iterator<Item = PathBuf> {
        self.folders.iter().filter(|path| !path.starts_with("../")).map(|path| models.join(path))
    }

    /// The paths of all its folders, some of which are beside the models in the base directory.
    pub(crate) fn paths(&self, models: &Path, base: &Path) -> impl Iterator<Item = PathBuf> {
        self.folders.iter().map(|path| match path.strip_prefix("../") {
            Some(beside) => base.join(beside),
            None => models.join(path),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_versions_have_more_kinds_of_models() {
        let count = |version| ModelFolder::of(version).count();
        assert_eq!((count(V0_3_64), count(V0_8_0), count(V0_30_0)), (20, 21, 27));
        let vae = ModelFolder::of(V0_3_64).find(|folder| folder.name == "vae").unwrap();
        let paths: Vec<_> = vae.paths(Path::new("m"), Path::new("b")).collect();
        assert_eq!(paths, [Path::new("m/vae"), Path::new("b/output/vae")]);
    }
}
