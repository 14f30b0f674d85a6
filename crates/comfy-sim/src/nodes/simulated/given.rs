//! The inputs of a simulated node as its schema describes them.

use std::sync::Arc;

use comfy_workflow::schema::{InputSpec, InputType, NodeSchema};
use serde_json::{Map, Value as Json};
use sha2::{Digest as _, Sha256};

use super::origin::{Origin, Origins};
use crate::nodes::Inputs;
use crate::value::{Audio, Image, Mask, Thing, Value};

/// Words in the names of texts that say what a picture shows.
const TEXTS: [&str; 7] = ["text", "prompt", "lyrics", "tags", "caption", "description", "instruction"];

/// A node's inputs in the order of its schema.
#[derive(Debug)]
pub(super) struct Given<'a> {
    entries: Vec<Entry<'a>>,
}

#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// With dots when it is inside of a dynamic input.
    pub(super) name: &'a str,
    pub(super) spec: Option<InputSpec>,
    /// Its values: one, or those of a list.
    pub(super) values: Vec<&'a Value>,
}

impl Entry<'_> {
    /// The last part of the name.
    pub(super) fn short_name(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    fn is_seed(&self) -> bool {
        self.short_name().to_ascii_lowercase().contains("seed")
    }

    /// Whether it says what a picture is to show, or names the file that it is read from.
    fn is_text(&self) -> bool {
        let Some(spec) = &self.spec else { return false };
        let uploaded = ["image_upload", "video_upload", "audio_upload", "file_upload"];
        if uploaded.iter().any(|flag| spec.options.contains_key(flag)) {
            return true;
        }
        let name = self.short_name().to_ascii_lowercase();
        let flag = |key| spec.options.get(key).and_then(Json::as_bool).unwrap_or(false);
        matches!(spec.kind, InputType::String)
            && (spec.multiline() || flag("dynamicPrompts") || TEXTS.iter().any(|word| name.contains(word)))
    }

    /// The type that its description names, where it names one.
    pub(super) fn type_name(&self) -> &str {
        self.spec.as_ref().map_or("", |spec| spec.type_name())
    }
}

impl<'a> Given<'a> {
    pub(super) fn new(schema: &NodeSchema, inputs: &'a Inputs) -> Self {
        let constants: Map<String, Json> = inputs
            .0
            .iter()
            .map(|(name, value)| match first(value) {
                Some(Value::Json(json)) => (name.clone(), json.clone()),
                _ => (name.clone(), Json::Bool(true)),
            })
            .collect();
        let mut entries: Vec<Entry<'a>> = Vec::with_capacity(inputs.0.len());
        let mut known = vec![false; inputs.0.len()];
        for input in schema.resolve(&constants) {
            if let Some((at, name, value)) = inputs.0.get_full(input.name.as_ref())
                && !std::mem::replace(&mut known[at], true)
            {
                entries.push(Entry { name, spec: Some(input.spec.clone()), values: flat(value) });
            }
        }
        let mut others: Vec<_> = inputs.0.iter().zip(known).filter(|(_, known)| !known).collect();
        others.sort_unstable_by_key(|((name, _), _)| name.as_str());
        entries.extend(others.into_iter().map(|((name, value), _)| Entry {
            name,
            spec: None,
            values: flat(value),
        }));
        Self { entries }
    }

    pub(super) fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// All values with the names of their inputs.
    fn values(&self) -> impl Iterator<Item = (&Entry<'a>, &'a Value)> {
        self.entries.iter().flat_map(|entry| entry.values.iter().map(move |value| (entry, *value)))
    }

    /// All simulated values of this type.
    pub(super) fn things(&self, kind: &str) -> impl Iterator<Item = &'a Arc<Thing>> {
        self.values().filter_map(move |(_, value)| match value {
            Value::Thing(thing) if &*thing.kind == kind => Some(thing),
            _ => None,
        })
    }

    pub(super) fn images(&self) -> impl Iterator<Item = &'a Arc<Image>> {
        self.values()
            .filter_map(|(_, value)| if let Value::Image(image) = value { Some(image) } else { None })
    }

    pub(super) fn masks(&self) -> impl Iterator<Item = &'a Arc<Mask>> {
        self.values().filter_map(|(_, value)| if let Value::Mask(mask) = value { Some(mask) } else { None })
    }

    pub(super) fn audios(&self) -> impl Iterator<Item = &'a Arc<Audio>> {
        self.values()
            .filter_map(|(_, value)| if let Value::Audio(audio) = value { Some(audio) } else { None })
    }

    /// The first JSON value of an input with one of these names (in lower case).
    fn json(&self, names: &[&str]) -> Option<&'a Json> {
        names.iter().find_map(|name| {
            self.values().find_map(|(entry, value)| match value {
                Value::Json(json) if entry.short_name().eq_ignore_ascii_case(name) => Some(json),
                _ => None,
            })
        })
    }

    /// The number in an input with one of these names. Texts count when they begin with a number, as `5s` does.
    pub(super) fn number(&self, names: &[&str]) -> Option<f64> {
        match self.json(names)? {
            Json::Number(number) => number.as_f64().filter(|number| number.is_finite()),
            Json::String(text) => {
                let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
                text[..end.unwrap_or(text.len())].parse().ok()
            }
            _ => None,
        }
    }

    pub(super) fn text(&self, names: &[&str]) -> Option<&'a str> {
        self.json(names)?.as_str()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.short_name() == name)
    }

    /// What stands behind the node's results: what stands behind its inputs, its own seeds and texts, and itself.
    pub(super) fn origin(&self, class: &str, origins: &Origins) -> Origin {
        let mut origin = Origin::default();
        for entry in &self.entries {
            if let Some(before) = origins.0.get(entry.name) {
                origin.add(before);
            }
            let (is_seed, is_text) = (entry.is_seed(), entry.is_text());
            for value in &entry.values {
                match value {
                    Value::Json(Json::Number(number)) if is_seed => origin.add_seed(bits(number)),
                    Value::Json(Json::String(text)) if is_text => origin.add_text(text),
                    _ => {}
                }
            }
        }
        origin.add_class(class);
        origin
    }

    /// Whether the node has seeds or texts of its own.
    pub(super) fn is_source(&self) -> bool {
        self.entries.iter().any(|entry| entry.is_seed() || entry.is_text())
    }

    /// Made from the class and everything that goes into it.
    pub(super) fn digest(&self, class: &str) -> Sha256 {
        let mut hasher = Sha256::new();
        part(&mut hasher, class.as_bytes());
        for (entry, value) in self.values() {
            part(&mut hasher, entry.name.as_bytes());
            match value {
                Value::Json(json) => part(&mut hasher, json.to_string().as_bytes()),
                Value::Thing(thing) => part(&mut hasher, &thing.digest),
                Value::Image(image) => {
                    sides(&mut hasher, &[image.batch, image.height, image.width]);
                    numbers(&mut hasher, &image.data);
                }
                Value::Mask(mask) => {
                    sides(&mut hasher, &[mask.batch, mask.height, mask.width]);
                    numbers(&mut hasher, &mask.data);
                }
                Value::Audio(audio) => {
                    sides(&mut hasher, &[audio.batch, audio.channels, audio.rate as usize]);
                    numbers(&mut hasher, &audio.data);
                }
                Value::List(_) | Value::Blocker(_) => {}
            }
        }
        hasher
    }
}

fn part(hasher: &mut Sha256, bytes: &[u8]) {
    hasher.update((bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

fn sides(hasher: &mut Sha256, sides: &[usize]) {
    for side in sides {
        hasher.update((*side as u64).to_le_bytes());
    }
}

/// Pictures are large: a quick sum of all their numbers goes into the digest.
fn numbers(hasher: &mut Sha256, data: &[f32]) {
    let sum = data.iter().fold(data.len() as u64, |sum, number| {
        (sum ^ u64::from(number.to_bits())).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
    });
    hasher.update(sum.to_le_bytes());
}

fn bits(number: &serde_json::Number) -> u64 {
    let whole = number.as_u64().or_else(|| number.as_i64().map(i64::cast_unsigned));
    whole.unwrap_or_else(|| number.as_f64().unwrap_or_default().to_bits())
}

fn first(value: &Value) -> Option<&Value> {
    match value {
        Value::List(values) => values.first().and_then(first),
        other => Some(other),
    }
}

/// The values in a list, and in lists in it. Lists of values come from nodes, which do not nest them deep.
fn flat(value: &Value) -> Vec<&Value> {
    match value {
        Value::List(values) => values.iter().flat_map(flat).collect(),
        other => vec![other],
    }
}
