//! SaveAnimatedPNG and SaveAnimatedWEBP.

use ::image::ExtendedColorType;
use ::image::codecs::webp::WebPEncoder;
use png::chunk::ChunkType;
use png::{BitDepth, Compression, Encoder};
use serde_json::Value as Json;

use super::super::inputs::FirstUse;
use super::super::{Context, Inputs, NodeError, Ran};
use super::{color_type, files_error, notes, say_animated, webp, write_next};
use crate::files::Folder;
use crate::value::{Image, Value};
use crate::version::ServerVersion;
use crate::wire::to_json;

/// SaveAnimatedPNG: one file for the whole batch. Unlike in still pictures, the notes follow the pixels, in chunks of
/// the server's own kind.
pub(super) fn save_png(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("images", FirstUse::Item)?;
    let level = inputs.int_or("compress_level", 4)?;
    let bytes = animated_png(image, milliseconds(inputs)?, level, &notes(context)?)
        .map_err(|error| NodeError::new("SystemError", error))?;
    shown(inputs, context, image, "_.png", &bytes, true)
}

/// SaveAnimatedWEBP: one file for the whole batch. The simulator has no encoder that loses anything: a file that may
/// do so is larger than the server's, and exact.
pub(super) fn save_webp(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("images", FirstUse::Item)?;
    let color = match image.channels {
        3 => ExtendedColorType::Rgb8,
        4 => ExtendedColorType::Rgba8,
        _ => return Err(NodeError::type_error(format!("cannot write {} channels", image.channels))),
    };
    let failed = |error: String| NodeError::new("OSError", format!("cannot write file as WEBP: {error}"));
    let side = |length: usize| match u32::try_from(length) {
        Ok(length @ 1..=16383) => Ok(length),
        _ => Err(failed(format!("a side of {length} pixels is not between 1 and 16383"))),
    };
    let (width, height) = (side(image.width)?, side(image.height)?);
    let mut frames = Vec::with_capacity(image.batch);
    for position in 0..image.batch {
        context.stage.check_interrupt()?;
        let mut bytes = Vec::new();
        WebPEncoder::new_lossless(&mut bytes)
            .encode(&image.to_bytes(position), width, height, color)
            .map_err(|error| failed(error.to_string()))?;
        frames.push(bytes);
    }
    let notes = exif_notes(context);
    let picture = webp::Picture { width, height, alpha: image.channels == 4, frames: &frames };
    let bytes = picture.file(milliseconds(inputs)?, &notes).ok_or_else(|| failed("too large".to_owned()))?;
    shown(inputs, context, image, "_.webp", &bytes, false)
}

fn milliseconds(inputs: &Inputs) -> Result<u32, NodeError> {
    let rate = inputs.float("fps")?;
    if rate == 0.0 {
        return Err(NodeError::new("ZeroDivisionError", "float division by zero"));
    }
    Ok((1000.0 / rate) as u32)
}

/// Writes the file. Whether it moves was always said before 0.8.0, and for PNG always as if it did.
fn shown(
    inputs: &Inputs,
    context: &Context<'_>,
    image: &std::sync::Arc<Image>,
    ending: &str,
    bytes: &[u8],
    is_png: bool,
) -> Result<Ran, NodeError> {
    let prefix = inputs.text("filename_prefix")?;
    let mut target =
        context.files.save_target(Folder::Output, prefix, image.width, image.height).map_err(files_error)?;
    let item = write_next(&mut target, 0, ending, bytes)?;
    let mut ran = Ran::shown(Value::Image(image.clone()), "images", vec![item]);
    if image.batch > 1 {
        say_animated(&mut ran, true);
    } else if context.version < ServerVersion::V0_8_0 {
        say_animated(&mut ran, is_png);
    }
    Ok(ran)
}

fn animated_png(image: &Image, milliseconds: u32, level: i64, notes: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let text = |error: png::EncodingError| error.to_string();
    let side = |length: usize| u32::try_from(length).map_err(|_| "image is too large".to_owned());
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, side(image.width)?, side(image.height)?);
    encoder.set_color(color_type(image).map_err(|error| error.message)?);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(match level {
        0 => Compression::NoCompression,
        1..=3 => Compression::Fast,
        4..=6 => Compression::Balanced,
        _ => Compression::High,
    });
    if image.batch > 1 {
        encoder.set_animated(side(image.batch)?, 0).map_err(text)?;
        let (numerator, denominator) = fraction(milliseconds);
        encoder.set_frame_delay(numerator, denominator).map_err(text)?;
    }
    let mut writer = encoder.write_header().map_err(text)?;
    for position in 0..image.batch {
        writer.write_image_data(&image.to_bytes(position)).map_err(text)?;
    }
    for note in notes {
        writer.write_chunk(ChunkType(*b"comf"), note).map_err(text)?;
    }
    writer.finish().map_err(text)?;
    Ok(bytes)
}

/// Milliseconds as a fraction of a second that fits into the file.
fn fraction(milliseconds: u32) -> (u16, u16) {
    let (mut a, mut b) = (milliseconds, 1000);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    let divisor = a.max(1);
    match (u16::try_from(milliseconds / divisor), u16::try_from(1000 / divisor)) {
        (Ok(numerator), Ok(denominator)) => (numerator, denominator),
        _ => (u16::try_from(milliseconds / 1000).unwrap_or(u16::MAX), 1),
    }
}

/// The notes of a WebP: camera tags, counted down from the model.
fn exif_notes(context: &Context<'_>) -> Vec<(u16, String)> {
    const MODEL: u16 = 0x0110;
    let say = |key: &str, json: &Json| format!("{key}:{}", to_json(json));
    let mut notes = vec![(MODEL, say("prompt", context.prompt))];
    for (key, json) in context.extra_pnginfo.into_iter().flatten() {
        let tag = MODEL.saturating_sub(u16::try_from(notes.len()).unwrap_or(MODEL));
        notes.push((tag, say(key, json)));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_reduced_fractions() {
        assert_eq!(fraction(166), (83, 500));
        assert_eq!(fraction(1000), (1, 1));
        assert_eq!(fraction(100_000), (100, 1));
        assert_eq!(fraction(0), (0, 1));
    }
}
