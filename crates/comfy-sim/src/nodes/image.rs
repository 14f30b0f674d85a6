//! Nodes that make pictures, or move pixels without mixing them.

use super::inputs::FirstUse;
use super::resize::part;
use super::{Context, Inputs, NodeClass, NodeError, Ran};
use crate::value::{Image, Value};

pub(super) static CLASSES: [NodeClass; 6] = [
    NodeClass::new("EmptyImage", empty),
    NodeClass::new("ImageInvert", invert),
    NodeClass::new("ImageCrop", crop),
    NodeClass::new("CenterCropImages", crop_center),
    NodeClass::new("ImageFlip", flip),
    NodeClass::new("ImageRotate", rotate),
];

/// EmptyImage: pictures of one colour, given as 0xRRGGBB.
fn empty(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let color = inputs.int("color")?;
    let channel = |shift: u32| ((color >> shift) & 0xff) as f32 / 255.0;
    let image = Image::filled(
        inputs.size("batch_size")?,
        inputs.size("height")?,
        inputs.size("width")?,
        &[channel(16), channel(8), channel(0)],
    )?;
    Ok(Ran::output(Value::image(image)))
}

/// ImageInvert: every channel, an alpha channel too.
fn invert(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut image = Image::clone(inputs.image_for("image", FirstUse::Subtraction)?);
    image.data.iter_mut().for_each(|number| *number = 1.0 - *number);
    Ok(Ran::output(Value::image(image)))
}

/// ImageCrop: a rectangle that starts within the picture and ends with it at the latest.
fn crop(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image("image")?;
    let left = inputs.size("x")?.min(image.width.saturating_sub(1));
    let top = inputs.size("y")?.min(image.height.saturating_sub(1));
    let part = part(image, left, top, inputs.size("width")?, inputs.size("height")?)?;
    Ok(Ran::output(Value::image(part)))
}

/// CenterCropImages: the middle; the whole side where a picture is shorter.
fn crop_center(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image("images")?;
    let (width, height) = (inputs.size("width")?, inputs.size("height")?);
    let left = image.width.saturating_sub(width) / 2;
    let top = image.height.saturating_sub(height) / 2;
    Ok(Ran::output(Value::image(part(image, left, top, width, height)?)))
}

/// ImageFlip: around the x axis (top to bottom) or the y axis (left to right).
fn flip(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("image", FirstUse::Function("flip"))?;
    let (last_row, last_column) = (image.height.saturating_sub(1), image.width.saturating_sub(1));
    let flipped = match inputs.text("flip_method")?.chars().next() {
        Some('x') => rearrange(image, false, |row, column| (last_row - row, column))?,
        Some('y') => rearrange(image, false, |row, column| (row, last_column - column))?,
        _ => Image::clone(image),
    };
    Ok(Ran::output(Value::image(flipped)))
}

/// ImageRotate: clockwise.
fn rotate(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("image", FirstUse::Function("rot90"))?;
    let (last_row, last_column) = (image.height.saturating_sub(1), image.width.saturating_sub(1));
    let rotated = match inputs.text("rotation")?.split(' ').next() {
        Some("90") => rearrange(image, true, |row, column| (last_row - column, row))?,
        Some("180") => rearrange(image, false, |row, column| (last_row - row, last_column - column))?,
        Some("270") => rearrange(image, true, |row, column| (column, last_column - row))?,
        _ => Image::clone(image),
    };
    Ok(Ran::output(Value::image(rotated)))
}

/// Every picture with its pixels in other places: `from` tells row and column of the source of a pixel.
fn rearrange(
    image: &Image,
    turned: bool,
    from: impl Fn(usize, usize) -> (usize, usize),
) -> Result<Image, NodeError> {
    let (height, width) = if turned { (image.width, image.height) } else { (image.height, image.width) };
    let channels = image.channels;
    let mut result = Image::zeros(image.batch, height, width, channels)?;
    let picture_len = image.picture_len();
    for index in 0..image.batch {
        let source = image.picture(index);
        let target = &mut result.data[index * picture_len..(index + 1) * picture_len];
        for row in 0..height {
            for column in 0..width {
                let (from_row, from_column) = from(row, column);
                let to = (row * width + column) * channels;
                let at = (from_row * image.width + from_column) * channels;
                target[to..to + channels].copy_from_slice(&source[at..at + channels]);
            }
        }
    }
    Ok(result)
}
