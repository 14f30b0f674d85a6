//! SaveImage and PreviewImage.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use png::chunk::ChunkType;
use png::{BitDepth, ColorType, Compression, Encoder};
use serde_json::{Value as Json, json};

use super::inputs::FirstUse;
use super::{Context, Inputs, NodeError, Ran};
use crate::files::{FilesError, Folder};
use crate::python::string_repr;
use crate::value::{Image, Value};
use crate::wire::to_json;

/// SaveImage: into `output`, under the prefix that the user chose.
pub(super) fn save_image(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("images", FirstUse::Item)?;
    save(image, Folder::Output, inputs.text("filename_prefix")?, context)
}

/// PreviewImage: into `temp`, under a prefix of the node's own.
pub(super) fn preview_image(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("images", FirstUse::Item)?;
    let prefix = format!("ComfyUI_temp_{}", context.instance.temp_letters);
    save(image, Folder::Temp, &prefix, context)
}

/// Writes every picture of the batch; the batch is also the node's output.
pub(super) fn save(
    image: &Arc<Image>,
    folder: Folder,
    prefix: &str,
    context: &Context<'_>,
) -> Result<Ran, NodeError> {
    let mut target =
        context.files.save_target(folder, prefix, image.width, image.height).map_err(files_error)?;
    let notes = notes(context)?;
    let mut items = Vec::with_capacity(image.batch);
    for position in 0..image.batch {
        let name = target.next_name(position);
        let path = target.directory.join(&name);
        let bytes = encode(image, position, &notes, &path)?;
        // A file of this name can only exist when the numbering failed to see it; the server overwrites it too.
        fs::write(&path, bytes).map_err(|error| NodeError::io(&error, &path))?;
        items.push(json!({"filename": name, "subfolder": target.subfolder, "type": folder.as_str()}));
    }
    Ok(Ran::shown(Value::Image(Arc::clone(image)), "images", items))
}

pub(super) fn files_error(error: FilesError) -> NodeError {
    match error {
        FilesError::Io { path, source } => NodeError::io(&source, &path),
        FilesError::BadName => NodeError::value_error("embedded null byte"),
        outside => NodeError::new("Exception", outside.to_string()),
    }
}

/// What is written into every picture: the content of text chunks (keyword, zero byte, text).
fn notes(context: &Context<'_>) -> Result<Vec<Vec<u8>>, NodeError> {
    let mut notes = vec![note("prompt", context.prompt)?];
    for (key, json) in context.extra_pnginfo.into_iter().flatten() {
        notes.push(note(key, json)?);
    }
    // A mark of our own: which nodes of this picture's past were simulated.
    if let Some(origin) = context.setting.origins.together() {
        notes.push(note("simulated", &origin.classes.iter().map(|class| &**class).collect())?);
    }
    Ok(notes)
}

/// Keywords are not held to the 79 characters of the standard: the server writes any that Latin-1 can say.
fn note(key: &str, json: &Json) -> Result<Vec<u8>, NodeError> {
    let mut bytes = Vec::new();
    for character in key.chars() {
        bytes.push(u8::try_from(u32::from(character)).map_err(|_| not_latin(key))?);
    }
    bytes.push(0);
    bytes.extend(to_json(json).into_bytes());
    Ok(bytes)
}

fn not_latin(key: &str) -> NodeError {
    let foreign = |character: &char| u32::from(*character) > 0xff;
    let start = key.chars().position(|character| foreign(&character)).unwrap_or(0);
    let run: Vec<char> = key.chars().skip(start).take_while(foreign).collect();
    let what = match run.as_slice() {
        [one] => {
            let code = u32::from(*one);
            let escaped = if code > 0xffff { format!("\\U{code:08x}") } else { format!("\\u{code:04x}") };
            format!("character '{escaped}' in position {start}")
        }
        more => format!("characters in position {start}-{}", start + more.len().saturating_sub(1)),
    };
    NodeError::new(
        "UnicodeEncodeError",
        format!("'latin-1' codec can't encode {what}: ordinal not in range(256)"),
    )
}

fn encode(image: &Image, position: usize, notes: &[Vec<u8>], path: &Path) -> Result<Vec<u8>, NodeError> {
    let color = match image.channels {
        2 => ColorType::GrayscaleAlpha,
        3 => ColorType::Rgb,
        4 => ColorType::Rgba,
        other => {
            return Err(NodeError::type_error(format!("Cannot handle this data type: (1, 1, {other}), |u1")));
        }
    };
    let side =
        |length: usize| u32::try_from(length).map_err(|_| NodeError::value_error("image is too large"));
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, side(image.width)?, side(image.height)?);
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    let written = encoder.write_header().and_then(|mut writer| {
        for note in notes {
            writer.write_chunk(ChunkType(*b"tEXt"), note)?;
        }
        writer.write_image_data(&image.to_bytes(position))?;
        writer.finish()
    });
    written.map_err(|error| {
        NodeError::new("SystemError", format!("{}: {error}", string_repr(&path.display().to_string())))
    })?;
    Ok(bytes)
}
