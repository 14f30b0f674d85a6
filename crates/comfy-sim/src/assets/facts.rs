//! What a file says about itself.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use image::ImageReader;
use serde_json::{Map, Value as Json, json};

use crate::routes::content_type;
use crate::version::ServerVersion;

/// The name of some content: `blake3:` and the digits of its hash.
pub(crate) fn hash_of(bytes: &[u8]) -> String {
    format!("blake3:{}", blake3::hash(bytes).to_hex())
}

/// The same of a file, which is not read into memory as a whole.
pub(super) fn hash_of_file(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(format!("blake3:{}", hasher.finalize().to_hex()))
}

/// A hash as clients may write it, in the form that it has here; `None` when it is none.
pub(crate) fn normalised_hash(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.strip_prefix("blake3:")?;
    (digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(text)
}

/// The media type that the ending of a name tells.
pub(super) fn mime_type(name: &str) -> &'static str {
    content_type::of(name, ServerVersion::V0_30_0)
}

/// Length and time of the last change: with others it is another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint {
    pub(super) size: u64,
    modified: Option<SystemTime>,
}

impl Fingerprint {
    /// `None` when there is no such file.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let data = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Some(Self { size: data.len(), modified: data.modified().ok() })
    }
}

/// Kind and size of a picture; nothing for other files.
pub(super) fn picture(path: &Path, mime_type: &str) -> Map<String, Json> {
    let mut facts = Map::new();
    let size = || ImageReader::open(path).ok()?.with_guessed_format().ok()?.into_dimensions().ok();
    if mime_type.starts_with("image/")
        && let Some((width, height)) = size()
    {
        facts.insert("kind".into(), "image".into());
        facts.insert("width".into(), width.into());
        facts.insert("height".into(), height.into());
    }
    facts
}

/// All that a scan finds out about a file. `relative` is its path in its folder.
pub(super) fn scanned(path: &Path, relative: &str, size: u64) -> Map<String, Json> {
    let name = relative.rsplit('/').next().unwrap_or(relative);
    let mime_type = mime_type(name);
    let facts = json!({
        "filename": relative,
        "content_length": size,
        "format": name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase(),
        "file_path": path.display().to_string(),
        "content_type": mime_type,
    });
    let mut facts = match facts {
        Json::Object(facts) => facts,
        _ => Map::new(),
    };
    facts.extend(picture(path, mime_type));
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_read_in_any_case_and_only_whole() {
        // As a real server named these bytes.
        let hash = "blake3:0f99291c18546987f9ab5c61f83ce6243e94703a514c2ac0d753a64020d54f2a";
        assert_eq!(hash_of(b"other bytes"), hash);
        assert_eq!(normalised_hash(&format!("  {} ", hash.to_uppercase())).as_deref(), Some(hash));
        for bad in ["junk", "blake3:abc", "blake3:", &hash.replace("blake3", "sha256"), &format!("{hash}0")] {
            assert_eq!(normalised_hash(bad), None, "{bad}");
        }
    }
}
