//! Nodes that give pictures another size.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Json;

use super::composite::{as_image, as_mask};
use super::inputs::FirstUse;
use super::resample::{Method, resample};
use super::{Audience, Context, Inputs, NodeClass, NodeError, Ran};
use crate::value::{Image, Value};
use crate::version::ServerVersion;

pub(super) static CLASSES: [NodeClass; 8] = [
    NodeClass::new("ImageScale", scale),
    NodeClass::new("ImageScaleBy", scale_by),
    NodeClass::new("ImageScaleToTotalPixels", scale_to_pixels),
    NodeClass::new("ImageScaleToMaxDimension", scale_to_longest),
    NodeClass::new("GetImageSize", size),
    NodeClass::new("ResizeImageMaskNode", resize_any),
    NodeClass::new("ResizeImagesByShorterEdge", |inputs, _| by_edge(inputs, "shorter_edge", usize::min)),
    NodeClass::new("ResizeImagesByLongerEdge", |inputs, _| by_edge(inputs, "longer_edge", usize::max)),
];

/// ImageScale: to a size. A side of 0 follows from the other one; two sides of 0 change nothing.
fn scale(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("image", FirstUse::Attribute("movedim"))?;
    let (mut width, mut height) = (inputs.size("width")?, inputs.size("height")?);
    if width == 0 && height == 0 {
        return Ok(Ran::output(Value::Image(Arc::clone(image))));
    }
    if width == 0 {
        width = follow(image.width, height, image.height);
    } else if height == 0 {
        height = follow(image.height, width, image.width);
    }
    let center = inputs.text("crop")? == "center";
    Ok(Ran::output(Value::image(fit(image, width, height, method(inputs)?, center)?)))
}

/// ImageScaleBy: by a factor.
fn scale_by(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("image", FirstUse::Attribute("movedim"))?;
    let factor = inputs.float("scale_by")?;
    let width = round(image.width as f64 * factor);
    let height = round(image.height as f64 * factor);
    Ok(Ran::output(Value::image(resample(image, width, height, method(inputs)?)?)))
}

/// ImageScaleToTotalPixels: to a number of 1024 × 1024 pixels, its sides multiples of `resolution_steps`.
fn scale_to_pixels(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("image", FirstUse::Attribute("movedim"))?;
    let wanted = inputs.float("megapixels")? * 1024.0 * 1024.0;
    let steps = inputs.int_or("resolution_steps", 1)?.max(1) as f64;
    let factor = (wanted / (image.width as f64 * image.height as f64)).sqrt();
    let side = |side: usize| round((side as f64 * factor / steps).round_ties_even() * steps);
    let result = resample(image, side(image.width), side(image.height), method(inputs)?)?;
    Ok(Ran::output(Value::image(result)))
}

/// ImageScaleToMaxDimension: the longer side gets this length.
fn scale_to_longest(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image("image")?;
    let longest = inputs.size("largest_size")?;
    let (wide, tall) = (image.width as f64, image.height as f64);
    let (width, height) = if tall > wide {
        (round(wide / tall * longest as f64), longest)
    } else if wide > tall {
        (longest, round(tall / wide * longest as f64))
    } else {
        (longest, longest)
    };
    Ok(Ran::output(Value::image(resample(image, width, height, method(inputs)?)?)))
}

/// ResizeImagesByShorterEdge and ResizeImagesByLongerEdge: fractions of the other side are cut off.
fn by_edge(inputs: &Inputs, name: &str, edge: fn(usize, usize) -> usize) -> Result<Ran, NodeError> {
    let image = inputs.image("images")?;
    let wanted = inputs.size(name)?;
    let edge = edge(image.width, image.height).max(1);
    let side = |side: usize| {
        if side == edge { wanted } else { (side as f64 * (wanted as f64 / edge as f64)) as usize }
    };
    let result = resample(image, side(image.width), side(image.height), Method::Lanczos)?;
    Ok(Ran::output(Value::image(result)))
}

/// ResizeImageMaskNode: pictures or masks, in one of many ways.
fn resize_any(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (mut image, is_mask) = match inputs.value("input")? {
        Value::Image(image) => (Cow::Borrowed(&**image), false),
        Value::Mask(mask) => (Cow::Owned(as_image(mask)), true),
        other => return Err(FirstUse::Attribute("shape").error(other)),
    };
    let name = inputs.text("scale_method")?;
    let method =
        Method::parse(name).ok_or_else(|| NodeError::value_error(format!("unknown method {name}")))?;
    let (wide, tall) = (image.width as f64, image.height as f64);
    let number = |name: &str| inputs.size(&format!("resize_type.{name}"));
    let by = |factor: f64| (round(wide * factor), round(tall * factor));
    let mut center = false;
    let resize_type = match inputs.0.get("resize_type") {
        Some(Value::Json(Json::String(resize_type))) => resize_type.as_str(),
        Some(value @ (Value::Image(_) | Value::Mask(_))) => {
            let dimensions = if matches!(value, Value::Mask(_)) { 3 } else { 4 };
            let message = format!("too many indices for tensor of dimension {dimensions}");
            return Err(NodeError::index_error(message));
        }
        _ => return Err(unknown_type()),
    };
    let (width, height) = match resize_type {
        "scale dimensions" => {
            center = inputs.text("resize_type.crop")? == "center";
            match (number("width")?, number("height")?) {
                (0, 0) => (image.width, image.height),
                (0, height) => (follow(image.width, height, image.height), height),
                (width, 0) => (width, follow(image.height, width, image.width)),
                both => both,
            }
        }
        "scale by multiplier" => by(inputs.float("resize_type.multiplier")?),
        "scale longer dimension" => by_side(&image, number("longer_size")?, image.width >= image.height),
        // Before 0.30.0 a tall picture became a square.
        "scale shorter dimension"
            if image.height > image.width && context.version < ServerVersion::V0_30_0 =>
        {
            (number("shorter_size")?, number("shorter_size")?)
        }
        "scale shorter dimension" => by_side(&image, number("shorter_size")?, image.width < image.height),
        "scale width" => by_side(&image, number("width")?, true),
        "scale height" => by_side(&image, number("height")?, false),
        "scale total pixels" => {
            let wanted = inputs.float("resize_type.megapixels")? * 1024.0 * 1024.0;
            by((wanted / (wide * tall)).sqrt())
        }
        "match size" => {
            center = inputs.text("resize_type.crop")? == "center";
            match inputs.value("resize_type.match")? {
                Value::Image(other) => (other.width, other.height),
                Value::Mask(other) => (other.width, other.height),
                other => return Err(FirstUse::Attribute("shape").error(other)),
            }
        }
        "scale to multiple" if context.version < ServerVersion::V0_30_0 => return Err(unknown_type()),
        "scale to multiple" => {
            let multiple = number("multiple")?.max(1);
            let (width, height) = (image.width / multiple * multiple, image.height / multiple * multiple);
            // Resized until it covers the new size, then cut off evenly.
            let factor = (width as f64 / wide).max(height as f64 / tall);
            let (covered, covered_down) = by(factor);
            let (covered, covered_down) = (covered.max(width), covered_down.max(height));
            let resized = resample(&image, covered, covered_down, method)?;
            let left = (covered - width) / 2;
            image = Cow::Owned(part(&resized, left, (covered_down - height) / 2, width, height)?);
            (width, height)
        }
        _ => return Err(unknown_type()),
    };
    let result = fit(&image, width, height, method, center)?;
    Ok(Ran::output(if is_mask { Value::mask(as_mask(result)) } else { Value::image(result) }))
}

/// A choice that the server's version does not know makes the whole input vanish.
fn unknown_type() -> NodeError {
    NodeError::type_error(
        "ResizeImageMaskNode.execute() missing 1 required positional argument: 'resize_type'",
    )
}

/// One side as wanted, the other as the shape asks for.
fn by_side(image: &Image, wanted: usize, is_width: bool) -> (usize, usize) {
    let factor = |side: usize, other: usize| round(side as f64 / other as f64 * wanted as f64);
    if is_width {
        (wanted, factor(image.height, image.width))
    } else {
        (factor(image.width, image.height), wanted)
    }
}

/// GetImageSize: width, height and number of pictures, which everyone is told.
fn size(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image("image")?;
    let (width, height, batch) = (image.width, image.height, image.batch);
    let text = format!("width: {width}, height: {height}\n batch size: {batch}");
    context.stage.send_text(&text, Audience::Everyone);
    let outputs = [width, height, batch].map(|number| Value::Json(number.into())).into();
    Ok(Ran { outputs, ..Ran::default() })
}

fn method(inputs: &Inputs) -> Result<Method, NodeError> {
    let name = inputs.text("upscale_method")?;
    Method::parse(name).ok_or_else(|| {
        NodeError::new(
            "NotImplementedError",
            format!("Input Error: Only 4D input Tensors are supported for mode {name}"),
        )
    })
}

/// The side that keeps the shape of a picture when the other side changes.
fn follow(side: usize, other_wanted: usize, other: usize) -> usize {
    round(side as f64 * other_wanted as f64 / other as f64).max(1)
}

/// Rounding halves to the even neighbour, as Python does.
fn round(number: f64) -> usize {
    number.round_ties_even() as usize
}

/// The batch at a size; with `center`, what does not have the wanted shape is cut off evenly at both ends first.
pub(super) fn fit(
    image: &Image,
    width: usize,
    height: usize,
    method: Method,
    center: bool,
) -> Result<Image, NodeError> {
    let image = if center { cut_to_shape(image, width, height)? } else { Cow::Borrowed(image) };
    resample(&image, width, height, method)
}

fn cut_to_shape(image: &Image, width: usize, height: usize) -> Result<Cow<'_, Image>, NodeError> {
    let shape = image.width as f64 / image.height as f64;
    let wanted = width as f64 / height as f64;
    let (mut left, mut top) = (0, 0);
    if shape > wanted {
        left = round((image.width as f64 - image.width as f64 * (wanted / shape)) / 2.0);
    } else if shape < wanted {
        top = round((image.height as f64 - image.height as f64 * (shape / wanted)) / 2.0);
    }
    if left == 0 && top == 0 {
        return Ok(Cow::Borrowed(image));
    }
    let kept_width = image.width.saturating_sub(2 * left);
    let kept_height = image.height.saturating_sub(2 * top);
    part(image, left, top, kept_width, kept_height).map(Cow::Owned)
}

/// A rectangle of every picture; it ends where the picture ends.
pub(super) fn part(
    image: &Image,
    left: usize,
    top: usize,
    width: usize,
    height: usize,
) -> Result<Image, NodeError> {
    let left = left.min(image.width);
    let top = top.min(image.height);
    let width = width.min(image.width - left);
    let height = height.min(image.height - top);
    let mut result = Image::zeros(image.batch, height, width, image.channels)?;
    let (line, kept) = (image.width * image.channels, width * image.channels);
    if kept == 0 || height == 0 {
        return Ok(result);
    }
    for index in 0..image.batch {
        let from = image.picture(index).chunks_exact(line).skip(top);
        let to = result.data[index * height * kept..(index + 1) * height * kept].chunks_exact_mut(kept);
        for (to, from) in to.zip(from) {
            let start = left * image.channels;
            to.copy_from_slice(&from[start..start + kept]);
        }
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_ends_where_the_picture_ends() {
        let data = (0..24).map(|number| number as f32).collect();
        let image = Image { batch: 2, height: 3, width: 4, channels: 1, data };
        let corner = part(&image, 3, 1, 100, 100).expect("small");
        assert_eq!((corner.width, corner.height), (1, 2));
        assert_eq!(corner.data, [7.0, 11.0, 19.0, 23.0]);
    }

    #[test]
    fn cutting_to_a_shape_is_even_at_both_ends() {
        let image = Image::filled(1, 32, 48, &[0.0; 3]).expect("small");
        let cut = cut_to_shape(&image, 20, 30).expect("small");
        // 48 - 32 * 20 / 30 = 26.67, of which 13 go at each end.
        assert_eq!((cut.width, cut.height), (22, 32));
        assert!(matches!(cut_to_shape(&image, 96, 64), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn a_side_that_follows_is_at_least_one_pixel() {
        assert_eq!(follow(48, 20, 32), 30);
        assert_eq!(follow(1, 1, 1000), 1);
        assert_eq!(follow(5, 1, 2), 2);
    }
}
