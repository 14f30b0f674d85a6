//! Selectors: how a person names an input of a workflow.

use serde_json::Value;

use crate::schema::Wanted;
use crate::workflow::clip;
use crate::{Error, ErrorKind, Node, NodeId, Workflow};

/// One input of one node: what a selector names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Target {
    /// The node.
    pub node: NodeId,
    /// The name of its input.
    pub input: String,
}

impl Workflow {
    /// Finds the inputs that a selector names.
    ///
    /// A selector is `NODE.INPUT`. NODE is a node id (`3`, `9:8:5`), a class type (`KSampler`), a title in quotes
    /// (`"Positive prompt"`; without quotes too where nothing else has that name) or `*`, which addresses every node that
    /// has the input. `KSampler[1]` picks the second of several in document order, from 0. INPUT may contain dots
    /// (`resize_type.width`). The input need not be present on a node that is named directly.
    ///
    /// # Errors
    /// [`ErrorKind::SelectorSyntax`]; [`ErrorKind::NoMatch`] when no node matches, naming the nearest;
    /// [`ErrorKind::Ambiguous`] when several do, listing them.
    pub fn select(&self, selector: &str) -> Result<Vec<Target>, Error> {
        if let Some(input) = selector.strip_prefix("*.") {
            return self.select_everywhere(input);
        }
        let (id, input) = match selector.strip_prefix('"') {
            Some(rest) => self.select_by_title(selector, rest)?,
            None => self.select_by_name(selector)?,
        };
        if input.is_empty() {
            return Err(syntax(selector, "the name of the input is missing"));
        }
        Ok(vec![Target { node: id.clone(), input: input.to_owned() }])
    }

    /// The value of the one input that a selector names; see [`select`](Self::select).
    ///
    /// # Errors
    /// Those of [`select`](Self::select); [`ErrorKind::NoMatch`] when the node does not have the input, naming the
    /// nearest; [`ErrorKind::Ambiguous`] when `*` addresses several.
    pub fn get(&self, selector: &str) -> Result<&Value, Error> {
        match self.select(selector)?.as_slice() {
            [target] => self.value(target),
            several => Err(self.ambiguous(selector, several.iter().map(|target| &target.node))),
        }
    }

    pub(crate) fn value(&self, target: &Target) -> Result<&Value, Error> {
        let node = self.node(target.node.as_str());
        let value = node.and_then(|node| node.inputs.get(&target.input));
        value.ok_or_else(|| self.no_input(target, node.into_iter().flat_map(|node| node.inputs.keys())))
    }

    /// The error for an input that a node does not have, with the nearest of those it could have.
    pub(crate) fn no_input<'a>(&self, target: &Target, known: impl Iterator<Item = &'a String>) -> Error {
        let hint = nearest(&target.input, known.map(String::as_str));
        let message = format!("{} has no input `{}`{hint}", self.describe(&target.node), clip(&target.input));
        Error::new(ErrorKind::NoMatch, message)
    }

    /// How messages name a node: `node 3 "Title" (Class)`.
    pub(crate) fn describe(&self, id: &NodeId) -> String {
        let node = self.node(id.as_str());
        let title =
            node.and_then(Node::title).map(|title| format!(" \"{}\"", clip(title))).unwrap_or_default();
        let class = node.map(|node| format!(" ({})", clip(&node.class_type))).unwrap_or_default();
        format!("node {}{title}{class}", clip(id.as_str()))
    }

    fn select_everywhere(&self, input: &str) -> Result<Vec<Target>, Error> {
        let having = self.nodes().filter(|(_, node)| node.inputs.contains_key(input));
        let targets: Vec<Target> =
            having.map(|(id, _)| Target { node: id.clone(), input: input.to_owned() }).collect();
        if targets.is_empty() {
            let names = self.nodes().flat_map(|(_, node)| node.inputs.keys()).map(String::as_str);
            let hint = nearest(input, names);
            return Err(Error::new(
                ErrorKind::NoMatch,
                format!("no node has an input `{}`{hint}", clip(input)),
            ));
        }
        Ok(targets)
    }

    fn select_by_title<'s>(&self, selector: &str, rest: &'s str) -> Result<(&NodeId, &'s str), Error> {
        let mut title = String::new();
        let mut chars = rest.char_indices();
        let end = loop {
            match chars.next() {
                Some((end, '"')) => break end,
                Some((_, '\\')) => title.extend(chars.next().map(|(_, c)| c)),
                Some((_, c)) => title.push(c),
                None => return Err(syntax(selector, "the closing quote of the title is missing")),
            }
        };
        let after = &rest[end + 1..];
        let dot = after.find('.').ok_or_else(|| syntax(selector, "`.INPUT` is missing after the title"))?;
        let index = match &after[..dot] {
            "" => None,
            index => Some(
                bracketed(index).ok_or_else(|| syntax(selector, "`.INPUT` is missing after the title"))?,
            ),
        };
        let found = self.nodes().filter(|(_, node)| node.title() == Some(&title)).map(|(id, _)| id).collect();
        let titles = || self.nodes().filter_map(|(_, node)| node.title()).collect::<Vec<_>>();
        let id = self.pick(selector, found, index, || {
            format!("no node has the title \"{}\"{}", clip(&title), nearest(&title, titles().into_iter()))
        })?;
        Ok((id, &after[dot + 1..]))
    }

    /// Ids, classes and inputs may all contain dots: of the places where the selector could be split, the first at which
    /// the left side names a node with that input is meant, else the first at which it names a node at all.
    fn select_by_name<'s>(&self, selector: &'s str) -> Result<(&NodeId, &'s str), Error> {
        let splits: Vec<(&str, &str)> =
            selector.match_indices('.').map(|(dot, _)| (&selector[..dot], &selector[dot + 1..])).collect();
        let Some(&(name, _)) = splits.first() else {
            return Err(syntax(selector, "it has no dot between node and input"));
        };
        let mut first = None;
        for (left, input) in splits {
            let (left, index) = indexed(left);
            let found = self.named(left);
            if found.is_empty() {
                continue;
            }
            let has_input = found
                .iter()
                .any(|id| self.node(id.as_str()).is_some_and(|node| node.inputs.contains_key(input)));
            if has_input {
                return Ok((self.pick(selector, found, index, String::new)?, input));
            }
            first.get_or_insert((found, index, input));
        }
        match first {
            Some((found, index, input)) => Ok((self.pick(selector, found, index, String::new)?, input)),
            None => {
                let name = indexed(name).0;
                let known = self
                    .nodes()
                    .flat_map(|(id, node)| [Some(id.as_str()), Some(&node.class_type), node.title()]);
                let message = format!(
                    "no node has the id, class or title `{}`{}",
                    clip(name),
                    nearest(name, known.flatten())
                );
                Err(Error::new(ErrorKind::NoMatch, message))
            }
        }
    }

    /// The nodes with this id, else of this class, else with this title.
    fn named(&self, name: &str) -> Vec<&NodeId> {
        if let Some(id) = self.key(name) {
            return vec![id];
        }
        let of_class =
            self.nodes().filter(|(_, node)| node.class_type == name).map(|(id, _)| id).collect::<Vec<_>>();
        if !of_class.is_empty() {
            return of_class;
        }
        self.nodes().filter(|(_, node)| node.title() == Some(name)).map(|(id, _)| id).collect()
    }

    fn pick<'w>(
        &'w self,
        selector: &str,
        found: Vec<&'w NodeId>,
        index: Option<usize>,
        missing: impl FnOnce() -> String,
    ) -> Result<&'w NodeId, Error> {
        match (found.as_slice(), index) {
            ([], _) => Err(Error::new(ErrorKind::NoMatch, missing())),
            ([one], None) => Ok(one),
            (several, Some(index)) => several.get(index).copied().ok_or_else(|| {
                let message = format!(
                    "`{}` matches {} nodes, so the last is [{}]",
                    clip(selector),
                    several.len(),
                    several.len() - 1
                );
                Error::new(ErrorKind::NoMatch, message)
            }),
            (several, None) => Err(self.ambiguous(selector, several.iter().copied())),
        }
    }

    fn ambiguous<'a>(&self, selector: &str, several: impl Iterator<Item = &'a NodeId>) -> Error {
        let nodes: Vec<String> = several.map(|id| self.describe(id)).collect();
        let shown = nodes.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
        let more = if nodes.len() > 8 { format!(" and {} more", nodes.len() - 8) } else { String::new() };
        let message = format!(
            "`{}` matches {} nodes: {shown}{more}; name one by its id or as CLASS[INDEX], or all with `*.INPUT`",
            clip(selector),
            nodes.len(),
        );
        Error::new(ErrorKind::Ambiguous, message)
    }
}

/// Divides `SELECTOR=VALUE`, as people write it to set an input, at its first `=` that is not within the quotes of a title;
/// `None` where there is none.
///
/// ```
/// use comfy_workflow::split_assignment;
///
/// assert_eq!(split_assignment(r#""a = b".text=x=1"#), Some((r#""a = b".text"#, "x=1")));
/// assert_eq!(split_assignment("KSampler.seed"), None);
/// ```
#[must_use]
pub fn split_assignment(text: &str) -> Option<(&str, &str)> {
    let mut start = 0;
    if let Some(title) = text.trim_start().strip_prefix('"') {
        let mut escaped = false;
        let end = title.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        start = text.len() - title.len() + end;
    }
    let equals = start + text.get(start..)?.find('=')?;
    Some((text.get(..equals)?, text.get(equals + 1..)?))
}

/// Splits `KSampler[1]` into the name and the index.
fn indexed(name: &str) -> (&str, Option<usize>) {
    let split = name.rfind('[').and_then(|at| Some((&name[..at], bracketed(&name[at..])?)));
    split.map_or((name, None), |(name, index)| (name, Some(index)))
}

fn bracketed(text: &str) -> Option<usize> {
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

fn syntax(selector: &str, reason: &str) -> Error {
    let message = format!(
        "`{}` is no selector: {reason}; it has the form NODE.INPUT, such as `3.seed`, `KSampler.seed` or `\"My title\".text`",
        clip(selector)
    );
    Error::new(ErrorKind::SelectorSyntax, message)
}

/// Most names that are suggested.
const SUGGESTED: usize = 3;

/// Most names that are listed where none is alike.
const LISTED: usize = 12;

/// "; did you mean …?" with up to three names like `wanted`, or the names there are if none is like it.
pub(crate) fn nearest<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> String {
    let (lower, spelling) = (wanted.to_lowercase(), Wanted::new(wanted));
    let (mut like, mut first) = (Vec::<(f64, &str)>::new(), Vec::<&str>::new());
    for name in known {
        if first.len() <= LISTED && !first.contains(&name) {
            first.push(name);
        }
        let contained = containment(&lower, &name.to_lowercase());
        let likeness = spelling.likeness(name).into_iter().chain(contained).reduce(f64::max);
        let Some(likeness) = likeness else { continue };
        if like.iter().all(|(_, seen)| *seen != name) {
            // Among equals the first comes first.
            let place = like.iter().position(|(other, _)| *other < likeness).unwrap_or(like.len());
            like.insert(place, (likeness, name));
            like.truncate(SUGGESTED);
        }
    }
    let quoted = |names: &mut dyn Iterator<Item = &str>| -> String {
        names.map(|name| format!("`{}`", clip(name))).collect::<Vec<_>>().join(", ")
    };
    if !like.is_empty() {
        format!("; did you mean {}?", quoted(&mut like.iter().map(|(_, name)| *name)))
    } else if first.is_empty() {
        String::new()
    } else {
        let more = if first.len() > LISTED { ", …" } else { "" };
        format!("; there are {}{more}", quoted(&mut first.iter().copied().take(LISTED)))
    }
}

/// How alike two names are of which one is a part of the other. One that was cut short, as `euler_a` for `euler_ancestral`, is
/// less like it than `euler` by its letters.
fn containment(wanted: &str, name: &str) -> Option<f64> {
    match wanted.len() >= 3 && name.len() >= 3 {
        true if name.starts_with(wanted) => Some(0.95),
        true if name.contains(wanted) || wanted.contains(name) => Some(0.9),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
