//! Workflows written in code.

mod check;
mod error;
mod resolve;
mod value;

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use serde_json::Value;

pub use error::{BuildError, BuildProblem, BuildProblemKind};
pub use value::{InputValue, Output, Slot};

use self::resolve::Resolver;
use crate::schema::Schemas;
use crate::{NodeId, Workflow};

/// Writes a workflow in code: nodes, their inputs, and links between them.
///
/// [`add`](Self::add) gives a handle of the new node, whose inputs are [set](NodeHandle::set) to values and to
/// [outputs](NodeHandle::output) of other nodes. Nothing is checked before [`build_with`](Self::build_with), which knows the
/// schemas and tells all mistakes at once, or [`build`](Self::build), which knows none.
///
/// ```
/// use comfy_workflow::WorkflowBuilder;
/// use comfy_workflow::schema::Schemas;
/// # let schemas = Schemas::from_value(serde_json::json!({
/// #     "EmptyImage": {"input": {"required": {
/// #         "width": ["INT", {"default": 512, "min": 1}], "height": ["INT", {"default": 512}],
/// #         "batch_size": ["INT", {"default": 1}], "color": ["INT", {"default": 0}],
/// #     }}, "output": ["IMAGE"], "output_name": ["IMAGE"]},
/// #     "ImageInvert": {"input": {"required": {"image": ["IMAGE"]}}, "output": ["IMAGE"], "output_name": ["IMAGE"]},
/// #     "SaveImage": {"input": {"required": {"images": ["IMAGE"], "filename_prefix": ["STRING", {"default": "ComfyUI"}]}},
/// #         "output": [], "output_node": true},
/// # }))?;
///
/// let graph = WorkflowBuilder::new();
/// let image = graph.add("EmptyImage").set("width", 64).set("height", 64);
/// let inverted = graph.add("ImageInvert").set("image", image.output("IMAGE"));
/// graph.add("SaveImage").title("Result").set("images", inverted.output(0));
///
/// let workflow = graph.build_with(&schemas)?;
/// assert_eq!(workflow.get("SaveImage.filename_prefix")?, "ComfyUI", "the schema's default");
///
/// image.set("widht", 32);
/// assert_eq!(
///     graph.build_with(&schemas).unwrap_err().to_string(),
///     "node 1 (EmptyImage): input widht: no such input; did you mean `width`?"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The inputs of dynamic ones have dotted names: `.set("resize_type", "scale width").set("resize_type.width", 64)`. The row of a
/// growing input is set as a whole with [`set_row`](NodeHandle::set_row), or one by one (`.set("images.image0", …)`).
#[derive(Debug, Default)]
pub struct WorkflowBuilder {
    graph: Shared,
}

/// A node of a [`WorkflowBuilder`]: a handle that is cheap to clone, and shares the builder's nodes.
#[derive(Clone)]
pub struct NodeHandle {
    graph: Shared,
    place: usize,
}

type Shared = Arc<Mutex<Graph>>;

#[derive(Debug, Default)]
struct Graph {
    drafts: Vec<Draft>,
    ids: HashSet<NodeId>,
    /// The last id that was chosen automatically.
    last: u64,
}

/// A node as it was written down.
#[derive(Debug, Clone)]
struct Draft {
    id: NodeId,
    class_type: String,
    title: Option<String>,
    inputs: IndexMap<String, Input>,
}

#[derive(Debug, Clone)]
struct Input {
    given: Given,
    /// Whether it need not be in the schema.
    is_undeclared: bool,
}

/// What an input was set to.
#[derive(Debug, Clone)]
enum Given {
    Value(Value),
    /// An output of the node at this place.
    Link(usize, Slot),
    /// An output of a node of another builder.
    Foreign,
    Row(Vec<Self>),
}

fn lock(graph: &Shared) -> MutexGuard<'_, Graph> {
    // What is written down stays whole whenever a thread ends.
    graph.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WorkflowBuilder {
    /// A builder without nodes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node of a class. Its id is the next free number, unless [another](NodeHandle::id) is chosen.
    pub fn add(&self, class_type: impl Into<String>) -> NodeHandle {
        let mut graph = lock(&self.graph);
        let id = loop {
            graph.last += 1;
            let id = NodeId::from(graph.last);
            if graph.ids.insert(id.clone()) {
                break id;
            }
        };
        let place = graph.drafts.len();
        graph.drafts.push(Draft { id, class_type: class_type.into(), title: None, inputs: IndexMap::new() });
        NodeHandle { graph: Arc::clone(&self.graph), place }
    }

    /// The workflow, checked for what can be known without schemas: ids that differ, links within the builder and without
    /// cycles. Outputs are named by number then.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn build(&self) -> Result<Workflow, BuildError> {
        self.resolve(None)
    }

    /// The workflow, checked against schemas: that its classes, inputs and outputs exist, and that a server would accept every
    /// one of its nodes, as [`validate`](crate::validate) sees it. Required inputs that were not set get the default that their
    /// schema declares; those without a declared default are missing.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn build_with(&self, schemas: &Schemas) -> Result<Workflow, BuildError> {
        self.resolve(Some(schemas))
    }

    fn resolve(&self, schemas: Option<&Schemas>) -> Result<Workflow, BuildError> {
        let drafts = lock(&self.graph).drafts.clone();
        Resolver::new(&drafts, schemas).run()
    }
}

impl NodeHandle {
    /// Sets an input to a value or to an [output](Self::output); what it was set to before is forgotten.
    ///
    /// Values are what [`serde_json::Value`] can be made from. A list is always a value, never a link: it is wrapped as servers
    /// want it (`{"__value__": […]}`).
    pub fn set(&self, input: impl Into<String>, value: impl Into<InputValue>) -> Self {
        let given = self.given(value.into());
        self.put(input.into(), given, false)
    }

    /// Sets the row of a growing input, such as the `images` of `BatchImagesNode`: the first value to `images.image0`, and so on,
    /// by the names in the schema, which [`build_with`](WorkflowBuilder::build_with) has.
    pub fn set_row<V: Into<InputValue>>(
        &self,
        input: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let row = values.into_iter().map(|value| self.given(value.into())).collect();
        self.put(input.into(), Given::Row(row), false)
    }

    /// Sets an input that the schema need not have: some custom nodes take more than they declare.
    pub fn set_undeclared(&self, input: impl Into<String>, value: impl Into<InputValue>) -> Self {
        let given = self.given(value.into());
        self.put(input.into(), given, true)
    }

    /// Gives the node a title.
    pub fn title(&self, title: impl Into<String>) -> Self {
        let title = title.into();
        self.change(|graph, place| {
            if let Some(draft) = graph.drafts.get_mut(place) {
                draft.title = Some(title);
            }
        })
    }

    /// Gives the node an id. Numbers that nodes got automatically are taken.
    pub fn id(&self, id: impl Into<NodeId>) -> Self {
        let id = id.into();
        self.change(|graph, place| {
            if let Some(draft) = graph.drafts.get_mut(place) {
                graph.ids.remove(&draft.id);
                graph.ids.insert(id.clone());
                draft.id = id;
            }
        })
    }

    /// The node's id, which names its outputs among those of a run.
    #[must_use]
    pub fn node_id(&self) -> NodeId {
        let graph = lock(&self.graph);
        // Nodes are never taken out.
        graph.drafts.get(self.place).map_or_else(|| NodeId::from(""), |draft| draft.id.clone())
    }

    /// One of the node's outputs: by its number, from 0, or by its name, as far as schemas are at hand. A name is that of the
    /// output, else the type that only one of the outputs has.
    #[must_use]
    pub fn output(&self, slot: impl Into<Slot>) -> Output {
        Output { node: self.clone(), slot: slot.into() }
    }

    fn given(&self, value: InputValue) -> Given {
        match value.into_output() {
            Err(value) => Given::Value(value),
            Ok(output) if Arc::ptr_eq(&output.node.graph, &self.graph) => {
                Given::Link(output.node.place, output.slot)
            }
            Ok(_) => Given::Foreign,
        }
    }

    fn put(&self, input: String, given: Given, is_undeclared: bool) -> Self {
        self.change(|graph, place| {
            if let Some(draft) = graph.drafts.get_mut(place) {
                draft.inputs.insert(input, Input { given, is_undeclared });
            }
        })
    }

    fn change(&self, change: impl FnOnce(&mut Graph, usize)) -> Self {
        change(&mut lock(&self.graph), self.place);
        self.clone()
    }
}

/// Without the other nodes.
impl fmt::Debug for NodeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let graph = lock(&self.graph);
        let draft = graph.drafts.get(self.place);
        f.debug_struct("NodeHandle")
            .field("id", &draft.map(|draft| &draft.id))
            .field("class_type", &draft.map(|draft| &draft.class_type))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
