//! The order of boxes within layers: few links should cross.

use std::collections::HashMap;

use super::{Part, Tie};

/// How often the layers are gone through in both directions.
const SWEEPS: usize = 12;
/// The most ties with which crossings are counted; beyond, the last order is taken.
const COUNTED: usize = 20_000;

pub(super) fn untangle(part: &mut Part) {
    begin(part);
    let ties: usize = part.cells.iter().map(|cell| cell.after.len()).sum();
    let sweeps = if ties > COUNTED { 2 } else { SWEEPS };
    let mut best = (crossings(part, ties), part.layers.clone());
    for _ in 0..sweeps {
        if best.0 == Some(0) {
            break;
        }
        for index in 1..part.layers.len() {
            sort(part, index, true);
        }
        for index in (0..part.layers.len().saturating_sub(1)).rev() {
            sort(part, index, false);
        }
        let crossings = crossings(part, ties);
        if crossings.is_none() || crossings < best.0 {
            best = (crossings, part.layers.clone());
        }
    }
    part.layers = best.1;
}

/// The first order: that of a walk along the links, so that what belongs together is together.
fn begin(part: &mut Part) {
    let mut seen = vec![false; part.cells.len()];
    let mut layers: Vec<Vec<usize>> = vec![Vec::new(); part.layers.len()];
    for start in 0..part.cells.len() {
        let mut stack = vec![start];
        while let Some(cell) = stack.pop() {
            if std::mem::replace(&mut seen[cell], true) {
                continue;
            }
            layers[part.cells[cell].layer].push(cell);
            let cell = &part.cells[cell];
            let ties = cell.after.iter().chain(&cell.before).rev();
            stack.extend(ties.map(|tie| tie.other).filter(|other| !seen[*other]));
        }
    }
    part.layers = layers;
}

/// Sorts a layer by the mean place of what its cells are linked to in the layer before or after.
fn sort(part: &mut Part, index: usize, before: bool) {
    let neighbour = if before { index - 1 } else { index + 1 };
    let places: HashMap<usize, f64> =
        part.layers[neighbour].iter().enumerate().map(|(at, cell)| (*cell, at as f64)).collect();
    let mut keyed: Vec<(f64, usize)> = Vec::with_capacity(part.layers[index].len());
    let count = part.layers[index].len().max(1) as f64;
    let scale = part.layers[neighbour].len().max(1) as f64 / count;
    for (at, cell) in part.layers[index].iter().enumerate() {
        let ties = if before { &part.cells[*cell].before } else { &part.cells[*cell].after };
        let known = ties.iter().filter_map(|tie| {
            // Of the links of one box, the upper ones come first.
            let height = part.cells[tie.other].height.max(1.0);
            Some(places.get(&tie.other)? + (tie.there / height).clamp(0.0, 1.0) * 0.9)
        });
        let (sum, number) = known.fold((0.0, 0), |(sum, number), at| (sum + at, number + 1));
        // A cell without links stays where it is.
        let key = if number == 0 { (at as f64 + 0.5) * scale } else { sum / f64::from(number) };
        keyed.push((key, *cell));
    }
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    part.layers[index] = keyed.into_iter().map(|(_, cell)| cell).collect();
}

/// How many links cross; `None` where there are too many to count.
fn crossings(part: &Part, ties: usize) -> Option<usize> {
    if ties > COUNTED {
        return None;
    }
    let mut place = vec![0; part.cells.len()];
    for layer in &part.layers {
        layer.iter().enumerate().for_each(|(at, cell)| place[*cell] = at);
    }
    Some(part.layers.iter().map(|layer| crossings_after(part, layer, &place)).sum())
}

/// The crossings between a layer and the next: pairs of links whose ends are in opposite orders, counted with a tree of
/// sums over the ends in the next layer.
fn crossings_after(part: &Part, layer: &[usize], place: &[usize]) -> usize {
    let mut ends: Vec<(usize, f64)> = Vec::new();
    for cell in layer {
        let mut ties: Vec<&Tie> = part.cells[*cell].after.iter().collect();
        ties.sort_by(|a, b| a.here.total_cmp(&b.here).then(place[a.other].cmp(&place[b.other])));
        ends.extend(ties.iter().map(|tie| (place[tie.other], tie.there)));
    }
    let mut sorted: Vec<usize> = (0..ends.len()).collect();
    sorted.sort_by(|a, b| ends[*a].0.cmp(&ends[*b].0).then(ends[*a].1.total_cmp(&ends[*b].1)));
    let mut rank = vec![0; ends.len()];
    let mut last = 0;
    for (at, end) in sorted.iter().enumerate() {
        if at > 0 && ends[sorted[at - 1]] != ends[*end] {
            last = at;
        }
        rank[*end] = last;
    }
    let mut sums = vec![0_usize; ends.len() + 1];
    let mut crossings = 0;
    for (seen, rank) in rank.iter().enumerate() {
        let (mut at, mut not_after) = (rank + 1, 0);
        while at > 0 {
            not_after += sums[at];
            at &= at - 1;
        }
        crossings += seen - not_after;
        let mut at = rank + 1;
        while at < sums.len() {
            sums[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    crossings
}
