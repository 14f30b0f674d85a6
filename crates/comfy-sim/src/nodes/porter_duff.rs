//! PorterDuffImageComposite: the classic ways to lay one picture with transparency over another.

use std::borrow::Cow;

use super::inputs::FirstUse;
use super::resample::Method;
use super::resize::fit;
use super::{Context, Inputs, NodeClass, NodeError, Ran};
use crate::value::{Image, Mask, Value};

pub(super) static CLASSES: [NodeClass; 1] = [NodeClass::new("PorterDuffImageComposite", composite)];

/// A number with its opacity, already multiplied by it.
#[derive(Clone, Copy)]
struct Part {
    color: f32,
    opacity: f32,
}

/// PorterDuffImageComposite. Masks are 1 where a picture is transparent.
fn composite(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let source = inputs.image("source")?;
    let destination = inputs.image("destination")?;
    let source_mask = inputs.mask_for("source_alpha", FirstUse::Attribute("shape"))?;
    let destination_mask = inputs.mask_for("destination_alpha", FirstUse::Attribute("shape"))?;
    let mix = mode(inputs.text("mode")?);
    let (width, height) = (destination.width, destination.height);
    let source = match (source.width, source.height) == (width, height) {
        true => Cow::Borrowed(&**source),
        false => Cow::Owned(fit(source, width, height, Method::Bicubic, true)?),
    };
    let source_mask = resized(source_mask, width, height)?;
    let destination_mask = resized(destination_mask, width, height)?;
    let batch =
        [source.batch, source_mask.batch, destination.batch, destination_mask.batch].into_iter().min();
    let batch = batch.unwrap_or(0);
    let channels = destination.channels.min(source.channels);
    let mut colors = Image::zeros(batch, height, width, channels)?;
    let mut mask = Mask::filled(batch, height, width, 0.0)?;
    for (index, pixel) in colors.data.chunks_exact_mut(channels.max(1)).enumerate() {
        let [above, below] = [&source_mask, &destination_mask].map(|mask| 1.0 - mask.data[index]);
        let mut opacity = 0.0;
        for (channel, number) in pixel.iter_mut().enumerate() {
            let part = |image: &Image, opacity: f32| Part {
                color: image.data[index * image.channels + channel] * opacity,
                opacity,
            };
            let mixed = mix(part(&source, above), part(destination, below));
            opacity = mixed.opacity;
            *number = if opacity > 1e-5 { mixed.color / opacity } else { 0.0 };
            *number = number.clamp(0.0, 1.0);
        }
        mask.data[index] = 1.0 - opacity;
    }
    Ok(Ran { outputs: vec![Value::image(colors), Value::mask(mask)], ..Ran::default() })
}

fn resized(mask: &Mask, width: usize, height: usize) -> Result<Cow<'_, Mask>, NodeError> {
    if (mask.width, mask.height) == (width, height) {
        return Ok(Cow::Borrowed(mask));
    }
    let image = fit(&super::composite::as_image(mask), width, height, Method::Bicubic, true)?;
    Ok(Cow::Owned(super::composite::as_mask(image)))
}

fn mode(name: &str) -> fn(Part, Part) -> Part {
    fn both(source: Part, destination: Part) -> f32 {
        source.opacity + destination.opacity - source.opacity * destination.opacity
    }
    fn outside(source: Part, destination: Part) -> f32 {
        (1.0 - destination.opacity) * source.color + (1.0 - source.opacity) * destination.color
    }
    match name {
        "ADD" => |s, d| Part {
            color: (s.color + d.color).clamp(0.0, 1.0),
            opacity: (s.opacity + d.opacity).clamp(0.0, 1.0),
        },
        "CLEAR" => |_, _| Part { color: 0.0, opacity: 0.0 },
        "DARKEN" => |s, d| Part { color: outside(s, d) + s.color.min(d.color), opacity: both(s, d) },
        "LIGHTEN" => |s, d| Part { color: outside(s, d) + s.color.max(d.color), opacity: both(s, d) },
        "DST_ATOP" => {
            |s, d| Part { color: s.opacity * d.color + (1.0 - d.opacity) * s.color, opacity: s.opacity }
        }
        "DST_IN" => |s, d| Part { color: d.color * s.opacity, opacity: s.opacity * d.opacity },
        "DST_OUT" => {
            |s, d| Part { color: (1.0 - s.opacity) * d.color, opacity: (1.0 - s.opacity) * d.opacity }
        }
        "DST_OVER" => |s, d| Part {
            color: d.color + (1.0 - d.opacity) * s.color,
            opacity: d.opacity + (1.0 - d.opacity) * s.opacity,
        },
        "MULTIPLY" => |s, d| Part { color: s.color * d.color, opacity: s.opacity * d.opacity },
        "OVERLAY" => |s, d| Part {
            color: if 2.0 * d.color < d.opacity {
                2.0 * s.color * d.color
            } else {
                s.opacity * d.opacity - 2.0 * (d.opacity - s.color) * (s.opacity - d.color)
            },
            opacity: both(s, d),
        },
        "SCREEN" => |s, d| Part { color: s.color + d.color - s.color * d.color, opacity: both(s, d) },
        "SRC" => |s, _| s,
        "SRC_ATOP" => {
            |s, d| Part { color: d.opacity * s.color + (1.0 - s.opacity) * d.color, opacity: d.opacity }
        }
        "SRC_IN" => |s, d| Part { color: s.color * d.opacity, opacity: s.opacity * d.opacity },
        "SRC_OUT" => {
            |s, d| Part { color: (1.0 - d.opacity) * s.color, opacity: (1.0 - d.opacity) * s.opacity }
        }
        "SRC_OVER" => |s, d| Part {
            color: s.color + (1.0 - s.opacity) * d.color,
            opacity: s.opacity + (1.0 - s.opacity) * d.opacity,
        },
        "XOR" => |s, d| Part {
            color: outside(s, d),
            opacity: (1.0 - d.opacity) * s.opacity + (1.0 - s.opacity) * d.opacity,
        },
        _ => |_, d| d,
    }
}
