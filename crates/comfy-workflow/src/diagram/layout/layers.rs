//! Connected parts, and the layer of every box.

use std::collections::HashMap;

use super::{BEND, Cell, Edge, Item, MOST_BENDS, Part, Tie};

/// The items and edges of each connected part, both in ascending order.
pub(super) fn parts(count: usize, edges: &[Edge]) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut parent: Vec<usize> = (0..count).collect();
    for edge in edges {
        let (a, b) = (root(&mut parent, edge.from), root(&mut parent, edge.to));
        parent[a.max(b)] = a.min(b);
    }
    let mut parts: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
    let mut places: HashMap<usize, usize> = HashMap::new();
    for item in 0..count {
        let place = *places.entry(root(&mut parent, item)).or_insert_with(|| {
            parts.push(Default::default());
            parts.len() - 1
        });
        parts[place].0.push(item);
    }
    for (index, edge) in edges.iter().enumerate() {
        if let Some(place) = places.get(&root(&mut parent, edge.from)) {
            parts[*place].1.push(index);
        }
    }
    parts
}

fn root(parent: &mut [usize], mut item: usize) -> usize {
    while parent[item] != item {
        parent[item] = parent[parent[item]];
        item = parent[item];
    }
    item
}

/// A part in layers, and for each of its edges the bends it passes, from its origin on.
pub(super) fn part(
    items: &[Item],
    edges: &[Edge],
    members: &[usize],
    links: &[usize],
) -> (Part, Vec<(usize, Vec<usize>)>) {
    let local: HashMap<usize, usize> =
        members.iter().enumerate().map(|(local, item)| (*item, local)).collect();
    let ends: Vec<(usize, usize)> =
        links.iter().map(|link| (local[&edges[*link].from], local[&edges[*link].to])).collect();
    let layer = layers(members.len(), &ends);
    let mut part = Part::default();
    for (cell, item) in members.iter().enumerate() {
        let Item { width, height } = items[*item];
        part.cells.push(Cell {
            item: Some(*item),
            width,
            height,
            layer: layer[cell],
            y: 0.0,
            before: Vec::new(),
            after: Vec::new(),
        });
    }
    let spans = ends.iter().map(|(from, to)| layer[*from].abs_diff(layer[*to]).saturating_sub(1));
    let bend = spans.sum::<usize>() <= MOST_BENDS;
    let mut chains = Vec::new();
    for (link, (from, to)) in links.iter().zip(&ends) {
        let edge = edges[*link];
        let mut bends = Vec::new();
        if layer[*from] < layer[*to] {
            let (mut last, mut here) = (*from, edge.from_y);
            if bend {
                for between in layer[*from] + 1..layer[*to] {
                    let cell = part.cells.len();
                    part.cells.push(Cell {
                        item: None,
                        width: 0.0,
                        height: BEND,
                        layer: between,
                        y: 0.0,
                        before: Vec::new(),
                        after: Vec::new(),
                    });
                    tie(&mut part, (last, here), (cell, BEND / 2.0));
                    (last, here) = (cell, BEND / 2.0);
                    bends.push(cell);
                }
            }
            if bend || layer[*from] + 1 == layer[*to] {
                tie(&mut part, (last, here), (*to, edge.to_y));
            }
        }
        chains.push((*link, bends));
    }
    let count = part.cells.iter().map(|cell| cell.layer + 1).max().unwrap_or(0);
    part.layers = vec![Vec::new(); count];
    for (index, cell) in part.cells.iter().enumerate() {
        part.layers[cell.layer].push(index);
    }
    (part, chains)
}

fn tie(part: &mut Part, (from, leaves): (usize, f64), (to, arrives): (usize, f64)) {
    part.cells[from].after.push(Tie { other: to, here: leaves, there: arrives });
    part.cells[to].before.push(Tie { other: from, here: arrives, there: leaves });
}

/// The layer of each of `count` boxes. Links that close a cycle do not count.
fn layers(count: usize, ends: &[(usize, usize)]) -> Vec<usize> {
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (from, to) in ends {
        if from != to {
            after[*from].push(*to);
        }
    }
    let order = open_cycles(&mut after);
    let mut layer = vec![0; count];
    let mut fed = vec![0_usize; count];
    for from in &order {
        for to in &after[*from] {
            layer[*to] = layer[*to].max(layer[*from] + 1);
            fed[*to] += 1;
        }
    }
    // A box that has at least as many links out as in comes nearer to what it feeds.
    for from in order.iter().rev() {
        let nearest = after[*from].iter().map(|to| layer[*to]).min();
        if let Some(nearest) = nearest.filter(|_| after[*from].len() >= fed[*from]) {
            layer[*from] = layer[*from].max(nearest - 1);
        }
    }
    let first = layer.iter().min().copied().unwrap_or(0);
    layer.iter().map(|layer| layer - first).collect()
}

/// Takes out the links that close a cycle, and gives an order in which all others lead forward.
fn open_cycles(after: &mut [Vec<usize>]) -> Vec<usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut fed = vec![false; after.len()];
    after.iter().flatten().for_each(|to| fed[*to] = true);
    let mut marks = vec![Mark::New; after.len()];
    let mut order = Vec::with_capacity(after.len());
    // Sources first: from there a link back is the one that a person would call so.
    let (sources, others): (Vec<usize>, Vec<usize>) = (0..after.len()).partition(|index| !fed[*index]);
    for start in sources.into_iter().chain(others) {
        if marks[start] != Mark::New {
            continue;
        }
        marks[start] = Mark::Open;
        let mut stack = vec![(start, 0)];
        while let Some((index, next)) = stack.pop() {
            let Some(to) = after[index].get(next).copied() else {
                marks[index] = Mark::Done;
                order.push(index);
                continue;
            };
            match marks[to] {
                Mark::Open => {
                    after[index].remove(next);
                    stack.push((index, next));
                }
                Mark::Done => stack.push((index, next + 1)),
                Mark::New => {
                    marks[to] = Mark::Open;
                    stack.push((index, next + 1));
                    stack.push((to, 0));
                }
            }
        }
    }
    order.reverse();
    order
}
