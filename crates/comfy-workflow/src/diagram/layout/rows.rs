//! Heights: boxes move up and down until the links between them are straight.

use super::{Cell, GAP, LAYER_GAP, Part, Placed, Tie};

/// How often the layers are gone through.
const SWEEPS: usize = 16;
/// How much a long link's own straightness counts against that of others.
const LONG: f64 = 6.0;

pub(super) fn straighten(part: &mut Part) {
    for layer in &part.layers {
        let mut y = 0.0;
        for cell in layer {
            part.cells[*cell].y = y;
            y += part.cells[*cell].height + gap(&part.cells[*cell]);
        }
    }
    let count = part.layers.len();
    let sweeps = if part.cells.len() > 5_000 { 4 } else { SWEEPS };
    for sweep in 0..sweeps {
        // Towards the end both sides count, so that the middle of what a box is tied to wins.
        let both = sweep + 4 >= sweeps;
        if sweep % 2 == 0 {
            (0..count).for_each(|index| settle(part, index, true, both));
        } else {
            (0..count).rev().for_each(|index| settle(part, index, both, true));
        }
    }
}

/// The room under a cell.
fn gap(cell: &Cell) -> f64 {
    if cell.item.is_some() { GAP } else { GAP / 3.0 }
}

/// Moves the cells of a layer to where their links would be straight, as near as their order and heights allow: least
/// squares under the condition that none overlaps the next, solved exactly by joining neighbours that are in each other's
/// way into blocks.
fn settle(part: &mut Part, index: usize, before: bool, after: bool) {
    // Of each block: the sum of weighted wishes, the sum of weights, the number of cells.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    let mut offsets = Vec::with_capacity(part.layers[index].len());
    let mut offset = 0.0;
    for cell in &part.layers[index] {
        let (wish, weight) = wish(part, *cell, before, after);
        offsets.push(offset);
        blocks.push(((wish - offset) * weight, weight, 1));
        offset += part.cells[*cell].height + gap(&part.cells[*cell]);
        while let [.., above, below] = blocks.as_mut_slice() {
            if above.0 / above.1 <= below.0 / below.1 {
                break;
            }
            *above = (above.0 + below.0, above.1 + below.1, above.2 + below.2);
            blocks.pop();
        }
    }
    let mut at = 0;
    for (sum, weight, count) in blocks {
        for _ in 0..count {
            part.cells[part.layers[index][at]].y = sum / weight + offsets[at];
            at += 1;
        }
    }
}

/// Where a cell would be if it were alone, and how much that counts.
fn wish(part: &Part, index: usize, before: bool, after: bool) -> (f64, f64) {
    let cell = &part.cells[index];
    let ties = |use_them: bool, ties: &'_ [Tie]| -> (f64, f64) {
        let mut sum = (0.0, 0.0);
        for tie in ties.iter().filter(|_| use_them) {
            let other = &part.cells[tie.other];
            let weight = if cell.item.is_none() && other.item.is_none() { LONG } else { 1.0 };
            sum.0 += (other.y + tie.there - tie.here) * weight;
            sum.1 += weight;
        }
        sum
    };
    let (from, to) = (ties(before, &cell.before), ties(after, &cell.after));
    let weight = from.1 + to.1;
    // What has no tie on this side holds its place, but gives way.
    if weight == 0.0 { (cell.y, 0.05) } else { ((from.0 + to.0) / weight, weight) }
}

/// Writes the corners of the items and the bends of the edges; gives the size of the part.
pub(super) fn corners(part: &Part, chains: &[(usize, Vec<usize>)], placed: &mut Placed) -> [f64; 2] {
    let top = part.cells.iter().map(|cell| cell.y).fold(f64::INFINITY, f64::min);
    let bottom = part.cells.iter().map(|cell| cell.y + cell.height).fold(f64::NEG_INFINITY, f64::max);
    let mut columns = Vec::with_capacity(part.layers.len());
    let mut x = 0.0;
    for layer in &part.layers {
        let width = layer.iter().map(|cell| part.cells[*cell].width).fold(0.0, f64::max);
        columns.push((x, width));
        x += width + LAYER_GAP;
    }
    for cell in &part.cells {
        if let Some(item) = cell.item {
            let (left, width) = columns[cell.layer];
            // Narrow boxes stand in the middle of their layer.
            placed.corners[item] = [left + (width - cell.width) / 2.0, cell.y - top];
        }
    }
    for (edge, bends) in chains {
        placed.bends[*edge] = bends
            .iter()
            .flat_map(|bend| {
                let cell = &part.cells[*bend];
                let (left, width) = columns[cell.layer];
                let y = cell.y + cell.height / 2.0 - top;
                [[left, y], [left + width, y]]
            })
            .collect();
    }
    [(x - LAYER_GAP).max(0.0), (bottom - top).max(0.0)]
}
