//! Putting the results of a node's calls together.

use std::sync::Arc;

use comfy_protocol::NodeOutput;
use serde_json::{Map, Value as Json};

use super::call::Called;
use super::graph::Node;
use crate::nodes::{Expansion, NodeError, Origin};
use crate::python;
use crate::value::Value;

/// What the calls of a node gave.
#[derive(Debug, Default)]
pub(super) struct Gains {
    /// Call by call: the outputs, and whether links among them lead into an expansion.
    pub(super) results: Vec<(Vec<Value>, bool)>,
    pub(super) expansions: Vec<Expansion>,
    pub(super) ui: Option<NodeOutput>,
    /// What stands behind the results of each call, when nodes were simulated for them.
    pub(super) origins: Vec<Option<Arc<Origin>>>,
    /// Why calls were blocked, where there is something to say.
    pub(super) blocked: Vec<Arc<str>>,
}

impl Gains {
    pub(super) fn new(node: &Node<'_>, calls: Vec<Called>) -> Result<Self, NodeError> {
        let mut gains = Self::default();
        let mut shown = Vec::new();
        for called in calls {
            match called {
                Called::Ran(ran) => {
                    gains.results.push((ran.outputs, ran.expansion.is_some()));
                    gains.expansions.extend(ran.expansion);
                    gains.origins.push(ran.origin);
                    shown.extend(ran.ui);
                }
                Called::Blocked(reason) => {
                    // Who is told once is told nothing more: what follows is blocked in silence.
                    gains.blocked.extend(reason);
                    gains.results.push((vec![Value::Blocker(None); node.output_count()], false));
                }
            }
        }
        gains.ui = together(&shown)?.filter(|ui| !ui.is_empty()).map(NodeOutput);
        Ok(gains)
    }
}

/// The lists that several calls show, one after the other. The keys are those of the first.
fn together(shown: &[Map<String, Json>]) -> Result<Option<Map<String, Json>>, NodeError> {
    let Some(first) = shown.first() else { return Ok(None) };
    let mut all = Map::new();
    for key in first.keys() {
        let mut items = Vec::new();
        for ui in shown {
            let list = ui.get(key).ok_or_else(|| NodeError::new("KeyError", python::string_repr(key)))?;
            items.extend(elements(list)?);
        }
        all.insert(key.clone(), Json::Array(items));
    }
    Ok(Some(all))
}

/// What a loop over the value meets on the server.
fn elements(value: &Json) -> Result<Vec<Json>, NodeError> {
    match value {
        Json::Array(items) => Ok(items.clone()),
        Json::String(text) => Ok(text.chars().map(|character| character.to_string().into()).collect()),
        Json::Object(entries) => Ok(entries.keys().map(|key| key.as_str().into()).collect()),
        other => Err(NodeError::type_error(format!("'{}' object is not iterable", python::type_name(other)))),
    }
}

/// The values of each slot over all calls. Slots that give lists are strung together.
pub(super) fn by_slot(node: &Node<'_>, results: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    let slots = results.first().map_or(0, Vec::len);
    let mut outputs = vec![Vec::new(); slots];
    for result in results {
        for (slot, (value, output)) in result.into_iter().zip(&mut outputs).enumerate() {
            match value {
                Value::List(values) if node.gives_list(slot) => output.extend(values),
                value => output.push(value),
            }
        }
    }
    outputs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(values: &[Json]) -> Result<Json, String> {
        let maps: Vec<_> = values.iter().filter_map(Json::as_object).cloned().collect();
        together(&maps)
            .map(Json::from)
            .map_err(|error| format!("{}: {}", error.exception_type, error.message))
    }

    #[test]
    fn what_several_calls_show_is_strung_together() {
        assert_eq!(shown(&[]), Ok(Json::Null));
        assert_eq!(shown(&[json!({"a": [1]}), json!({"a": [2, 3]})]), Ok(json!({"a": [1, 2, 3]})));
        assert_eq!(
            shown(&[json!({"a": "text", "b": {"c": 1}})]),
            Ok(json!({"a": ["t", "e", "x", "t"], "b": ["c"]}))
        );
        assert_eq!(shown(&[json!({"a": 1})]), Err("TypeError: 'int' object is not iterable".into()));
        assert_eq!(shown(&[json!({"a": []}), json!({})]), Err("KeyError: 'a'".into()));
    }
}
