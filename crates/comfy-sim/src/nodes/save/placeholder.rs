//! Files that only a real encoder could write. What stands in their place says so: it begins as its kind does, and
//! holds a text and the notes that the server would write.

use serde_json::Value as Json;

use super::super::{Context, Inputs, NodeError, Ran};
use super::{say_animated, write};
use crate::files::Folder;
use crate::wire::to_json;

const TEXT: &str = "Placeholder of the ComfyUI simulator comfy-sim: it has no encoder for this kind of file.";

/// Kinds of files without an encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mp3,
    Opus,
    Mp4,
    Webm,
}

impl Kind {
    /// The kind by the ending of its files; none for those that can be written.
    pub(super) fn of_ending(ending: &str) -> Option<Self> {
        Some(match ending {
            "mp3" => Self::Mp3,
            "opus" => Self::Opus,
            "mp4" => Self::Mp4,
            "webm" => Self::Webm,
            _ => return None,
        })
    }

    /// A file: readers recognise its kind, and find nothing to play.
    pub(super) fn file(self, notes: &[(String, String)]) -> Vec<u8> {
        let mut text = TEXT.to_owned();
        for (name, value) in notes {
            text.push_str(&format!("\n{name}={value}"));
        }
        let length = u32::try_from(text.len()).unwrap_or(0);
        let mut file = Vec::new();
        match self {
            Self::Mp3 => {
                // A tag with one comment. Its sizes have seven bits in a byte.
                let seven_bits = |number: u32| [21, 14, 7, 0].map(|shift| (number >> shift & 0x7f) as u8);
                file.extend(b"ID3\x04\0\0");
                file.extend(seven_bits(length + 5 + 10));
                file.extend(b"COMM");
                file.extend(seven_bits(length + 5));
                file.extend(b"\0\0\x03eng\0");
            }
            // The page of a stream that begins and ends.
            Self::Opus => file.extend(b"OggS\0\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            Self::Mp4 => {
                file.extend(b"\0\0\0\x18ftypisom\0\0\x02\0isommp42");
                file.extend((length + 8).to_be_bytes());
                file.extend(b"free");
            }
            Self::Webm => {
                file.extend(b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm");
                // An element that is to be skipped, with a length of four bytes.
                file.push(0xec);
                file.extend((length.min(0x0fff_ffff) | 0x1000_0000).to_be_bytes());
            }
        }
        file.extend(text.bytes());
        file
    }
}

/// SaveVideo.
pub(super) fn save_video(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    save(inputs, context, "video", Kind::Mp4, "_.mp4")
}

/// SaveWEBM.
pub(super) fn save_webm(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    save(inputs, context, "images", Kind::Webm, "_.webm")
}

fn save(
    inputs: &Inputs,
    context: &Context<'_>,
    input: &str,
    kind: Kind,
    ending: &str,
) -> Result<Ran, NodeError> {
    let mut notes = vec![("prompt".to_owned(), to_json(context.prompt))];
    let extra = context.extra_pnginfo.into_iter().flatten();
    notes.extend(extra.map(|(key, json): (&String, &Json)| (key.clone(), to_json(json))));
    let value = inputs.value(input)?.clone();
    let prefix = inputs.text("filename_prefix")?;
    let item = write(context, Folder::Output, prefix, ending, &kind.file(&notes))?;
    let mut ran = Ran::shown(value, "images", vec![item]);
    say_animated(&mut ran, true);
    Ok(ran)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_begin_as_their_kind_and_say_what_they_are() {
        let begins: [(Kind, &[u8]); 4] = [
            (Kind::Mp3, b"ID3"),
            (Kind::Opus, b"OggS"),
            (Kind::Mp4, b"\0\0\0\x18ftyp"),
            (Kind::Webm, b"\x1a\x45\xdf\xa3"),
        ];
        for (kind, start) in begins {
            let file = kind.file(&[("prompt".to_owned(), "{}".to_owned())]);
            assert!(file.starts_with(start));
            let text = String::from_utf8_lossy(&file).into_owned();
            assert!(text.contains(TEXT) && text.ends_with("prompt={}"), "{text}");
        }
    }
}
