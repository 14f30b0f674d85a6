//! The content types of files, by their names.

use crate::version::ServerVersion;

/// What is sent where nothing is known, or where a browser would run what it gets.
pub(super) const BYTES: &str = "application/octet-stream";

/// The content type of a file in the server's folders, as its version knows it.
pub(crate) fn of(name: &str, version: ServerVersion) -> &'static str {
    let (ending, _) = ending(name);
    match (ending.as_str(), version >= ServerVersion::V0_30_0) {
        ("js", false) => "application/javascript; charset=utf-8",
        ("xml", false) => "application/xml",
        ("pt", false) => "application/vnd.snesdev-page-table",
        ("yaml" | "yml" | "ckpt" | "pth" | "pkl" | "gguf" | "safetensors" | "sft", false) => BYTES,
        ("yaml" | "yml", true) => "application/yaml",
        ("ckpt" | "pkl", true) => "application/pickle",
        ("pt" | "pth", true) => "application/pytorch",
        ("gguf", true) => "application/gguf",
        ("safetensors" | "sft", true) => "application/safetensors",
        ("xml", true) => "text/xml",
        (ending, _) => of_ending(ending),
    }
}

/// Whether a browser would run it.
pub(super) fn is_active(kind: &str) -> bool {
    matches!(kind, "text/html" | "text/css" | "message/rfc822" | "text/x-server-parsed-html")
        || kind.contains("javascript")
        || kind.contains("xml")
}

/// The content type of a file that is sent without looking after it, which knows fewer endings and says of a packed file
/// how it is packed.
pub(super) fn of_plain_file(name: &str) -> &'static str {
    let (ending, packed) = ending(name);
    match packed {
        Some("gz") => return "application/gzip",
        Some("bz2") => return "application/x-bzip2",
        Some("xz") => return "application/x-xz",
        Some("br") => return "application/x-brotli",
        Some(_) => return BYTES,
        None => {}
    }
    match ending.as_str() {
        "js" | "mjs" => "application/javascript",
        "xml" => "text/xml",
        "rdf" | "xsl" | "wsdl" | "xpdl" => "application/xml",
        "opus" => "audio/opus",
        "bat" | "c" | "h" | "ksh" | "pl" => "text/plain",
        "sh" => "application/x-sh",
        "swf" => "application/x-shockwave-flash",
        "tex" => "application/x-tex",
        "vcf" => "text/x-vcard",
        "h5" => "application/x-hdf5",
        "txt" | "srt" | "csv" | "tsv" | "html" | "htm" | "css" | "vtt" | "py" | "json" | "pdf" | "zip"
        | "tar" | "wasm" | "eml" | "mht" | "doc" | "xls" | "ppt" | "ps" | "eps" | "ai" | "webmanifest"
        | "png" | "jpg" | "jpeg" | "jpe" | "gif" | "bmp" | "tif" | "tiff" | "ico" | "avif" | "heic"
        | "heif" | "svg" | "ppm" | "pgm" | "pbm" | "xbm" | "xpm" | "mp4" | "webm" | "mov" | "qt" | "avi"
        | "mpg" | "mpeg" | "m1v" | "mp3" | "wav" | "aif" | "aiff" | "aac" | "ra" | "3gp" => {
            of_ending(&ending)
        }
        _ => BYTES,
    }
}

/// The ending that tells the type, in lower case, and how the file is packed.
fn ending(name: &str) -> (String, Option<&'static str>) {
    let name = name.to_ascii_lowercase();
    // Endings that stand for two.
    let name = match name.rsplit_once('.') {
        Some((stem, "svgz")) => format!("{stem}.svg.gz"),
        Some((stem, "tgz" | "taz" | "tz")) => format!("{stem}.tar.gz"),
        Some((stem, "tbz2")) => format!("{stem}.tar.bz2"),
        Some((stem, "txz")) => format!("{stem}.tar.xz"),
        _ => name,
    };
    let packings = ["gz", "bz2", "xz", "br"];
    let packed = name.rsplit_once('.').and_then(|(stem, last)| {
        packings.iter().find(|packing| **packing == last).map(|packing| (stem, *packing))
    });
    let (stem, packing) = packed.map_or((name.as_str(), None), |(stem, packing)| (stem, Some(packing)));
    // A name that only begins with a dot has no ending.
    let ending = stem.rsplit_once('.').filter(|(before, _)| !before.is_empty());
    (ending.map(|(_, ending)| ending.to_owned()).unwrap_or_default(), packing)
}

fn of_ending(ending: &str) -> &'static str {
    match ending {
        "png" => "image/png",
        "jpg" | "jpeg" | "jpe" | "jfif" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "bmp" => "image/bmp",
        "tif" | "tiff" => "image/tiff",
        "ico" => "image/vnd.microsoft.icon",
        "avif" => "image/avif",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "apng" => "image/apng",
        "exr" => "image/aces",
        "hdr" => "image/vnd.radiance",
        "psd" => "image/vnd.adobe.photoshop",
        "jp2" => "image/jp2",
        "jxl" => "image/jxl",
        "djvu" => "image/vnd.djvu",
        "ppm" => "image/x-portable-pixmap",
        "pgm" => "image/x-portable-graymap",
        "pbm" => "image/x-portable-bitmap",
        "xbm" => "image/x-xbitmap",
        "xpm" => "image/x-xpixmap",
        "svg" => "image/svg+xml",
        "mp4" | "m4v" => "video/mp4",
        "webm" => "video/webm",
        "mov" | "qt" => "video/quicktime",
        "avi" => "video/x-msvideo",
        "mkv" => "video/x-matroska",
        "ogv" => "video/ogg",
        "mpg" | "mpeg" | "m1v" => "video/mpeg",
        "flv" => "video/x-flv",
        "wmv" => "video/x-ms-wmv",
        "3gp" => "audio/3gpp",
        "mp3" => "audio/mpeg",
        "flac" => "audio/flac",
        "wav" => "audio/x-wav",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "aif" | "aiff" => "audio/x-aiff",
        "m4a" => "audio/mp4",
        "aac" => "audio/aac",
        "mid" => "audio/sp-midi",
        "wma" => "audio/x-ms-wma",
        "ra" => "audio/x-pn-realaudio",
        "glb" => "model/gltf-binary",
        "gltf" => "model/gltf+json",
        "obj" => "model/obj",
        "stl" => "model/stl",
        "usdz" => "model/vnd.usdz+zip",
        "dae" => "model/vnd.collada+xml",
        "txt" | "srt" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "tsv" => "text/tab-separated-values",
        "html" | "htm" => "text/html",
        "shtml" => "text/x-server-parsed-html",
        "css" => "text/css",
        "js" | "mjs" => "text/javascript",
        "vtt" => "text/vtt",
        "xsl" => "application/xslt+xml",
        "rdf" => "application/rdf+xml",
        "wsdl" => "application/wsdl+xml",
        "xhtml" => "application/xhtml+xml",
        "py" => "text/x-python",
        "sh" => "text/x-sh",
        "ts" => "text/vnd.trolltech.linguist",
        "c" => "text/x-csrc",
        "h" => "text/x-chdr",
        "cpp" => "text/x-c++src",
        "tex" => "text/x-tex",
        "ics" => "text/calendar",
        "vcf" => "text/vcard",
        "eml" | "mht" => "message/rfc822",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "pdf" => "application/pdf",
        "ps" | "eps" | "ai" => "application/postscript",
        "epub" => "application/epub+zip",
        "rtf" => "application/rtf",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "ppt" => "application/vnd.ms-powerpoint",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "zip" => "application/zip",
        "tar" => "application/x-tar",
        "7z" => "application/x-7z-compressed",
        "rar" => "application/vnd.rar",
        "wasm" => "application/wasm",
        "swf" => "application/vnd.adobe.flash.movie",
        "hta" => "application/hta",
        "bat" | "exe" | "dll" => "application/x-msdos-program",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        _ => BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_of_packed_files_are_looked_through_or_count_themselves() {
        for name in ["a.tar", "a.tar.gz", "A.TGZ", "a.txz"] {
            assert_eq!(of(name, ServerVersion::V0_30_0), "application/x-tar", "{name}");
        }
        assert_eq!(of_plain_file("a.tar.gz"), "application/gzip");
        assert_eq!(of_plain_file("a.svgz"), "application/gzip");
        assert_eq!(of("a.svgz", ServerVersion::V0_8_0), "image/svg+xml");
        for name in ["a.gz", "a", "", ".png", "a.unknown"] {
            assert_eq!(of(name, ServerVersion::V0_30_0), BYTES, "{name}");
        }
    }

    #[test]
    fn files_of_models_have_types_since_0_30() {
        assert_eq!(of("a.safetensors", ServerVersion::V0_8_0), BYTES);
        assert_eq!(of("a.safetensors", ServerVersion::V0_30_0), "application/safetensors");
        assert_eq!(of_plain_file("a.webp"), BYTES);
    }

    #[test]
    fn what_a_browser_would_run_is_active() {
        for active in
            ["a.html", "a.htm", "a.js", "a.mjs", "a.css", "a.svg", "a.xsl", "a.dae", "a.eml", "a.shtml"]
        {
            assert!(is_active(of(active, ServerVersion::V0_30_0)), "{active}");
        }
        for quiet in ["a.json", "a.txt", "a.pdf", "a.wasm", "a.png", "a.md"] {
            assert!(!is_active(of(quiet, ServerVersion::V0_30_0)), "{quiet}");
        }
    }
}
