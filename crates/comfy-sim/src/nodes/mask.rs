//! Masks, and the way between masks and pictures.

use super::inputs::FirstUse;
use super::{Context, Inputs, NodeError, Ran};
use crate::value::{Image, Mask, Value, room_for};

/// MaskToImage: the mask in each of three channels.
pub(super) fn to_image(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mask = inputs.mask_for("mask", FirstUse::Attribute("reshape"))?;
    room_for([mask.batch, mask.height, mask.width, 3])?;
    let data = mask.data.iter().flat_map(|&number| [number; 3]).collect();
    let image = Image { batch: mask.batch, height: mask.height, width: mask.width, channels: 3, data };
    Ok(Ran::output(Value::image(image)))
}

/// ImageToMask: one channel.
pub(super) fn from_image(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
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
pub(super) fn invert(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut mask = Mask::clone(inputs.mask_for("mask", FirstUse::Subtraction)?);
    mask.data.iter_mut().for_each(|number| *number = 1.0 - *number);
    Ok(Ran::output(Value::mask(mask)))
}

/// SolidMask: one number everywhere.
pub(super) fn solid(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let number = inputs.float("value")? as f32;
    let mask = Mask::filled(1, inputs.size("height")?, inputs.size("width")?, number)?;
    Ok(Ran::output(Value::mask(mask)))
}
