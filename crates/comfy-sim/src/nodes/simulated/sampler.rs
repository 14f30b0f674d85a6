//! Samplers: nodes that take steps.

use std::time::{Duration, Instant};

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
/// Between two drawings of the bar of progress.
const BAR_PAUSE: Duration = Duration::from_millis(100);

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
    let mut bar = Bar::new(steps);
    bar.draw(0, context);
    for step in 1..=steps {
        if !context.setting.step_time.is_zero() {
            context.stage.sleep(context.setting.step_time, Sleep::Light)?;
        }
        let preview = previews.as_ref().and_then(|previews| previews.at(step, steps));
        context.stage.progress(step.into(), steps.into(), preview.as_ref())?;
        bar.draw(step, context);
    }
    context.stage.write("\n");
    Ok(())
}

/// The bar of progress that samplers draw in the server's log.
struct Bar {
    steps: u64,
    began: Instant,
    drawn: Option<Instant>,
}

impl Bar {
    fn new(steps: u64) -> Self {
        Self { steps, began: Instant::now(), drawn: None }
    }

    fn draw(&mut self, step: u64, context: &Context<'_>) {
        let is_early = self.drawn.is_some_and(|drawn| drawn.elapsed() < BAR_PAUSE);
        if is_early && step < self.steps {
            return;
        }
        self.drawn = Some(Instant::now());
        context.stage.write(&bar(step, self.steps, self.began.elapsed().as_secs_f64()));
    }
}

/// `\r 35%|███▌      | 7/20 [00:02<00:03,  3.31it/s]`.
fn bar(step: u64, steps: u64, seconds: f64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let share = step as f64 / steps.max(1) as f64;
    let eighths = (share * 80.0) as usize;
    let filled = format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8]);
    let clock = |seconds: f64| format!("{:02}:{:02}", seconds as u64 / 60, seconds as u64 % 60);
    let rate = step as f64 / seconds.max(0.001);
    let times = match step {
        0 => "?, ?it/s".to_owned(),
        _ => format!("{}, {rate:>5.2}it/s", clock((steps - step.min(steps)) as f64 / rate)),
    };
    format!("\r{:>3.0}%|{filled:<10}| {step}/{steps} [{}<{times}]", 100.0 * share, clock(seconds))
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

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn the_bar_in_the_log_is_as_samplers_draw_it() {
        assert_eq!(bar(0, 8, 0.0), "\r  0%|          | 0/8 [00:00<?, ?it/s]");
        assert_eq!(bar(1, 8, 0.3), "\r 12%|█▎        | 1/8 [00:00<00:02,  3.33it/s]");
        assert_eq!(bar(3, 8, 0.909), "\r 38%|███▊      | 3/8 [00:00<00:01,  3.30it/s]");
        assert_eq!(bar(8, 8, 2.4), "\r100%|██████████| 8/8 [00:02<00:00,  3.33it/s]");
    }
}
