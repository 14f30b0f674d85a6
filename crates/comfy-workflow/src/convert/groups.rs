//! Legacy group nodes: a node of the type `workflow/Name` stands for a small graph under `extra.groupNodes`. Each becomes a
//! subgraph of its own.

use serde_json::{Map, Value, json};

use super::widgets;
use crate::editor::{EditorWorkflow, Graph, GraphNode, WidgetValues};
use crate::schema::Schemas;

/// The definitions made for the group nodes of a document.
pub(super) struct GroupNodes {
    /// By the place of the group node in the outermost graph: the id of its definition, and the definition.
    definitions: Vec<(usize, String, Graph)>,
}

impl GroupNodes {
    pub(super) fn of(editor: &EditorWorkflow, schemas: &Schemas) -> Self {
        let groups = editor.document().pointer("/extra/groupNodes").and_then(Value::as_object);
        let mut definitions = Vec::new();
        for (place, node) in editor.root().nodes.iter().enumerate() {
            let name = node
                .class_type
                .strip_prefix("workflow/")
                .or_else(|| node.class_type.strip_prefix("workflow>"));
            let Some(group) = name.and_then(|name| groups?.get(name)?.as_object()) else { continue };
            if let Some(graph) = definition(group, node, schemas) {
                definitions.push((place, format!("{}#{}", node.class_type, node.id), graph));
            }
        }
        Self { definitions }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Graph)> {
        self.definitions.iter().map(|(_, id, graph)| (id.as_str(), graph))
    }

    /// The definition for the node at this place of the outermost graph.
    pub(super) fn definition_of(&self, place: usize) -> Option<&str> {
        self.definitions.iter().find(|(at, ..)| *at == place).map(|(_, id, _)| id.as_str())
    }
}

/// A link of a group: output `from.1` of node `from.0` leads to input `to.1` of node `to.0`; nodes count from 0.
struct GroupLink {
    from: (u64, u64),
    to: (u64, u64),
}

/// The group as the definition of a subgraph. Its nodes count from 0, and have the values that the group node holds.
fn definition(group: &Map<String, Value>, host: &GraphNode, schemas: &Schemas) -> Option<Graph> {
    let nodes = group.get("nodes")?.as_array()?;
    let entries = |key: &str| group.get(key).and_then(Value::as_array).into_iter().flatten();
    let number = |entry: &Value, index: usize| entry.get(index).and_then(Value::as_u64);
    let links: Vec<GroupLink> = entries("links")
        .filter_map(|link| {
            Some(GroupLink {
                from: (number(link, 0)?, number(link, 1)?),
                to: (number(link, 2)?, number(link, 3)?),
            })
        })
        .collect();
    let external: Vec<(u64, u64)> =
        entries("external").filter_map(|entry| Some((number(entry, 0)?, number(entry, 1)?))).collect();

    let mut document_links: Vec<Value> = Vec::new();
    for link in &links {
        document_links.push(json!([
            document_links.len(),
            link.from.0,
            link.from.1,
            link.to.0,
            link.to.1,
            "*"
        ]));
    }
    let mut inputs: Vec<Value> = Vec::new();
    let mut outputs: Vec<Value> = Vec::new();
    let mut inner: Vec<Value> = Vec::new();
    let mut values = HostValues { host, next: 0 };
    for (place, node) in (0u64..).zip(nodes) {
        let mut node = node.as_object()?.clone();
        for (slot, input) in (0u64..).zip(node.get("inputs").and_then(Value::as_array).into_iter().flatten())
        {
            if links.iter().any(|link| link.to == (place, slot)) {
                continue;
            }
            let taken = |name: &str| inputs.iter().any(|input: &Value| input["name"] == name);
            let name = input.get("name").and_then(Value::as_str).unwrap_or_default();
            let title = ["title", "type"].iter().find_map(|key| node.get(*key)?.as_str()).unwrap_or_default();
            let name = if taken(name) { format!("{title} {name}") } else { name.to_owned() };
            document_links.push(json!([document_links.len(), -10, inputs.len(), place, slot, "*"]));
            inputs.push(json!({"name": name, "type": input.get("type")}));
        }
        for (slot, output) in
            (0u64..).zip(node.get("outputs").and_then(Value::as_array).into_iter().flatten())
        {
            let used = links.iter().any(|link| link.from == (place, slot));
            if used && !external.contains(&(place, slot)) {
                continue;
            }
            document_links.push(json!([document_links.len(), place, slot, -20, outputs.len(), "*"]));
            outputs.push(json!({"name": output.get("name"), "type": output.get("type")}));
        }
        node.insert("id".into(), place.into());
        values.give_to(&mut node, schemas);
        for input in node.get_mut("inputs").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(input) = input.as_object_mut() {
                input.remove("link");
            }
        }
        inner.push(Value::Object(node));
    }
    let document = json!({
        "nodes": inner, "links": document_links, "inputs": inputs, "outputs": outputs,
        "inputNode": {"id": -10}, "outputNode": {"id": -20},
    });
    let document = EditorWorkflow::from_value(document).ok()?;
    Some(document.root().clone())
}

/// The values of the group node, which are those of its inner nodes one after the other.
struct HostValues<'a> {
    host: &'a GraphNode,
    next: usize,
}

impl HostValues<'_> {
    fn give_to(&mut self, node: &mut Map<String, Value>, schemas: &Schemas) {
        let WidgetValues::List(values) = &self.host.widgets_values else { return };
        let class_type = node.get("type").and_then(Value::as_str).unwrap_or_default();
        let rest = values.get(self.next..).unwrap_or_default();
        let own = node.get("widgets_values").and_then(Value::as_array);
        let places = match schemas.get(class_type) {
            Some(schema) => widgets::layout(schema, &[], &WidgetValues::List(rest.to_vec())).places,
            None => own.map_or(0, Vec::len),
        };
        let given: Vec<Value> = rest.iter().take(places).cloned().collect();
        if !given.is_empty() {
            self.next += places;
            node.insert("widgets_values".into(), Value::Array(given));
        }
    }
}
