//! Samplers: nodes that take steps.

use bytes::Bytes;
use comfy_workflow::schema::NodeSchema;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use serde_json::Value as Json;

use super::given::Given;
use super::origin::Origin;
use super::picture::Canvas;
use super::random::Random;
use super::shape::Shape;
use super::tensors;
use crate::nodes::stage::{Preview, PreviewFormat, Sleep};
use crate::nodes::{Context, NodeError};

/// More steps are not taken: no server does.
const MOST_STEPS: u64 = 10_000;
/// Steps where nobody says how many.
const DEFAULT_STEPS: u64 = 20;
/// Longest side of a preview.
const PREVIEW_SIDE: usize = 512;

/// Whether nodes of a class take steps.
pub(super) fn is_sampler(schema: &NodeSchema) -> bool {
    let takes = |name: &str| schema.inputs.iter().any(|input| input.type_name() == name);
    schema.outputs.iter().any(|output| &*output.type_name == "LATENT")
        && (schema.input("steps").is_some() || takes("SIGMAS") || (takes("NOISE") && takes("GUIDER")))
}

/// How many steps a node takes, or is to make a schedule for.
pub(super) fn steps(given: &Given<'_>) -> u64 {
    let scheduled =
        given.things("SIGMAS").find_map(|sigmas| sigmas.facts.get("steps").and_then(Json::as_u64));
    let wanted = given.number(&["steps"]).map(|steps| steps.max(0.0) as u64);
    let listed = given.text(&["sigmas"]).map(|sigmas| {
        let numbers = sigmas.split([',', ' ']).filter(|part| !part.trim().is_empty()).count();
        numbers.saturating_sub(1) as u64
    });
    let steps = wanted.or(scheduled).or(listed).unwrap_or(DEFAULT_STEPS);
    let end = given.number(&["end_at_step"]).map_or(steps, |end| steps.min(end.max(0.0) as u64));
    let start = given.number(&["start_at_step"]).map_or(0, |start| start.max(0.0) as u64);
    end.saturating_sub(start).min(MOST_STEPS)
}

/// Takes the steps.
pub(super) fn sample(
    given: &Given<'_>,
    shape: &Shape,
    origin: &Origin,
    context: &Context<'_>,
) -> Result<(), NodeError> {
    let steps = steps(given);
    let previews = context.setting.previews.then(|| Previews::new(shape, origin));
    for step in 1..=steps {
        if !context.setting.step_time.is_zero() {
            context.stage.sleep(context.setting.step_time, Sleep::Light)?;
        }
        let preview = previews.as_ref().and_then(|previews| previews.at(step, steps));
        context.stage.progress(step.into(), steps.into(), preview.as_ref())?;
    }
    Ok(())
}

/// The final picture, small, and the noise that it comes out of.
struct Previews {
    picture: Canvas,
    noise: u64,
}

impl Previews {
    fn new(shape: &Shape, origin: &Origin) -> Self {
        let longest = shape.width.max(shape.height);
        let side =
            |side: usize| if longest > PREVIEW_SIDE { (side * PREVIEW_SIDE / longest).max(1) } else { side };
        let picture = tensors::scene(origin, shape, 0).draw(side(shape.width), side(shape.height), 0.0);
        Self { picture, noise: Random::new(&origin.key()).next() | 1 }
    }

    /// The picture after a step: in blocks that become smaller, with noise that becomes less.
    fn at(&self, step: u64, steps: u64) -> Option<Preview> {
        let Canvas { width, height, pixels } = &self.picture;
        let left = (steps - step.min(steps)) as f32 / steps.max(1) as f32;
        let block = ((left * 32.0) as usize).max(1);
        let weight = (left * left * 200.0) as i32;
        let mut noise = self.noise;
        let mut bytes = Vec::with_capacity(pixels.len() * 3);
        for y in 0..*height {
            let row = y / block * block * width;
            for x in 0..*width {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                for (channel, chance) in pixels[row + x / block * block].into_iter().zip(noise.to_le_bytes())
                {
                    let channel = i32::from(channel);
                    bytes.push((channel + (i32::from(chance) - channel) * weight / 256) as u8);
                }
            }
        }
        let (width, height) = (u32::try_from(*width).ok()?, u32::try_from(*height).ok()?);
        let mut file = Vec::new();
        JpegEncoder::new_with_quality(&mut file, 90)
            .encode(&bytes, width, height, ExtendedColorType::Rgb8)
            .ok()?;
        Some(Preview { format: PreviewFormat::Jpeg, bytes: Bytes::from(file) })
    }
}
