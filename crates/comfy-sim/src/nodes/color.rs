//! Nodes that change the way colours are written down, or count them.

use serde_json::Value as Json;

use super::{Context, Inputs, NodeClass, NodeError, Ran};
use crate::python::type_name;
use crate::value::{Image, Value, to_byte};

pub(super) static CLASSES: [NodeClass; 4] = [
    NodeClass::new("ImageRGBToYUV", to_yuv),
    NodeClass::new("ImageYUVToRGB", from_yuv),
    NodeClass::new("ImageHistogram", histogram),
    NodeClass::new("ColorToRGBInt", color_to_number),
];

/// ImageRGBToYUV: brightness, blueness and redness, each as a grey picture.
fn to_yuv(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image("image")?;
    let mut planes = [(); 3].map(|()| Vec::with_capacity(image.data.len()));
    for pixel in image.data.chunks_exact(image.channels.max(1)) {
        let [red, green, blue] = three(pixel)?;
        let bright = 0.299 * red + 0.587 * green + 0.114 * blue;
        let numbers = [bright, (blue - bright) * 0.564 + 0.5, (red - bright) * 0.713 + 0.5];
        for (plane, number) in planes.iter_mut().zip(numbers) {
            plane.extend([number; 3]);
        }
    }
    let outputs = planes.map(|data| {
        Value::image(Image {
            batch: image.batch,
            height: image.height,
            width: image.width,
            channels: 3,
            data,
        })
    });
    Ok(Ran { outputs: outputs.into(), ..Ran::default() })
}

/// ImageYUVToRGB: from the means of three grey pictures.
fn from_yuv(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let planes = [inputs.image("Y")?, inputs.image("U")?, inputs.image("V")?];
    let shape = |image: &Image| (image.batch, image.height, image.width);
    let first = planes[0];
    if planes.iter().any(|plane| shape(plane) != shape(first)) {
        return Err(NodeError::runtime_error(
            "Sizes of tensors must match except in dimension 3: Y, U and V need one size",
        ));
    }
    let mut result = Image::zeros(first.batch, first.height, first.width, 3)?;
    let mean = |plane: &Image, index: usize| {
        let pixel = &plane.data[index * plane.channels..(index + 1) * plane.channels];
        pixel.iter().sum::<f32>() / plane.channels as f32
    };
    for (index, pixel) in result.data.chunks_exact_mut(3).enumerate() {
        let [bright, blue, red] = planes.map(|plane| mean(plane, index));
        let (blue, red) = (blue - 0.5, red - 0.5);
        pixel[0] = bright + 1.403 * red;
        pixel[1] = bright - 0.714 * red - 0.344 * blue;
        pixel[2] = bright + 1.773 * blue;
        pixel.iter_mut().for_each(|number| *number = number.clamp(0.0, 1.0));
    }
    Ok(Ran::output(Value::image(result)))
}

fn three(pixel: &[f32]) -> Result<[f32; 3], NodeError> {
    match *pixel {
        [red, green, blue, ..] => Ok([red, green, blue]),
        _ => Err(NodeError::value_error("Input size must have a shape of (*, 3, H, W)")),
    }
}

/// ImageHistogram: how often each of 256 levels occurs in all three colours (a third of their sum), in the
/// brightness, and in each colour.
fn histogram(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image("image")?;
    let mut counts = [[0_u64; 256]; 5];
    for pixel in image.picture(0).chunks_exact(image.channels.max(1)) {
        let colors = three(pixel)?;
        let bright = 0.2126 * colors[0] + 0.7152 * colors[1] + 0.0722 * colors[2];
        counts[1][usize::from(to_byte(bright))] += 1;
        for (channel, number) in colors.into_iter().enumerate() {
            counts[2 + channel][usize::from(to_byte(number))] += 1;
            counts[0][usize::from(to_byte(number))] += 1;
        }
    }
    counts[0].iter_mut().for_each(|count| *count /= 3);
    let outputs = counts.map(|counts| Value::Json(counts.iter().copied().map(Json::from).collect()));
    Ok(Ran { outputs: outputs.into(), ..Ran::default() })
}

/// ColorToRGBInt: `#RRGGBB` or `#RRGGBBAA` as a number, without its opacity, and its opacity.
fn color_to_number(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let not_a_color = || NodeError::value_error("Color must be in format #RRGGBB or #RRGGBBAA");
    let text = match inputs.json("color")? {
        Json::String(text) => text,
        Json::Object(entries) if !matches!(entries.len(), 7 | 9) => return Err(not_a_color()),
        Json::Object(_) => return Err(NodeError::new("KeyError", "0")),
        other => {
            let message = format!("object of type '{}' has no len()", type_name(other));
            return Err(NodeError::type_error(message));
        }
    };
    let digits = text.strip_prefix('#').filter(|digits| {
        matches!(digits.len(), 6 | 8) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    });
    let number = |part: &str| i64::from_str_radix(part, 16).ok();
    let parts = digits.and_then(|digits| {
        let opacity = if digits.len() == 8 { number(&digits[6..])? } else { 255 };
        Some((number(&digits[..6])?, opacity as f64 / 255.0))
    });
    let (color, opacity) = parts.ok_or_else(not_a_color)?;
    let outputs = [Json::from(color), Json::from(&text[..7]), Json::from(opacity)].map(Value::Json).into();
    Ok(Ran { outputs, ..Ran::default() })
}
