//! Drawings of workflows as SVG, for people to look at.
//!
//! A workflow of the editor is drawn as the user laid it out: places, sizes and colours of nodes, groups, notes, reroutes,
//! what is muted, bypassed or collapsed, and below it the insides of its subgraphs. A workflow in the API format has no
//! places, and is laid out from left to right.
//!
//! The drawing needs nothing from elsewhere: no fonts, no scripts, no pictures. It follows the reader's preference for light
//! or dark colours unless a [`Theme`] is chosen. Pointing at a node shows its whole values.

mod api;
mod color;
mod editor;
mod ends;
mod layout;
mod reroutes;
mod scene;
mod style;
mod svg;
mod text;

use std::fmt;

use serde_json::Value;

use self::scene::Scene;
use crate::Workflow;
use crate::editor::{EditorWorkflow, Mode};
use crate::schema::Schemas;

/// Most nodes that are drawn, of a graph and of all its subgraphs together. No one looks at more, and files have any number.
const MOST_NODES: usize = 20_000;
/// Most nodes of a workflow whose values are drawn.
const DETAILED: usize = 2_000;
/// Most characters of a tooltip.
const MOST_TOOLTIP: usize = 3_000;

/// A drawing of a workflow. `Display` writes it as SVG.
///
/// ```
/// use comfy_workflow::Workflow;
/// use comfy_workflow::diagram::{Diagram, Theme};
///
/// let workflow: Workflow = r#"{
///     "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
///     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "hello"}}
/// }"#.parse()?;
/// let svg = Diagram::of_workflow(&workflow).title("hello").theme(Theme::Dark).to_string();
/// assert!(svg.starts_with("<svg "));
/// # Ok::<(), comfy_workflow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Diagram<'a> {
    source: Source<'a>,
    schemas: Option<&'a Schemas>,
    theme: Theme,
    title: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    Api(&'a Workflow),
    Editor(&'a EditorWorkflow),
}

/// The colours of a [`Diagram`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Theme {
    /// Those that the reader prefers (`prefers-color-scheme`); light where that is not known.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark, as in the editor.
    Dark,
}

impl<'a> Diagram<'a> {
    /// A drawing of a workflow in the API format, laid out from left to right.
    #[must_use]
    pub fn of_workflow(workflow: &'a Workflow) -> Self {
        Self { source: Source::Api(workflow), schemas: None, theme: Theme::Auto, title: None }
    }

    /// A drawing of a workflow of the editor, as the user laid it out. Where the file has no places, they are found.
    #[must_use]
    pub fn of_editor(editor: &'a EditorWorkflow) -> Self {
        Self { source: Source::Editor(editor), schemas: None, theme: Theme::Auto, title: None }
    }

    /// Names values, outputs and types by what a server says of its node classes.
    #[must_use]
    pub fn schemas(mut self, schemas: &'a Schemas) -> Self {
        self.schemas = Some(schemas);
        self
    }

    /// Chooses the colours.
    #[must_use]
    pub fn theme(mut self, theme: Theme) -> Self {
        self.theme = theme;
        self
    }

    /// The title above the drawing, such as the name of the file.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }
}

impl fmt::Display for Diagram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (panels, left_out) = match self.source {
            Source::Api(workflow) => {
                let (panel, left_out) = api::panel(workflow, self.schemas);
                (vec![panel], left_out)
            }
            Source::Editor(editor) => editor::panels(editor, self.schemas),
        };
        let title = self.title.as_deref().filter(|title| !title.trim().is_empty());
        let title = text::clipped(title.unwrap_or("ComfyUI workflow"), 200);
        f.write_str(&svg::write(&Scene { title, panels, left_out }, self.theme))
    }
}

/// All about a node, in lines.
fn tooltip<'v>(
    id: &str,
    title: &str,
    class_type: &str,
    mode: Option<Mode>,
    values: impl Iterator<Item = (Option<&'v str>, &'v Value)>,
) -> String {
    let mode = match mode {
        Some(Mode::Muted) => ", muted",
        Some(Mode::Bypassed) => ", bypassed",
        _ => "",
    };
    let mut lines = format!("{} (node {}{mode})", text::clipped(title, 200), text::clipped(id, 100));
    if class_type != title {
        lines.push_str(&format!("\n{}", text::clipped(class_type, 200)));
    }
    for (name, value) in values {
        if lines.len() > MOST_TOOLTIP {
            lines.push_str("\n…");
            break;
        }
        let value = match (crate::Link::from_value(value), value) {
            (Some(link), _) => format!("from node {} output {}", text::clipped(link.node, 100), link.slot),
            (None, Value::String(value)) => text::clipped(value, 1_000),
            (None, other) => text::clipped(&other.to_string(), 1_000),
        };
        match name {
            Some(name) => lines.push_str(&format!("\n{}: {value}", text::clipped(name, 100))),
            None => lines.push_str(&format!("\n{value}")),
        }
    }
    lines
}

#[cfg(test)]
mod tests;
