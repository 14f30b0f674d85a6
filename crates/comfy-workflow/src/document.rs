//! A document that holds a workflow, whatever it is: a file in the API format, in the editor's format, or a picture, video or
//! sound that carries one.

use std::io::{Read, Seek};

use indexmap::IndexMap;
use serde_json::Value;

use crate::convert::{Conversion, ConvertOptions, convert};
use crate::editor::EditorWorkflow;
use crate::metadata::{self, Container, Metadata};
use crate::schema::Schemas;
use crate::workflow::clip;
use crate::{Error, ErrorKind, Workflow};

/// A document with a workflow in it, in one format or in both.
///
/// ```
/// use comfy_workflow::{Document, Format, Workflow};
///
/// let picture = include_bytes!("../../../fixtures/metadata/0.30.0/image.png");
/// let document = Workflow::read(picture)?;
/// assert!(matches!(document.format, Format::Media(_)));
/// assert!(document.api.is_some() && document.editor.is_some());
/// assert!(!document.needs_schemas());
/// # Ok::<(), comfy_workflow::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Document {
    /// What the document is.
    pub format: Format,
    /// The workflow in the API format, without what only a server adds to it.
    pub api: Option<Workflow>,
    /// The workflow in the editor's format.
    pub editor: Option<EditorWorkflow>,
    /// Other texts of a picture or another file; see [`Metadata::texts`].
    pub texts: IndexMap<String, String>,
    /// What is wrong with the document although there is a workflow in it, such as "ends too early"; each begins with a verb.
    pub problems: Vec<String>,
}

/// What a [`Document`] is, told from its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// JSON with a workflow in the API format: alone, or in the body of a request or an entry of a history.
    Api,
    /// JSON with a workflow in the editor's format.
    Editor,
    /// A picture, a video, a sound or another file that carries a workflow.
    Media(Container),
}

impl Workflow {
    /// Reads a document that holds a workflow in whatever format, told from its content.
    ///
    /// # Errors
    /// As [`Document::from_reader`].
    pub fn read(bytes: &[u8]) -> Result<Document, Error> {
        Document::from_metadata(metadata::read(bytes)?)
    }
}

impl Document {
    /// Reads a document that holds a workflow in whatever format, told from its content. Of pictures, videos and the like only
    /// the parts are read that can carry it.
    ///
    /// # Errors
    /// [`ErrorKind::Empty`]; [`ErrorKind::Json`] for a text that is no JSON; [`ErrorKind::NotAWorkflow`] for JSON or a kind of
    /// file that is none; [`ErrorKind::NoWorkflow`] for a picture or the like that carries none; [`ErrorKind::Io`].
    pub fn from_reader(reader: impl Read + Seek) -> Result<Self, Error> {
        Self::from_metadata(metadata::read_from(reader)?)
    }

    /// Takes the workflow out of what a file carries.
    ///
    /// # Errors
    /// [`ErrorKind::NoWorkflow`] when there is none, [`ErrorKind::NotAWorkflow`] when what is there is broken.
    pub fn from_metadata(metadata: Metadata) -> Result<Self, Error> {
        if metadata.prompt.is_none() && metadata.workflow.is_none() {
            return Err(metadata.nothing_found());
        }
        let Metadata { container, mut prompt, workflow, texts, mut problems } = metadata;
        if container != Container::Json
            && let Some(prompt) = &mut prompt
        {
            problems.extend(without_strangers(prompt));
        }
        let editor = workflow.map(EditorWorkflow::from_value).transpose();
        let api = prompt.map(Workflow::from_value).transpose();
        // Where one of the two is broken, the other will do.
        let (api, editor) = match (api, editor) {
            (Ok(Some(api)), Err(error)) => {
                problems.push(format!("has an editor's workflow that cannot be used: {error}"));
                (Some(api), None)
            }
            (Err(error), Ok(Some(editor))) => {
                problems.push(format!("has a prompt that cannot be used: {error}"));
                (None, Some(editor))
            }
            (api, editor) => (api?, editor?),
        };
        let api = api.map(without_server_fields);
        let format = match container {
            Container::Json if api.is_some() => Format::Api,
            Container::Json => Format::Editor,
            container => Format::Media(container),
        };
        Ok(Self { format, api, editor, texts, problems })
    }

    /// Whether the node schemas of a server are needed to make of it what a server runs.
    #[must_use]
    pub fn needs_schemas(&self) -> bool {
        self.api.is_none()
    }

    /// What a server runs: the workflow in the API format where there is one, with the editor's document beside it, or else
    /// that of the editor converted.
    ///
    /// Where there are both, schemas are of use as well, but not needed: with them, values that are changed later are written
    /// into [`editor_document`](Workflow::editor_document).
    ///
    /// # Errors
    /// [`ErrorKind::NoWorkflow`] when both have been taken out.
    pub fn into_workflow(self, schemas: &Schemas, options: &ConvertOptions) -> Result<Conversion, Error> {
        match (self.api, self.editor) {
            (Some(mut workflow), Some(editor)) if !schemas.is_empty() => {
                workflow.attach_like(&convert(&editor, schemas, options).workflow);
                Ok(Conversion { workflow, problems: Vec::new() })
            }
            (Some(mut workflow), editor) => {
                workflow.set_editor(editor);
                Ok(Conversion { workflow, problems: Vec::new() })
            }
            (None, Some(editor)) => Ok(convert(&editor, schemas, options)),
            (None, None) => Err(Error::new(ErrorKind::NoWorkflow, "the document holds no workflow any more")),
        }
    }
}

/// Takes out of a prompt what is no node: some hosts of pictures keep notes there. Returns what is to be said of it.
fn without_strangers(prompt: &mut Value) -> Option<String> {
    let entries = prompt.as_object_mut()?;
    let is_node = |entry: &Value| entry.get("class_type").is_some();
    let strangers =
        entries.iter().filter(|(_, entry)| !is_node(entry)).map(|(id, _)| format!("`{}`", clip(id)));
    let strangers = strangers.take(3).collect::<Vec<_>>().join(", ");
    entries.retain(|_, entry| is_node(entry));
    (!strangers.is_empty())
        .then(|| format!("has entries in its prompt that are no nodes, which were left out: {strangers}"))
}

/// What the server notes at nodes while it runs them would be taken for an answer when they are sent again.
fn without_server_fields(mut workflow: Workflow) -> Workflow {
    for (_, node) in workflow.nodes_mut() {
        node.extra.shift_remove("is_changed");
    }
    workflow
}

/// Why a document of JSON is no workflow.
pub(crate) fn not_a_workflow(value: Value) -> Error {
    if let Some(entries) = value.as_object()
        && entries.len() > 1
        && entries.values().all(|entry| entry.get("prompt").is_some() && entry.get("outputs").is_some())
    {
        let ids: Vec<String> = entries.keys().take(3).map(|id| format!("`{}`", clip(id))).collect();
        let message = format!(
            "the document is a history of {} runs, not a workflow; take one of them, such as {}",
            entries.len(),
            ids.join(", "),
        );
        return Error::new(ErrorKind::NotAWorkflow, message);
    }
    match Workflow::from_value(value) {
        Err(error) => error,
        Ok(_) => {
            Error::new(ErrorKind::NotAWorkflow, "the document holds a workflow too deep inside of others")
        }
    }
}

#[cfg(test)]
mod tests;
