//! The graphs of a document as the editor has them in memory: every node with all its inputs, widgets and links.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Severity;
use super::groups::GroupNodes;
use super::host;
use super::problem::{Problem, ProblemKind};
use super::widgets::{self, Slot, Stored, Widget};
use crate::NodeId;
use crate::editor::{EditorWorkflow, Graph, GraphLink, GraphNode, InputSlot, Mode, WidgetValues};
use crate::schema::{InputType, NodeSchema, Schemas, most_similar};
use crate::workflow::clip;

/// Classes that the editor alone knows, and that never reach a server.
const NOTES: [&str; 2] = ["Note", "MarkdownNote"];

/// Widespread packs have nodes that live in the editor alone as well: further reroutes, and pairs that carry a value without
/// a line: what `SetNode` takes comes out of every `GetNode` that stores the same name.
const REROUTES: [&str; 3] = ["Reroute", "Reroute (rgthree)", "SetNode"];
const GET: &str = "GetNode";

/// How deep subgraphs may nest.
const DEPTH: usize = 100;

/// Classes whose names have changed.
const RENAMED: [(&str, &str); 5] = [
    ("T2IAdapterLoader", "ControlNetLoader"),
    ("ConditioningAverage ", "ConditioningAverage"),
    ("SDV_img2vid_Conditioning", "SVD_img2vid_Conditioning"),
    ("Load3DAnimation", "Load3D"),
    ("Preview3DAnimation", "Preview3D"),
];

/// All graphs of a document. The first is the outermost.
pub(super) struct Live<'a> {
    pub(super) graphs: Vec<LiveGraph<'a>>,
    pub(super) problems: Vec<Problem>,
}

pub(super) struct LiveGraph<'a> {
    pub(super) graph: &'a Graph,
    pub(super) nodes: Vec<LiveNode<'a>>,
    /// The places of nodes by the ids that links use.
    pub(super) by_id: HashMap<&'a str, usize>,
    /// The links that leave the definition, by its output.
    pub(super) leaving: HashMap<usize, &'a GraphLink>,
    /// The places of nodes that other nodes get a value from by its name.
    pub(super) sets: HashMap<&'a str, usize>,
    /// By input of the definition: the value of the widget it leads to, where it leads to one.
    pub(super) promoted: Vec<Option<Option<Value>>>,
    /// How many nodes of the document stand for this definition.
    pub(super) uses: usize,
}

pub(super) struct LiveNode<'a> {
    pub(super) source: &'a GraphNode,
    /// The id, unique within the graph.
    pub(super) id: NodeId,
    pub(super) class_type: &'a str,
    pub(super) kind: Kind<'a>,
    pub(super) slots: Vec<Slot<'a>>,
    pub(super) widgets: Vec<Widget<'a>>,
    /// For a subgraph: widgets inside that it shows, and the values that it gives to them.
    pub(super) overrides: Vec<Override>,
    /// For a widget that a primitive node drives: that node, whose stored value is the widget's.
    pub(super) driven: HashMap<usize, usize>,
}

/// A widget of an inner node that a subgraph's node shows as its own.
pub(super) struct Override {
    pub(super) node: String,
    pub(super) widget: String,
    /// The value it gives to it. `None`: the inner node's own, unless a node further out has one.
    pub(super) value: Option<Value>,
    pub(super) stored: Stored,
}

#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    /// A node of a class that the server has.
    Known(&'a NodeSchema),
    /// A node that stands for the graph at this place.
    Host(usize),
    /// A legacy reroute, or what is like one: passes its input on.
    Reroute,
    /// Gives what the reroute that stores the same name takes.
    Get,
    /// A value of the editor, pushed into the widgets that it is linked to.
    Primitive,
    /// A note, or what else gives nothing.
    Note,
    Unknown,
}

/// What building needs to know everywhere.
pub(super) struct Builder<'a> {
    schemas: &'a Schemas,
    definitions: HashMap<&'a str, Definition<'a>>,
    live: Live<'a>,
    /// How many definitions are under way.
    depth: usize,
    highest_id: i64,
}

struct Definition<'a> {
    graph: &'a Graph,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Waiting,
    UnderWay,
    Built(usize),
}

pub(super) fn build<'a>(
    editor: &'a EditorWorkflow,
    groups: &'a GroupNodes,
    schemas: &'a Schemas,
) -> Live<'a> {
    let graphs = editor.subgraphs().iter().map(|(id, graph)| (id.as_str(), graph));
    let definitions = graphs
        .chain(groups.iter())
        .map(|(id, graph)| (id, Definition { graph, state: State::Waiting }))
        .collect();
    let live = Live { graphs: Vec::new(), problems: Vec::new() };
    let mut builder = Builder { schemas, definitions, live, depth: 0, highest_id: highest_id(editor) };
    for oddity in editor.oddities() {
        builder.live.problems.push(Problem::of_document(format!("{oddity}; it was passed over")));
    }
    // The outermost graph keeps the first place.
    builder.live.graphs.push(LiveGraph {
        graph: editor.root(),
        nodes: Vec::new(),
        by_id: HashMap::new(),
        leaving: HashMap::new(),
        sets: HashMap::new(),
        promoted: Vec::new(),
        uses: 1,
    });
    let root = builder.graph(editor.root(), Some(groups));
    builder.live.graphs[0] = root;
    builder.count_uses();
    builder.live.graphs[0].uses = 1;
    builder.live
}

impl<'a> Builder<'a> {
    fn fresh_id(&mut self) -> NodeId {
        self.highest_id += 1;
        NodeId::from(self.highest_id.to_string())
    }

    /// Builds a graph, after the definitions that it uses.
    fn graph(&mut self, graph: &'a Graph, groups: Option<&'a GroupNodes>) -> LiveGraph<'a> {
        let mut by_id = HashMap::new();
        let mut seen = HashSet::new();
        let mut nodes = Vec::with_capacity(graph.nodes.len());
        for (place, source) in graph.nodes.iter().enumerate() {
            by_id.entry(source.id.as_str()).or_insert(place);
            let class_type =
                groups.and_then(|groups| groups.definition_of(place)).unwrap_or(&source.class_type);
            // An id that an earlier node has is replaced by a fresh one.
            let id = match seen.insert(source.id.as_str()) {
                true => source.id.clone(),
                false => self.fresh_id(),
            };
            nodes.push(self.node(source, id, class_type));
        }
        let sets = nodes.iter().enumerate().filter(|(_, node)| node.class_type == "SetNode");
        let sets = sets.filter_map(|(place, node)| Some((stored_name(node.source)?, place))).collect();
        let mut live =
            LiveGraph { graph, nodes, by_id, leaving: HashMap::new(), sets, promoted: Vec::new(), uses: 0 };
        self.connect(&mut live);
        super::primitive::push(&mut live);
        for place in 0..live.nodes.len() {
            if let Kind::Host(definition) = live.nodes[place].kind {
                host::assign(&mut live.nodes[place], &self.live.graphs[definition]);
            }
        }
        live.promoted = host::promoted(&live);
        live
    }

    fn node(&mut self, source: &'a GraphNode, id: NodeId, class_type: &'a str) -> LiveNode<'a> {
        let mut node = LiveNode {
            source,
            id,
            class_type,
            kind: Kind::Unknown,
            slots: Vec::new(),
            widgets: Vec::new(),
            overrides: Vec::new(),
            driven: HashMap::new(),
        };
        match class_type {
            "Reroute" => node.kind = Kind::Reroute,
            "PrimitiveNode" => node.kind = Kind::Primitive,
            note if NOTES.contains(&note) => node.kind = Kind::Note,
            id if self.definitions.contains_key(id) => match self.definition(id) {
                Some(place) => {
                    node.kind = Kind::Host(place);
                    node.slots = host::slots(&self.live.graphs, place);
                }
                None => {
                    let message = "the subgraph contains itself, or nests too deep; open the workflow in the editor and take it apart";
                    self.report(&node, Severity::Error, ProblemKind::Cycle, None, message.into());
                    node.kind = Kind::Note;
                }
            },
            _ => self.known(&mut node),
        }
        if matches!(node.kind, Kind::Unknown) {
            match class_type {
                GET => node.kind = Kind::Get,
                reroute if REROUTES.contains(&reroute) => node.kind = Kind::Reroute,
                _ => {}
            }
        }
        if matches!(node.kind, Kind::Unknown | Kind::Reroute) {
            node.slots = source.inputs().iter().map(listed_slot).collect();
        }
        node
    }

    /// Lays out a node of a class of the server.
    fn known(&mut self, node: &mut LiveNode<'a>) {
        let renamed = || {
            let (_, new) = RENAMED.iter().find(|(old, _)| *old == node.class_type)?;
            self.schemas.get(new)
        };
        let Some(schema) = self.schemas.get(node.class_type).or_else(renamed) else { return };
        let mut layout = widgets::layout(schema, node.source.inputs(), &node.source.widgets_values);
        for (name, value) in std::mem::take(&mut layout.unknown_options) {
            if node.source.mode == Mode::Active {
                self.unknown_option(node, schema, &name, &value);
            }
        }
        if matches!(schema.name.as_str(), "KSampler" | "KSamplerAdvanced") {
            strip_old_sampler_name(&mut layout.widgets);
        }
        node.class_type = &schema.name;
        node.kind = Kind::Known(schema);
        node.slots = layout.slots;
        node.widgets = layout.widgets;
    }

    fn unknown_option(&mut self, node: &LiveNode<'a>, schema: &NodeSchema, name: &str, value: &Value) {
        let spec = schema.inputs.iter().find(|spec| &*spec.name == name);
        let near = spec.and_then(|spec| match &spec.kind {
            InputType::DynamicCombo(options) => {
                most_similar(value.as_str()?, options.iter().map(|option| option.key.as_str()))
            }
            _ => None,
        });
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let hint = near.map(|near| format!("; did you mean `{}`?", clip(near))).unwrap_or_default();
        let message = format!(
            "the server does not know the option `{}`, so the values and links that belong to it are lost{hint}",
            clip(&shown)
        );
        self.report(node, Severity::Error, ProblemKind::UnknownOption, Some(name), message);
    }

    /// The place of a definition's graph, which is built when it is needed first. `None` while it is being built.
    fn definition(&mut self, id: &str) -> Option<usize> {
        let definition = self.definitions.get_mut(id)?;
        match definition.state {
            State::Built(place) => return Some(place),
            State::UnderWay => return None,
            State::Waiting if self.depth >= DEPTH => return None,
            State::Waiting => definition.state = State::UnderWay,
        }
        let graph = definition.graph;
        self.depth += 1;
        let live = self.graph(graph, None);
        self.depth -= 1;
        let place = self.live.graphs.len();
        self.live.graphs.push(live);
        if let Some(definition) = self.definitions.get_mut(id) {
            definition.state = State::Built(place);
        }
        Some(place)
    }

    fn count_uses(&mut self) {
        let mut uses: HashMap<usize, usize> = HashMap::new();
        for graph in &self.live.graphs {
            for node in &graph.nodes {
                if let Kind::Host(definition) = node.kind {
                    *uses.entry(definition).or_default() += 1;
                }
            }
        }
        // What lies inside something used several times is used as often.
        for (place, graph) in self.live.graphs.iter_mut().enumerate().skip(1) {
            graph.uses = uses.get(&place).copied().unwrap_or(0);
        }
    }

    pub(super) fn report(
        &mut self,
        node: &LiveNode<'_>,
        severity: Severity,
        kind: ProblemKind,
        input: Option<&str>,
        message: String,
    ) {
        self.live.problems.push(node.problem(&node.id, severity, kind, input, message));
    }
}

impl LiveNode<'_> {
    /// A problem of this node, which has the id `id` in the result.
    pub(super) fn problem(
        &self,
        id: &NodeId,
        severity: Severity,
        kind: ProblemKind,
        input: Option<&str>,
        message: String,
    ) -> Problem {
        Problem {
            severity,
            kind,
            node: Some(id.clone()),
            title: self.source.title.clone().filter(|title| !title.is_empty()),
            class_type: Some(self.class_type.to_owned()).filter(|class| !class.is_empty()),
            input: input.map(str::to_owned),
            message,
        }
    }
}

pub(super) fn listed_slot(input: &InputSlot) -> Slot<'_> {
    Slot {
        name: Cow::Borrowed(&input.name),
        type_name: Cow::Borrowed(&input.type_name),
        widget: None,
        link: None,
    }
}

/// Old files name samplers `sample_euler`.
fn strip_old_sampler_name(widgets: &mut [Widget<'_>]) {
    let sampler = widgets.iter_mut().find(|widget| widget.name == "sampler_name");
    if let Some(Some(Value::String(name))) = sampler.map(|widget| &mut widget.value)
        && let Some(stripped) = name.strip_prefix("sample_")
    {
        *name = stripped.to_owned();
    }
}

/// The highest number that is the id of a node of the document, or was: the file may say so.
fn highest_id(editor: &EditorWorkflow) -> i64 {
    let said = [editor.document().get("last_node_id"), editor.document().pointer("/state/lastNodeId")];
    let said = said.into_iter().flatten().filter_map(Value::as_i64);
    let graphs = editor.subgraphs().values().chain([editor.root()]);
    let ids = graphs.flat_map(|graph| &graph.nodes).filter_map(|node| node.id.as_str().parse().ok());
    // Higher numbers are none that JavaScript counts with.
    said.chain(ids).filter(|id| *id < 1 << 53).max().unwrap_or(0)
}

/// The name under which a value is set or gotten.
pub(super) fn stored_name(node: &GraphNode) -> Option<&str> {
    stored_list(node).first()?.as_str()
}

/// The stored values as a list; none where the file has them by name.
pub(super) fn stored_list(node: &GraphNode) -> &[Value] {
    match &node.widgets_values {
        WidgetValues::List(values) => values,
        _ => &[],
    }
}
