//! LoadImage and LoadImageMask.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Cursor, Read as _};
use std::path::Path;

use ::image::error::ImageError;
use ::image::{DynamicImage, ImageDecoder as _, ImageReader, Limits};
use comfy_workflow::validate::{CheckInputs, CheckResult};
use serde_json::{Map, Value as Json};
use sha2::{Digest as _, Sha256};

use super::mask::channel_of;
use super::{Check, Context, Inputs, NodeClass, NodeError, Ran};
use crate::files::{Files, FilesError, Folder};
use crate::python::type_name;
use crate::value::{Image, Mask, Value, room_for};
use crate::version::ServerVersion;

/// Larger files are not read into memory.
pub(super) const MAX_FILE: u64 = 256 << 20;
/// What unpacking a picture may take.
const MAX_DECODING: u64 = 512 << 20;
/// Side of the mask of a picture without transparency.
const NO_MASK: usize = 64;

pub(super) static CLASSES: [NodeClass; 3] = [
    NodeClass { check: Some(CHECK), changed: Some(changed), ..NodeClass::new("LoadImage", load_image) },
    NodeClass {
        check: Some(CHECK),
        changed: Some(changed),
        ..NodeClass::new("LoadImageMask", load_image_mask)
    },
    NodeClass { check: Some(CHECK), changed: Some(changed), ..NodeClass::new("LoadImageOutput", load_image) },
];

/// LoadImage and LoadImageOutput: the colours, and a mask that is 1 where the picture is transparent.
fn load_image(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let loaded = load(inputs, context)?;
    let mask = match loaded.channels {
        4 => transparency(&loaded)?,
        _ => Mask::filled(1, NO_MASK, NO_MASK, 0.0)?,
    };
    let image = if loaded.channels == 3 { loaded } else { loaded.with_channels(3)? };
    Ok(Ran { outputs: vec![Value::image(image), Value::mask(mask)], ..Ran::default() })
}

/// LoadImageMask: one channel; alpha is turned round so that 1 is transparent.
fn load_image_mask(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let loaded = load(inputs, context)?;
    let mask = match (inputs.text("channel")?, loaded.channels) {
        ("red", _) => channel_of(&loaded, 0)?,
        ("green", _) => channel_of(&loaded, 1)?,
        ("blue", _) => channel_of(&loaded, 2)?,
        (_, 4) => transparency(&loaded)?,
        _ => Mask::filled(1, NO_MASK, NO_MASK, 0.0)?,
    };
    Ok(Ran::output(Value::mask(mask)))
}

fn transparency(image: &Image) -> Result<Mask, NodeError> {
    let mut mask = channel_of(image, 3)?;
    mask.data.iter_mut().for_each(|number| *number = 1.0 - *number);
    Ok(mask)
}

/// Refuses a name without a file.
const CHECK: Check = Check { inputs: &["image"], run: check };

fn check(inputs: &CheckInputs, files: &Files) -> CheckResult {
    let Some(image) = inputs.values.get("image") else { return CheckResult::Passed };
    let Json::String(name) = image else {
        let message = format!("'{}' object has no attribute 'endswith'", type_name(image));
        return CheckResult::raised("AttributeError", message);
    };
    match files.resolve_annotated(name, Folder::Input) {
        Ok(path) if path.exists() => CheckResult::Passed,
        _ => CheckResult::failed(format!("Invalid image file: {name}")),
    }
}

/// The SHA-256 of the file, in hexadecimal digits.
fn changed(inputs: &Map<String, Json>, files: &Files) -> Json {
    changed_file(inputs, "image", files)
}

/// The SHA-256 of the file that an input names.
pub(super) fn changed_file(inputs: &Map<String, Json>, name: &str, files: &Files) -> Json {
    let hash = || {
        let path = files.resolve_annotated(inputs.get(name)?.as_str()?, Folder::Input).ok()?;
        let mut file = fs::File::open(path).ok()?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer).ok()? {
                0 => break,
                read => hasher.update(&buffer[..read]),
            }
        }
        Some(hasher.finalize().iter().fold(String::new(), |mut text, byte| {
            // Writing into a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        }))
    };
    hash().map_or(Json::Null, Json::from)
}

/// The picture named by the input `image`, with three channels or, when it has transparency, four.
fn load(inputs: &Inputs, context: &Context<'_>) -> Result<Image, NodeError> {
    let name = inputs.text("image")?;
    let path = context.files.resolve_annotated(name, Folder::Input).map_err(|error| match error {
        FilesError::Io { path, source } => NodeError::io(&source, &path),
        _ => NodeError::new(
            "av.error.FileNotFoundError",
            format!("[Errno 2] No such file or directory: '{name}'"),
        ),
    })?;
    decode(&read(&path, context.version)?, &path)
}

fn read(path: &Path, version: ServerVersion) -> Result<Vec<u8>, NodeError> {
    // From 0.30.0 on the server opens the file through its video library, whose exceptions these are.
    let uses_library = version >= ServerVersion::V0_30_0;
    let library = |mut error: NodeError| {
        if !uses_library {
            return error;
        }
        if error.exception_type != "OSError" {
            error.exception_type.insert_str(0, "av.error.");
        }
        error
    };
    let failed = |error: io::Error| library(NodeError::io(&error, path));
    let data = fs::metadata(path).map_err(failed)?;
    if data.is_dir() {
        // The folder itself is the empty name in it, which leaves the slash there.
        let end = if uses_library || path.ends_with("/") { "" } else { "/" };
        let message = format!("[Errno 21] Is a directory: '{}{end}'", path.display());
        return Err(library(NodeError::new("IsADirectoryError", message)));
    }
    if data.len() > MAX_FILE {
        return Err(NodeError::out_of_memory(data.len().into()));
    }
    let bytes = fs::read(path).map_err(failed)?;
    if bytes.is_empty() {
        return Err(NodeError::new(
            "av.error.InvalidDataError",
            format!("[Errno 1094995529] Invalid data found when processing input: '{}'", path.display()),
        ));
    }
    Ok(bytes)
}

fn decode(bytes: &[u8], path: &Path) -> Result<Image, NodeError> {
    let unidentified = || {
        NodeError::new(
            "PIL.UnidentifiedImageError",
            format!("cannot identify image file '{}'", path.display()),
        )
    };
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| unidentified())?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODING);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| match error {
        ImageError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            NodeError::new("OSError", "Truncated File Read")
        }
        ImageError::Limits(_) => NodeError::out_of_memory(MAX_DECODING.into()),
        _ => unidentified(),
    })?;
    let (width, height) = decoder.dimensions();
    room_for([1, height as usize, width as usize, 4])?;
    // A picture without a readable orientation is upright.
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|_| {
        NodeError::new(
            "av.error.ExternalError",
            "[Errno 542398533] Generic error in an external library: 'avcodec_send_packet()'",
        )
    })?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    Ok(to_image(picture, has_palette(bytes)))
}

/// Whether it is a PNG with a palette: the server takes all of these for transparent.
fn has_palette(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG") && bytes.get(25) == Some(&3)
}

fn to_image(picture: DynamicImage, has_palette: bool) -> Image {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let color = picture.color();
    let deep = color.bytes_per_pixel() > color.channel_count();
    let from_bytes = |bytes: Vec<u8>| bytes.into_iter().map(|byte| f32::from(byte) / 255.0).collect();
    let from_words = |words: Vec<u16>| words.into_iter().map(|word| f32::from(word) / 65535.0).collect();
    let (channels, data) = match (color.has_alpha() || has_palette, deep) {
        (false, false) => (3, from_bytes(picture.into_rgb8().into_raw())),
        (true, false) => (4, from_bytes(picture.into_rgba8().into_raw())),
        (false, true) => (3, from_words(picture.into_rgb16().into_raw())),
        (true, true) => (4, from_words(picture.into_rgba16().into_raw())),
    };
    Image { batch: 1, height, width, channels, data }
}
