use serde_json::{Map, Value};

use crate::NodeId;

/// A graph of the editor: the outermost one, or the definition of a subgraph.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Graph {
    /// The id of a definition; the outermost graph may have one as well.
    pub id: String,
    /// The name of a definition.
    pub name: String,
    /// The nodes in document order.
    pub nodes: Vec<GraphNode>,
    /// The links in document order.
    pub links: Vec<GraphLink>,
    /// The frames drawn around nodes.
    pub groups: Vec<Group>,
    /// The inputs of a definition.
    pub inputs: Vec<Port>,
    /// The outputs of a definition.
    pub outputs: Vec<Port>,
    /// The node id by which links name the inputs of a definition; `-10` in every known file.
    pub input_node: NodeId,
    /// The node id by which links name the outputs of a definition; `-20` in every known file.
    pub output_node: NodeId,
}

/// A node of a [`Graph`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GraphNode {
    /// The id, unique within its graph in sound files.
    pub id: NodeId,
    /// The node class, the id of a subgraph, or a class of the editor's own such as `Reroute`. May be empty.
    pub class_type: String,
    /// The title that the user gave it.
    pub title: Option<String>,
    /// Whether it takes part.
    pub mode: Mode,
    /// The inputs that the file lists, which need not be all; `None` when the file has no list.
    pub inputs: Option<Vec<InputSlot>>,
    /// The outputs that the file lists.
    pub outputs: Vec<OutputSlot>,
    /// The values of its widgets.
    pub widgets_values: WidgetValues,
    /// Its properties.
    pub properties: Map<String, Value>,
    /// Left upper corner in pixels of the drawing, without the title bar.
    pub position: [f64; 2],
    /// Width and height in pixels of the drawing, without the title bar.
    pub size: [f64; 2],
    /// The colour of the title bar, as in CSS.
    pub color: Option<String>,
    /// The colour of the body, as in CSS.
    pub background: Option<String>,
    /// Whether only the title bar is drawn.
    pub collapsed: bool,
    /// The place in the list of nodes of the document, which the place in [`Graph::nodes`] need not be.
    pub place: usize,
}

/// Whether a node takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Mode {
    /// It runs.
    #[default]
    Active,
    /// It and what depends on it is left out (mode 2).
    Muted,
    /// It passes its inputs on to its outputs (mode 4).
    Bypassed,
}

/// An input of a node as the file lists it.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct InputSlot {
    /// The name.
    pub name: String,
    /// The name that is drawn, when it is another.
    pub label: Option<String>,
    /// The type, such as `IMAGE`; may be empty.
    pub type_name: String,
    /// The id of the link that ends here.
    pub link: Option<i64>,
    /// The name of the widget that the input stands for.
    pub widget: Option<String>,
}

/// An output of a node as the file lists it.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct OutputSlot {
    /// The name.
    pub name: String,
    /// The name that is drawn, when it is another.
    pub label: Option<String>,
    /// The type, such as `IMAGE`; may be empty.
    pub type_name: String,
}

/// The values of a node's widgets as the file has them.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum WidgetValues {
    /// The file has none.
    #[default]
    None,
    /// In the order of the widgets.
    List(Vec<Value>),
    /// By name, as some packs save them.
    Named(Map<String, Value>),
}

/// A link of a [`Graph`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GraphLink {
    /// The id by which inputs name it.
    pub id: i64,
    /// The node it comes from.
    pub origin: NodeId,
    /// The output it comes from.
    pub origin_slot: usize,
    /// The node it leads to.
    pub target: NodeId,
    /// The input it leads to, counted in the file's list; `None` when the file says no number that can be one.
    pub target_slot: Option<usize>,
    /// The type of what it carries; may be empty.
    pub type_name: String,
}

/// An input or output of the definition of a subgraph.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Port {
    /// The name, by which nodes that stand for the subgraph list it.
    pub name: String,
    /// The name that is drawn, when it is another.
    pub label: Option<String>,
    /// The type.
    pub type_name: String,
    /// The ids of the links inside the definition that begin or end here.
    pub links: Vec<i64>,
}

/// A frame drawn around nodes.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Group {
    /// What stands above it.
    pub title: String,
    /// x, y, width and height in pixels of the drawing.
    pub bounding: [f64; 4],
    /// Its colour, as in CSS.
    pub color: Option<String>,
}

/// An end of the links of a definition that is not a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flow {
    /// What comes into the subgraph.
    Inputs,
    /// What leaves it.
    Outputs,
}

impl Graph {
    /// The node with this id; the first if there are several.
    #[must_use]
    pub fn node(&self, id: &str) -> Option<&GraphNode> {
        self.nodes.iter().find(|node| node.id == id)
    }

    /// The link with this id; the first if there are several.
    #[must_use]
    pub fn link(&self, id: i64) -> Option<&GraphLink> {
        self.links.iter().find(|link| link.id == id)
    }

    /// Whether a node id of a link stands for the inputs or the outputs of the definition.
    #[must_use]
    pub fn flow(&self, id: &NodeId) -> Option<Flow> {
        if self.inputs.is_empty() && self.outputs.is_empty() {
            return None;
        }
        match id {
            id if *id == self.input_node => Some(Flow::Inputs),
            id if *id == self.output_node => Some(Flow::Outputs),
            _ => None,
        }
    }
}

impl GraphNode {
    /// The inputs that the file lists.
    #[must_use]
    pub fn inputs(&self) -> &[InputSlot] {
        self.inputs.as_deref().unwrap_or_default()
    }

    /// The listed input of this name.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&InputSlot> {
        self.inputs().iter().find(|input| input.name == name)
    }
}
