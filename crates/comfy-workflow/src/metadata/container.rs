//! Which kind of file something is, told from its first bytes.

use std::fmt;

use super::{bmff, ebml, exr, json_parts, markup, png};

/// Bytes from which the kind of a file is told.
pub(super) const HEAD: usize = 4096;

/// A kind of file that can carry a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Container {
    /// PNG, animated too: text chunks.
    Png,
    /// WebP, animated too: EXIF and XMP.
    WebP,
    /// JPEG: EXIF, XMP and comments.
    Jpeg,
    /// AVIF: EXIF and XMP.
    Avif,
    /// HEIF, such as HEIC: EXIF and XMP.
    Heif,
    /// OpenEXR: text attributes.
    Exr,
    /// SVG: JSON in `<metadata>`.
    Svg,
    /// MP4, M4V and M4A: metadata boxes.
    Mp4,
    /// QuickTime (MOV): metadata boxes.
    QuickTime,
    /// WebM: tags.
    WebM,
    /// Matroska (MKV, MKA): tags.
    Matroska,
    /// FLAC: Vorbis comments.
    Flac,
    /// MP3: ID3.
    Mp3,
    /// Ogg, with Opus, Vorbis, Theora or FLAC in it: Vorbis comments.
    Ogg,
    /// WAV: a list of texts, and ID3.
    Wav,
    /// Binary glTF: extras of the scene.
    Glb,
    /// Safetensors, also those of saved latents: `__metadata__`.
    Safetensors,
    /// JSON: a workflow in either format, or something that holds one, such as the body of a request or an entry of a history.
    Json,
}

impl Container {
    /// The usual name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Jpeg => "JPEG",
            Self::Avif => "AVIF",
            Self::Heif => "HEIF",
            Self::Exr => "EXR",
            Self::Svg => "SVG",
            Self::Mp4 => "MP4",
            Self::QuickTime => "QuickTime",
            Self::WebM => "WebM",
            Self::Matroska => "Matroska",
            Self::Flac => "FLAC",
            Self::Mp3 => "MP3",
            Self::Ogg => "Ogg",
            Self::Wav => "WAV",
            Self::Glb => "GLB",
            Self::Safetensors => "safetensors",
            Self::Json => "JSON",
        }
    }

    /// Tells the kind from the beginning of a file and its length.
    pub(super) fn of(head: &[u8], length: u64) -> Option<Self> {
        let at = |place: usize, mark: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(mark));
        Some(match head {
            _ if at(0, png::SIGNATURE) => Self::Png,
            _ if at(0, b"\xFF\xD8\xFF") => Self::Jpeg,
            _ if at(0, b"RIFF") && at(8, b"WEBP") => Self::WebP,
            _ if at(0, b"RIFF") && at(8, b"WAVE") => Self::Wav,
            _ if at(0, ebml::SIGNATURE) && ebml::is_webm(head) => Self::WebM,
            _ if at(0, ebml::SIGNATURE) => Self::Matroska,
            _ if at(0, b"fLaC") => Self::Flac,
            _ if at(0, b"OggS") => Self::Ogg,
            _ if at(0, exr::SIGNATURE) => Self::Exr,
            _ if at(0, b"glTF") => Self::Glb,
            [b'I', b'D', b'3', ..] if is_flac_after_id3(head) => Self::Flac,
            [b'I', b'D', b'3', ..] => Self::Mp3,
            // The beginning of a frame of sound, of a layer and a version that exist.
            [0xFF, second, ..] if second & 0xE6 == 0xE2 && second & 0x18 != 0x08 => Self::Mp3,
            _ if json_parts::is_safetensors(head, length) => Self::Safetensors,
            _ if markup::is_svg(head) => Self::Svg,
            _ if is_json(head) => Self::Json,
            _ => return bmff::container(head),
        })
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn is_flac_after_id3(head: &[u8]) -> bool {
    let length = super::id3::tag_length(head);
    length
        .and_then(|length| head.get(usize::try_from(length).ok()?..))
        .is_some_and(|rest| rest.starts_with(b"fLaC"))
}

fn is_json(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    matches!(head.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// What a file is that carries no workflow, and what to do about it; it continues "the document …".
pub(super) fn foreign(head: &[u8]) -> Option<&'static str> {
    let starts: [(&[u8], &str); 15] = [
        (b"PK\x03\x04", "is a ZIP archive; unpack it and use the file inside"),
        (b"\x1F\x8B", "is packed by gzip; unpack it and use the file inside"),
        (b"\x28\xB5\x2F\xFD", "is packed by zstd; unpack it and use the file inside"),
        (b"7z\xBC\xAF\x27\x1C", "is a 7z archive; unpack it and use the file inside"),
        (b"Rar!", "is a RAR archive; unpack it and use the file inside"),
        (b"BZh", "is packed by bzip2; unpack it and use the file inside"),
        (b"GIF8", "is a GIF picture, which carries no workflow; use the file that ComfyUI saved"),
        (b"II*\0", "is a TIFF picture, in which no workflow is looked for; use the file that ComfyUI saved"),
        (b"MM\0*", "is a TIFF picture, in which no workflow is looked for; use the file that ComfyUI saved"),
        (
            b"\xFF\x0A",
            "is a JPEG XL picture, in which no workflow is looked for; use the file that ComfyUI saved",
        ),
        (
            b"\0\0\0\x0CJXL ",
            "is a JPEG XL picture, in which no workflow is looked for; use the file that ComfyUI saved",
        ),
        (b"%PDF", "is a PDF document; use the workflow's own file"),
        (b"RIFF", "is a RIFF file other than WebP and WAV; use the file that ComfyUI saved"),
        (b"GGUF", "is a model in the GGUF format, which carries no workflow"),
        (b"\x80\x02", "is a model packed by Python, which is not looked into; use a safetensors file"),
    ];
    if let Some((_, what)) = starts.into_iter().find(|(start, _)| head.starts_with(start)) {
        return Some(what);
    }
    if head.starts_with(b"BM") && head.get(6..10) == Some(&[0; 4]) {
        return Some("is a BMP picture, which carries no workflow; use the file that ComfyUI saved");
    }
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        return Some("is UTF-16 text; save it as UTF-8");
    }
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let begins =
        |tag: &str| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()));
    if ["<!doctype html", "<html", "<head", "<body"].into_iter().any(begins) {
        return Some(
            "is an HTML page; download the file that the page shows, such as the raw file of a repository",
        );
    }
    if begins("<") {
        return Some("is XML or HTML, and no SVG drawing; use the workflow's own file");
    }
    let is_text = std::str::from_utf8(head).is_ok_and(|text| !text.contains('\0'))
        || head.iter().take(64).all(|byte| *byte >= b' ' || byte.is_ascii_whitespace());
    (!is_text).then_some("is a binary file of an unknown kind; use the file that ComfyUI saved")
}
