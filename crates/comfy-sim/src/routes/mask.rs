//! Masks on pictures.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use comfy_protocol::json;
use image::{ImageFormat, ImageReader, RgbaImage};
use serde_json::Value as Json;

use super::view::split_annotation;
use crate::files::{Files, Folder};

/// The path of the picture that a form names as the original: `None` when the server stumbles over what it reads, and
/// `Some(None)` when there is no such file.
pub(super) fn original(files: &Files, named: &str) -> Option<Option<PathBuf>> {
    let named: Json = json::from_str(named).ok()?;
    let text = |key: &str, default: &'static str| match named.get(key) {
        Some(Json::String(text)) => text.clone(),
        Some(_) => String::new(),
        None => default.to_owned(),
    };
    named.as_object()?.get("filename")?;
    let name = text("filename", "");
    let (name, annotated) = split_annotation(&name);
    if name.is_empty() || name.starts_with('/') || name.contains("..") {
        return Some(None);
    }
    let folder = annotated.or_else(|| Folder::parse(&text("type", "output")));
    let Some(folder) = folder else { return Some(None) };
    let path = files.resolve_in(folder, &text("subfolder", ""), name).ok();
    Some(path.filter(|path| path.is_file()))
}

/// The picture with the transparency of the mask, in the format that the new file's name tells; `None` when one of them
/// is no picture, their sizes differ, or the format has no transparency.
pub(super) fn put_on(original: &Path, mask: &[u8], name: &str) -> Option<Bytes> {
    let bytes = std::fs::read(original).ok()?;
    let mask = image::load_from_memory(mask).ok()?.to_rgba8();
    let picture = ImageReader::new(Cursor::new(&bytes)).with_guessed_format().ok()?.decode().ok()?;
    let mut picture = picture.to_rgba8();
    if picture.dimensions() != mask.dimensions() {
        return None;
    }
    for (pixel, mask) in picture.pixels_mut().zip(mask.pixels()) {
        pixel.0[3] = mask.0[3];
    }
    match ImageFormat::from_path(name).ok()? {
        ImageFormat::Png => with_texts(&picture, &bytes).map(Bytes::from),
        ImageFormat::WebP => {
            let mut content = Cursor::new(Vec::new());
            picture.write_to(&mut content, ImageFormat::WebP).ok()?;
            Some(content.into_inner().into())
        }
        _ => None,
    }
}

/// A PNG of a picture, with the texts of another one.
fn with_texts(picture: &RgbaImage, original: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let mut encoder = png::Encoder::new(&mut content, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    if let Ok(reader) = png::Decoder::new(Cursor::new(original)).read_info() {
        for text in &reader.info().uncompressed_latin1_text {
            encoder.add_text_chunk(text.keyword.clone(), text.text.clone()).ok()?;
        }
    }
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(picture.as_raw()).ok()?;
    writer.finish().ok()?;
    Some(content)
}
