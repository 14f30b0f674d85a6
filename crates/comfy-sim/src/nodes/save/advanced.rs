//! SaveImageAdvanced: PNG with 8 or 16 bits, and OpenEXR.

use png::chunk::ChunkType;
use png::{BitDepth, Compression, Encoder};

use super::super::inputs::FirstUse;
use super::super::{Context, Inputs, NodeError, Ran};
use super::{color_type, files_error, notes, write_next};
use crate::files::Folder;
use crate::value::{Image, Value, to_byte};

/// SaveImageAdvanced.
pub(super) fn save(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("images", FirstUse::Item)?;
    let format = inputs.text("format")?;
    let notes = notes(context)?;
    let prefix = inputs.text("filename_prefix")?;
    let mut target =
        context.files.save_target(Folder::Output, prefix, image.width, image.height).map_err(files_error)?;
    let mut items = Vec::with_capacity(image.batch);
    for position in 0..image.batch {
        let item = match format {
            "png" => {
                let deep = inputs.optional("format.bit_depth").is_some()
                    && inputs.text("format.bit_depth")? == "16-bit";
                let bytes = png(image, position, deep, &notes)
                    .map_err(|error| NodeError::new("SystemError", error))?;
                write_next(&mut target, position, ".png", &bytes)?
            }
            "exr" => {
                let space = match inputs.optional("format.input_color_space") {
                    Some(_) => inputs.text("format.input_color_space")?,
                    None => "sRGB",
                };
                write_next(&mut target, position, ".exr", &exr(image, position, space)?)?
            }
            other => return Err(NodeError::value_error(format!("unknown format {other}"))),
        };
        items.push(item);
    }
    Ok(Ran::shown(Value::Image(image.clone()), "images", items))
}

fn png(image: &Image, position: usize, deep: bool, notes: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let text = |error: png::EncodingError| error.to_string();
    let side = |length: usize| u32::try_from(length).map_err(|_| "image is too large".to_owned());
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, side(image.width)?, side(image.height)?);
    encoder.set_color(color_type(image).map_err(|error| error.message)?);
    encoder.set_depth(if deep { BitDepth::Sixteen } else { BitDepth::Eight });
    encoder.set_compression(Compression::Balanced);
    let mut writer = encoder.write_header().map_err(text)?;
    for note in notes {
        writer.write_chunk(ChunkType(*b"tEXt"), note).map_err(text)?;
    }
    let numbers = image.picture(position);
    let pixels: Vec<u8> = if deep {
        numbers.iter().flat_map(|number| ((65535.0 * number) as u16).to_be_bytes()).collect()
    } else {
        numbers.iter().map(|&number| to_byte(number)).collect()
    };
    writer.write_image_data(&pixels).map_err(text)?;
    writer.finish().map_err(text)?;
    Ok(bytes)
}

/// An OpenEXR file without compression: a line of floats for each channel, for each row.
fn exr(image: &Image, position: usize, space: &str) -> Result<Vec<u8>, NodeError> {
    let names: &[(&[u8], usize)] = match image.channels {
        1 => &[(b"Y", 0)],
        3 => &[(b"B", 2), (b"G", 1), (b"R", 0)],
        4 => &[(b"A", 3), (b"B", 2), (b"G", 1), (b"R", 0)],
        other => return Err(NodeError::value_error(format!("cannot write {other} channels as EXR"))),
    };
    let last = |side: usize| {
        u32::try_from(side)
            .ok()
            .and_then(|side| side.checked_sub(1))
            .ok_or_else(|| NodeError::value_error("cannot write empty image"))
    };
    let (right, bottom) = (last(image.width)?, last(image.height)?);
    let mut file = b"v/1\x01\x02\0\0\0".to_vec();
    let mut attribute = |name: &str, kind: &str, content: &[u8]| {
        file.extend(name.bytes().chain([0]).chain(kind.bytes()).chain([0]));
        file.extend(u32::try_from(content.len()).unwrap_or(0).to_le_bytes());
        file.extend(content);
    };
    let mut channels = Vec::new();
    for (name, _) in names {
        channels.extend(*name);
        // Floats, not linear, every pixel.
        channels.extend(b"\0\x02\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0");
    }
    channels.push(0);
    let window: Vec<u8> = [0, 0, right, bottom].iter().flat_map(|side| side.to_le_bytes()).collect();
    attribute("channels", "chlist", &channels);
    attribute("compression", "compression", &[0]);
    attribute("dataWindow", "box2i", &window);
    attribute("displayWindow", "box2i", &window);
    attribute("lineOrder", "lineOrder", &[0]);
    attribute("pixelAspectRatio", "float", &1_f32.to_le_bytes());
    attribute("screenWindowCenter", "v2f", &[0; 8]);
    attribute("screenWindowWidth", "float", &1_f32.to_le_bytes());
    file.push(0);
    let line = 4 * image.width * names.len();
    let start = file.len() + 8 * image.height;
    for row in 0..image.height {
        file.extend(((start + row * (8 + line)) as u64).to_le_bytes());
    }
    for (row, pixels) in image.picture(position).chunks_exact(image.width * image.channels).enumerate() {
        file.extend(u32::try_from(row).unwrap_or(0).to_le_bytes());
        file.extend(u32::try_from(line).unwrap_or(0).to_le_bytes());
        for &(name, channel) in names {
            for pixel in pixels.chunks_exact(image.channels) {
                let number = pixel[channel];
                let light = if name == b"A" { number } else { scene_light(number, space) };
                file.extend(light.to_le_bytes());
            }
        }
    }
    Ok(file)
}

/// The light that a coded number stands for.
fn scene_light(number: f32, space: &str) -> f32 {
    match space {
        "sRGB" if number <= 0.04045 => number / 12.92,
        "sRGB" => ((number + 0.055) / 1.055).powf(2.4),
        // Hybrid log-gamma, as BT.2100 defines it.
        "HDR" if number <= 0.5 => number * number / 3.0,
        "HDR" => (((number - 0.559_910_7) / 0.178_832_77).exp() + 0.284_668_92) / 12.0,
        _ => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exr_has_a_line_for_each_row() {
        let image = Image::filled(1, 3, 2, &[0.5, 1.0, 0.0]).expect("small");
        let file = exr(&image, 0, "sRGB").expect("a file");
        let lines = 3 * (8 + 4 * 2 * 3);
        let first = file.len() - lines;
        let offset = u64::from_le_bytes(file[first - 24..first - 16].try_into().expect("8 bytes"));
        assert_eq!(offset as usize, first);
    }

    #[test]
    fn codings_meet_at_their_ends() {
        for space in ["sRGB", "HDR", "linear"] {
            assert!(scene_light(0.0, space).abs() < 1e-6, "{space}");
            assert!((scene_light(1.0, space) - 1.0).abs() < 1e-3, "{space}");
        }
    }
}
