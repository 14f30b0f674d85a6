use std::str::FromStr;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::convert::Sources;
use crate::editor::EditorWorkflow;
use crate::{Error, ErrorKind, Link, NodeId, json};

/// A workflow in the API format: what a server runs.
///
/// An ordered map from node id to [`Node`]. Order, unknown fields of nodes and the exact value of every input survive
/// reading and writing.
///
/// ```
/// use comfy_workflow::Workflow;
///
/// let mut workflow: Workflow = r#"{
///     "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
///     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "hello"}}
/// }"#.parse()?;
/// workflow.set("EmptyImage.color", 0xff8800)?;
/// assert_eq!(workflow.get("1.color")?, 0xff8800);
/// # Ok::<(), comfy_workflow::Error>(())
/// ```
///
/// A workflow that was converted keeps the editor's document it comes from beside the nodes, so that it can be sent along
/// ([`editor_document`](Self::editor_document)). The document is not written with the nodes, and makes no difference
/// when workflows are compared.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct Workflow {
    nodes: IndexMap<NodeId, Node>,
    #[serde(skip)]
    origin: Option<Arc<Origin>>,
}

/// The editor's document that a workflow comes from.
#[derive(Debug)]
struct Origin {
    editor: EditorWorkflow,
    sources: Sources,
}

impl PartialEq for Workflow {
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes
    }
}

/// A node of a [`Workflow`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Node {
    /// The inputs by name: constants, or links (see [`Link::from_value`]).
    #[serde(default)]
    pub inputs: Map<String, Value>,
    /// The name of the node's class, such as `KSampler`.
    pub class_type: String,
    /// Every other field; `_meta` holds the title.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Node {
    /// A node of class `class_type` without inputs.
    #[must_use]
    pub fn new(class_type: impl Into<String>) -> Self {
        Self { class_type: class_type.into(), ..Self::default() }
    }

    /// The node with one more input.
    #[must_use]
    pub fn with_input(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.inputs.insert(name.into(), value.into());
        self
    }

    /// The title that the user gave the node in the editor.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.extra.get("_meta")?.get("title")?.as_str()
    }

    /// Gives the node a title.
    pub fn set_title(&mut self, title: impl Into<String>) {
        let title = Value::String(title.into());
        match self.extra.get_mut("_meta") {
            Some(Value::Object(meta)) => drop(meta.insert("title".into(), title)),
            _ => drop(self.extra.insert("_meta".into(), serde_json::json!({ "title": title }))),
        }
    }
}

impl Workflow {
    /// A workflow without nodes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a workflow in the API format from the bytes of a file.
    ///
    /// A UTF-8 byte order mark and the bare tokens `NaN` and `Infinity` are tolerated (see [`json`]). A whole request
    /// body (`{"prompt": {…}, …}`) is understood as its `prompt`.
    ///
    /// # Errors
    /// [`ErrorKind::Empty`], [`ErrorKind::Json`], [`ErrorKind::NotAWorkflow`] or [`ErrorKind::EditorFormat`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Error> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(Error::new(ErrorKind::Empty, "the document is empty"));
        }
        if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
            return Err(Error::new(ErrorKind::NotAWorkflow, "the document is UTF-16 text; save it as UTF-8"));
        }
        Self::from_value(json::from_slice(bytes).map_err(Error::json)?)
    }

    /// Takes a workflow in the API format from a JSON value.
    ///
    /// # Errors
    /// [`ErrorKind::NotAWorkflow`] or [`ErrorKind::EditorFormat`].
    pub fn from_value(value: Value) -> Result<Self, Error> {
        let Value::Object(mut entries) = value else {
            return Err(not_a_workflow(format!("it is {}, not an object of nodes", kind_of(&value))));
        };
        if is_editor_format(&entries) {
            return Err(Error::new(
                ErrorKind::EditorFormat,
                "this is a workflow in the editor's format, which has to be converted: read it with `Workflow::read`, \
                 or choose `Export (API)` in the editor and use that file",
            ));
        }
        if let Some(Value::Object(prompt)) = entries.get_mut("prompt")
            && !prompt.contains_key("class_type")
        {
            entries = std::mem::take(prompt);
        }
        if !entries.values().any(|entry| entry.get("class_type").is_some()) {
            let found =
                entries.keys().take(5).map(|key| format!("`{}`", clip(key))).collect::<Vec<_>>().join(", ");
            let found = if found.is_empty() {
                "it is an empty object".into()
            } else {
                format!("it has the keys {found}")
            };
            return Err(not_a_workflow(format!("no entry of it has a `class_type`; {found}")));
        }
        let node = |(id, entry): (String, Value)| {
            let node = Node::deserialize(&entry)
                .map_err(|error| not_a_workflow(format!("entry `{}` is no node: {error}", clip(&id))))?;
            Ok((NodeId::from(id), node))
        };
        Ok(Self { nodes: entries.into_iter().map(node).collect::<Result<_, Error>>()?, origin: None })
    }

    /// The workflow as JSON, as it goes into a request or a file.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let nodes = self.nodes.iter().map(|(id, node)| {
            let mut fields = Map::new();
            fields.insert("inputs".into(), Value::Object(node.inputs.clone()));
            fields.insert("class_type".into(), Value::String(node.class_type.clone()));
            fields.extend(node.extra.clone());
            (id.to_string(), Value::Object(fields))
        });
        Value::Object(nodes.collect())
    }

    /// The workflow of the editor that this one comes from.
    #[must_use]
    pub fn editor(&self) -> Option<&EditorWorkflow> {
        self.origin.as_deref().map(|origin| &origin.editor)
    }

    /// Keeps a workflow of the editor beside the nodes, or forgets it.
    pub fn set_editor(&mut self, editor: impl Into<Option<EditorWorkflow>>) {
        self.origin = editor.into().map(|editor| Arc::new(Origin { editor, sources: Sources::default() }));
    }

    /// Keeps the workflow of the editor from which `converted` was made, and in which the nodes have the same places.
    pub(crate) fn attach_like(&mut self, converted: &Self) {
        let Some(origin) = &converted.origin else { return };
        let sources = origin.sources.of_same_nodes(converted, self);
        self.attach(origin.editor.clone(), sources);
    }

    pub(crate) fn attach(&mut self, editor: EditorWorkflow, sources: Sources) {
        self.origin = Some(Arc::new(Origin { editor, sources }));
    }

    /// The document of the editor that this workflow comes from, fit to be written into pictures.
    ///
    /// Values that were changed since the conversion are in it, where they have a place of their own in the document: not
    /// those inside a subgraph that is used several times, and not links. Added and removed nodes are not. Of a workflow in
    /// the API format that has a document beside it, as pictures carry both, the places are known where
    /// [`Document::into_workflow`](crate::Document::into_workflow) was given schemas.
    #[must_use]
    pub fn editor_document(&self) -> Option<Value> {
        let origin = self.origin.as_deref()?;
        Some(origin.sources.write_back(origin.editor.document(), self))
    }

    /// The nodes in document order.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (&NodeId, &Node)> + DoubleEndedIterator {
        self.nodes.iter()
    }

    /// The nodes in document order, to be changed.
    pub fn nodes_mut(&mut self) -> impl ExactSizeIterator<Item = (&NodeId, &mut Node)> {
        self.nodes.iter_mut()
    }

    /// The node with this id.
    #[must_use]
    pub fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// The node with this id, to be changed.
    pub fn node_mut(&mut self, id: &str) -> Option<&mut Node> {
        self.nodes.get_mut(id)
    }

    /// The id as the workflow holds it.
    pub(crate) fn key(&self, id: &str) -> Option<&NodeId> {
        self.nodes.get_key_value(id).map(|(id, _)| id)
    }

    /// Adds a node at the end, or replaces the one with this id and returns it.
    pub fn insert(&mut self, id: impl Into<NodeId>, node: Node) -> Option<Node> {
        self.nodes.insert(id.into(), node)
    }

    /// Takes a node out. Links to it stay as they are.
    pub fn remove(&mut self, id: &str) -> Option<Node> {
        self.nodes.shift_remove(id)
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All links, in document order of the nodes they lead to.
    pub fn links(&self) -> impl Iterator<Item = (&NodeId, &str, Link<'_>)> {
        self.nodes.iter().flat_map(|(id, node)| {
            let inputs = node.inputs.iter();
            inputs.filter_map(move |(name, value)| Some((id, name.as_str(), Link::from_value(value)?)))
        })
    }
}

impl FromStr for Workflow {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::from_slice(text.as_bytes())
    }
}

impl<'de> Deserialize<'de> for Workflow {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Whether an object is a workflow as the editor saves it: a list of nodes beside links or counters.
fn is_editor_format(entries: &Map<String, Value>) -> bool {
    let marks = ["links", "last_node_id", "last_link_id", "version", "state", "groups"];
    entries.get("nodes").is_some_and(Value::is_array) && marks.iter().any(|mark| entries.contains_key(*mark))
}

fn not_a_workflow(reason: String) -> Error {
    Error::new(ErrorKind::NotAWorkflow, format!("the document is no workflow: {reason}"))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Most characters of a name or value that messages show: names of model files are long.
const CLIP: usize = 80;

/// Short, on one line and without control characters: the text may come from anywhere, and goes to terminals.
pub(crate) fn clip(text: &str) -> String {
    let end = text.char_indices().nth(CLIP).map_or(text.len(), |(end, _)| end);
    let mut clipped = plain(&text[..end]);
    if end < text.len() {
        clipped.push('…');
    }
    clipped
}

/// A text with what is no plain character written out, such as `\n` and `\u{202e}`. Quotes and backslashes do no harm, and
/// stand in names of files.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for piece in text.split_inclusive(['\\', '\'', '"']) {
        let harmless = piece.strip_suffix(['\\', '\'', '"']).unwrap_or(piece);
        plain.extend(harmless.escape_debug());
        plain.push_str(&piece[harmless.len()..]);
    }
    plain
}

#[cfg(test)]
mod tests;
