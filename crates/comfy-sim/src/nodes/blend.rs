//! ImageBlend.

use std::borrow::Cow;

use super::resample::Method;
use super::resize::fit;
use super::{Context, Inputs, NodeClass, NodeError, Ran};
use crate::value::{Image, Value};

pub(super) static CLASSES: [NodeClass; 1] = [NodeClass::new("ImageBlend", blend)];

/// ImageBlend: the second picture takes the size of the first; a batch of one goes with every picture.
fn blend(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (first, second) = (inputs.image("image1")?, inputs.image("image2")?);
    let factor = inputs.float("blend_factor")?;
    let (above_part, below_part) = (factor as f32, (1.0 - factor) as f32);
    let name = inputs.text("blend_mode")?;
    let mix = mode(name).ok_or_else(|| NodeError::value_error(format!("Unsupported blend mode: {name}")))?;

    let channels = first.channels.max(second.channels);
    let first = with_channels(first, channels)?;
    let mut second = with_channels(second, channels)?;
    if (first.width, first.height) != (second.width, second.height) {
        second = Cow::Owned(fit(&second, first.width, first.height, Method::Bicubic, true)?);
    }
    let batch = match (first.batch, second.batch) {
        (a, b) if a == b => a,
        (1, b) => b,
        (a, 1) => a,
        (a, b) => {
            return Err(NodeError::runtime_error(format!(
                "The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton dimension 0"
            )));
        }
    };
    let mut result = Image::zeros(batch, first.height, first.width, channels)?;
    let len = result.picture_len().max(1);
    for (index, picture) in result.data.chunks_exact_mut(len).enumerate() {
        let below = first.picture(if first.batch == 1 { 0 } else { index });
        let above = second.picture(if second.batch == 1 { 0 } else { index });
        for ((number, &a), &b) in picture.iter_mut().zip(below).zip(above) {
            *number = (a * below_part + mix(a, b) * above_part).clamp(0.0, 1.0);
        }
    }
    Ok(Ran::output(Value::image(result)))
}

fn with_channels(image: &Image, channels: usize) -> Result<Cow<'_, Image>, NodeError> {
    if image.channels == channels {
        return Ok(Cow::Borrowed(image));
    }
    image.with_channels(channels).map(Cow::Owned)
}

/// What a mode makes of the number below and the number above.
fn mode(name: &str) -> Option<fn(f32, f32) -> f32> {
    Some(match name {
        "normal" => |_, above| above,
        "multiply" => |below, above| below * above,
        "screen" => screen,
        "overlay" => |below, above| {
            if below <= 0.5 { 2.0 * below * above } else { 1.0 - 2.0 * (1.0 - below) * (1.0 - above) }
        },
        "soft_light" => soft_light,
        // Signed: where the picture above is brighter, it darkens.
        "difference" => |below, above| below - above,
        _ => return None,
    })
}

fn screen(below: f32, above: f32) -> f32 {
    1.0 - (1.0 - below) * (1.0 - above)
}

/// As the compositing standard of the web defines it.
fn soft_light(below: f32, above: f32) -> f32 {
    if above <= 0.5 {
        return below - (1.0 - 2.0 * above) * below * (1.0 - below);
    }
    let lightened = if below <= 0.25 { ((16.0 * below - 12.0) * below + 4.0) * below } else { below.sqrt() };
    below + (2.0 * above - 1.0) * (lightened - below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_of_the_schema_exists() {
        for name in ["normal", "multiply", "screen", "overlay", "soft_light", "difference"] {
            assert!(mode(name).is_some(), "{name}");
        }
        assert!(mode("other").is_none());
    }

    #[test]
    fn the_difference_is_signed() {
        let difference = mode("difference").expect("known");
        assert!((difference(0.25, 0.75) + 0.5).abs() < 1e-6);
    }
}
