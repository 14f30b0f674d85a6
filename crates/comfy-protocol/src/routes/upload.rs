//! `POST /upload/image`, `POST /upload/mask`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::FileRef;

/// Answer of `POST /upload/image` and `POST /upload/mask`: where the file is now. The name may differ from the one that was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Uploaded {
    /// Name of the file.
    pub name: String,
    /// Folder below that of `type`; empty for none.
    #[serde(default)]
    pub subfolder: String,
    /// `input`, `temp` or `output`.
    #[serde(rename = "type", default)]
    pub folder: String,
    /// Fields not known here, such as `asset`.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Uploaded {
    /// A stored file.
    #[must_use]
    pub fn new(name: String, subfolder: String, folder: String) -> Self {
        Self { name, subfolder, folder, extra: Map::new() }
    }

    /// The file, to be downloaded or named as the original of a mask.
    #[must_use]
    pub fn file(&self) -> FileRef {
        let folder = if self.folder.is_empty() { "input" } else { &self.folder };
        FileRef { subfolder: self.subfolder.clone(), folder: folder.to_owned(), ..FileRef::new(&self.name) }
    }

    /// The text that names the file as an input of a node such as `LoadImage`.
    #[must_use]
    pub fn input_value(&self) -> String {
        self.file().input_value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uploaded_file_is_named_with_subfolder_and_folder() {
        let name = |subfolder: &str, folder: &str| {
            Uploaded::new("a.png".into(), subfolder.into(), folder.into()).input_value()
        };
        assert_eq!(name("", "input"), "a.png");
        assert_eq!(name("s/t", "input"), "s/t/a.png");
        assert_eq!(name("", "temp"), "a.png [temp]");
        let file = Uploaded::new("a.png".into(), "s".into(), String::new()).file();
        let expected = FileRef { subfolder: "s".into(), folder: "input".into(), ..FileRef::new("a.png") };
        assert_eq!(file, expected);
    }
}
