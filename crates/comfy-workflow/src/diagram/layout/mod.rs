//! Placing boxes that have no places: in layers from left to right, after Sugiyama, Tagawa and Toda.
//!
//! Each connected part is placed by itself: cycles are opened, boxes put into layers, long links led through the layers
//! between by bends, the order within layers changed until few links cross, and boxes moved up and down until links are
//! straight. Then the parts are packed into rows. All of it is deterministic.

mod layers;
mod order;
mod rows;

/// Between the right side of a layer and the left side of the next.
const LAYER_GAP: f64 = 90.0;
/// Between boxes above each other.
const GAP: f64 = 28.0;
/// The height that a link takes where it passes through a layer.
const BEND: f64 = 8.0;
/// Most bends of a part; one that would have more gets none.
const MOST_BENDS: usize = 20_000;

/// A box to be placed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A link between boxes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Where it leaves, measured from the upper side of the box.
    pub(super) from_y: f64,
    /// Where it arrives, measured from the upper side of the box.
    pub(super) to_y: f64,
}

/// Where everything is.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// The left upper corners of the items.
    pub(super) corners: Vec<[f64; 2]>,
    /// For every edge the points it passes through.
    pub(super) bends: Vec<Vec<[f64; 2]>>,
}

/// A connected part: items, or bends of links, in layers.
#[derive(Debug, Default)]
struct Part {
    cells: Vec<Cell>,
    /// The cells of each layer from top to bottom.
    layers: Vec<Vec<usize>>,
}

#[derive(Debug)]
struct Cell {
    /// The item, unless it is a bend.
    item: Option<usize>,
    width: f64,
    height: f64,
    layer: usize,
    /// The upper side.
    y: f64,
    /// Links to the layer before and to the one after.
    before: Vec<Tie>,
    after: Vec<Tie>,
}

/// One end's view of a link between cells of neighbouring layers.
#[derive(Debug, Clone, Copy)]
struct Tie {
    other: usize,
    /// Where the link is on this cell and on the other, measured from their upper sides.
    here: f64,
    there: f64,
}

/// Places `items` so that links lead to the right.
pub(super) fn place(items: &[Item], edges: &[Edge]) -> Placed {
    let mut placed = Placed { corners: vec![[0.0; 2]; items.len()], bends: vec![Vec::new(); edges.len()] };
    let mut sizes = Vec::new();
    let parts = layers::parts(items.len(), edges);
    for (members, links) in &parts {
        let (mut part, chains) = layers::part(items, edges, members, links);
        order::untangle(&mut part);
        rows::straighten(&mut part);
        sizes.push(rows::corners(&part, &chains, &mut placed));
    }
    pack(&parts, &sizes, &mut placed);
    placed
}

/// Sets the parts beside and under each other, large ones first, so that the whole is about as wide as a screen.
fn pack(parts: &[(Vec<usize>, Vec<usize>)], sizes: &[[f64; 2]], placed: &mut Placed) {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by(|a, b| (sizes[*b][0] * sizes[*b][1]).total_cmp(&(sizes[*a][0] * sizes[*a][1])));
    let area: f64 = sizes.iter().map(|[width, height]| (width + LAYER_GAP) * (height + 2.0 * GAP)).sum();
    let widest = sizes.iter().map(|size| size[0]).fold(0.0, f64::max);
    let most = widest.max((area * 1.8).sqrt());
    let (mut x, mut y, mut row): (f64, f64, f64) = (0.0, 0.0, 0.0);
    for index in order {
        let [width, height] = sizes[index];
        if x > 0.0 && x + width > most {
            (x, y, row) = (0.0, y + row + 2.0 * GAP, 0.0);
        }
        let (members, links) = &parts[index];
        for member in members {
            placed.corners[*member][0] += x;
            placed.corners[*member][1] += y;
        }
        for link in links {
            for point in &mut placed.bends[*link] {
                point[0] += x;
                point[1] += y;
            }
        }
        x += width + LAYER_GAP;
        row = row.max(height);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_all(count: usize, links: &[(usize, usize)]) -> Placed {
        let items = vec![Item { width: 100.0, height: 60.0 }; count];
        let edges: Vec<Edge> =
            links.iter().map(|(from, to)| Edge { from: *from, to: *to, from_y: 30.0, to_y: 30.0 }).collect();
        let placed = place(&items, &edges);
        for (index, a) in placed.corners.iter().enumerate() {
            assert!(a.iter().all(|side| side.is_finite()));
            for b in &placed.corners[..index] {
                let apart = (a[0] - b[0]).abs() >= 99.9 || (a[1] - b[1]).abs() >= 59.9;
                assert!(apart, "two boxes lie over each other: {a:?} {b:?}");
            }
        }
        placed
    }

    #[test]
    fn a_chain_is_a_straight_row() {
        let placed = place_all(4, &[(0, 1), (1, 2), (2, 3)]);
        assert!(placed.corners.windows(2).all(|pair| pair[0][0] < pair[1][0] && pair[0][1] == pair[1][1]));
    }

    #[test]
    fn cycles_and_links_to_oneself_are_placed_too() {
        place_all(3, &[(0, 1), (1, 2), (2, 0), (1, 1)]);
    }

    #[test]
    fn links_do_not_cross_where_they_need_not() {
        let placed = place_all(4, &[(0, 3), (1, 2)]);
        let [a, b, c, d] = [0, 1, 2, 3].map(|index| placed.corners[index][1]);
        assert_eq!(a < b, d < c);
    }

    #[test]
    fn a_long_link_passes_around_the_boxes_between() {
        let placed = place_all(4, &[(0, 1), (1, 2), (2, 3), (0, 3)]);
        assert!(!placed.bends[3].is_empty());
        for bend in &placed.bends[3] {
            let hit = |corner: &[f64; 2]| {
                (corner[0]..corner[0] + 100.0).contains(&bend[0])
                    && (corner[1]..corner[1] + 60.0).contains(&bend[1])
            };
            assert!(!placed.corners.iter().any(hit), "{bend:?} {:?}", placed.corners);
        }
    }

    #[test]
    fn a_source_lies_beside_what_uses_it() {
        // 4 feeds only the last of the chain.
        let placed = place_all(5, &[(0, 1), (1, 2), (2, 3), (4, 3)]);
        assert_eq!(placed.corners[4][0], placed.corners[2][0]);
    }

    #[test]
    fn many_boxes_are_placed_in_little_time() {
        let chain: Vec<(usize, usize)> = (0..9_999).map(|index| (index, index + 1)).collect();
        let hub: Vec<(usize, usize)> = (1..9_999).map(|index| (0, index)).collect();
        let both: Vec<(usize, usize)> = chain.iter().chain(&hub).copied().collect();
        for links in [chain, hub, both] {
            let items = vec![Item { width: 100.0, height: 60.0 }; 10_000];
            let edges: Vec<Edge> = links
                .iter()
                .map(|(from, to)| Edge { from: *from, to: *to, from_y: 30.0, to_y: 30.0 })
                .collect();
            assert_eq!(place(&items, &edges).corners.len(), 10_000);
        }
    }
}
