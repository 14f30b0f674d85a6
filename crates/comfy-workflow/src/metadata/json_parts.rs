//! Files with JSON in their heads: safetensors, also those of latents, and GLB.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::source::{Source, Step, Trouble};
use super::texts::Texts;
use crate::json;

/// Whether a file can be a safetensors file: the length of a JSON object, and the object.
pub(super) fn is_safetensors(head: &[u8], length: u64) -> bool {
    match head.split_first_chunk::<8>() {
        Some((size, [b'{', ..])) => {
            let size = u64::from_le_bytes(*size);
            size >= 2 && size <= length.saturating_sub(8)
        }
        _ => false,
    }
}

/// Of the head of a safetensors file only the texts are kept.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "__metadata__")]
    metadata: Option<Map<String, Value>>,
}

pub(super) fn read_safetensors(source: &mut Source<'_>, texts: &mut Texts) -> Step {
    let length = u64::from_le_bytes(source.array(0)?);
    let head: Head = parsed(&source.text(8, length)?)?;
    add_all(head.metadata, texts);
    Ok(())
}

/// The first chunk of a GLB file is the scene.
pub(super) fn read_glb(source: &mut Source<'_>, texts: &mut Texts) -> Step {
    let [a, b, c, d, kind @ ..]: [u8; 8] = source.array(12)?;
    if kind != *b"JSON" {
        return Err(Trouble::broken("does not begin with a scene"));
    }
    let scene: Scene = parsed(&source.text(20, u64::from(u32::from_le_bytes([a, b, c, d])))?)?;
    add_all(scene.asset.extras, texts);
    add_all(scene.extras, texts);
    Ok(())
}

#[derive(Deserialize)]
struct Scene {
    #[serde(default)]
    asset: Asset,
    extras: Option<Map<String, Value>>,
}

#[derive(Default, Deserialize)]
struct Asset {
    extras: Option<Map<String, Value>>,
}

fn parsed<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Step<T> {
    json::from_slice(bytes)
        .map_err(|error| Trouble::broken(format!("has a head that cannot be read: {error}")))
}

/// Values are texts, or in GLB any JSON.
fn add_all(values: Option<Map<String, Value>>, texts: &mut Texts) {
    for (key, value) in values.into_iter().flatten() {
        match value {
            Value::String(text) => texts.add(&key, text),
            value => texts.add(&key, value.to_string()),
        }
    }
}
