//! Nodes that lay pictures and masks over each other, or join and part colours and transparency.

use std::borrow::Cow;

use super::inputs::FirstUse;
use super::resample::{Method, resample};
use super::{Context, Inputs, NodeClass, NodeError, Ran};
use crate::value::{Image, Mask, Value, room_for};
use crate::version::ServerVersion;

pub(super) static CLASSES: [NodeClass; 4] = [
    NodeClass::new("ImageCompositeMasked", composite),
    NodeClass::new("MaskComposite", combine),
    NodeClass::new("JoinImageWithAlpha", join),
    NodeClass::new("SplitImageWithAlpha", split),
];

/// The part of a source at `offset` that lies within a destination: where it starts in the source, where in the
/// destination, and how long it is.
fn overlap(offset: i64, source: usize, destination: usize) -> (usize, usize, usize) {
    let cut = usize::try_from(offset.min(0).unsigned_abs()).unwrap_or(usize::MAX).min(source);
    let start = usize::try_from(offset.max(0)).unwrap_or(usize::MAX).min(destination);
    (cut, start, (source - cut).min(destination - start))
}

/// A mask as a picture with one channel.
pub(super) fn as_image(mask: &Mask) -> Image {
    Image { batch: mask.batch, height: mask.height, width: mask.width, channels: 1, data: mask.data.clone() }
}

/// A picture with one channel as a mask.
pub(super) fn as_mask(image: Image) -> Mask {
    Mask { batch: image.batch, height: image.height, width: image.width, data: image.data }
}

/// A mask at another size.
pub(super) fn resized_mask(mask: &Mask, width: usize, height: usize) -> Result<Cow<'_, Mask>, NodeError> {
    if (mask.width, mask.height) == (width, height) {
        return Ok(Cow::Borrowed(mask));
    }
    resample(&as_image(mask), width, height, Method::Bilinear).map(as_mask).map(Cow::Owned)
}

/// ImageCompositeMasked: the source over the destination, where the mask is 1. Batches go round until every
/// destination has had one.
fn composite(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let destination = inputs.image("destination")?;
    let source = inputs.image("source")?;
    let channels = destination.channels;
    let mut result = Image::clone(destination);
    let mut source = match source.channels == channels {
        true => Cow::Borrowed(&**source),
        false => Cow::Owned(source.with_channels(channels)?),
    };
    if inputs.flag("resize_source")? {
        source = Cow::Owned(resample(&source, result.width, result.height, Method::Bilinear)?);
    }
    let mask = match inputs.optional("mask") {
        Some(_) => {
            let mask = inputs.mask_for("mask", FirstUse::Attribute("reshape"))?;
            Some(resized_mask(mask, source.width, source.height)?)
        }
        None => None,
    };
    if source.data.is_empty() || mask.as_ref().is_some_and(|mask| mask.data.is_empty()) {
        return Ok(Ran::output(Value::image(result)));
    }
    let (from_column, to_column, width) = overlap(inputs.int("x")?, source.width, result.width);
    let (from_row, to_row, height) = overlap(inputs.int("y")?, source.height, result.height);
    let (target_width, target_len) = (result.width, result.picture_len().max(1));
    for (index, picture) in result.data.chunks_exact_mut(target_len).enumerate() {
        let above = source.picture(index % source.batch.max(1));
        let opaque = mask.as_deref().map(|mask| {
            let len = mask.width * mask.height;
            let index = index % mask.batch.max(1);
            &mask.data[index * len..(index + 1) * len]
        });
        for row in 0..height {
            for column in 0..width {
                let at = (from_row + row) * source.width + from_column + column;
                let to = ((to_row + row) * target_width + to_column + column) * channels;
                let part = opaque.map_or(1.0, |opaque| opaque[at]);
                for channel in 0..channels {
                    let number = &mut picture[to + channel];
                    *number = part * above[at * channels + channel] + (1.0 - part) * *number;
                }
            }
        }
    }
    Ok(Ran::output(Value::image(result)))
}

/// MaskComposite: one mask combined with another that lies over it.
fn combine(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut result = Mask::clone(inputs.mask_for("destination", FirstUse::Attribute("reshape"))?);
    let source = inputs.mask_for("source", FirstUse::Attribute("reshape"))?;
    let operation = operation(inputs.text("operation")?);
    let (_, left, width) = overlap(inputs.int("x")?, source.width, result.width);
    let (_, top, height) = overlap(inputs.int("y")?, source.height, result.height);
    if source.batch != result.batch && source.batch != 1 && result.batch != 1 {
        return Err(NodeError::runtime_error(format!(
            "The size of tensor a ({}) must match the size of tensor b ({}) at non-singleton dimension 0",
            result.batch, source.batch
        )));
    }
    if source.data.is_empty() {
        return Ok(Ran::output(Value::mask(result)));
    }
    if source.batch > result.batch {
        return Err(NodeError::runtime_error(format!(
            "The expanded size of the tensor ({}) must match the existing size ({}) at non-singleton dimension 0.  \
             Target sizes: [{}, {height}, {width}].  Tensor sizes: [{}, {height}, {width}]",
            result.batch, source.batch, result.batch, source.batch
        )));
    }
    for index in 0..result.batch {
        let above = index % source.batch.max(1) * source.width * source.height;
        let below = index * result.width * result.height;
        for row in 0..height {
            for column in 0..width {
                let number = &mut result.data[below + (top + row) * result.width + left + column];
                *number = operation(*number, source.data[above + row * source.width + column]);
            }
        }
    }
    result.data.iter_mut().for_each(|number| *number = number.clamp(0.0, 1.0));
    Ok(Ran::output(Value::mask(result)))
}

fn operation(name: &str) -> fn(f32, f32) -> f32 {
    fn set(number: f32) -> bool {
        number.round_ties_even() != 0.0
    }
    match name {
        "multiply" => |below, above| below * above,
        "add" => |below, above| below + above,
        "subtract" => |below, above| below - above,
        "and" => |below, above| f32::from(u8::from(set(below) & set(above))),
        "or" => |below, above| f32::from(u8::from(set(below) | set(above))),
        "xor" => |below, above| f32::from(u8::from(set(below) ^ set(above))),
        _ => |below, _| below,
    }
}

/// JoinImageWithAlpha: transparent where the mask is 1. The shorter batch goes round; before 0.30.0 it ended the other.
fn join(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image("image")?;
    let alpha = inputs.mask_for("alpha", FirstUse::Attribute("reshape"))?;
    let alpha = resized_mask(alpha, image.width, image.height)?;
    let batch = match context.version >= ServerVersion::V0_30_0 {
        true => image.batch.max(alpha.batch),
        false => image.batch.min(alpha.batch),
    };
    let mut result = Image::zeros(batch, image.height, image.width, 4)?;
    let pixels = image.width * image.height;
    for (index, picture) in result.data.chunks_exact_mut((4 * pixels).max(1)).enumerate() {
        let colors = image.picture(index % image.batch.max(1)).chunks_exact(image.channels);
        let alphas = &alpha.data[index % alpha.batch.max(1) * pixels..];
        for ((pixel, color), alpha) in picture.chunks_exact_mut(4).zip(colors).zip(alphas) {
            let kept = color.len().min(3);
            pixel[..kept].copy_from_slice(&color[..kept]);
            pixel[3] = 1.0 - alpha;
        }
    }
    Ok(Ran::output(Value::image(result)))
}

/// SplitImageWithAlpha: the colours, and a mask that is 1 where the picture is transparent.
fn split(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("image", FirstUse::Item)?;
    let kept = image.channels.min(3);
    room_for([image.batch, image.height, image.width, kept])?;
    let pixels = || image.data.chunks_exact(image.channels);
    let colors = Image {
        channels: kept,
        data: pixels().flat_map(|pixel| &pixel[..kept]).copied().collect(),
        ..Image { data: Vec::new(), ..**image }
    };
    let mask = Mask {
        batch: image.batch,
        height: image.height,
        width: image.width,
        data: pixels().map(|pixel| pixel.get(3).map_or(0.0, |alpha| 1.0 - alpha)).collect(),
    };
    Ok(Ran { outputs: vec![Value::image(colors), Value::mask(mask)], ..Ran::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_is_cut_off() {
        assert_eq!(overlap(0, 5, 9), (0, 0, 5));
        assert_eq!(overlap(7, 5, 9), (0, 7, 2));
        assert_eq!(overlap(-2, 5, 9), (2, 0, 3));
        assert_eq!(overlap(i64::MAX, 5, 9), (0, 9, 0));
        assert_eq!(overlap(i64::MIN, 5, 9), (5, 0, 0));
    }
}
