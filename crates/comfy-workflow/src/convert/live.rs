//! The graphs of a document as the editor has them in memory: every node with all its inputs, widgets and links.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::groups::GroupNodes;
use super::host;
use super::problem::{Problem, ProblemKind, Severity};
use super::widgets::{self, Slot, Stored, Widget};
use crate::NodeId;
use crate::editor::{EditorWorkflow, Graph, GraphLink, GraphNode, InputSlot, Mode, WidgetValues};
use crate::schema::{InputType, NodeSchema, Schemas, most_similar};
use crate::workflow::clip;

/// Classes that the editor alone knows, and that never reach a server.
const NOTES: [&str; 2] = ["Note", "MarkdownNote"];

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
    /// For a subgraph: values that it gives to widgets inside.
    pub(super) overrides: Vec<Override>,
    /// For a widget that a primitive node drives: that node, whose stored value is the widget's.
    pub(super) driven: HashMap<usize, usize>,
}

/// A value that a subgraph's node gives to the widget of an inner node.
pub(super) struct Override {
    pub(super) node: String,
    pub(super) widget: String,
    pub(super) value: Value,
    pub(super) stored: Stored,
}

#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    /// A node of a class that the server has.
    Known(&'a NodeSchema),
    /// A node that stands for the graph at this place.
    Host(usize),
    /// A legacy reroute: passes its input on.
    Reroute,
    /// A value of the editor, pushed into the widgets that it is linked to.
    Primitive,
    /// A note.
    Note,
    Unknown,
}

/// What building needs to know everywhere.
pub(super) struct Builder<'a> {
    schemas: &'a Schemas,
    definitions: HashMap<&'a str, Definition<'a>>,
    live: Live<'a>,
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
    let mut builder =
        Builder { schemas, definitions, live: Live { graphs: Vec::new(), problems: Vec::new() } };
    for oddity in editor.oddities() {
        builder.live.problems.push(Problem {
            severity: Severity::Warning,
            kind: ProblemKind::Malformed,
            node: None,
            title: None,
            class_type: None,
            input: None,
            message: format!("{oddity}; it was passed over"),
        });
    }
    // The outermost graph keeps the first place.
    builder.live.graphs.push(LiveGraph {
        graph: editor.root(),
        nodes: Vec::new(),
        by_id: HashMap::new(),
        leaving: HashMap::new(),
        uses: 1,
    });
    let root = builder.graph(editor.root(), Some(groups));
    builder.live.graphs[0] = root;
    builder.count_uses();
    builder.live
}

impl<'a> Builder<'a> {
    /// Builds a graph, after the definitions that it uses.
    fn graph(&mut self, graph: &'a Graph, groups: Option<&'a GroupNodes>) -> LiveGraph<'a> {
        let mut by_id = HashMap::new();
        let mut ids = fresh_ids(graph);
        let mut nodes = Vec::with_capacity(graph.nodes.len());
        for (place, source) in graph.nodes.iter().enumerate() {
            by_id.entry(source.id.as_str()).or_insert(place);
            let class_type =
                groups.and_then(|groups| groups.definition_of(place)).unwrap_or(&source.class_type);
            let id = ids.next(source);
            nodes.push(self.node(source, id, class_type));
        }
        let mut live = LiveGraph { graph, nodes, by_id, leaving: HashMap::new(), uses: 0 };
        self.connect(&mut live);
        super::primitive::push(&mut live);
        for place in 0..live.nodes.len() {
            if let Kind::Host(definition) = live.nodes[place].kind {
                host::assign(&mut live.nodes[place], &self.live.graphs, definition);
            }
        }
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
                    let message = "the subgraph contains itself; remove it from its own inside in the editor";
                    self.report(&node, Severity::Error, ProblemKind::Cycle, None, message.into());
                }
            },
            _ => self.known(&mut node),
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
            State::Waiting => definition.state = State::UnderWay,
        }
        let graph = definition.graph;
        let live = self.graph(graph, None);
        let place = self.live.graphs.len();
        self.live.graphs.push(live);
        if let Some(definition) = self.definitions.get_mut(id) {
            definition.state = State::Built(place);
        }
        Some(place)
    }

    /// Gives every input the link that ends there.
    fn connect(&mut self, live: &mut LiveGraph<'a>) {
        let links: HashMap<i64, &'a GraphLink> =
            live.graph.links.iter().rev().map(|link| (link.id, link)).collect();
        let mut ends: HashMap<(&str, usize), Vec<&'a GraphLink>> = HashMap::new();
        for link in &live.graph.links {
            if let Some(slot) = link.target_slot {
                ends.entry((link.target.as_str(), slot)).or_default().push(link);
                if link.target == live.graph.output_node && !live.graph.outputs.is_empty() {
                    live.leaving.entry(slot).or_insert(link);
                }
            }
        }
        for (slot, port) in live.graph.outputs.iter().enumerate() {
            let listed = port.links.iter().find_map(|id| links.get(id));
            if let Some(link) = listed {
                live.leaving.entry(slot).or_insert(link);
            }
        }
        let origins: HashSet<&str> = live.by_id.keys().copied().collect();
        for node in &mut live.nodes {
            // A later node of the same id has no links of its own.
            if node.id != node.source.id {
                continue;
            }
            self.connect_node(node, live.graph, &links, &ends, &origins);
        }
    }

    fn connect_node(
        &mut self,
        node: &mut LiveNode<'a>,
        graph: &'a Graph,
        links: &HashMap<i64, &'a GraphLink>,
        ends: &HashMap<(&str, usize), Vec<&'a GraphLink>>,
        origins: &HashSet<&str>,
    ) {
        let listed = node.source.inputs.as_deref();
        let id = node.source.id.as_str();
        let mut reports: Vec<(Severity, ProblemKind, String, String)> = Vec::new();
        // What the inputs say comes first, then the table of links: on sound files they agree.
        let named_here =
            |link: &GraphLink| node.source.inputs().iter().any(|input| input.link == Some(link.id));
        let ending_at = |place: usize, input: Option<&InputSlot>| -> Result<Option<&'a GraphLink>, String> {
            let at_place = || {
                let ends = ends.get(&(id, place)).map(Vec::as_slice).unwrap_or_default();
                ends.iter().rev().find(|link| !named_here(link)).copied()
            };
            let Some(named) = input.and_then(|input| input.link) else { return Ok(at_place()) };
            match links.get(&named) {
                Some(link) if link.target == *id => Ok(Some(link)),
                _ if at_place().is_some() => Ok(at_place()),
                Some(link) => Err(format!(
                    "it names link {named}, which leads to node {}; it was left without a link",
                    clip(link.target.as_str())
                )),
                None => Err(format!(
                    "it names link {named}, which the file does not have; it was left without a link"
                )),
            }
        };
        let known = node.slots.len();
        for index in 0..known {
            let place = match listed {
                Some(listed) => listed.iter().position(|input| input.name == node.slots[index].name),
                None => Some(index),
            };
            let Some(place) = place else { continue };
            match ending_at(place, listed.and_then(|listed| listed.get(place))) {
                Ok(link) => node.slots[index].link = link,
                Err(message) => {
                    let name = node.slots[index].name.to_string();
                    reports.push((Severity::Warning, ProblemKind::BrokenLink, name, message));
                }
            }
        }
        if matches!(node.kind, Kind::Known(_) | Kind::Host(_)) {
            for (place, input) in listed.unwrap_or_default().iter().enumerate() {
                if node.slots[..known].iter().any(|slot| slot.name == input.name) {
                    continue;
                }
                let Ok(Some(link)) = ending_at(place, Some(input)) else { continue };
                let of_other_option = node.widgets.iter().any(|widget| {
                    let inside = input
                        .name
                        .strip_prefix(widget.name.as_ref())
                        .is_some_and(|rest| rest.starts_with('.'));
                    inside && widget.spec.is_some_and(|spec| matches!(spec.kind, InputType::DynamicCombo(_)))
                });
                let extra = matches!(node.kind, Kind::Known(_)) && input.widget.is_none() && !of_other_option;
                let message = if extra {
                    node.slots.push(Slot { link: Some(link), ..listed_slot(input) });
                    "the class has no such input; its link was kept, and servers ignore it"
                } else {
                    "there is no such input any more; its link was dropped"
                };
                reports.push((
                    Severity::Warning,
                    ProblemKind::UnknownInput,
                    input.name.clone(),
                    message.into(),
                ));
            }
        }
        for slot in &mut node.slots {
            let Some(link) = slot.link else { continue };
            let inside = graph.flow(&link.origin).is_some();
            if !inside && !origins.contains(link.origin.as_str()) {
                let message = format!(
                    "its link comes from node {}, which the file does not have; it was left without a link",
                    clip(link.origin.as_str())
                );
                reports.push((Severity::Error, ProblemKind::BrokenLink, slot.name.to_string(), message));
                slot.link = None;
            }
        }
        if node.source.mode == Mode::Active {
            for (severity, kind, input, message) in reports {
                self.report(node, severity, kind, Some(&input), message);
            }
        }
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

    fn report(
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

fn listed_slot(input: &InputSlot) -> Slot<'_> {
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

/// Ids for the nodes of a graph: their own, but a fresh one for a node whose id an earlier one has.
fn fresh_ids(graph: &Graph) -> FreshIds<'_> {
    let numbers = graph.nodes.iter().filter_map(|node| node.id.as_str().parse::<i64>().ok());
    FreshIds { seen: HashSet::new(), highest: numbers.max().unwrap_or(0) }
}

struct FreshIds<'a> {
    seen: HashSet<&'a str>,
    highest: i64,
}

impl<'a> FreshIds<'a> {
    fn next(&mut self, node: &'a GraphNode) -> NodeId {
        if self.seen.insert(node.id.as_str()) {
            return node.id.clone();
        }
        self.highest = self.highest.saturating_add(1);
        NodeId::from(self.highest.to_string())
    }
}

/// The stored values as a list; none where the file has them by name.
pub(super) fn stored_list(node: &GraphNode) -> &[Value] {
    match &node.widgets_values {
        WidgetValues::List(values) => values,
        _ => &[],
    }
}
