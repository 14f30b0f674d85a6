//! The workflow that a picture, a video, a sound or another file carries.
//!
//! ComfyUI writes two texts into most files that it saves: `prompt`, the workflow in the API format as it ran, and `workflow`,
//! the editor's own document when the editor has sent it along. Other programs write other texts, or the same ones elsewhere;
//! they are found too, as far as they are known.
//!
//! ```
//! # let file = include_bytes!("../../../../fixtures/metadata/0.30.0/image.png");
//! use comfy_workflow::metadata::{self, Container};
//!
//! let metadata = metadata::read(file)?;
//! assert_eq!(metadata.container, Container::Png);
//! assert_eq!(metadata.prompt.unwrap()["1"]["class_type"], "EmptyImage");
//! assert_eq!(metadata.workflow.unwrap()["version"], 0.4);
//! # Ok::<(), comfy_workflow::Error>(())
//! ```
//!
//! Files are of unknown origin: only their parts with texts are read, of 32 MiB at most each and 64 MiB together, also after
//! unpacking, and JSON up to 256 MiB; no buffer is as large as a file only says; nothing recurses deeper than a few levels. A
//! video of some gigabytes is read in no time with [`read_from`].

mod bmff;
mod container;
mod ebml;
mod exif;
mod exr;
mod id3;
mod interpret;
mod items;
mod jpeg;
mod json_parts;
mod markup;
mod png;
mod riff;
mod source;
mod texts;
mod vorbis;

use std::io::{Cursor, Read, Seek};

use indexmap::IndexMap;
use serde_json::Value;

pub use container::Container;

use self::source::{Source, Step, Trouble};
use self::texts::Texts;
use crate::workflow::clip;
use crate::{Error, ErrorKind, json};

/// Longest document of JSON, in bytes.
const MOST_JSON: u64 = 256 << 20;

/// Most names of texts that a message shows.
const MOST_NAMES: usize = 6;

/// What a file carries.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Metadata {
    /// Which kind of file it is.
    pub container: Container,
    /// The workflow in the API format, as it ran. It may have what only the server puts there, such as `is_changed`.
    pub prompt: Option<Value>,
    /// The workflow in the editor's format.
    pub workflow: Option<Value>,
    /// The other texts by name, in the order of the file: what other programs wrote, such as `parameters`, and what a client
    /// sent along with the workflow. A second text of a name is called `name (2)`.
    pub texts: IndexMap<String, String>,
    /// What is wrong with the file, such as "ends too early, within the part at byte 57", and what was passed over for that.
    pub problems: Vec<String>,
}

impl Metadata {
    /// Why there is neither a prompt nor a workflow in it: what was found instead.
    #[must_use]
    pub fn nothing_found(&self) -> Error {
        let mut message =
            format!("the document is {} file that carries no workflow", with_article(self.container));
        for problem in &self.problems {
            message.push_str(&format!("; it {problem}"));
        }
        if !self.texts.is_empty() {
            let names = self.texts.keys().take(MOST_NAMES).map(|key| format!("`{}`", clip(key)));
            let names = names.collect::<Vec<_>>().join(", ");
            let (s, more) = (
                if self.texts.len() > 1 { "s" } else { "" },
                if self.texts.len() > MOST_NAMES { ", …" } else { "" },
            );
            message.push_str(&format!("; it has the text{s} {names}{more}"));
        }
        message.push_str(&match self.other_program() {
            Some(program) => format!(": it was made by {program}"),
            None if !self.problems.is_empty() => "; copy or download it again".to_owned(),
            None if self.texts.is_empty() => {
                "; it has no texts at all: another program has made it, or a copy of it that lacks them; use the file that ComfyUI saved".to_owned()
            }
            None => ": another program has made it; use the file that ComfyUI saved".to_owned(),
        });
        Error::new(ErrorKind::NoWorkflow, message)
    }

    /// Whose texts they are, as far as that can be told.
    fn other_program(&self) -> Option<&'static str> {
        let has = |key: &str| self.texts.contains_key(key);
        let says = |key: &str, word: &str| self.texts.get(key).is_some_and(|text| text.contains(word));
        if has("invokeai_metadata") || has("invokeai_graph") || has("sd-metadata") {
            Some("InvokeAI, which has workflows of its own")
        } else if says("parameters", "sui_image_params") {
            Some("SwarmUI, which does not keep the workflow")
        } else if says("parameters", "Steps: ") || says("UserComment", "Steps: ") {
            Some("a program that has no workflows, such as AUTOMATIC1111 or Forge")
        } else if says("Software", "NovelAI") {
            Some("NovelAI, which has no workflows")
        } else {
            None
        }
    }
}

fn with_article(container: Container) -> String {
    let name = container.name();
    // By their sound: an MP4, an SVG, a PNG.
    let article =
        if name.starts_with(['A', 'E', 'F', 'H', 'M', 'O', 'S']) && name != "FLAC" && name != "Matroska" {
            "an"
        } else {
            "a"
        };
    format!("{article} {name}")
}

/// Reads what a file carries from its bytes; see [`read_from`].
///
/// # Errors
/// As [`read_from`].
pub fn read(bytes: &[u8]) -> Result<Metadata, Error> {
    read_any(&mut Cursor::new(bytes))
}

/// Reads what a file carries. Only the parts that can have it are read.
///
/// A file without prompt and workflow is no error unless it is JSON, and neither is one that is damaged: see
/// [`Metadata::problems`].
///
/// # Errors
/// [`ErrorKind::Empty`]; [`ErrorKind::NotAWorkflow`] for JSON that is none, and for a kind of file that carries none, such as
/// a ZIP archive;
/// [`ErrorKind::Json`] for a text that is none; [`ErrorKind::Io`] when the system cannot read.
pub fn read_from(mut reader: impl Read + Seek) -> Result<Metadata, Error> {
    read_any(&mut reader)
}

fn read_any(reader: &mut dyn source::ReadSeek) -> Result<Metadata, Error> {
    let mut source = Source::new(reader).map_err(unreadable)?;
    let head = source.some(0, container::HEAD).map_err(unreadable)?;
    let Some(container) = Container::of(&head, source.length()) else {
        return Err(not_a_container(&head, &mut source));
    };
    if container == Container::Json {
        return read_json(&mut source);
    }
    let mut texts = Texts::default();
    let mut problems = Vec::new();
    match walk(container, &mut source, &mut texts) {
        Ok(()) => {}
        Err(Trouble::Broken(text)) => problems.push(text),
        Err(trouble) => return Err(unreadable(trouble)),
    }
    if texts.left_out > 0 {
        problems
            .push(format!("has {} texts that are broken or too large, which were left out", texts.left_out));
    }
    let mut texts = texts.found;
    let found = interpret::texts(&mut texts);
    problems.extend(found.problems);
    Ok(Metadata { container, prompt: found.prompt, workflow: found.workflow, texts, problems })
}

fn walk(container: Container, source: &mut Source<'_>, texts: &mut Texts) -> Step {
    match container {
        Container::Png => png::read(source, texts),
        Container::WebP | Container::Wav => riff::read(source, texts),
        Container::Jpeg => jpeg::read(source, texts),
        Container::Avif | Container::Heif | Container::Mp4 | Container::QuickTime => {
            bmff::read(source, texts)
        }
        Container::Exr => exr::read(source, texts),
        Container::Svg => markup::read_svg(source, texts),
        Container::WebM | Container::Matroska => ebml::read(source, texts),
        Container::Flac => vorbis::read_flac(source, texts),
        Container::Mp3 => id3::read_file(source, texts),
        Container::Ogg => vorbis::read_ogg(source, texts),
        Container::Glb => json_parts::read_glb(source, texts),
        Container::Safetensors => json_parts::read_safetensors(source, texts),
        Container::Json => Ok(()),
    }
}

fn read_json(source: &mut Source<'_>) -> Result<Metadata, Error> {
    let length = source.length();
    let Some(count) = usize::try_from(length).ok().filter(|_| length <= MOST_JSON) else {
        let message = format!("the document is JSON of {length} bytes, and at most {MOST_JSON} are read");
        return Err(Error::new(ErrorKind::NotAWorkflow, message));
    };
    let bytes = source.some(0, count).map_err(unreadable)?;
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let mut found = interpret::Found::default();
    found.take(json::from_slice::<Value>(bytes).map_err(Error::json)?);
    if found.prompt.is_none() && found.workflow.is_none() {
        let value = json::from_slice(bytes).map_err(Error::json)?;
        return Err(crate::document::not_a_workflow(value));
    }
    Ok(Metadata {
        container: Container::Json,
        prompt: found.prompt,
        workflow: found.workflow,
        texts: IndexMap::new(),
        problems: found.problems,
    })
}

/// The error for a file that is none of the known kinds.
fn not_a_container(head: &[u8], source: &mut Source<'_>) -> Error {
    if head.trim_ascii().is_empty() && source.length() <= head.len() as u64 {
        return Error::new(ErrorKind::Empty, "the document is empty");
    }
    if let Some(what) = container::foreign(head) {
        return Error::new(ErrorKind::NotAWorkflow, format!("the document {what}"));
    }
    // A text of another kind: the reader of JSON tells where it is none.
    match json::from_slice::<Value>(head) {
        Err(error) => Error::json(error),
        Ok(_) => {
            Error::new(ErrorKind::NotAWorkflow, "the document is a single value of JSON, not a workflow")
        }
    }
}

fn unreadable(trouble: Trouble) -> Error {
    match trouble {
        Trouble::Io(reason) => Error::new(ErrorKind::Io, format!("the document cannot be read: {reason}")),
        Trouble::Broken(what) => Error::new(ErrorKind::NotAWorkflow, format!("the document {what}")),
    }
}
