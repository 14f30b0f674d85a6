//! Points that the user put into links: the editor's native reroutes, which the typed view of a graph does not hold because
//! they are drawing only.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::scene::Point;
use crate::editor::EditorWorkflow;

/// Most points of one link.
const MOST: usize = 100;
/// How deep definitions may lie inside definitions.
const DEPTH: usize = 16;

/// The reroutes of a graph.
#[derive(Debug, Default)]
pub(super) struct Reroutes {
    /// By id: the point, and the reroute before it.
    points: HashMap<i64, (Point, Option<i64>)>,
    /// By link: the last reroute before its target.
    last: HashMap<i64, i64>,
}

impl Reroutes {
    /// Those of the graph whose fields these are.
    pub(super) fn of(graph: &Map<String, Value>) -> Self {
        let extra = graph.get("extra");
        let list = |key: &str| {
            let own = graph.get(key).and_then(Value::as_array);
            let older = extra.and_then(|extra| extra.get(key)).and_then(Value::as_array);
            own.into_iter().chain(older).flatten()
        };
        let mut reroutes = Self::default();
        for reroute in list("reroutes") {
            let part = |index: usize| reroute.get("pos")?.get(index)?.as_f64();
            if let (Some(id), Some(x), Some(y)) = (number(reroute, "id"), part(0), part(1)) {
                reroutes.points.entry(id).or_insert(([x, y], number(reroute, "parentId")));
            }
        }
        for link in list("links").chain(list("linkExtensions")) {
            if let (Some(id), Some(parent)) = (number(link, "id"), number(link, "parentId")) {
                reroutes.last.entry(id).or_insert(parent);
            }
        }
        reroutes
    }

    /// The points that a link passes, from its origin on.
    pub(super) fn path(&self, link: i64) -> Vec<Point> {
        let mut path = Vec::new();
        let mut next = self.last.get(&link);
        while let Some((point, parent)) = next.and_then(|id| self.points.get(id)) {
            path.push(*point);
            // A file can lead in a circle.
            next = parent.as_ref().filter(|_| path.len() < MOST);
        }
        path.reverse();
        path
    }
}

/// The fields of the definition of a subgraph in the document.
pub(super) fn definition<'a>(editor: &'a EditorWorkflow, id: &str) -> Option<&'a Map<String, Value>> {
    fn find<'a>(fields: &'a Map<String, Value>, id: &str, depth: usize) -> Option<&'a Map<String, Value>> {
        let list = fields.get("definitions")?.get("subgraphs")?.as_array()?;
        let of_id = list.iter().filter_map(Value::as_object);
        let mut all = of_id.clone();
        of_id
            .clone()
            .find(|fields| {
                fields
                    .get("id")
                    .is_some_and(|own| own == id || own.as_i64().is_some_and(|own| own.to_string() == id))
            })
            .or_else(|| if depth < DEPTH { all.find_map(|fields| find(fields, id, depth + 1)) } else { None })
    }
    find(editor.document().as_object()?, id, 0)
}

fn number(value: &Value, key: &str) -> Option<i64> {
    value.get(key)?.as_i64()
}
