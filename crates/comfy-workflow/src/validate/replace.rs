//! Node replacement: servers since 0.30.0 rewrite nodes of classes that they no longer have, before checking anything.

use serde_json::{Map, Value};

use crate::schema::Schemas;

/// The replacements of a server: what `GET /node_replacements` answers.
#[derive(Debug, Clone, Default)]
pub struct Replacements {
    /// Old class and its first replacement; a server uses no other.
    rules: Vec<(String, Rule)>,
}

#[derive(Debug, Clone)]
struct Rule {
    new_class: String,
    inputs: Vec<(String, Source)>,
    /// Old slot and new slot.
    outputs: Vec<(i64, i64)>,
}

#[derive(Debug, Clone)]
enum Source {
    OldInput(String),
    Value(Value),
}

/// Why a server fails on a prompt while replacing.
pub(super) type Failure = String;

impl Replacements {
    /// Reads the body of `GET /node_replacements`. Entries that are not understood are left out.
    #[must_use]
    pub fn from_value(value: &Value) -> Self {
        let rules = value.as_object().into_iter().flatten().filter_map(|(old_class, candidates)| {
            let first = match candidates {
                Value::Array(candidates) => candidates.first()?,
                other => other,
            };
            Some((old_class.clone(), Rule::read(first)?))
        });
        Self { rules: rules.collect() }
    }

    fn rule(&self, class_type: &str) -> Option<&Rule> {
        self.rules.iter().find(|(old_class, _)| old_class == class_type).map(|(_, rule)| rule)
    }

    /// Rewrites `prompt` as a server does. This is also the first step to look into the nodes, so it is where prompts of
    /// many wrong shapes end.
    pub(super) fn apply(&self, prompt: &mut Value, schemas: &Schemas) -> Result<(), Failure> {
        let Value::Object(nodes) = prompt else {
            return Err("the prompt is not an object".into());
        };
        let mut moved: Vec<(String, &Rule)> = Vec::new();
        for (id, node) in nodes.iter_mut() {
            let Some(node) = whole_node(id, node)? else { continue };
            let class_type = match node.get("class_type") {
                Some(Value::Array(_) | Value::Object(_)) => {
                    return Err(format!("the class_type of node {id} is a list or an object"));
                }
                Some(Value::String(class_type)) => class_type.as_str(),
                _ => continue,
            };
            if schemas.contains(class_type) {
                continue;
            }
            let Some(rule) = self.rule(class_type).filter(|rule| schemas.contains(&rule.new_class)) else {
                continue;
            };
            rule.rewrite(id, node)?;
            moved.push((id.clone(), rule));
        }
        for (id, rule) in moved {
            rule.reconnect(&id, nodes);
        }
        Ok(())
    }
}

/// The node, when it has a class and inputs and so is looked at.
fn whole_node<'a>(id: &str, node: &'a mut Value) -> Result<Option<&'a mut Map<String, Value>>, Failure> {
    match node {
        Value::Object(node) => {
            if !node.contains_key("class_type") {
                return Ok(None);
            }
            match node.get("inputs") {
                None => Ok(None),
                Some(Value::Object(_)) => Ok(Some(node)),
                Some(_) => Err(format!("the inputs of node {id} are not an object")),
            }
        }
        // Python looks for the words in texts and lists as well.
        Value::String(text) if !(text.contains("class_type") && text.contains("inputs")) => Ok(None),
        Value::Array(items)
            if !["class_type", "inputs"].iter().all(|word| items.iter().any(|item| item == word)) =>
        {
            Ok(None)
        }
        _ => Err(format!("node {id} is not an object")),
    }
}

impl Rule {
    fn read(value: &Value) -> Option<Self> {
        let entries = |key: &str| value.get(key).and_then(Value::as_array).into_iter().flatten();
        Some(Self {
            new_class: value.get("new_node_id")?.as_str()?.to_owned(),
            inputs: entries("input_mapping")
                .filter_map(|entry| {
                    let source = match entry.get("old_id").and_then(Value::as_str) {
                        Some(old) => Source::OldInput(old.to_owned()),
                        None => Source::Value(entry.get("set_value")?.clone()),
                    };
                    Some((entry.get("new_id")?.as_str()?.to_owned(), source))
                })
                .collect(),
            outputs: entries("output_mapping")
                .filter_map(|entry| Some((entry.get("old_idx")?.as_i64()?, entry.get("new_idx")?.as_i64()?)))
                .collect(),
        })
    }

    fn rewrite(&self, id: &str, node: &mut Map<String, Value>) -> Result<(), Failure> {
        if !matches!(node.get("_meta"), Some(Value::Object(_) | Value::Array(_))) {
            return Err(format!("node {id} is to be replaced and has no object `_meta`"));
        }
        let old = match node.get_mut("inputs").map(Value::take) {
            Some(Value::Object(old)) => old,
            _ => Map::new(),
        };
        let mut inputs = Map::new();
        for (name, source) in &self.inputs {
            let value = match source {
                Source::Value(value) => value.clone(),
                Source::OldInput(old_name) => old
                    .get(old_name)
                    .cloned()
                    .ok_or_else(|| format!("node {id} is to be replaced and has no input `{old_name}`"))?,
            };
            inputs.insert(name.clone(), value);
        }
        node.insert("class_type".into(), Value::from(self.new_class.as_str()));
        node.insert("inputs".into(), Value::Object(inputs));
        Ok(())
    }

    /// Turns the links from the old slots of node `id` to the new ones.
    fn reconnect(&self, id: &str, nodes: &mut Map<String, Value>) {
        let inputs = nodes.values_mut().filter_map(|node| node.get_mut("inputs")?.as_object_mut());
        for value in inputs.flat_map(Map::values_mut) {
            let Some([Value::String(source), slot]) = value.as_array_mut().map(Vec::as_mut_slice) else {
                continue;
            };
            let new = self.outputs.iter().find(|(old, _)| source == id && slot.as_i64() == Some(*old));
            if let Some((_, new)) = new {
                *slot = Value::from(*new);
            }
        }
    }
}
