//! When two prompts are the same: what a server would run is.
//!
//! Only the nodes that an output node reaches count, and of them the class and the inputs that their schema knows.
//! Numbers are compared as 64-bit floats; a curve is the same in and out of its wrapper; where the editor has a null,
//! anything will do.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value, json};

/// Inputs by node whose values depend on time, graphics or the network.
pub(super) type Volatile = HashMap<String, HashSet<String>>;

/// Compares prompts by the schemas of a server, the body of its `/object_info`.
pub(super) struct Comparison<'a> {
    schemas: &'a Value,
    volatile: &'a Volatile,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(schemas: &'a Value, volatile: &'a Volatile) -> Self {
        Self { schemas, volatile }
    }

    /// The nodes that run: output nodes and all that they link to. All nodes, if there is no output node.
    pub(super) fn reachable(&self, prompt: &Map<String, Value>) -> Map<String, Value> {
        let is_output = |node: &Value| {
            let schema = node["class_type"].as_str().and_then(|class| self.schemas.get(class));
            schema.is_some_and(|schema| schema["output_node"] == true)
        };
        let mut rest: Vec<String> =
            prompt.iter().filter(|(_, node)| is_output(node)).map(|(id, _)| id.clone()).collect();
        if rest.is_empty() {
            return prompt.clone();
        }
        let mut found = HashSet::new();
        while let Some(id) = rest.pop() {
            let inputs = inputs(&prompt[&id]);
            if found.insert(id) {
                rest.extend(inputs.filter_map(|(_, value)| link(value, prompt)).map(|(origin, _)| origin));
            }
        }
        prompt
            .iter()
            .filter(|(id, _)| found.contains(*id))
            .map(|(id, node)| (id.clone(), node.clone()))
            .collect()
    }

    /// In which the prompts differ.
    pub(super) fn differences(&self, wanted: &Map<String, Value>, found: &Map<String, Value>) -> Vec<String> {
        let mut differences = Vec::new();
        for id in wanted.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
            match (wanted.get(id), found.get(id)) {
                (Some(wanted), Some(found)) => self.node(id, wanted, found, &mut differences),
                (Some(wanted), None) => {
                    differences.push(format!("node {id} ({}) is missing", wanted["class_type"]));
                }
                (_, found) => {
                    differences.push(format!("node {id} ({}) is extra", found.unwrap()["class_type"]));
                }
            }
        }
        differences
    }

    fn node(&self, id: &str, wanted: &Value, found: &Value, differences: &mut Vec<String>) {
        let class = &wanted["class_type"];
        if *class != found["class_type"] {
            differences.push(format!("node {id}: class {} instead of {class}", found["class_type"]));
            return;
        }
        let (wanted, found) = (self.relevant(id, wanted), self.relevant(id, found));
        for name in wanted.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
            let difference = match (wanted.get(name), found.get(name)) {
                (Some(Value::Null), _) => continue,
                (Some(wanted), None) => format!("missing, wanted {:.120}", wanted.to_string()),
                (Some(wanted), Some(found)) if same(wanted, found) => continue,
                (Some(wanted), Some(found)) => {
                    format!("{:.100} instead of {:.100}", found.to_string(), wanted.to_string())
                }
                (None, found) => format!("extra {:.120}", found.unwrap().to_string()),
            };
            differences.push(format!("node {id} ({class}).{name}: {difference}"));
        }
    }

    /// Whether the prompts are the same up to the names of their nodes.
    pub(super) fn same_but_for_ids(&self, wanted: &Map<String, Value>, found: &Map<String, Value>) -> bool {
        let mut numbers = HashMap::new();
        let mut census = |prompt| {
            let mut prints = Fingerprints { of: self, prompt, known: HashMap::new(), numbers: &mut numbers };
            let mut all: Vec<usize> =
                prompt.keys().map(|id| prints.of(id, &mut Vec::new()).unwrap()).collect();
            all.sort_unstable();
            all
        };
        census(wanted) == census(found)
    }

    /// The inputs that count.
    fn relevant<'v>(&self, id: &str, node: &'v Value) -> BTreeMap<&'v str, &'v Value> {
        let schema = node["class_type"].as_str().and_then(|class| self.schemas.get(class));
        let is_known = |name: &str| {
            let Some(schema) = schema else { return true };
            let group = name.split('.').next().unwrap();
            let sections = ["required", "optional", "hidden"].map(|section| &schema["input"][section]);
            sections.iter().any(|section| section.get(name).is_some() || section.get(group).is_some())
        };
        let is_volatile = |name: &str| self.volatile.get(id).is_some_and(|names| names.contains(name));
        inputs(node).filter(|(name, _)| !is_volatile(name) && is_known(name)).collect()
    }
}

/// A number for each node that is the same for nodes of the same class with the same inputs, all the way up.
struct Fingerprints<'a> {
    of: &'a Comparison<'a>,
    prompt: &'a Map<String, Value>,
    known: HashMap<String, usize>,
    numbers: &'a mut HashMap<String, usize>,
}

impl Fingerprints<'_> {
    /// Nothing for a node that is on the way already.
    fn of(&mut self, id: &str, way: &mut Vec<String>) -> Option<usize> {
        if let Some(number) = self.known.get(id) {
            return Some(*number);
        }
        if way.iter().any(|earlier| earlier == id) {
            return None;
        }
        let node = &self.prompt[id];
        let mut parts = BTreeMap::new();
        for (name, value) in self.of.relevant(id, node) {
            let part = match link(value, self.prompt) {
                Some((origin, slot)) => {
                    way.push(id.to_owned());
                    let origin = self.of(&origin, way);
                    way.pop();
                    json!(["link", origin, slot])
                }
                None => as_floats(value),
            };
            parts.insert(name, part);
        }
        let text = json!([node["class_type"], parts]).to_string();
        let next = self.numbers.len();
        let number = *self.numbers.entry(text).or_insert(next);
        self.known.insert(id.to_owned(), number);
        Some(number)
    }
}

fn inputs(node: &Value) -> impl Iterator<Item = (&str, &Value)> {
    node["inputs"].as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// The node and output that a value links to, if it is a link to a node of the prompt.
fn link(value: &Value, prompt: &Map<String, Value>) -> Option<(String, f64)> {
    let [origin, slot] = value.as_array()?.as_slice() else { return None };
    let origin = origin.as_str().map_or_else(|| origin.to_string(), str::to_owned);
    Some((prompt.contains_key(&origin).then_some(origin)?, slot.as_f64()?))
}

fn same(wanted: &Value, found: &Value) -> bool {
    match (unwrapped(wanted), unwrapped(found)) {
        (Value::Number(wanted), Value::Number(found)) => wanted.as_f64() == found.as_f64(),
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(wanted, found)| same(wanted, found))
        }
        (Value::Object(wanted), Value::Object(found)) => {
            let is_in_both = |(name, wanted)| found.get(name).is_some_and(|found| same(wanted, found));
            wanted.len() == found.len() && wanted.iter().all(is_in_both)
        }
        (wanted, found) => wanted == found,
    }
}

fn unwrapped(value: &Value) -> &Value {
    if value.get("__type__").is_some_and(|kind| kind == "CURVE") { &value["__value__"] } else { value }
}

/// With all numbers as floats, and the keys of objects in order.
fn as_floats(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(values) => values.iter().map(as_floats).collect(),
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> =
                fields.iter().map(|(name, value)| (name, as_floats(value))).collect();
            json!(fields)
        }
        other => other.clone(),
    }
}

#[test]
fn only_what_runs_is_compared() {
    let schemas = json!({
        "Save": {"input": {"required": {"images": ["IMAGE"], "curve": ["CURVE"]}}, "output_node": true},
        "Make": {"input": {"required": {"size": ["INT"], "group": ["COMFY_AUTOGROW_V3"], "now": ["INT"]}}},
    });
    let wanted = json!({
        "1": {"class_type": "Make", "inputs": {"size": 8, "group.a": null, "now": 1, "noise": 1}, "_meta": {"title": "A"}},
        "2": {"class_type": "Save", "inputs": {"images": ["1", 0], "curve": {"__type__": "CURVE", "__value__": [1]}}},
        "3": {"class_type": "Make", "inputs": {}},
    });
    let found = json!({
        "1": {"class_type": "Make", "inputs": {"size": 8.0, "group.a": 5, "now": 2}},
        "2": {"class_type": "Save", "inputs": {"images": ["1", 0.0], "curve": [1]}},
    });
    let volatile = Volatile::from([("1".to_owned(), HashSet::from(["now".to_owned()]))]);
    let comparison = Comparison::new(&schemas, &volatile);
    let reachable = |prompt: &Value| comparison.reachable(prompt.as_object().unwrap());
    assert_eq!(comparison.differences(&reachable(&wanted), &reachable(&found)), Vec::<String>::new());

    let other = json!({
        "1": {"class_type": "Make", "inputs": {"size": true, "group.b": 5}},
        "2": {"class_type": "Save", "inputs": {"images": ["1", 1], "curve": [1]}},
        "4": {"class_type": "Save", "inputs": {}},
    });
    assert_eq!(
        comparison.differences(&reachable(&wanted), &reachable(&other)),
        [
            r#"node 1 ("Make").group.b: extra 5"#,
            r#"node 1 ("Make").size: true instead of 8"#,
            r#"node 2 ("Save").images: ["1",1] instead of ["1",0]"#,
            r#"node 4 ("Save") is extra"#,
        ]
    );
}

#[test]
fn prompts_can_be_the_same_but_for_the_names_of_their_nodes() {
    let schemas = json!({});
    let none = Volatile::new();
    let comparison = Comparison::new(&schemas, &none);
    let chain = |first: &str, second: &str, size: f64| {
        let prompt = json!({
            first: {"class_type": "Make", "inputs": {"size": size}},
            second: {"class_type": "Save", "inputs": {"images": [first, 0]}},
        });
        prompt.as_object().unwrap().clone()
    };
    assert!(comparison.same_but_for_ids(&chain("1", "2", 8.0), &chain("7", "3:4", 8.0)));
    assert!(!comparison.same_but_for_ids(&chain("1", "2", 8.0), &chain("1", "2", 9.0)));

    let ring = |a: &str, b: &str| {
        let prompt = json!({
            a: {"class_type": "A", "inputs": {"x": [b, 0]}}, b: {"class_type": "A", "inputs": {"x": [a, 0]}},
        });
        prompt.as_object().unwrap().clone()
    };
    assert!(comparison.same_but_for_ids(&ring("1", "2"), &ring("5", "6")));
}
