//! The values that simulated nodes give, by the types of their outputs.

use std::sync::Arc;

use comfy_workflow::schema::{InputType, NodeSchema, OutputSpec};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::given::{Entry, Given};
use super::origin::Origin;
use super::sampler;
use super::shape::Shape;
use super::tensors;
use crate::nodes::NodeError;
use crate::value::{Image, Thing, Value};

/// How much of a prompt an answer of a simulated language model repeats, in characters.
const QUOTED: usize = 200;

/// What a node's results are made from.
#[derive(Debug)]
pub(super) struct Maker<'a> {
    pub(super) schema: &'a NodeSchema,
    pub(super) given: &'a Given<'a>,
    pub(super) shape: Shape,
    pub(super) origin: &'a Origin,
    pub(super) digest: Sha256,
    /// Made once, whatever the number of outputs.
    pictures: Option<Arc<Image>>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(
        schema: &'a NodeSchema,
        given: &'a Given<'a>,
        shape: Shape,
        origin: &'a Origin,
    ) -> Self {
        let digest = given.digest(&schema.name);
        Self { schema, given, shape, origin, digest, pictures: None }
    }

    /// The value of one output.
    pub(super) fn value(&mut self, slot: usize, output: &OutputSpec) -> Result<Value, NodeError> {
        let value = self.single(slot, output)?;
        Ok(if output.is_list { self.list(&output.type_name, value) } else { value })
    }

    fn single(&mut self, slot: usize, output: &OutputSpec) -> Result<Value, NodeError> {
        if let Json::Array(choices) = &*output.raw_type {
            return Ok(self.choice(choices).into());
        }
        let kind = output.type_name.split(',').next().unwrap_or_default().trim();
        if matches!(kind, "*" | "COMFY_MATCHTYPE_V3") {
            return Ok(self.matching(output));
        }
        Ok(match kind {
            "IMAGE" => Value::Image(self.image()?),
            "MASK" => match self.given.masks().next() {
                Some(mask) => Value::Mask(Arc::clone(mask)),
                None => Value::mask(tensors::mask(self.origin, &self.shape)?),
            },
            "AUDIO" => Value::Audio(Arc::new(tensors::sound(self.given, self.origin, &self.shape))),
            "INT" => self.int(&output.name).into(),
            "FLOAT" => self.float(&output.name).into(),
            "BOOLEAN" => self.boolean(&output.name).into(),
            "STRING" => self.text(&output.name).into(),
            "COMBO" => self.choice(&[]).into(),
            "ARRAY" => json!([]).into(),
            "DICT" => json!({}).into(),
            other => self.thing(slot, other),
        })
    }

    /// Pictures: new ones where the node decodes or has a text or seed of its own; otherwise those that it was given.
    fn image(&mut self) -> Result<Arc<Image>, NodeError> {
        if let Some(pictures) = &self.pictures {
            return Ok(Arc::clone(pictures));
        }
        let decodes = self.given.things("LATENT").chain(self.given.things("VIDEO")).next().is_some();
        let pictures = match self.given.images().next() {
            Some(image) if !decodes && !self.given.is_source() && !image.data.is_empty() => {
                if (image.width, image.height) == (self.shape.width, self.shape.height) {
                    Arc::clone(image)
                } else {
                    Arc::new(tensors::resized(image, &self.shape)?)
                }
            }
            _ => Arc::new(tensors::pictures(self.origin, &self.shape)?),
        };
        self.pictures = Some(Arc::clone(&pictures));
        Ok(pictures)
    }

    fn thing(&self, slot: usize, kind: &str) -> Value {
        // What is chosen in the editor, such as a colour, goes through as it is.
        let constant = self.given.entries().iter().find_map(|entry| match entry.values.first() {
            Some(value @ Value::Json(_)) if entry.type_name() == kind => Some(Value::clone(value)),
            _ => None,
        });
        if let Some(constant) = constant {
            return constant;
        }
        let mut digest = self.digest.clone();
        digest.update((slot as u64).to_le_bytes());
        let mut facts = self.shape.facts(kind);
        if kind == "SIGMAS" {
            facts.insert("steps".into(), self.scheduled(slot).into());
        } else if kind.ends_with("UPSCALE_MODEL")
            && let Some(scale) = self.enlargement()
        {
            facts.insert("scale".into(), scale.into());
        } else if kind == "BOUNDING_BOX" {
            let (width, height) = (self.shape.width, self.shape.height);
            return json!({"x": 0, "y": 0, "width": width, "height": height}).into();
        } else if kind == "COLOR" {
            return Json::from("#3a6ea5").into();
        }
        Value::Thing(Arc::new(Thing { kind: kind.into(), digest: digest.finalize().into(), facts }))
    }

    /// The steps of a schedule: all of it, or the part before or after the step at which it is split.
    fn scheduled(&self, slot: usize) -> u64 {
        let steps = sampler::steps(self.given);
        match (self.given.number(&["step"]), self.schema.outputs.len()) {
            (Some(step), 2) => {
                let first = steps.min(step.max(0.0) as u64);
                if slot == 0 { first } else { steps - first }
            }
            _ => steps,
        }
    }

    /// How much a model enlarges, from its name: `4x_foo.pth`, `RealESRGAN_x2.pth`.
    fn enlargement(&self) -> Option<u64> {
        let name = self.given.text(&["model_name"])?.as_bytes();
        let factor = |digit: u8| matches!(digit, b'1' | b'2' | b'4' | b'8').then(|| u64::from(digit - b'0'));
        name.windows(2).find_map(|pair| match pair {
            [b'x' | b'X', digit] | [digit, b'x' | b'X'] => factor(*digit),
            _ => None,
        })
    }

    /// The value of the input that has the same template, else of the first that takes anything.
    fn matching(&self, output: &OutputSpec) -> Value {
        let template = output.match_type.as_deref();
        let same = |entry: &&Entry<'_>| match entry.spec.as_ref().map(|spec| &spec.kind) {
            Some(InputType::MatchType(matched)) => template.is_none_or(|id| matched.template_id == id),
            Some(InputType::Any) => template.is_none(),
            _ => false,
        };
        let entries = self.given.entries();
        let entry =
            entries.iter().find(same).or_else(|| entries.iter().find(|entry| !entry.values.is_empty()));
        let value = entry.and_then(|entry| entry.values.first()).map(|value| Value::clone(value));
        value.unwrap_or(Value::Json(Json::Null))
    }

    fn list(&self, kind: &str, value: Value) -> Value {
        let given = self.given.entries().iter().filter(|entry| entry.type_name() == kind);
        let values: Vec<Value> =
            given.flat_map(|entry| &entry.values).map(|value| Value::clone(value)).collect();
        Value::List(match value {
            Value::Image(image) if self.given.is_source() || values.len() <= 1 => tensors::one_by_one(&image),
            value if values.is_empty() => vec![value],
            _ => values,
        })
    }

    /// The value of the input that has the output's name, else of the first of this kind.
    fn own(&self, name: &str, fits: impl Fn(&Json) -> bool) -> Option<&Json> {
        let entries = self.given.entries();
        let json = |entry: &Entry<'a>| match entry.values.first() {
            Some(Value::Json(json)) if fits(json) => Some(json),
            _ => None,
        };
        let named = entries.iter().find(|entry| entry.short_name().eq_ignore_ascii_case(name)).and_then(json);
        named.or_else(|| entries.iter().find_map(json))
    }

    fn int(&self, name: &str) -> Json {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "width" => return self.shape.width.into(),
            "height" => return self.shape.height.into(),
            "batch" | "batch_size" | "count" | "image_count" => return self.shape.batch.into(),
            "frames" | "frame_count" | "length" | "num_frames" => return self.shape.frames.into(),
            "fps" | "frame_rate" => return (self.shape.rate.round() as u64).into(),
            _ => {}
        }
        self.own(&name, |json| json.is_i64() || json.is_u64()).cloned().unwrap_or_else(|| 1.into())
    }

    fn float(&self, name: &str) -> Json {
        match name.to_ascii_lowercase().as_str() {
            "fps" | "frame_rate" => self.shape.rate.into(),
            "duration" | "seconds" => self.shape.seconds.unwrap_or(1.0).into(),
            name => self.own(name, Json::is_f64).cloned().unwrap_or_else(|| 1.0.into()),
        }
    }

    fn boolean(&self, name: &str) -> Json {
        self.own(name, Json::is_boolean).cloned().unwrap_or(Json::Bool(false))
    }

    fn text(&self, name: &str) -> Json {
        let lower = name.to_ascii_lowercase();
        if ["model_file", "mesh_path", "path", "file"].iter().any(|word| lower.contains(word)) {
            let tag: String =
                self.digest.clone().finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            return format!("simulated_{tag}.glb").into();
        }
        // Services and language models answer; everything else passes its text on.
        if !self.schema.api_node
            && self.given.things("CLIP").next().is_none()
            && let Some(text) = self.own(name, Json::is_string)
        {
            return text.clone();
        }
        let about = self.origin.texts.iter().find(|text| !text.trim().is_empty());
        let about: String = about.map(|text| text.chars().take(QUOTED).collect()).unwrap_or_default();
        format!("simulated answer of {} to: {about}", self.schema.name).into()
    }

    /// One of these values, or of those of the first combo among the inputs.
    fn choice(&self, choices: &[Json]) -> Json {
        let chosen = self.given.entries().iter().find_map(|entry| match entry.values.first() {
            Some(Value::Json(json)) if choices.is_empty() || choices.contains(json) => {
                matches!(entry.spec.as_ref()?.kind, InputType::Combo).then(|| json.clone())
            }
            _ => None,
        });
        chosen.or_else(|| choices.first().cloned()).unwrap_or_else(|| "".into())
    }
}
