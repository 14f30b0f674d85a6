//! The files of a page: within it where they are small, else beside it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::super::{Row, RowFile};
use crate::render::picture::Picture;

/// Bytes of all files within a page, so that browsers open it.
const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// Bytes of a picture that is there as it is.
const LARGEST_PICTURE: u64 = 8 * 1024 * 1024;
/// Bytes of a video or a sound.
const LARGEST_MEDIA: u64 = 16 * 1024 * 1024;
/// The longer side of what stands in place of a larger picture.
const THUMBNAIL_SIDE: u32 = 1024;
const THUMBNAIL_QUALITY: u8 = 85;

/// All that is plain in an address.
const IN_ADDRESS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How large the files within a page may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) picture: u64,
    pub(super) media: u64,
}

impl Limits {
    /// The more files, the smaller each.
    pub(super) fn of(rows: &[Row]) -> Self {
        let sizes = rows.iter().flat_map(|row| &row.files).filter_map(|file| file.path.metadata().ok());
        let (files, bytes) = sizes.fold((0, 0), |(files, bytes), size| (files + 1, bytes + size.len()));
        let share = if bytes <= MOST_BYTES { MOST_BYTES } else { MOST_BYTES / files };
        Self { picture: share.min(LARGEST_PICTURE), media: share.min(LARGEST_MEDIA) }
    }
}

/// What is shown of a file.
#[derive(Debug)]
pub(super) enum Shown {
    Picture {
        kind: &'static str,
        content: Vec<u8>,
        size: Option<(u32, u32)>,
        whole: bool,
    },
    Video {
        kind: &'static str,
        content: Vec<u8>,
    },
    Audio {
        kind: &'static str,
        content: Vec<u8>,
    },
    /// Its name only.
    Name,
}

impl Shown {
    pub(super) fn of(file: &RowFile, limits: Limits) -> Self {
        Self::read(file, limits).unwrap_or(Self::Name)
    }

    /// The kind is told from the content: neither the name nor what the server says is to be trusted.
    fn read(file: &RowFile, limits: Limits) -> Option<Self> {
        let mut head = Vec::new();
        let mut opened = File::open(&file.path).ok()?;
        let bytes = opened.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
        (&mut opened).take(64).read_to_end(&mut head).ok()?;
        let rest = |limit: u64| -> Option<Vec<u8>> {
            let mut content = head.clone();
            (bytes <= limit).then(|| (&mut &opened).take(limit).read_to_end(&mut content))?.ok()?;
            Some(content)
        };
        if let Some(kind) = picture_kind(&head) {
            if let Some(content) = rest(limits.picture) {
                let size = size_of(&content);
                return Some(Self::Picture { kind, content, size, whole: true });
            }
            return thumbnail(&file.path);
        }
        let (kind, is_video) = media_kind(&head)?;
        let content = rest(limits.media)?;
        Some(if is_video { Self::Video { kind, content } } else { Self::Audio { kind, content } })
    }
}

fn picture_kind(head: &[u8]) -> Option<&'static str> {
    match image::guess_format(head).ok()? {
        ImageFormat::Png => Some("image/png"),
        ImageFormat::Jpeg => Some("image/jpeg"),
        ImageFormat::WebP => Some("image/webp"),
        ImageFormat::Gif => Some("image/gif"),
        ImageFormat::Avif => Some("image/avif"),
        _ => None,
    }
}

/// The kind, and whether it is a video.
fn media_kind(head: &[u8]) -> Option<(&'static str, bool)> {
    match head {
        [_, _, _, _, b'f', b't', b'y', b'p', b'M', b'4', b'A', ..] => Some(("audio/mp4", false)),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some(("video/mp4", true)),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some(("video/webm", true)),
        [b'f', b'L', b'a', b'C', ..] => Some(("audio/flac", false)),
        [b'O', b'g', b'g', b'S', ..] => Some(("audio/ogg", false)),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some(("audio/wav", false)),
        [b'I', b'D', b'3', ..] | [0xff, 0xe0..=0xff, ..] => Some(("audio/mpeg", false)),
        _ => None,
    }
}

fn size_of(content: &[u8]) -> Option<(u32, u32)> {
    let reader = image::ImageReader::new(io::Cursor::new(content)).with_guessed_format().ok()?;
    reader.into_dimensions().ok()
}

/// A smaller picture in place of the one in the file.
fn thumbnail(path: &Path) -> Option<Shown> {
    let bytes = std::fs::read(path).ok()?;
    let picture = Picture::decode(&bytes)?;
    drop(bytes);
    let pixels = picture.fit(THUMBNAIL_SIDE, THUMBNAIL_SIDE);
    let mut content = Vec::new();
    let opaque = pixels.pixels().all(|pixel| pixel.0[3] == 255);
    let kind = if opaque {
        let pixels = DynamicImage::ImageRgba8(pixels).into_rgb8();
        let encoder = JpegEncoder::new_with_quality(&mut content, THUMBNAIL_QUALITY);
        encoder.write_image(&pixels, pixels.width(), pixels.height(), ExtendedColorType::Rgb8).ok()?;
        "image/jpeg"
    } else {
        pixels.write_to(&mut io::Cursor::new(&mut content), ImageFormat::Png).ok()?;
        "image/png"
    };
    Some(Shown::Picture { kind, content, size: Some(picture.size()), whole: false })
}

/// The address of a file as seen from a page in this folder.
pub(super) fn address(folder: &Path, file: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let file = file.parent().map(as_folder)?.canonicalize().ok()?.join(file.file_name()?);
    let shared = folder.components().zip(file.components()).take_while(|(one, other)| one == other).count();
    // Another disk.
    if shared == 0 {
        return None;
    }
    // A name such as `javascript:x` is no address of its own behind a dot.
    let mut address = ".".to_owned();
    for _ in folder.components().skip(shared) {
        address.push_str("/..");
    }
    for part in file.components().skip(shared) {
        let bytes = part.as_os_str().as_encoded_bytes();
        address.push_str(&format!("/{}", percent_encode(bytes, IN_ADDRESS)));
    }
    Some(address)
}

/// The folder that a path without one is in.
pub(super) fn as_folder(path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() }
}
