//! The values of widgets by their names, as the editor shows them on its nodes.

use std::collections::HashMap;

use serde_json::Value;

use super::groups::GroupNodes;
use super::live::{self, Kind};
use crate::editor::{EditorWorkflow, GraphNode};
use crate::schema::Schemas;

/// The values of the nodes of a document whose classes are known, by name.
#[derive(Debug, Default)]
pub(crate) struct NamedValues {
    /// By the address of the node in the document's view: ids are not unique across graphs, and in broken files not
    /// within one.
    values: HashMap<*const GraphNode, Vec<(String, Value)>>,
}

impl NamedValues {
    pub(crate) fn new(editor: &EditorWorkflow, schemas: &Schemas) -> Self {
        let groups = GroupNodes::of(editor, schemas);
        let live = live::build(editor, &groups, schemas);
        let nodes = live.graphs.iter().flat_map(|graph| &graph.nodes);
        let known = nodes.filter(|node| matches!(node.kind, Kind::Known(_) | Kind::Host(_)));
        let values = known.map(|node| {
            let widgets = node.widgets.iter();
            let own = widgets.filter_map(|widget| Some((widget.name.to_string(), widget.value.clone()?)));
            let inside = node
                .overrides
                .iter()
                .filter_map(|inside| Some((inside.widget.clone(), inside.value.clone()?)));
            (std::ptr::from_ref(node.source), own.chain(inside).collect())
        });
        Self { values: values.collect() }
    }

    /// The values of a node of the document that this was made from; `None` when its class is not known.
    pub(crate) fn of(&self, node: &GraphNode) -> Option<&[(String, Value)]> {
        self.values.get(&std::ptr::from_ref(node)).map(Vec::as_slice)
    }
}
