//! Nodes that put pictures beside each other or into larger ones.

use std::borrow::Cow;

use super::resample::{Method, resample};
use super::{Context, Inputs, NodeClass, NodeError, Ran};
use crate::value::{Image, Mask, Value, room_for};

pub(super) static CLASSES: [NodeClass; 3] = [
    NodeClass::new("ImagePadForOutpaint", pad_for_outpaint),
    NodeClass::new("ResizeAndPadImage", resize_and_pad),
    NodeClass::new("ImageStitch", stitch),
];

/// Copies a batch into a larger one; both have the same number of pictures and channels.
fn paste(onto: &mut Image, image: &Image, left: usize, top: usize) {
    let channels = image.channels;
    let (line, onto_line) = (image.width * channels, onto.width * channels);
    let onto_len = onto.picture_len();
    if line == 0 {
        return;
    }
    for index in 0..image.batch {
        for (row, from) in image.picture(index).chunks_exact(line).enumerate() {
            let start = index * onto_len + (top + row) * onto_line + left * channels;
            onto.data[start..start + line].copy_from_slice(from);
        }
    }
}

/// ImagePadForOutpaint: grey around the picture, and a mask that is 1 there and fades into the picture.
fn pad_for_outpaint(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image("image")?;
    let [left, top, right, bottom] =
        [inputs.size("left")?, inputs.size("top")?, inputs.size("right")?, inputs.size("bottom")?];
    let feathering = inputs.size("feathering")?;
    let width = image.width.saturating_add(left).saturating_add(right);
    let height = image.height.saturating_add(top).saturating_add(bottom);
    room_for([image.batch, height, width, image.channels])?;
    let mut result = Image::filled(image.batch, height, width, &vec![0.5; image.channels])?;
    paste(&mut result, image, left, top);
    let mut mask = Mask::filled(1, height, width, 1.0)?;
    let fades = feathering > 0
        && feathering.saturating_mul(2) < image.height
        && feathering.saturating_mul(2) < image.width;
    for row in 0..image.height {
        for column in 0..image.width {
            // Only edges with something beyond them fade.
            let distances =
                [(top, row), (bottom, image.height - row), (left, column), (right, image.width - column)];
            let far = image.height.max(image.width);
            let beyond = |&(side, distance): &(usize, usize)| (side != 0).then_some(distance);
            let distance = distances.iter().filter_map(beyond).min().unwrap_or(far);
            let mut number = 0.0;
            if fades && distance < feathering {
                number = (feathering - distance) as f64 / feathering as f64;
            }
            mask.data[(top + row) * width + left + column] = (number * number) as f32;
        }
    }
    Ok(Ran { outputs: vec![Value::image(result), Value::mask(mask)], ..Ran::default() })
}

/// ResizeAndPadImage: as large as fits into a size, in the middle of it.
fn resize_and_pad(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image("image")?;
    let (target_width, target_height) = (inputs.size("target_width")?, inputs.size("target_height")?);
    let factor = (target_width as f64 / image.width as f64).min(target_height as f64 / image.height as f64);
    let width = (image.width as f64 * factor) as usize;
    let height = (image.height as f64 * factor) as usize;
    let name = inputs.text("interpolation")?;
    let method =
        Method::parse(name).ok_or_else(|| NodeError::value_error(format!("unknown method {name}")))?;
    let resized = resample(image, width, height, method)?;
    let level = if inputs.text("padding_color")? == "white" { 1.0 } else { 0.0 };
    let mut result = Image::filled(image.batch, target_height, target_width, &vec![level; image.channels])?;
    paste(&mut result, &resized, (target_width - width) / 2, (target_height - height) / 2);
    Ok(Ran::output(Value::image(result)))
}

/// ImageStitch: the second picture beside the first, with a stripe between them if wanted.
fn stitch(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let first = inputs.image("image1")?;
    if inputs.optional("image2").is_none() {
        return Ok(Ran::output(Value::Image(first.clone())));
    }
    let second = inputs.image("image2")?;
    let direction = inputs.text("direction")?;
    let across = matches!(direction, "left" | "right");
    let batch = first.batch.max(second.batch);
    let mut first = repeat_last(first, batch)?;
    let mut second = repeat_last(second, batch)?;
    let name = inputs.optional("spacing_color").map_or(Ok("white"), |_| inputs.text("spacing_color"))?;
    // What is missing is white beside a white stripe, and black beside all others.
    let level = if name == "white" { 1.0 } else { 0.0 };
    if inputs.flag_or("match_image_size", true) {
        let shape = second.width as f64 / second.height as f64;
        let (width, height) = if across {
            ((first.height as f64 * shape) as usize, first.height)
        } else {
            (first.width, (first.width as f64 / shape) as usize)
        };
        second = Cow::Owned(resample(&second, width, height, Method::Lanczos)?);
    } else if across {
        let height = first.height.max(second.height);
        first = centered(first, None, Some(height), level)?;
        second = centered(second, None, Some(height), level)?;
    } else {
        let width = first.width.max(second.width);
        first = centered(first, Some(width), None, level)?;
        second = centered(second, Some(width), None, level)?;
    }
    let channels = first.channels.max(second.channels);
    if first.channels != channels {
        first = Cow::Owned(first.with_channels(channels)?);
    }
    if second.channels != channels {
        second = Cow::Owned(second.with_channels(channels)?);
    }
    let spacing = inputs.int_or("spacing_width", 0)?.max(0);
    // An odd stripe is made one pixel wider.
    let spacing = usize::try_from(spacing + spacing % 2).unwrap_or(0);
    let color = stripe(name);
    let color: Vec<f32> = (0..channels).map(|channel| color.get(channel).copied().unwrap_or(1.0)).collect();
    let (before, after) = match direction {
        "left" | "up" => (second, first),
        _ => (first, second),
    };
    let (width, height) = if across {
        (before.width + spacing + after.width, before.height)
    } else {
        (before.width, before.height + spacing + after.height)
    };
    let mut result = Image::filled(batch, height, width, &color)?;
    paste(&mut result, &before, 0, 0);
    match across {
        true => paste(&mut result, &after, before.width + spacing, 0),
        false => paste(&mut result, &after, 0, before.height + spacing),
    }
    Ok(Ran::output(Value::image(result)))
}

fn stripe(name: &str) -> [f32; 3] {
    match name {
        "black" => [0.0; 3],
        "red" => [1.0, 0.0, 0.0],
        "green" => [0.0, 1.0, 0.0],
        "blue" => [0.0, 0.0, 1.0],
        _ => [1.0; 3],
    }
}

/// A batch made longer by its last picture.
fn repeat_last(image: &Image, batch: usize) -> Result<Cow<'_, Image>, NodeError> {
    if image.batch >= batch || image.batch == 0 {
        return Ok(Cow::Borrowed(image));
    }
    room_for([batch, image.height, image.width, image.channels])?;
    let mut result = image.clone();
    while result.batch < batch {
        result.data.extend_from_slice(image.picture(image.batch - 1));
        result.batch += 1;
    }
    Ok(Cow::Owned(result))
}

/// The picture in the middle of a larger one.
fn centered(
    image: Cow<'_, Image>,
    width: Option<usize>,
    height: Option<usize>,
    level: f32,
) -> Result<Cow<'_, Image>, NodeError> {
    let (width, height) = (width.unwrap_or(image.width), height.unwrap_or(image.height));
    if (width, height) == (image.width, image.height) {
        return Ok(image);
    }
    let mut result = Image::filled(image.batch, height, width, &vec![level; image.channels])?;
    paste(&mut result, &image, (width - image.width) / 2, (height - image.height) / 2);
    Ok(Cow::Owned(result))
}
