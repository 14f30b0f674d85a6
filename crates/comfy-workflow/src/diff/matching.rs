//! Which node of one workflow is which of another.

use std::collections::HashMap;

use super::structure::{Structure, Tie, same};

/// How many links away nodes are looked at, from the surest matches to the vaguest.
const ROUNDS: [usize; 5] = [16, 4, 2, 1, 0];
/// Most nodes left over on a side that are compared each with each.
const COMPARED: usize = 300;

/// The pairs of nodes that are the same, by their places.
pub(super) fn pairs(old: &Structure<'_>, new: &Structure<'_>) -> Vec<(usize, usize)> {
    let mut labels: Vec<[Vec<u64>; 2]> =
        ROUNDS.iter().map(|rounds| [old.labels(*rounds), new.labels(*rounds)]).collect();
    labels.push([old.classes(), new.classes()]);
    let mut whole = Matching::new(old, new);
    whole.by_labels(&labels[0], usize::MAX);
    if old.nodes.len() == new.nodes.len() && whole.is_exact() {
        return whole.pairs();
    }
    let mut matching = Matching::new(old, new);
    if keeps_ids(old, new, &labels[3]) {
        matching.by_ids(true);
    }
    // What links say of twins is worth more than their order in the file.
    for most in [1, usize::MAX] {
        for labels in &labels {
            matching.by_labels(labels, most);
            matching.along_links(true);
        }
    }
    matching.by_likeness();
    matching.along_links(false);
    matching.by_ids(false);
    matching.pairs()
}

/// Whether the second workflow has the ids of the first: nodes that cannot be mistaken for others mostly kept theirs.
fn keeps_ids(old: &Structure<'_>, new: &Structure<'_>, labels: &[Vec<u64>; 2]) -> bool {
    let places = by_label(&labels[0], &labels[1], |_| true, |_| true);
    let unique = places.values().filter_map(|places| match (places.0.as_slice(), places.1.as_slice()) {
        ([from], [to]) => Some(old.nodes[*from].0 == new.nodes[*to].0),
        _ => None,
    });
    let (mut kept, mut moved) = (0, 0);
    unique.for_each(|same| if same { kept += 1 } else { moved += 1 });
    if kept + moved > 0 {
        return kept >= moved;
    }
    let same = old
        .nodes
        .iter()
        .filter(|(id, node)| new.index.get(id.as_str()).is_some_and(|at| new.class(*at) == node.class_type));
    2 * same.count() >= old.nodes.len().min(new.nodes.len())
}

type Places = HashMap<u64, (Vec<usize>, Vec<usize>)>;

/// The places in both workflows of each label.
fn by_label(
    old: &[u64],
    new: &[u64],
    is_free: impl Fn(usize) -> bool,
    is_new_free: impl Fn(usize) -> bool,
) -> Places {
    let mut places = Places::new();
    for (at, label) in old.iter().enumerate().filter(|(at, _)| is_free(*at)) {
        places.entry(*label).or_default().0.push(at);
    }
    for (at, label) in new.iter().enumerate().filter(|(at, _)| is_new_free(*at)) {
        places.entry(*label).or_default().1.push(at);
    }
    places
}

struct Matching<'s, 'a> {
    old: &'s Structure<'a>,
    new: &'s Structure<'a>,
    /// The partner of each node.
    to: Vec<Option<usize>>,
    from: Vec<Option<usize>>,
}

impl<'s, 'a> Matching<'s, 'a> {
    fn new(old: &'s Structure<'a>, new: &'s Structure<'a>) -> Self {
        Self { old, new, to: vec![None; old.nodes.len()], from: vec![None; new.nodes.len()] }
    }

    fn pairs(&self) -> Vec<(usize, usize)> {
        self.to.iter().enumerate().filter_map(|(from, to)| Some((from, (*to)?))).collect()
    }

    fn tie(&mut self, from: usize, to: usize) -> bool {
        if self.to[from].is_some() || self.from[to].is_some() {
            return false;
        }
        self.to[from] = Some(to);
        self.from[to] = Some(from);
        true
    }

    /// Whether every node has a partner with the same links. The labels have seen to the rest.
    fn is_exact(&self) -> bool {
        self.to.iter().enumerate().all(|(from, to)| {
            let Some(to) = *to else { return false };
            let (ours, theirs) = (&self.old.into[from], &self.new.into[to]);
            let (old, new) = (self.old.nodes[from].1, self.new.nodes[to].1);
            old.class_type == new.class_type
                && ours.len() == theirs.len()
                && ours.iter().all(|tie| {
                    let partner = self.to[tie.other];
                    theirs.iter().any(|other| {
                        other.input == tie.input && other.slot == tie.slot && Some(other.other) == partner
                    })
                })
        })
    }

    /// Ties nodes of the same label where there are as many on both sides, at most `most`, and from each pair on what is
    /// linked to it.
    fn by_labels(&mut self, labels: &[Vec<u64>; 2], most: usize) {
        let places =
            by_label(&labels[0], &labels[1], |at| self.to[at].is_none(), |at| self.from[at].is_none());
        let mut groups: Vec<(Vec<usize>, Vec<usize>)> = places
            .into_values()
            .filter(|(ours, theirs)| ours.len() == theirs.len() && ours.len() <= most)
            .collect();
        // Those that cannot be mistaken first; otherwise in document order.
        groups.sort_by_key(|(ours, _)| (ours.len(), ours.first().copied()));
        for (ours, theirs) in groups {
            for from in &ours {
                let id = self.old.nodes[*from].0;
                let free = theirs.iter().copied().filter(|to| self.from[*to].is_none());
                let same_id = free.clone().find(|to| self.new.nodes[*to].0 == id);
                let Some(to) = same_id.or_else(|| free.clone().next()) else { continue };
                if self.tie(*from, to) {
                    self.spread(*from, to, labels);
                }
            }
        }
    }

    /// Ties what is linked alike to a pair and has the same labels.
    fn spread(&mut self, from: usize, to: usize, labels: &[Vec<u64>; 2]) {
        let mut pairs = vec![(from, to)];
        while let Some((from, to)) = pairs.pop() {
            let sides: [(&[Tie<'_>], &[Tie<'_>]); 2] =
                [(&self.old.into[from], &self.new.into[to]), (&self.old.out[from], &self.new.out[to])];
            for (ours, theirs) in sides {
                for tie in ours {
                    if self.to[tie.other].is_some() {
                        continue;
                    }
                    let alike = theirs.iter().filter(|other| {
                        other.input == tie.input
                            && other.slot == tie.slot
                            && self.from[other.other].is_none()
                            && labels[0][tie.other] == labels[1][other.other]
                    });
                    let id = self.old.nodes[tie.other].0;
                    let same_id = alike.clone().find(|other| self.new.nodes[other.other].0 == id);
                    let Some(partner) = same_id.or_else(|| alike.clone().next()).map(|other| other.other)
                    else {
                        continue;
                    };
                    self.to[tie.other] = Some(partner);
                    self.from[partner] = Some(tie.other);
                    pairs.push((tie.other, partner));
                }
            }
        }
    }

    /// Ties nodes of the same id.
    fn by_ids(&mut self, same_class: bool) {
        for from in 0..self.to.len() {
            let (id, node) = self.old.nodes[from];
            let Some(to) = self.new.index.get(id.as_str()).copied() else { continue };
            if !same_class || self.new.class(to) == node.class_type {
                self.tie(from, to);
            }
        }
    }

    /// Ties what leads to the same input of a pair, or is the only one that an output of a pair leads to by an input of a
    /// name.
    fn along_links(&mut self, same_class: bool) {
        let mut pairs = self.pairs();
        while let Some((from, to)) = pairs.pop() {
            for into in [true, false] {
                let (ours, theirs) = if into {
                    (&self.old.into[from], &self.new.into[to])
                } else {
                    (&self.old.out[from], &self.new.out[to])
                };
                // What a node of another class feeds, it feeds in place of the one before; what it is fed by says less.
                if !into && !same_class {
                    continue;
                }
                for tie in ours.iter().filter(|tie| self.to[tie.other].is_none()).copied().collect::<Vec<_>>()
                {
                    let like = |other: &Tie<'_>| other.input == tie.input && (into || other.slot == tie.slot);
                    let free = |other: &&Tie<'_>| like(other) && self.from[other.other].is_none();
                    let mut candidates = theirs.iter().filter(free);
                    let (Some(partner), None) = (candidates.next(), candidates.next()) else { continue };
                    if !into && ours.iter().filter(|other| like(other)).count() > 1 {
                        continue;
                    }
                    let same = self.old.class(tie.other) == self.new.class(partner.other);
                    if (same || !same_class) && self.tie(tie.other, partner.other) {
                        pairs.push((tie.other, partner.other));
                    }
                }
            }
        }
    }

    /// Ties what is left of the same class: those first that have most values in common.
    fn by_likeness(&mut self) {
        let free = |partners: &[Option<usize>]| -> Vec<usize> {
            partners
                .iter()
                .enumerate()
                .filter(|(_, partner)| partner.is_none())
                .map(|(at, _)| at)
                .take(COMPARED)
                .collect()
        };
        let (ours, theirs) = (free(&self.to), free(&self.from));
        let mut scored = Vec::new();
        for from in &ours {
            for to in theirs.iter().filter(|to| self.old.class(*from) == self.new.class(**to)) {
                let (old, new) = (self.old.nodes[*from].1, self.new.nodes[*to].1);
                let equal = old
                    .inputs
                    .iter()
                    .filter(|(name, value)| new.inputs.get(*name).is_some_and(|other| same(value, other)));
                let title = usize::from(old.title().is_some() && old.title() == new.title());
                let id = usize::from(self.old.nodes[*from].0 == self.new.nodes[*to].0);
                scored.push((equal.count() + 2 * title + id, *from, *to));
            }
        }
        scored.sort_by_key(|(score, from, to)| (std::cmp::Reverse(*score), *from, *to));
        for (_, from, to) in scored {
            self.tie(from, to);
        }
    }
}
