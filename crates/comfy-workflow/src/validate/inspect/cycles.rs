//! Cycles of links.

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::{Map, Value};

use super::reach::Reach;
use super::refusal;
use crate::NodeId;
use crate::validate::killers::run_link;
use crate::validate::problem::{Effect, Problem, ProblemKind};
use crate::validate::{ErrorType, Line, Options};
use crate::workflow::clip;

/// Most nodes of a cycle that a text names.
const NAMED: usize = 12;

/// Most cycles that are described.
const DESCRIBED: usize = 50;

/// Tells of every node that is part of a cycle.
pub(super) fn find(
    nodes: &Map<String, Value>,
    options: &Options<'_>,
    reach: &Reach<'_>,
    problems: &mut Vec<Problem>,
) {
    let links = declared_links(nodes, options);
    let mut told: HashSet<&str> = HashSet::new();
    let mut described = 0;
    for group in groups(nodes, &links) {
        let mut members: Vec<&str> = group.iter().copied().collect();
        members.sort_unstable();
        for id in members {
            if told.contains(id) {
                continue;
            }
            described += 1;
            let cycle = if described <= DESCRIBED { cycle_through(id, &group, &links) } else { None };
            let text = match &cycle {
                Some(cycle) => format!("part of a cycle of links: {}", chain(cycle, nodes)),
                None => "part of a cycle of links".to_owned(),
            };
            for id in cycle.unwrap_or_else(|| vec![id]) {
                if !told.insert(id) {
                    continue;
                }
                let class_type = nodes.get(id).and_then(|node| node.get("class_type")?.as_str());
                let line = Line {
                    node: Some(NodeId::from(id)),
                    class_type: class_type.map(str::to_owned),
                    text: text.clone(),
                    ..Line::default()
                };
                // Where only links that nobody checks lead there, the run ends at once.
                let effect = match refusal(reach.is_checked(id), true) {
                    Effect::None if reach.is_run(id) => Effect::FailedRun,
                    effect => effect,
                };
                let problem = Problem::new(ProblemKind::Reported(ErrorType::DependencyCycle), line);
                problems.push(problem.with_effect(effect));
            }
        }
    }
}

fn chain(cycle: &[&str], nodes: &Map<String, Value>) -> String {
    let named = |id: &&str| match nodes.get(*id).and_then(|node| node.get("class_type")?.as_str()) {
        Some(class_type) => format!("{} ({})", clip(id), clip(class_type)),
        None => clip(id),
    };
    let first: Vec<String> = cycle.iter().take(NAMED).map(named).collect();
    let more = if cycle.len() > NAMED { " -> …" } else { "" };
    format!("{}{more} -> {}", first.join(" -> "), cycle.first().map(named).unwrap_or_default())
}

fn declared_links<'a>(
    nodes: &'a Map<String, Value>,
    options: &Options<'_>,
) -> HashMap<&'a str, Vec<&'a str>> {
    let links = nodes.iter().filter_map(|(id, node)| {
        let inputs = node.get("inputs")?.as_object()?;
        let schema = options.schemas.get(node.get("class_type")?.as_str()?)?;
        let resolved = schema.resolve(inputs);
        let sources = resolved.iter().filter_map(|input| {
            let source = run_link(inputs.get(&*input.name)?)?;
            nodes.get_key_value(source).map(|(source, _)| source.as_str())
        });
        Some((id.as_str(), sources.collect()))
    });
    links.collect()
}

/// Groups of nodes each of which feeds all others of its group, and itself.
fn groups<'a>(
    nodes: &'a Map<String, Value>,
    links: &HashMap<&'a str, Vec<&'a str>>,
) -> Vec<HashSet<&'a str>> {
    // Strongly connected components, by two walks: one notes the order in which nodes are done, the other goes backwards.
    let mut done: Vec<&str> = Vec::with_capacity(nodes.len());
    let mut seen: HashSet<&str> = HashSet::new();
    for root in nodes.keys().map(String::as_str) {
        let mut stack = vec![(root, 0)];
        while let Some((id, next)) = stack.pop() {
            if next == 0 && !seen.insert(id) {
                continue;
            }
            match links.get(id).and_then(|sources| sources.get(next)) {
                Some(source) => stack.extend([(id, next + 1), (*source, 0)]),
                None => done.push(id),
            }
        }
    }
    let mut back: HashMap<&str, Vec<&str>> = HashMap::new();
    for (id, sources) in links {
        for source in sources {
            back.entry(source).or_default().push(id);
        }
    }
    let mut groups = Vec::new();
    let mut placed: HashSet<&str> = HashSet::new();
    for id in done.into_iter().rev() {
        let mut group: HashSet<&str> = HashSet::new();
        let mut next = vec![id];
        while let Some(id) = next.pop() {
            if placed.insert(id) {
                group.insert(id);
                next.extend(back.get(id).into_iter().flatten());
            }
        }
        let feeds_itself = links.get(id).is_some_and(|sources| sources.contains(&id));
        if group.len() > 1 || feeds_itself {
            groups.push(group);
        }
    }
    groups
}

/// The shortest way from a node back to itself, along its links.
fn cycle_through<'a>(
    start: &'a str,
    group: &HashSet<&'a str>,
    links: &HashMap<&'a str, Vec<&'a str>>,
) -> Option<Vec<&'a str>> {
    let mut came_from: HashMap<&str, &str> = HashMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(id) = next.pop_front() {
        for source in links.get(id).into_iter().flatten().filter(|source| group.contains(*source)) {
            if *source == start {
                let mut cycle = vec![id];
                while let Some(before) = came_from.get(cycle.last()?) {
                    cycle.push(before);
                }
                cycle.reverse();
                return Some(cycle);
            }
            if !came_from.contains_key(source) {
                came_from.insert(source, id);
                next.push_back(source);
            }
        }
    }
    None
}
