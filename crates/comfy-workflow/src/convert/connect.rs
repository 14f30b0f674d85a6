//! Which link ends at which input.

use std::collections::{HashMap, HashSet};

use super::Severity;
use super::live::{Builder, Kind, LiveGraph, LiveNode, listed_slot};
use super::problem::ProblemKind;
use super::widgets::Slot;
use crate::editor::{Graph, GraphLink, InputSlot, Mode};
use crate::schema::InputType;
use crate::workflow::clip;

impl<'a> Builder<'a> {
    /// Gives every input the link that ends there.
    pub(super) fn connect(&mut self, live: &mut LiveGraph<'a>) {
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
        let named: HashSet<i64> = node.source.inputs().iter().filter_map(|input| input.link).collect();
        // What the inputs say comes first, then the table of links: on sound files they agree.
        // What the inputs say comes first, then the table of links: on sound files they agree.
        let ending_at = |place: usize, input: Option<&InputSlot>| -> Result<Option<&'a GraphLink>, String> {
            let at_place = || {
                let ends = ends.get(&(id, place)).map(Vec::as_slice).unwrap_or_default();
                ends.iter().rev().find(|link| !named.contains(&link.id)).copied()
            };
            let Some(own) = input.and_then(|input| input.link) else { return Ok(at_place()) };
            match links.get(&own) {
                Some(link) if link.target == *id => Ok(Some(link)),
                _ if at_place().is_some() => Ok(at_place()),
                Some(link) => Err(format!(
                    "it names link {own}, which leads to node {}; it was left without a link",
                    clip(link.target.as_str())
                )),
                None => Err(format!(
                    "it names link {own}, which the file does not have; it was left without a link"
                )),
            }
        };
        let known = node.slots.len();
        let places: HashMap<&str, usize> = node
            .source
            .inputs()
            .iter()
            .enumerate()
            .rev()
            .map(|(place, input)| (input.name.as_str(), place))
            .collect();
        let names: HashSet<String> = node.slots.iter().map(|slot| slot.name.to_string()).collect();
        for index in 0..known {
            let place = match listed {
                Some(_) => places.get(node.slots[index].name.as_ref()).copied(),
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
                if names.contains(&input.name) {
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
}
