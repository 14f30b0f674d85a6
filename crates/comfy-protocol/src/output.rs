use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a node gives to the user: keys with lists of anything, mostly files.
///
/// The keys are open; node packs write what they like. [`files`](Self::files) finds the files under any of them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeOutput(pub Map<String, Value>);

/// A file on the server: what `/view` needs to give it out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileRef {
    /// Name of the file, without folder.
    pub filename: String,
    /// Folder below that of `type`; empty for none.
    #[serde(default)]
    pub subfolder: String,
    /// `output`, `temp` or `input`.
    #[serde(rename = "type", default = "output")]
    pub folder: String,
    /// Fields not known here, such as `format` or `frame_rate` of video packs.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

fn output() -> String {
    "output".into()
}

/// What an output is, told by the file's extension, since keys and content types of servers mislead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutputKind {
    /// A picture.
    Image,
    /// A video.
    Video,
    /// A sound.
    Audio,
    /// A three-dimensional model.
    Model3d,
    /// A text.
    Text,
    /// Any other file.
    File,
}

impl FileRef {
    /// The file `filename` in the folder `output`.
    #[must_use]
    pub fn new(filename: impl Into<String>) -> Self {
        Self { filename: filename.into(), subfolder: String::new(), folder: output(), extra: Map::new() }
    }

    /// Reads how an input of a node such as `LoadImage` names a file: `a.png`, `sub/a.png`, `sub/a.png [temp]`. Where no
    /// folder stands behind the name, it is `folder`.
    #[must_use]
    pub fn from_input_value(text: &str, folder: &str) -> Self {
        let annotated = ["input", "output", "temp"].into_iter().find_map(|folder| {
            let rest = text.strip_suffix(']')?.strip_suffix(folder)?.strip_suffix('[')?;
            Some((rest.trim_end(), folder))
        });
        let (path, folder) = annotated.unwrap_or((text, folder));
        let (subfolder, filename) = path.rsplit_once('/').unwrap_or(("", path));
        Self { subfolder: subfolder.into(), folder: folder.into(), ..Self::new(filename) }
    }

    /// The text that names the file as an input of a node such as `LoadImage`.
    #[must_use]
    pub fn input_value(&self) -> String {
        let Self { filename, subfolder, folder, .. } = self;
        let path = if subfolder.is_empty() { filename.clone() } else { format!("{subfolder}/{filename}") };
        if folder == "input" { path } else { format!("{path} [{folder}]") }
    }

    /// What kind of file it is, by its extension.
    #[must_use]
    pub fn kind(&self) -> OutputKind {
        let extension = self.filename.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        match extension.as_deref().unwrap_or_default() {
            "png" | "jpg" | "jpeg" | "webp" | "gif" | "bmp" | "tif" | "tiff" | "avif" | "apng" | "svg"
            | "exr" | "hdr" => OutputKind::Image,
            "mp4" | "webm" | "mov" | "mkv" | "avi" | "m4v" | "mpg" | "mpeg" | "ogv" => OutputKind::Video,
            "wav" | "flac" | "mp3" | "opus" | "ogg" | "m4a" | "aac" => OutputKind::Audio,
            "glb" | "gltf" | "obj" | "fbx" | "stl" | "ply" | "usdz" | "splat" | "spz" | "ksplat" => {
                OutputKind::Model3d
            }
            "txt" | "md" | "json" | "csv" | "srt" | "vtt" => OutputKind::Text,
            _ => OutputKind::File,
        }
    }
}

impl NodeOutput {
    /// The value under a key, as the server sent it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// All files with the keys under which they stand, in the server's order.
    pub fn files(&self) -> impl Iterator<Item = (&str, FileRef)> {
        self.0.iter().flat_map(|(key, value)| {
            let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
            items.iter().filter_map(move |item| Some((key.as_str(), FileRef::deserialize(item).ok()?)))
        })
    }

    /// All texts with the keys under which they stand: the entries of lists that are texts.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(key, value)| {
            let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
            items.iter().filter_map(move |item| Some((key.as_str(), item.as_str()?)))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn files_are_found_under_any_key_and_open_fields_are_kept() {
        let output: NodeOutput = serde_json::from_value(json!({
            "images": [{"filename": "a.mp4", "subfolder": "v", "type": "temp"}],
            "animated": [true],
            "gifs": [{"filename": "b.webm", "frame_rate": 8}, {"other": 1}],
            "text": ["hello"],
            "odd": {"filename": "not in a list"},
        }))
        .unwrap();
        let files: Vec<_> = output.files().collect();
        assert_eq!(files.len(), 2);
        assert_eq!(
            files[0],
            ("images", FileRef { subfolder: "v".into(), folder: "temp".into(), ..FileRef::new("a.mp4") })
        );
        assert_eq!(files[1].1.extra["frame_rate"], 8);
        assert_eq!(files[1].1.folder, "output");
        assert_eq!(output.texts().collect::<Vec<_>>(), [("text", "hello")]);
    }

    #[test]
    fn a_file_is_named_as_inputs_name_it() {
        for (text, subfolder, filename, folder) in [
            ("a.png", "", "a.png", "output"),
            ("s/t/a (1).png [temp]", "s/t", "a (1).png", "temp"),
            ("a.png[input]", "", "a.png", "input"),
            ("a [x].png", "", "a [x].png", "output"),
            ("a [other]", "", "a [other]", "output"),
        ] {
            let file = FileRef::from_input_value(text, "output");
            let parts = (file.subfolder.as_str(), file.filename.as_str(), file.folder.as_str());
            assert_eq!(parts, (subfolder, filename, folder), "{text}");
            assert_eq!(FileRef::from_input_value(&file.input_value(), "input"), file, "{text}");
        }
    }

    #[test]
    fn the_kind_comes_from_the_extension() {
        assert_eq!(FileRef::new("a_00001_.PNG").kind(), OutputKind::Image);
        assert_eq!(FileRef::new("a.mp4").kind(), OutputKind::Video);
        assert_eq!(FileRef::new("noext").kind(), OutputKind::File);
    }
}
