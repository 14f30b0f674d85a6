//! Nodes that write pictures and texts into files.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use png::chunk::ChunkType;
use png::{BitDepth, ColorType, Compression, Encoder};
use serde_json::{Map, Value as Json, json};

use super::inputs::FirstUse;
use super::mask::grey;
use super::resize::part;
use super::{Context, Inputs, NodeClass, NodeError, Preview, PreviewFormat, Ran};
use crate::files::{FilesError, Folder, SaveTarget};
use crate::python::{string_repr, type_name};
use crate::value::{Image, Value};
use crate::version::ServerVersion;
use crate::wire::to_json;

mod advanced;
mod animated;
mod audio;
mod flac;
mod placeholder;
mod webp;

pub(super) static CLASSES: [NodeClass; 17] = [
    NodeClass::new("SaveImage", save_image),
    NodeClass::new("PreviewImage", preview_image),
    NodeClass::new("MaskPreview", preview_mask),
    NodeClass::new("ImageCropV2", crop),
    NodeClass::new("ImageCompare", compare),
    NodeClass::new("SaveImageAdvanced", advanced::save),
    NodeClass::new("SaveAnimatedPNG", animated::save_png),
    NodeClass::new("SaveAnimatedWEBP", animated::save_webp),
    NodeClass { changed: Some(|_, _| Json::Null), ..NodeClass::new("SaveImageWebsocket", send) },
    NodeClass::new("SaveText", save_text),
    NodeClass::new("SaveAudio", audio::save_flac),
    NodeClass::new("SaveAudioMP3", audio::save_mp3),
    NodeClass::new("SaveAudioOpus", audio::save_opus),
    NodeClass::new("SaveAudioAdvanced", audio::save_any),
    NodeClass::new("PreviewAudio", audio::preview),
    NodeClass::new("SaveVideo", placeholder::save_video),
    NodeClass::new("SaveWEBM", placeholder::save_webm),
];

/// SaveImage: into `output`, under the prefix that the user chose.
fn save_image(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("images", FirstUse::Item)?;
    save(image, Folder::Output, inputs.text("filename_prefix")?, context)
}

/// PreviewImage: into `temp`, under a prefix of the node's own.
fn preview_image(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("images", FirstUse::Item)?;
    let prefix = format!("ComfyUI_temp_{}", context.instance.temp_letters);
    save(image, Folder::Temp, &prefix, context)
}

/// MaskPreview: the mask as a picture, into `temp`.
fn preview_mask(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mask = inputs.mask_for("mask", FirstUse::Attribute("reshape"))?;
    let prefix = format!("ComfyUI_temp_{}", context.instance.temp_letters);
    let picture = Arc::new(grey(mask)?);
    let mut ran = save(&picture, Folder::Temp, &prefix, context)?;
    ran.outputs = vec![Value::Mask(Arc::clone(mask))];
    if context.version >= ServerVersion::V0_8_0 {
        say_animated(&mut ran, false);
    }
    Ok(ran)
}

/// ImageCropV2: a rectangle, shown as well.
fn crop(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image("image")?;
    let region = match inputs.json("crop_region")? {
        Json::Object(region) => region,
        other => {
            let found = type_name(other);
            return Err(NodeError::attribute_error(format!("'{found}' object has no attribute 'get'")));
        }
    };
    let left = start(region.get("x"), image.width)?;
    let top = start(region.get("y"), image.height)?;
    let right = end(region.get("width"), left)?;
    let bottom = end(region.get("height"), top)?;
    let ((top, bottom), (left, right)) = (span(top, bottom, image.height)?, span(left, right, image.width)?);
    let cropped = Arc::new(part(image, left, top, right - left, bottom - top)?);
    let prefix = format!("ComfyUI_temp_{}", context.instance.temp_letters);
    let mut ran = save(&cropped, Folder::Temp, &prefix, context)?;
    say_animated(&mut ran, false);
    Ok(ran)
}

/// What ImageCropV2 takes for a side that is not given.
const SIDE: i64 = 512;

/// A number of a region, whole or not.
#[derive(Debug, Clone, Copy)]
enum Side {
    Whole(i64),
    Fraction,
}

impl Side {
    fn read(json: Option<&Json>, default: i64) -> Option<Self> {
        match json {
            None => Some(Self::Whole(default)),
            Some(Json::Bool(flag)) => Some(Self::Whole((*flag).into())),
            Some(Json::Number(number)) => Some(number.as_i64().map_or(Self::Fraction, Self::Whole)),
            Some(_) => None,
        }
    }
}

/// Where a region begins: within the picture, as far as its end goes.
fn start(side: Option<&Json>, length: usize) -> Result<Side, NodeError> {
    match Side::read(side, 0) {
        Some(Side::Whole(side)) => Ok(Side::Whole(side.min(length as i64 - 1))),
        Some(Side::Fraction) => Ok(Side::Fraction),
        None => {
            let found = side.map_or("NoneType", type_name);
            let message = format!("'<' not supported between instances of 'int' and '{found}'");
            Err(NodeError::type_error(message))
        }
    }
}

/// Where a region ends that begins there.
fn end(side: Option<&Json>, start: Side) -> Result<Side, NodeError> {
    match (Side::read(side, SIDE), start) {
        (Some(Side::Whole(side)), Side::Whole(start)) => Ok(Side::Whole(side.saturating_add(start))),
        (Some(_), _) => Ok(Side::Fraction),
        (None, _) => Err(NodeError::type_error(match side.map_or("NoneType", type_name) {
            found @ ("str" | "list") => format!("can only concatenate {found} (not \"int\") to {found}"),
            found => format!("unsupported operand type(s) for +: '{found}' and 'int'"),
        })),
    }
}

/// The places that a slice of Python goes from and to.
fn span(start: Side, end: Side, length: usize) -> Result<(usize, usize), NodeError> {
    let (Side::Whole(start), Side::Whole(end)) = (start, end) else {
        let message = "slice indices must be integers or None or have an __index__ method";
        return Err(NodeError::type_error(message));
    };
    let length = length as i64;
    let place = |at: i64| if at < 0 { (at + length).max(0) } else { at.min(length) } as usize;
    Ok((place(start), place(end).max(place(start))))
}

/// Adds whether what is shown moves.
fn say_animated(ran: &mut Ran, animated: bool) {
    ran.ui.get_or_insert_default().insert("animated".to_owned(), json!([animated]));
}

/// ImageCompare: both batches into `temp`, shown under keys of their own.
fn compare(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut shown = Map::new();
    for (key, input) in [("a", "image_a"), ("b", "image_b")] {
        if inputs.optional(input).is_none() {
            continue;
        }
        let image = inputs.image_for(input, FirstUse::Item)?;
        let prefix = format!("comfy.compare.{key}_temp_{}", context.instance.temp_letters);
        let ui = save(image, Folder::Temp, &prefix, context)?.ui;
        let items = ui.and_then(|mut ui| ui.remove("images")).unwrap_or_default();
        shown.insert(format!("{key}_images"), items);
    }
    Ok(Ran { ui: Some(shown), ..Ran::default() })
}

/// SaveImageWebsocket: every picture as a preview over the socket, and nothing else.
fn send(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let image = inputs.image_for("images", FirstUse::Item)?;
    for position in 0..image.batch {
        let bytes = encode(image, position, &[], Path::new("picture"))?;
        let preview = Preview { format: PreviewFormat::Png, bytes: bytes.into() };
        context.stage.progress(position.into(), image.batch.into(), Some(&preview))?;
    }
    Ok(Ran::default())
}

/// SaveText.
fn save_text(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let text = inputs.text("text")?;
    let ending = format!(".{}", inputs.text("format")?);
    if !["txt", "csv", "md", "json"].iter().any(|known| ending[1..] == **known) {
        return Err(NodeError::value_error(format!("unknown format {}", &ending[1..])));
    }
    let prefix = inputs.text("filename_prefix")?;
    let item = write(context, Folder::Output, prefix, &ending, text.as_bytes())?;
    let ui = [("text".to_owned(), json!([text])), ("files".to_owned(), json!([item]))];
    let outputs = vec![inputs.value("text")?.clone()];
    Ok(Ran { outputs, ui: Some(ui.into_iter().collect()), ..Ran::default() })
}

/// Writes one file under the next number; the item that stands for it in outputs.
fn write(
    context: &Context<'_>,
    folder: Folder,
    prefix: &str,
    ending: &str,
    bytes: &[u8],
) -> Result<Json, NodeError> {
    let mut target = context.files.save_target(folder, prefix, 0, 0).map_err(files_error)?;
    write_next(&mut target, 0, ending, bytes)
}

fn write_next(
    target: &mut SaveTarget,
    position: usize,
    ending: &str,
    bytes: &[u8],
) -> Result<Json, NodeError> {
    let name = target.next_file(position, ending);
    let path = target.directory.join(&name);
    fs::write(&path, bytes).map_err(|error| NodeError::io(&error, &path))?;
    Ok(json!({"filename": name, "subfolder": target.subfolder, "type": target.folder.as_str()}))
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
    let color = color_type(image)?;
    if image.width == 0 || image.height == 0 {
        return Err(NodeError::value_error("cannot write empty image"));
    }
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

fn color_type(image: &Image) -> Result<ColorType, NodeError> {
    Ok(match image.channels {
        2 => ColorType::GrayscaleAlpha,
        3 => ColorType::Rgb,
        4 => ColorType::Rgba,
        other => {
            return Err(NodeError::type_error(format!("Cannot handle this data type: (1, 1, {other}), |u1")));
        }
    })
}
