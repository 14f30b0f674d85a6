//! Documents with workflows, and how they become what the server runs.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use chrono::{Datelike, Timelike};
use comfy_workflow::Document;
use comfy_workflow::Workflow;
use comfy_workflow::convert::{Conversion, ConvertOptions, DynamicPrompts, LocalTime, Problem, convert};
use comfy_workflow::editor::EditorWorkflow;
use comfy_workflow::schema::Schemas;
use comfy_workflow::template::{Template, TemplateFile};

use crate::{Client, Error, ErrorKind, Result, random_seed};

/// Where a workflow comes from: what [`Client::submit`] and [`Client::convert`] take by reference.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Source<'a> {
    /// A workflow in the API format, which is sent as it is.
    Workflow(&'a Workflow),
    /// A workflow in the editor's format, which is converted.
    Editor(&'a EditorWorkflow),
    /// A file with one of the two or both, of which the API format counts: it is what ran.
    Document(&'a Document),
}

impl<'a> From<&'a Workflow> for Source<'a> {
    fn from(workflow: &'a Workflow) -> Self {
        Self::Workflow(workflow)
    }
}

impl<'a> From<&'a EditorWorkflow> for Source<'a> {
    fn from(editor: &'a EditorWorkflow) -> Self {
        Self::Editor(editor)
    }
}

impl<'a> From<&'a Document> for Source<'a> {
    fn from(document: &'a Document) -> Self {
        Self::Document(document)
    }
}

/// A conversion about to be made; made by [`Client::convert`]. Await it for the [`Conversion`].
#[must_use = "nothing is converted unless this is awaited"]
#[derive(Debug)]
pub struct Convert<'a> {
    client: &'a Client,
    source: Source<'a>,
    options: Option<ConvertOptions>,
}

impl Convert<'_> {
    /// How to convert; by chance and by the clock unless set, as [`convert_options`] says.
    pub fn convert_options(mut self, options: ConvertOptions) -> Self {
        self.options = Some(options);
        self
    }

    async fn send(self) -> Result<Conversion> {
        let options = self.options.unwrap_or_else(convert_options);
        let editor = match self.source {
            Source::Workflow(workflow) => return Ok(Conversion::from(workflow.clone())),
            Source::Editor(editor) => editor,
            Source::Document(document) => match &document.editor {
                Some(editor) if document.needs_schemas() => editor,
                editor => {
                    // With them, values that are changed later have their places in the editor's document.
                    let schemas = match editor {
                        Some(editor) => self.client.schemas_for(&classes(editor)).await.ok(),
                        None => None,
                    };
                    let schemas = schemas.map(|(schemas, _)| schemas).unwrap_or_default();
                    let conversion = document.clone().into_workflow(&schemas, &options);
                    return conversion.map_err(|error| Error::workflow("the document cannot be used", error));
                }
            },
        };
        let classes = classes(editor);
        let (schemas, certain) = self.client.schemas_for(&classes).await?;
        let conversion = converted(editor, &schemas, &options).await?;
        let is_known = |class: &str| classes.contains(class) || editor.subgraphs().contains_key(class);
        let in_doubt = |problem: &Problem| match &problem.class_type {
            Some(class) => !certain || !is_known(class),
            None => !certain,
        };
        if !conversion.problems.iter().any(in_doubt) {
            return Ok(conversion);
        }
        match self.client.schemas_after(&schemas).await {
            Some(newer) => converted(editor, &newer, &options).await,
            None => Ok(conversion),
        }
    }
}

crate::api::awaitable!(Convert -> Conversion);

impl Client {
    /// Reads a file with a workflow in it: the API format, the editor's format, or a picture or another file of media
    /// that carries one. What it is, is told from the content. Of media only the metadata is read.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io), or [`ErrorKind::Workflow`](crate::ErrorKind::Workflow) when the file is
    /// empty, or nothing of it is a workflow.
    pub async fn open_document(&self, path: impl AsRef<Path>) -> Result<Document> {
        let path = path.as_ref().to_owned();
        let read = tokio::task::spawn_blocking(move || {
            let cannot_read = |error| Error::io(format!("cannot read {}", path.display()), error);
            let file = File::open(&path).map_err(cannot_read)?;
            if file.metadata().map_err(cannot_read)?.is_dir() {
                return Err(cannot_read(std::io::ErrorKind::IsADirectory.into()));
            }
            Document::from_reader(BufReader::new(file))
                .map_err(|error| Error::workflow(format!("{} cannot be used", path.display()), error))
        });
        read.await.unwrap_or_else(|error| Err(Error::io("reading was stopped", std::io::Error::other(error))))
    }

    /// Reads a workflow from a file as [`open_document`](Self::open_document) does, and converts it with the server's
    /// node schemas where it is in the editor's format. The editor's document stays with the workflow, and is written
    /// into the pictures that it makes.
    ///
    /// Warnings of the conversion are logged. To see them, or to convert with other options than [`convert_options`],
    /// take the two steps apart:
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sim = comfy_sim::Sim::start().await?;
    /// # let client = comfy_api_client::Client::connect(sim.url()).await?;
    /// # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/hello-editor.json");
    /// use comfy_api_client::workflow::convert::{ConvertOptions, DynamicPrompts};
    ///
    /// let document = client.open_document(file).await?;
    /// let options = ConvertOptions::new().dynamic_prompts(DynamicPrompts::Random(42));
    /// let conversion = client.convert(&document).convert_options(options).await?;
    /// for problem in &conversion.problems {
    ///     println!("{}: {problem}", problem.severity);
    /// }
    /// # assert!(conversion.problems.is_empty());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`open_document`](Self::open_document) and [`convert`](Self::convert), or
    /// [`ErrorKind::Conversion`](crate::ErrorKind::Conversion) where the workflow cannot be converted.
    pub async fn open_workflow(&self, path: impl AsRef<Path>) -> Result<Workflow> {
        let path = path.as_ref();
        let document = self.open_document(path).await?;
        usable(self.convert(&document).await?, &path.display().to_string())
    }

    /// Reads a template from a file that declares parameters ([`TemplateFile`]), and the workflow that it names, from its
    /// own folder, as [`open_workflow`](Self::open_workflow) does. Types, ranges and choices that are not declared are
    /// those of the server's node schemas.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sim = comfy_sim::Sim::start().await?;
    /// # let client = comfy_api_client::Client::connect(sim.url()).await?;
    /// # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/hello.template.toml");
    /// let template = client.open_template(file).await?;
    /// let workflow = template.fill([("color", "255"), ("size", "64")])?;
    /// let outputs = client.submit(&workflow).await?.await?;
    /// # assert_eq!(outputs.files().count(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io), or [`ErrorKind::Workflow`](crate::ErrorKind::Workflow) when the file is
    /// no template, names no workflow, or does not fit to its nodes; those of [`open_workflow`](Self::open_workflow) and
    /// [`schemas`](Self::schemas).
    pub async fn open_template(&self, path: impl AsRef<Path>) -> Result<Template> {
        let path = path.as_ref();
        let shown = path.display();
        let unusable = |error| Error::workflow(format!("{shown} cannot be used"), error);
        let bytes = tokio::fs::read(path).await;
        let bytes = bytes.map_err(|error| Error::io(format!("cannot read {shown}"), error))?;
        let file = TemplateFile::from_slice(&bytes).map_err(unusable)?;
        let beside = file.workflow().ok_or_else(|| {
            Error::new(
                ErrorKind::Workflow,
                format!("{shown} names no workflow; say which it is for, as `workflow = \"hello.json\"`"),
            )
        })?;
        let workflow = self.open_workflow(path.with_file_name(beside)).await?;
        file.into_template(workflow, &*self.schemas().await?).map_err(unusable)
    }

    /// Converts a workflow of the editor to the API format with the server's node schemas; others are taken as they are.
    /// Await the result for the [`Conversion`], which has problems beside the workflow: with errors among them it is not
    /// fit to run.
    ///
    /// Of a document that holds both formats the API format counts, and what is changed in the result later is written into
    /// the editor's document too, where the server gives its schemas.
    ///
    /// Schemas that are [kept](Self::schemas) are never why there are problems: then the server is asked for its
    /// present ones, and the workflow converted again.
    ///
    /// # Errors
    /// Those of the connection, where schemas are needed.
    pub fn convert<'a>(&'a self, source: impl Into<Source<'a>>) -> Convert<'a> {
        Convert { client: self, source: source.into(), options: None }
    }
}

/// How workflows of the editor are converted unless the program says otherwise: dynamic prompts (`{day|night}`) at
/// random, and dates in names of files as the clock of this machine shows them, now.
#[must_use]
pub fn convert_options() -> ConvertOptions {
    ConvertOptions::new().dynamic_prompts(DynamicPrompts::Random(random_seed())).now(local_time())
}

/// What the clock of this machine shows, in its time zone.
#[must_use]
pub fn local_time() -> LocalTime {
    let now = chrono::Local::now();
    // Each is far below 256.
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    LocalTime {
        year: now.year(),
        month: small(now.month()),
        day: small(now.day()),
        hour: small(now.hour()),
        minute: small(now.minute()),
        second: small(now.second()),
    }
}

/// Converts on a thread of its own: a large document takes longer than other tasks should wait.
async fn converted(
    editor: &EditorWorkflow,
    schemas: &Arc<Schemas>,
    options: &ConvertOptions,
) -> Result<Conversion> {
    let (editor, schemas, options) = (editor.clone(), Arc::clone(schemas), options.clone());
    let work = tokio::task::spawn_blocking(move || convert(&editor, &schemas, &options));
    work.await.map_err(|error| Error::io("the conversion was stopped", std::io::Error::other(error)))
}

/// The workflow of a conversion, of which warnings are logged and errors are one.
pub(crate) fn usable(conversion: Conversion, name: &str) -> Result<Workflow> {
    if conversion.has_errors() {
        return Err(Error::not_converted(name, conversion.problems));
    }
    for problem in &conversion.problems {
        tracing::warn!(%problem, "a workflow was converted");
    }
    Ok(conversion.workflow)
}

/// The classes of all nodes, also of those in subgraphs and in the older groups of nodes.
fn classes(editor: &EditorWorkflow) -> BTreeSet<&str> {
    let graphs = std::iter::once(editor.root()).chain(editor.subgraphs().values());
    let in_graphs = graphs.flat_map(|graph| &graph.nodes).map(|node| node.class_type.as_str());
    let groups = editor.document().pointer("/extra/groupNodes").and_then(|groups| groups.as_object());
    let groups = groups.into_iter().flat_map(|groups| groups.values());
    let in_groups = groups.filter_map(|group| group.get("nodes")?.as_array()).flatten();
    let in_groups = in_groups.filter_map(|node| node.get("type")?.as_str());
    let is_of_server = |class: &&str| !class.is_empty() && !editor.subgraphs().contains_key(*class);
    in_graphs.chain(in_groups).filter(is_of_server).collect()
}
