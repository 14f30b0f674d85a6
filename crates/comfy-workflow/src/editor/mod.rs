//! The format in which the ComfyUI editor saves workflows: a drawing, of which only a part is what runs.
//!
//! [`EditorWorkflow`] keeps the document as it was read, and beside it a typed view of its graphs. Reading is tolerant, as the
//! editor is: what is missing gets a default, what is of the wrong shape is passed over and said in
//! [`EditorWorkflow::oddities`].

mod graph;
mod read;

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

pub use graph::{Flow, Graph, GraphLink, GraphNode, Group, InputSlot, Mode, OutputSlot, Port, WidgetValues};

use crate::json;
use crate::{Error, ErrorKind};

/// A workflow as the editor saves it: its graph, the definitions of its subgraphs, and the document itself.
///
/// ```
/// use comfy_workflow::editor::EditorWorkflow;
///
/// let text = br#"{"version": 0.4, "links": [[1, 7, 0, 8, 0, "IMAGE"]], "nodes": [
///     {"id": 7, "type": "EmptyImage", "widgets_values": [64, 64, 1, 0], "outputs": [{"name": "IMAGE", "type": "IMAGE"}]},
///     {"id": 8, "type": "PreviewImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 1}]}
/// ]}"#;
/// let editor = EditorWorkflow::from_slice(text)?;
/// assert_eq!(editor.root().nodes[1].inputs()[0].link, Some(1));
/// # Ok::<(), comfy_workflow::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EditorWorkflow {
    parts: Arc<Parts>,
}

/// Shared, since a conversion keeps the document beside its result.
#[derive(Debug, Clone, PartialEq)]
struct Parts {
    document: Value,
    root: Graph,
    subgraphs: IndexMap<String, Graph>,
    oddities: Vec<String>,
}

impl EditorWorkflow {
    /// Reads the bytes of a saved workflow.
    ///
    /// # Errors
    /// [`ErrorKind::Json`], or [`ErrorKind::NotAWorkflow`] when the document has no list of nodes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_value(json::from_slice(bytes).map_err(Error::json)?)
    }

    /// Takes the document of a saved workflow.
    ///
    /// # Errors
    /// [`ErrorKind::NotAWorkflow`] when it has no list of nodes.
    pub fn from_value(document: Value) -> Result<Self, Error> {
        let Some(fields) = document.as_object().filter(|fields| Self::recognises(fields)) else {
            let message = "the document is no workflow of the editor: it has no list `nodes`";
            return Err(Error::new(ErrorKind::NotAWorkflow, message));
        };
        let (root, subgraphs, oddities) = read::document(fields);
        Ok(Self { parts: Arc::new(Parts { document, root, subgraphs, oddities }) })
    }

    /// Whether an object is a workflow as the editor saves it, rather than one in the API format.
    #[must_use]
    pub fn recognises(fields: &serde_json::Map<String, Value>) -> bool {
        fields.get("nodes").is_some_and(Value::is_array)
    }

    /// The document as it was read.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.parts.document
    }

    /// The document as it was read, without a copy if no clone of this workflow is left.
    #[must_use]
    pub fn into_document(self) -> Value {
        Arc::unwrap_or_clone(self.parts).document
    }

    /// The outermost graph.
    #[must_use]
    pub fn root(&self) -> &Graph {
        &self.parts.root
    }

    /// The definitions of subgraphs by their ids, nested ones too. A node whose class type is such an id stands for the
    /// subgraph.
    #[must_use]
    pub fn subgraphs(&self) -> &IndexMap<String, Graph> {
        &self.parts.subgraphs
    }

    /// What of the document is of a wrong shape and was passed over.
    #[must_use]
    pub fn oddities(&self) -> &[String] {
        &self.parts.oddities
    }
}

#[cfg(test)]
mod tests;
