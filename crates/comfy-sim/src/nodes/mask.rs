//! Masks, and the way between masks and pictures.

use super::composite::{as_image, as_mask};
use super::inputs::FirstUse;
use super::resize::part;
use super::{Context, Inputs, NodeClass, NodeError, Ran};
use crate::value::{Image, Mask, Value, room_for};
use crate::version::ServerVersion;

pub(super) static CLASSES: [NodeClass; 8] = [
    NodeClass::new("MaskToImage", to_image),
    NodeClass::new("ImageToMask", from_image),
    NodeClass::new("SolidMask", solid),
    NodeClass::new("InvertMask", invert),
    NodeClass::new("CropMask", crop),
    NodeClass::new("FeatherMask", feather),
    NodeClass::new("ThresholdMask", threshold),
    NodeClass::new("ImageColorToMask", from_color),
];

/// MaskToImage: the mask in each of three channels.
fn to_image(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mask = inputs.mask_for("mask", FirstUse::Attribute("reshape"))?;
    Ok(Ran::output(Value::image(grey(mask)?)))
}

/// A mask in each of three channels.
pub(super) fn grey(mask: &Mask) -> Result<Image, NodeError> {
    room_for([mask.batch, mask.height, mask.width, 3])?;
    if mask.data.is_empty() {
        return Err(NodeError::runtime_error(format!(
            "cannot reshape tensor of 0 elements into shape [-1, 1, {}, {}] because the unspecified dimension \
             size -1 can be any value and is ambiguous",
            mask.height, mask.width
        )));
    }
    let data = mask.data.iter().flat_map(|&number| [number; 3]).collect();
    Ok(Image { batch: mask.batch, height: mask.height, width: mask.width, channels: 3, data })
}

/// ImageToMask: one channel.
fn from_image(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("image", FirstUse::Item)?;
    let name = inputs.text("channel")?;
    let channel = ["red", "green", "blue", "alpha"]
        .iter()
        .position(|known| *known == name)
        .ok_or_else(|| NodeError::value_error(format!("'{name}' is not in list")))?;
    Ok(Ran::output(Value::mask(channel_of(image, channel)?)))
}

/// One channel of a batch of pictures.
pub(super) fn channel_of(image: &Image, channel: usize) -> Result<Mask, NodeError> {
    if channel >= image.channels {
        return Err(NodeError::index_error(format!(
            "index {channel} is out of bounds for dimension 3 with size {}",
            image.channels
        )));
    }
    let data = image.data.iter().skip(channel).step_by(image.channels).copied().collect();
    Ok(Mask { batch: image.batch, height: image.height, width: image.width, data })
}

/// InvertMask.
fn invert(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut mask = Mask::clone(inputs.mask_for("mask", FirstUse::Subtraction)?);
    mask.data.iter_mut().for_each(|number| *number = 1.0 - *number);
    Ok(Ran::output(Value::mask(mask)))
}

/// SolidMask: one number everywhere.
fn solid(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let number = inputs.float("value")? as f32;
    let mask = Mask::filled(1, inputs.size("height")?, inputs.size("width")?, number)?;
    Ok(Ran::output(Value::mask(mask)))
}

/// CropMask: a rectangle; what of it lies outside is left out.
fn crop(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mask = inputs.mask_for("mask", FirstUse::Attribute("reshape"))?;
    let (left, top) = (inputs.size("x")?, inputs.size("y")?);
    let part = part(&as_image(mask), left, top, inputs.size("width")?, inputs.size("height")?)?;
    Ok(Ran::output(Value::mask(as_mask(part))))
}

/// ThresholdMask: 1 above a number, 0 at and below it.
fn threshold(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut mask = Mask::clone(inputs.mask_for("mask", FirstUse::Attribute("reshape"))?);
    let limit = inputs.float("value")? as f32;
    mask.data.iter_mut().for_each(|number| *number = f32::from(u8::from(*number > limit)));
    Ok(Ran::output(Value::mask(mask)))
}

/// ImageColorToMask: 1 where a pixel has the colour 0xRRGGBB.
fn from_color(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image("image")?;
    let color = inputs.int("color")?;
    let byte = |number: f32| (number.clamp(0.0, 1.0) * 255.0).round_ties_even() as i64;
    let is_color =
        |pixel: &[f32]| pixel.iter().take(3).fold(0, |color, number| (color << 8) + byte(*number)) == color;
    let data =
        image.data.chunks_exact(image.channels.max(1)).map(|pixel| f32::from(u8::from(is_color(pixel))));
    let mask = Mask { batch: image.batch, height: image.height, width: image.width, data: data.collect() };
    Ok(Ran::output(Value::mask(mask)))
}

/// FeatherMask: weaker towards the edges. Servers before 0.30.0 count the pixels of the right and the lower edge
/// from the first one, which so gets the weakest number.
fn feather(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut mask = Mask::clone(inputs.mask_for("mask", FirstUse::Attribute("reshape"))?);
    let (width, height) = (mask.width, mask.height);
    let from_last = context.version >= ServerVersion::V0_30_0;
    let end = |step: usize, length: usize| match (from_last, step) {
        (true, _) => length - 1 - step,
        (false, 0) => 0,
        (false, _) => length - step,
    };
    let sides = [("left", false), ("right", true)].map(|(name, last)| (name, last, true));
    let ends = [("top", false), ("bottom", true)].map(|(name, last)| (name, last, false));
    for (name, last, is_column) in sides.into_iter().chain(ends) {
        let length = if is_column { width } else { height };
        let count = inputs.size(name)?.min(length);
        for step in 0..count {
            let factor = ((step + 1) as f64 / count as f64) as f32;
            let at = if last { end(step, length) } else { step };
            for picture in mask.data.chunks_exact_mut((width * height).max(1)) {
                if is_column {
                    picture.iter_mut().skip(at).step_by(width).for_each(|number| *number *= factor);
                } else {
                    let row = &mut picture[at * width..(at + 1) * width];
                    row.iter_mut().for_each(|number| *number *= factor);
                }
            }
        }
    }
    Ok(Ran::output(Value::mask(mask)))
}
