//! From the document to the typed view.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{Graph, GraphLink, GraphNode, Group, InputSlot, Mode, OutputSlot, Port, WidgetValues};
use crate::NodeId;
use crate::workflow::clip;

/// How deep definitions may lie inside definitions. The editor writes them flat.
const DEPTH: usize = 16;

/// Most oddities that are kept: a hostile document has as many as it likes.
const ODDITIES: usize = 100;

type Fields = Map<String, Value>;

pub(super) fn document(fields: &Fields) -> (Graph, IndexMap<String, Graph>, Vec<String>) {
    let mut reader = Reader::default();
    let root = reader.graph(fields, "the workflow");
    reader.definitions(fields, 0);
    (root, reader.subgraphs, reader.oddities)
}

#[derive(Default)]
struct Reader {
    subgraphs: IndexMap<String, Graph>,
    oddities: Vec<String>,
}

impl Reader {
    fn odd(&mut self, message: String) {
        if self.oddities.len() < ODDITIES {
            self.oddities.push(message);
        }
    }

    fn definitions(&mut self, fields: &Fields, depth: usize) {
        let subgraphs = fields.get("definitions").and_then(|definitions| definitions.get("subgraphs"));
        for (index, definition) in items(subgraphs).iter().enumerate() {
            let Some(fields) = definition.as_object() else {
                self.odd(format!("definition {index} is no object"));
                continue;
            };
            let Some(id) = fields.get("id").and_then(name) else {
                self.odd(format!("definition {index} has no id"));
                continue;
            };
            let place = format!("subgraph \"{}\"", clip(text(fields, "name").unwrap_or(&id)));
            let graph = self.graph(fields, &place);
            if self.subgraphs.contains_key(&id) {
                self.odd(format!("{place} is defined twice under the id {}", clip(&id)));
            } else {
                self.subgraphs.insert(id, graph);
            }
            if depth < DEPTH {
                self.definitions(fields, depth + 1);
            }
        }
    }

    fn graph(&mut self, fields: &Fields, place: &str) -> Graph {
        let mut nodes = Vec::new();
        for (index, node) in items(fields.get("nodes")).iter().enumerate() {
            match node.as_object().and_then(|node| graph_node(node, index)) {
                Some(node) => nodes.push(node),
                None => self.odd(format!("entry {index} of the nodes of {place} is no node with an id")),
            }
        }
        let mut links = Vec::new();
        for (index, value) in items(fields.get("links")).iter().enumerate() {
            match link(value) {
                Some(link) => links.push(link),
                // Files have holes where links were.
                None if value.is_null() => {}
                None => self.odd(format!("entry {index} of the links of {place} is no link")),
            }
        }
        let groups = items(fields.get("groups")).iter().filter_map(Value::as_object).map(group).collect();
        let end = |key: &str, usual: &str| {
            let id = fields.get(key).and_then(|node| node.get("id")).and_then(name);
            NodeId::from(id.unwrap_or_else(|| usual.to_owned()))
        };
        let ports =
            |key: &str| items(fields.get(key)).iter().filter_map(Value::as_object).map(port).collect();
        Graph {
            id: fields.get("id").and_then(name).unwrap_or_default(),
            name: text(fields, "name").unwrap_or_default().to_owned(),
            nodes,
            links,
            groups,
            inputs: ports("inputs"),
            outputs: ports("outputs"),
            input_node: end("inputNode", "-10"),
            output_node: end("outputNode", "-20"),
        }
    }
}

fn graph_node(fields: &Fields, place: usize) -> Option<GraphNode> {
    let slots = |key: &str| fields.get(key).and_then(Value::as_array);
    let inputs = slots("inputs").map(|slots| slots.iter().filter_map(Value::as_object).map(input).collect());
    let outputs = slots("outputs").into_iter().flatten().filter_map(Value::as_object).map(output).collect();
    Some(GraphNode {
        id: fields.get("id").and_then(name)?.into(),
        class_type: text(fields, "type").unwrap_or_default().to_owned(),
        title: text(fields, "title").map(str::to_owned),
        mode: match fields.get("mode") {
            Some(mode) if mode.as_f64() == Some(2.0) => Mode::Muted,
            Some(mode) if mode.as_f64() == Some(4.0) => Mode::Bypassed,
            _ => Mode::Active,
        },
        inputs,
        outputs,
        widgets_values: match fields.get("widgets_values") {
            Some(Value::Array(values)) => WidgetValues::List(values.clone()),
            Some(Value::Object(values)) => WidgetValues::Named(values.clone()),
            _ => WidgetValues::None,
        },
        properties: fields.get("properties").and_then(Value::as_object).cloned().unwrap_or_default(),
        position: pair(fields.get("pos")),
        size: pair(fields.get("size")),
        color: text(fields, "color").map(str::to_owned),
        background: text(fields, "bgcolor").map(str::to_owned),
        collapsed: fields.get("flags").and_then(|flags| flags.get("collapsed")) == Some(&Value::Bool(true)),
        place,
    })
}

fn input(fields: &Fields) -> InputSlot {
    let widget = fields.get("widget").filter(|widget| !widget.is_null());
    InputSlot {
        name: text(fields, "name").unwrap_or_default().to_owned(),
        label: text(fields, "label").map(str::to_owned),
        type_name: type_name(fields.get("type")),
        link: fields.get("link").and_then(whole),
        widget: widget.map(|widget| {
            let name = widget.get("name").and_then(Value::as_str);
            name.or_else(|| text(fields, "name")).unwrap_or_default().to_owned()
        }),
    }
}

fn output(fields: &Fields) -> OutputSlot {
    OutputSlot {
        name: text(fields, "name").unwrap_or_default().to_owned(),
        label: text(fields, "label").map(str::to_owned),
        type_name: type_name(fields.get("type")),
    }
}

fn port(fields: &Fields) -> Port {
    Port {
        name: text(fields, "name").unwrap_or_default().to_owned(),
        label: text(fields, "label").map(str::to_owned),
        type_name: type_name(fields.get("type")),
        links: items(fields.get("linkIds")).iter().filter_map(whole).collect(),
    }
}

/// A link: a list of six, or an object.
fn link(value: &Value) -> Option<GraphLink> {
    let field = |index: usize, key: &str| value.get(index).or_else(|| value.get(key));
    Some(GraphLink {
        id: field(0, "id").and_then(whole)?,
        origin: field(1, "origin_id").and_then(name)?.into(),
        origin_slot: field(2, "origin_slot").and_then(slot)?,
        target: field(3, "target_id").and_then(name)?.into(),
        target_slot: field(4, "target_slot").and_then(slot),
        type_name: type_name(field(5, "type")),
    })
}

fn group(fields: &Fields) -> Group {
    let mut bounding = [0.0; 4];
    for (side, value) in bounding.iter_mut().zip(items(fields.get("bounding"))) {
        *side = value.as_f64().unwrap_or(0.0);
    }
    Group {
        title: text(fields, "title").unwrap_or_default().to_owned(),
        bounding,
        color: text(fields, "color").map(str::to_owned),
    }
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(fields: &'a Fields, key: &str) -> Option<&'a str> {
    fields.get(key).and_then(Value::as_str)
}

/// An id: a number or a text. A whole number is the same with and without a decimal point.
pub(crate) fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) => Some(whole(value).map_or_else(|| value.to_string(), |number| number.to_string())),
        _ => None,
    }
}

/// A whole number, however it is written.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            // Beyond 2^53 floats have gaps, and no file counts that far.
            (float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0).then_some(float as i64)
        }),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn slot(value: &Value) -> Option<usize> {
    usize::try_from(whole(value)?).ok()
}

/// A type: a text, or 0 or -1 for anything (older files), or a list of choices.
fn type_name(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(_)) => "COMBO".to_owned(),
        Some(Value::Number(_)) => "*".to_owned(),
        _ => String::new(),
    }
}

/// Two numbers, in a list or in an object with the keys 0 and 1 (older files).
fn pair(value: Option<&Value>) -> [f64; 2] {
    let part = |index: usize, key: &str| {
        let value = value?;
        value.get(index).or_else(|| value.get(key))?.as_f64()
    };
    [part(0, "0").unwrap_or(0.0), part(1, "1").unwrap_or(0.0)]
}
