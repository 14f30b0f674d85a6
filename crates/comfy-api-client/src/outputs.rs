use std::path::{Path, PathBuf};
use std::sync::Arc;

use comfy_protocol::{FileRef, NodeOutput, OutputKind};
use comfy_workflow::NodeId;
use indexmap::IndexMap;

use crate::{Client, Result, SocketImage};

pub(crate) type NodeOutputs = IndexMap<NodeId, NodeOutput>;

/// What a job gave: what its nodes reported, and pictures that came over the socket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gains {
    pub(crate) nodes: NodeOutputs,
    pub(crate) images: Vec<SocketImage>,
    /// Nodes that did not run, since the server still had their results.
    pub(crate) cached: Vec<NodeId>,
}

/// What a job gave, by node.
#[derive(Debug, Clone)]
pub struct Outputs {
    client: Client,
    prompt_id: String,
    gains: Arc<Gains>,
}

/// A file that a job gave.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OutputFile {
    /// The node that made it.
    pub node: NodeId,
    /// The key under which the node reported it, such as `images`.
    pub key: String,
    /// The file on the server.
    pub file: FileRef,
}

impl OutputFile {
    /// A file that a node reported under a key.
    #[must_use]
    pub fn new(node: impl Into<NodeId>, key: impl Into<String>, file: FileRef) -> Self {
        Self { node: node.into(), key: key.into(), file }
    }

    /// What kind of file it is, by its extension.
    #[must_use]
    pub fn kind(&self) -> OutputKind {
        self.file.kind()
    }
}

/// A file that was saved.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SavedFile {
    /// The file on the server.
    pub output: OutputFile,
    /// Where it is now.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
}

impl SavedFile {
    /// A file that was saved at `path`.
    #[must_use]
    pub fn new(output: OutputFile, path: PathBuf, bytes: u64) -> Self {
        Self { output, path, bytes }
    }
}

impl SocketImage {
    /// Saves the picture in a folder, named by its node and its place: `9_00001_.png`. Nothing is overwritten: where a
    /// file of that name is, a number is appended.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) when the folder or file cannot be written.
    pub async fn save_in(&self, folder: impl AsRef<Path>) -> Result<SavedFile> {
        self.save(folder.as_ref(), false).await
    }

    /// Saves the picture as [`save_in`](Self::save_in) does, but over a file of the same name.
    ///
    /// # Errors
    /// As [`save_in`](Self::save_in).
    pub async fn save_over(&self, folder: impl AsRef<Path>) -> Result<SavedFile> {
        self.save(folder.as_ref(), true).await
    }

    async fn save(&self, folder: &Path, over: bool) -> Result<SavedFile> {
        let output = self.output();
        let name = self.name().unwrap_or(&output.file.filename);
        let (path, bytes) = crate::files::bytes_in(folder, name, self.bytes().clone(), over).await?;
        Ok(SavedFile::new(output, path, bytes))
    }

    /// The picture as an output like those that are files on the server, which it is not: its folder has no name.
    #[must_use]
    pub fn output(&self) -> OutputFile {
        let file = FileRef { folder: String::new(), ..FileRef::new(self.filename()) };
        OutputFile { node: self.node.clone(), key: "socket".to_owned(), file }
    }
}

impl Outputs {
    pub(crate) fn new(client: Client, prompt_id: String, gains: Arc<Gains>) -> Self {
        Self { client, prompt_id, gains }
    }

    /// The prompt that gave them.
    #[must_use]
    pub fn prompt_id(&self) -> &str {
        &self.prompt_id
    }

    /// Everything that the nodes gave, as the server reported it.
    pub fn nodes(&self) -> impl Iterator<Item = (&NodeId, &NodeOutput)> {
        self.gains.nodes.iter()
    }

    /// What one node gave.
    #[must_use]
    pub fn node(&self, id: &str) -> Option<&NodeOutput> {
        self.gains.nodes.get(id)
    }

    /// The nodes that did not run, since the server had their results from earlier runs, and those that others of the
    /// workflow do not need among them. Where all are here nothing ran, and the files are those of an earlier run.
    #[must_use]
    pub fn cached(&self) -> &[NodeId] {
        &self.gains.cached
    }

    /// Whether nothing ran, so that the outputs are those of an earlier run with the same inputs.
    #[must_use]
    pub fn is_all_cached(&self) -> bool {
        let mut nodes = self.gains.nodes.keys();
        !self.gains.cached.is_empty()
            && self.gains.images.is_empty()
            && nodes.all(|node| self.gains.cached.contains(node))
    }

    /// The files of all nodes and kinds, temporary ones such as previews among them.
    pub fn files(&self) -> impl Iterator<Item = OutputFile> {
        self.gains.nodes.iter().flat_map(|(node, output)| {
            output.files().map(|(key, file)| OutputFile { node: node.clone(), key: key.to_owned(), file })
        })
    }

    /// The texts of all nodes, with the keys under which they were reported.
    pub fn texts(&self) -> impl Iterator<Item = (&NodeId, &str, &str)> {
        self.gains
            .nodes
            .iter()
            .flat_map(|(node, output)| output.texts().map(move |(key, text)| (node, key, text)))
    }

    /// The pictures that nodes such as `SaveImageWebsocket` gave over the socket, in the order in which they came. The
    /// server has no files of them.
    pub fn socket_images(&self) -> impl Iterator<Item = &SocketImage> {
        self.gains.images.iter()
    }

    /// Downloads every file into a folder, under its name on the server (and below its subfolder), a few at a time, and
    /// saves pictures that came over the socket beside them.
    ///
    /// Nothing is overwritten: where a file of that name is, a number is appended. Names from the server are made safe,
    /// and a file appears only when it is complete.
    ///
    /// # Errors
    /// Those of [`Client::download`] and [`Download::save_in`](crate::Download::save_in); files saved before stay.
    pub async fn save_all(&self, folder: impl AsRef<Path>) -> Result<Vec<SavedFile>> {
        let folder = folder.as_ref();
        let outputs: Vec<OutputFile> = self.files().collect();
        let files = outputs.iter().map(|output| output.file.clone());
        let downloads = self.client.download_all(files, folder).await?;
        let saved = outputs.into_iter().zip(downloads);
        let mut saved: Vec<SavedFile> =
            saved.map(|(output, file)| SavedFile::new(output, file.path, file.bytes)).collect();
        for image in self.socket_images() {
            saved.push(image.save_in(folder).await?);
        }
        Ok(saved)
    }
}
