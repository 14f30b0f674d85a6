//! From the editor's format to the API format: what the editor does when its user presses Run.
//!
//! [`convert`] needs the node schemas of the server ([`Schemas`]), since the editor's file does not name the values of a
//! node's widgets. It never fails and never guesses in silence: what it could not turn into what the user may have wanted
//! is among the [`Conversion::problems`].
//!
//! ```
//! use comfy_workflow::convert::{ConvertOptions, convert};
//! use comfy_workflow::editor::EditorWorkflow;
//! use comfy_workflow::schema::Schemas;
//! use serde_json::json;
//!
//! let schemas = Schemas::from_value(json!({
//!     "EmptyImage": {"input": {"required": {"width": ["INT"], "seed": ["INT"], "color": ["INT"]}}, "output": ["IMAGE"]},
//!     "PreviewImage": {"input": {"required": {"images": ["IMAGE"]}}, "output_node": true},
//! }))?;
//! let editor = EditorWorkflow::from_value(json!({
//!     "nodes": [
//!         {"id": 7, "type": "EmptyImage", "widgets_values": [64, 5, "randomize", 255]},
//!         {"id": 8, "type": "PreviewImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 1}]},
//!     ],
//!     "links": [[1, 7, 0, 8, 0, "IMAGE"]],
//! }))?;
//! let conversion = convert(&editor, &schemas, &ConvertOptions::new());
//! assert!(conversion.problems.is_empty());
//! assert_eq!(conversion.workflow.get("EmptyImage.color")?, 255);
//! assert_eq!(conversion.workflow.get("PreviewImage.images")?, &json!(["7", 0]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod collect;
mod connect;
mod groups;
mod host;
mod live;
mod named;
mod options;
mod prefix;
mod primitive;
mod problem;
mod resolve;
mod script;
mod sources;
mod texts;
mod widgets;

pub(crate) use named::NamedValues;
pub use options::{ConvertOptions, DynamicPrompts, LocalTime};
pub use problem::{Problem, ProblemKind};
pub(crate) use sources::Sources;

use crate::Workflow;
use crate::editor::EditorWorkflow;
use crate::schema::Schemas;
pub use crate::severity::Severity;

/// What a conversion gives.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Conversion {
    /// What a server runs. It keeps the editor's document beside it; see [`Workflow::editor_document`].
    pub workflow: Workflow,
    /// What could not be converted, or may not be what was wanted.
    pub problems: Vec<Problem>,
}

impl Conversion {
    /// Whether a problem makes the result unfit to run.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }
}

impl From<Workflow> for Conversion {
    /// The result where there is nothing to convert.
    fn from(workflow: Workflow) -> Self {
        Self { workflow, problems: Vec::new() }
    }
}

/// Converts a workflow of the editor.
#[must_use]
pub fn convert(editor: &EditorWorkflow, schemas: &Schemas, options: &ConvertOptions) -> Conversion {
    let groups = groups::GroupNodes::of(editor, schemas);
    let mut live = live::build(editor, &groups, schemas);
    let mut problems = std::mem::take(&mut live.problems);
    let mut collector = collect::Collector::new(&live, schemas, options);
    collector.graph(0, &mut Vec::new());
    problems.append(&mut collector.problems);
    let (mut workflow, sources) = (collector.workflow, collector.sources);
    workflow.attach(editor.clone(), sources);
    Conversion { workflow, problems }
}

#[cfg(test)]
mod tests;
