//! Which nodes a server looks at, and which it runs.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::validate::Options;
use crate::validate::killers::{longest_chain, run_link};
use crate::validate::survey::is_asked_for;

/// What outputs reach.
pub(super) struct Reach<'a> {
    /// Nodes that are checked: those that outputs reach through inputs which their classes declare.
    checked: HashSet<&'a str>,
    /// Nodes that are run: those that outputs reach through any link, also one that no class declares.
    run: HashSet<&'a str>,
    /// The same from all outputs, whether they were asked for or not.
    used: HashSet<&'a str>,
    has_outputs: bool,
    /// The output at the end of the longest chain that runs, and its length.
    pub(super) chain: Option<(&'a str, usize)>,
}

impl<'a> Reach<'a> {
    pub(super) fn new(nodes: &'a Map<String, Value>, options: &Options<'_>) -> Self {
        let is_output = |node: &Value| {
            let schema =
                node.get("class_type").and_then(Value::as_str).and_then(|name| options.schemas.get(name));
            schema.is_some_and(|schema| schema.output_node)
        };
        let outputs: Vec<&str> =
            nodes.iter().filter(|(_, node)| is_output(node)).map(|(id, _)| id.as_str()).collect();
        let asked: Vec<&str> = outputs.iter().copied().filter(|id| is_asked_for(id, options)).collect();
        let mut all: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut declared: HashMap<&str, Vec<&str>> = HashMap::new();
        for (id, node) in nodes {
            let Some(inputs) = node.get("inputs").and_then(Value::as_object) else { continue };
            let links = inputs.iter().filter_map(|(name, value)| Some((name, run_link(value)?)));
            let sources = links.filter_map(|(name, link)| {
                let (source, _) = nodes.get_key_value(link)?;
                Some((name, source.as_str()))
            });
            let sources: Vec<(&String, &str)> = sources.collect();
            let schema =
                node.get("class_type").and_then(Value::as_str).and_then(|name| options.schemas.get(name));
            if let Some(schema) = schema.filter(|_| !sources.is_empty()) {
                let resolved = schema.resolve(inputs);
                let known = |name: &str| resolved.iter().any(|input| input.name == name);
                let known = sources.iter().filter(|(name, _)| known(name)).map(|(_, source)| *source);
                declared.insert(id, known.collect());
            }
            all.insert(id, sources.into_iter().map(|(_, source)| source).collect());
        }
        Self {
            checked: reached(&asked, &declared),
            run: reached(&asked, &all),
            used: reached(&outputs, &all),
            has_outputs: !outputs.is_empty(),
            chain: longest_chain(&asked, &all),
        }
    }

    pub(super) fn is_checked(&self, id: &str) -> bool {
        self.checked.contains(id)
    }

    pub(super) fn is_run(&self, id: &str) -> bool {
        self.run.contains(id)
    }

    /// Whether no output needs the node. Where there is no output at all, that is the problem.
    pub(super) fn is_idle(&self, id: &str) -> bool {
        self.has_outputs && !self.used.contains(id)
    }
}

/// All that can be reached from some nodes.
pub(in crate::validate) fn reached<'a>(
    from: &[&'a str],
    links: &HashMap<&'a str, Vec<&'a str>>,
) -> HashSet<&'a str> {
    let mut reached: HashSet<&str> = from.iter().copied().collect();
    let mut next: Vec<&str> = from.to_vec();
    while let Some(id) = next.pop() {
        for source in links.get(id).into_iter().flatten() {
            if reached.insert(source) {
                next.push(source);
            }
        }
    }
    reached
}
